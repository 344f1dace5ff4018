"""An operator's waiver of one rule for one request, signed with their own approval key."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from enigm_tuf.authorities.approving import looked_at, require_named_policy, require_unexpired
from enigm_tuf.authorities.vouching import InputFile, Papers, Signatory, operator_of, vouch
from enigm_tuf.errors import MisuseError, RefusedError
from enigm_tuf.model.approval import Approver, bound_to
from enigm_tuf.model.policy import read_policy
from enigm_tuf.model.request import SigningRequest
from enigm_tuf.model.shapes import WORD
from enigm_tuf.model.waiver import WAIVABLE_RULE, Waiver
from enigm_tuf.policy.question import Question
from enigm_tuf.policy.rules.waiver import WaiverRule
from enigm_tuf.trust.signable import SignableStatement, waiver


@dataclass(frozen=True, slots=True)
class Waiving:
    """What the operator says. ``hours``: how long it counts, None for as long as the request."""

    rule: str
    reason: str
    hours: int | None


def waive(
    request: SigningRequest, papers: Papers, signatory: Signatory[Question], waiving: Waiving, now: datetime
) -> bytes:
    """The envelope's bytes.

    MalformedError for a rule of a family that is never waived; RefusedError WAIVER-RULE where the policy does not list
    it, POLICY-PINNED, REQUEST-TIME, and those of ``vouch``.
    """
    pin = require_named_policy(request, papers.policy)
    _require_listed(papers.policy, waiving.rule)
    operator = operator_of(papers.operators, signatory.operator, ("policy-approver",))
    require_unexpired(request, now)
    WORD.read(waiving.reason, "--reason", "")
    expires = _end(request, waiving.hours, now)

    def state(approver: Approver) -> SignableStatement:
        said = bound_to(request, pin) | {"approver": approver, "created": now, "expires": expires}
        return waiver(Waiver(**said, rule=waiving.rule, reason=waiving.reason))

    return vouch(signatory, operator, request.index.environment, looked_at(request, papers, now), state)


def _require_listed(policy_file: InputFile, rule: str) -> None:
    WAIVABLE_RULE.read(rule, "--rule", "")
    terms = read_policy(policy_file.data, policy_file.source).waiver
    if terms is None or rule not in terms.rules:
        listed = ", ".join(terms.rules) if terms else "none: it has no [waiver]"
        raise RefusedError(WaiverRule.WAIVER_RULE, policy_file.source, expected=f"{rule} in waiver.rules", got=listed)


def _end(request: SigningRequest, hours: int | None, now: datetime) -> datetime:
    last = request.index.expires
    expires = last if hours is None else now + timedelta(hours=hours)
    if not now < expires <= last:
        raise MisuseError(f"--hours {hours}: from 1 to the end of the request, {last.isoformat()}")
    return expires
