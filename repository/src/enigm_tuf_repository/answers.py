"""One authority's answer, judged. A response is believed for nothing that is not proved again here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from enigm_tuf.errors import MisuseError, RefusedError
from enigm_tuf.model.request import (
    Authority,
    RuleOutcome,
    SigningRequest,
    SigningResponse,
    read_response,
)
from enigm_tuf.model.tuf import Root, Targets
from enigm_tuf.policy.engine import evaluate
from enigm_tuf.policy.question import CastApproval, Ledger, Question
from enigm_tuf.policy.reading import ask
from enigm_tuf.trust.root_rules import view_root
from enigm_tuf.trust.threshold import signers
from enigm_tuf.trust.verified import Verified
from enigm_tuf_repository.findings import refusal_of
from enigm_tuf_repository.lineage import Lineage, read_value
from enigm_tuf_repository.rules import RepositoryRule
from enigm_tuf_repository.trusted import RoleKeys, role_keys
from enigm_tuf_repository.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Asked:
    """What the authorities were asked in one record. ``root`` is None while the first root is made."""

    workspace: Workspace
    requests: Mapping[Authority, SigningRequest]
    root: Verified[Root] | None
    lineage: Lineage
    ledgers: Mapping[Authority, Ledger]

    def proposed(self, role: str) -> bytes | None:
        """The exact bytes that one of the authorities was asked to sign."""
        for request in self.requests.values():
            for name, data in request.below("payloads").items():
                if name.rsplit(".", 2)[0] == role:
                    return data
        return None

    def root_in_force(self) -> Root:
        """The trusted root, or the proposed one while there is none."""
        proposed = self.proposed("root")
        if self.root is None and proposed is None:
            raise MisuseError("there is no root yet, and this record proposes none")
        return self.root.value if self.root else read_value(proposed or b"", Root, "root")

    def keys(self, role: str) -> RoleKeys:
        """Who may sign ``role``: by the delegation that this record proposes, else by the one in force."""
        proposed = self.proposed("targets")
        targets = read_value(proposed, Targets, "targets") if proposed else self.lineage.value("targets", Targets)
        return role_keys(role, self.root_in_force(), targets)

    def custodian(self, keyid: str) -> str:
        """Who holds the key, as root says."""
        return view_root(self.root_in_force()).extension.keyinfo[keyid].custodian


@dataclass(frozen=True, slots=True)
class Answer:
    """A response of which everything was proved again."""

    data: bytes
    response: SigningResponse
    envelopes: Mapping[str, bytes]
    counted: tuple[CastApproval, ...]
    outcomes: tuple[RuleOutcome, ...]


def judge_answer(asked: Asked, data: bytes, source: str) -> Answer:
    """RefusedError RESPONSE-REQUEST, RESPONSE-DECISION, RESPONSE-SIGNATURE, or the policy rule that fails."""
    response, envelopes = read_response(data, source)
    request = _request_of(asked, response, source)
    _require_passed(response, source)
    _require_signatures(asked, request, response, source)
    counted: tuple[CastApproval, ...] = ()
    outcomes: tuple[RuleOutcome, ...] = ()
    for custodian in sorted({asked.custodian(item.keyid) for item in response.signatures}):
        decision = evaluate(_question(asked, request, response, tuple(envelopes.values()), custodian))
        for outcome in decision.outcomes:
            if not outcome.passed:
                raise refusal_of(outcome, source, "to pass again at the repository")
        counted, outcomes = decision.counted, decision.outcomes
    return Answer(data, response, envelopes, counted, outcomes)


def _request_of(asked: Asked, response: SigningResponse, source: str) -> SigningRequest:
    request = asked.requests.get(response.authority)
    if request is None or request.digest != response.request_sha256:
        expected = ", ".join(item.digest for item in asked.requests.values())
        _refuse(
            RepositoryRule.RESPONSE_REQUEST,
            source,
            f"an answer to a request of this record ({expected})",
            response.request_sha256,
        )
    index = request.index
    expected_facts = (index.request_id, index.environment, index.policy)
    facts = (response.request_id, response.environment, response.policy)
    if facts != expected_facts:
        _refuse(RepositoryRule.RESPONSE_REQUEST, source, f"{expected_facts}", f"{facts}")
    return request


def _require_passed(response: SigningResponse, source: str) -> None:
    failed = [f"{item.rule}: {item.evidence}" for item in response.rules if not item.passed]
    if response.decision != "PASSED" or failed:
        got = "; ".join([f"decision {response.decision}", *failed])
        _refuse(RepositoryRule.RESPONSE_DECISION, source, "decision PASSED by every rule", got)


def _require_signatures(asked: Asked, request: SigningRequest, response: SigningResponse, source: str) -> None:
    """Each payload of the request is signed, nothing else is, and each signature is one of the role's keys."""
    payloads = request.below("payloads")
    signed = {f"{item.role}.{item.version}.json" for item in response.signatures}
    if signed != set(payloads):
        _refuse(RepositoryRule.RESPONSE_SIGNATURE, source, f"signatures of {sorted(payloads)}", f"{sorted(signed)}")
    for item in response.signatures:
        keys = asked.keys(item.role)
        data = payloads[f"{item.role}.{item.version}.json"]
        if not signers(keys.keys, keys.keyids, {item.keyid: item.signature}, data):
            expected = f"a valid signature by a key of the role, named {item.keyid}"
            _refuse(RepositoryRule.RESPONSE_SIGNATURE, f"{source}, {item.role}", expected, "none")


def _question(
    asked: Asked, request: SigningRequest, response: SigningResponse, envelopes: Sequence[bytes], custodian: str
) -> Question:
    """What the authority's policy was asked, as of the time of its decision."""
    authority = request.index.authority
    return ask(
        request,
        policy_data=asked.workspace.policy(authority),
        root=asked.root,
        ledger=asked.ledgers[authority],
        envelopes=envelopes,
        custodian=custodian,
        now=response.decided,
    )


def _refuse(rule: str, subject: str, expected: str, got: str) -> NoReturn:
    raise RefusedError(rule, subject, expected=expected, got=got)
