"""What an authority answers: the response, with every rule's outcome and the approvals and waivers that counted."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from enigm_tuf.audit.log import AuditLog
from enigm_tuf.authorities.judging import Case
from enigm_tuf.authorities.payload_signing import PayloadSigner
from enigm_tuf.authorities.proving import proofs_of
from enigm_tuf.authorities.signing_log import log_refusal
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.request import APPROVALS, RoleSignature, SigningResponse, make_response
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.policy.engine import Decision
from enigm_tuf.policy.question import Question


@dataclass(frozen=True, slots=True)
class Answer:
    """The response, PASSED with signatures or FAILED without; ``refusal`` is then the first rule that said no."""

    response: SigningResponse
    file: bytes
    refusal: RefusedError | None


def passed(case: Case, signer: PayloadSigner, signatures: tuple[RoleSignature, ...]) -> Answer:
    """Every rule passed, and all payloads are signed by this key; ``signatures`` are those made under this decision."""
    approved = signer.approved
    made = (signatures, signer.inventory, signer.entries)
    return _answer(case, approved.question, approved.decision, made, signer.log, None)


def failed(case: Case, question: Question, decision: Decision, log: AuditLog) -> Answer:
    """A rule said no: logged as a refusal, no signature."""
    first = next(outcome for outcome in decision.outcomes if not outcome.allowed)
    subject = f"request {case.request.index.request_id}"
    refusal = RefusedError(first.rule, subject, expected="every rule of the policy to pass", got=first.evidence)
    log_refusal(log, case.request, refusal)
    return _answer(case, question, decision, ((), None, ()), log, refusal)


def _answer(
    case: Case,
    question: Question,
    decision: Decision,
    made: tuple[tuple[RoleSignature, ...], str | None, Collection[int]],
    log: AuditLog,
    refusal: RefusedError | None,
) -> Answer:
    index = case.request.index
    verdict: Literal["PASSED", "FAILED"] = "FAILED" if refusal else "PASSED"
    signatures, inventory, entries = made
    head, proofs = proofs_of(log, entries)
    response = SigningResponse(
        request_sha256=case.request.digest,
        request_id=index.request_id,
        environment=index.environment,
        authority=index.authority,
        decision=verdict,
        decided=question.now,
        policy=question.policy_pin,
        rules=decision.outcomes,
        approvals=decision.envelopes,
        signatures=signatures,
        inventory=inventory,
        audit=head,
    )
    envelopes = {sha256(data): data for data in (*case.request.below("approvals").values(), *case.brought.envelopes)}
    members = proofs | {f"{APPROVALS}{digest}.dsse.json": envelopes[digest] for digest in decision.envelopes}
    return Answer(response, make_response(response, members), refusal)
