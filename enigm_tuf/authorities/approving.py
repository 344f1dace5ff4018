"""An operator's decision on a request, signed with their own approval key."""

from dataclasses import dataclass
from datetime import datetime

from enigm_tuf.authorities.vouching import InputFile, Papers, Signatory, operator_of, vouch
from enigm_tuf.errors import refuse
from enigm_tuf.model.approval import Approval, Approver, Decision, bound_to
from enigm_tuf.model.policy import read_policy
from enigm_tuf.model.request import SigningRequest
from enigm_tuf.model.root_extension import PolicyPin
from enigm_tuf.model.shapes import LINE
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.policy.question import Ledger, Question
from enigm_tuf.policy.reading import ask
from enigm_tuf.policy.rules.meta import MetaRule
from enigm_tuf.policy.rules.request import RequestRule
from enigm_tuf.trust.signable import SignableStatement, approval


@dataclass(frozen=True, slots=True)
class Vote:
    """What the operator says."""

    decision: Decision
    reason: str


def cast(request: SigningRequest, papers: Papers, signatory: Signatory[Question], vote: Vote, now: datetime) -> bytes:
    """The envelope's bytes. It counts until the request expires.

    RefusedError POLICY-PINNED, REQUEST-TIME, and those of ``vouch``.
    """
    pin = require_named_policy(request, papers.policy)
    operator = operator_of(papers.operators, signatory.operator, ("approver",))
    require_unexpired(request, now)
    LINE.read(vote.reason, "--reason", "")

    def state(approver: Approver) -> SignableStatement:
        said = bound_to(request, pin) | {"approver": approver, "created": now, "expires": request.index.expires}
        return approval(Approval(**said, decision=vote.decision, reason=vote.reason))

    return vouch(signatory, operator, request.index.environment, looked_at(request, papers, now), state)


def looked_at(request: SigningRequest, papers: Papers, now: datetime) -> Question:
    """What the operator looks at. What the authority trusts and remembers, the authority knows: here it is left out."""
    return ask(
        request,
        policy_data=papers.policy.data,
        operators_data=papers.operators.data,
        root=None,
        ledger=Ledger(),
        envelopes=(),
        custodian=None,
        now=now,
    )


def require_named_policy(request: SigningRequest, policy_file: InputFile) -> PolicyPin:
    """RefusedError POLICY-PINNED unless it is the policy that the request names."""
    policy = read_policy(policy_file.data, policy_file.source)
    pin = PolicyPin(policy.version, sha256(policy_file.data))
    if pin != request.index.policy:
        asked = request.index.policy
        refuse(
            MetaRule.POLICY_PINNED,
            f"request {request.index.request_id}",
            f"policy version {asked.version}, {asked.sha256}",
            f"{policy_file.source}: version {pin.version}, {pin.sha256}",
        )
    return pin


def require_unexpired(request: SigningRequest, now: datetime) -> None:
    """RefusedError REQUEST-TIME."""
    index = request.index
    if not index.created <= now < index.expires:
        refuse(
            RequestRule.REQUEST_TIME,
            f"request {index.request_id}",
            f"a time from {index.created.isoformat()} to before {index.expires.isoformat()}",
            now.isoformat(),
        )
