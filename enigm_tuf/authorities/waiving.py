"""An operator's waiver of one rule for one request, signed with their own approval key."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from enigm_tuf.authorities.approving import (
    OperatorsFile,
    PolicyFile,
    looked_at,
    operator_of,
    require_enrolled,
    require_named_policy,
    require_unexpired,
)
from enigm_tuf.authorities.token_fit import find_key, require_fit
from enigm_tuf.authorities.tokens.self_check import require_valid
from enigm_tuf.errors import MisuseError, RefusedError
from enigm_tuf.model.approval import Approver, Envelope, subjects_of, write_envelope
from enigm_tuf.model.policy import read_policy
from enigm_tuf.model.request import SigningRequest
from enigm_tuf.model.root_extension import PolicyPin
from enigm_tuf.model.shapes import WORD
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.waiver import WAIVABLE_RULE, Waiver, write_waiver
from enigm_tuf.policy.question import Question
from enigm_tuf.policy.rules.waiver import WaiverRule
from enigm_tuf.ports import PinCallback, Token
from enigm_tuf.trust.signable import waiver as signable


@dataclass(frozen=True, slots=True)
class Waiving:
    """What the operator says. ``hours``: how long it counts, None for as long as the request.

    ``confirm`` shows the request and raises unless the person says its digest's words.
    """

    operator: str
    rule: str
    reason: str
    hours: int | None
    token: Token
    label: str
    pin: PinCallback
    confirm: Callable[[Question], None]


def waive(
    request: SigningRequest, policy_file: PolicyFile, operators_file: OperatorsFile, waiving: Waiving, now: datetime
) -> bytes:
    """The envelope's bytes.

    MalformedError for a rule of a family that is never waived; RefusedError WAIVER-RULE where the policy does not list
    it, POLICY-PINNED, REQUEST-TIME, APPROVER-KEY, CONFIRM-WORDS, and those of the token.
    """
    pin = require_named_policy(request, policy_file)
    _require_listed(policy_file, waiving.rule)
    operator = operator_of(operators_file, waiving.operator, ("policy-approver",))
    require_unexpired(request, now)
    WORD.read(waiving.reason, "--reason", "")
    identity = waiving.token.identity()
    require_fit(identity, request.index.environment)
    waiving.confirm(looked_at(request, policy_file, operators_file, now))
    with waiving.token.session(waiving.pin) as session:
        key = find_key(session, waiving.label)
        require_enrolled(operator, key, identity)
        approver = Approver(operator.id, sha256(key.spki), operator.partition, identity.serial)
        statement = _statement(request, pin, waiving, approver, now)
        message = signable(statement)
        signature = session.sign(waiving.label, message)
    require_valid(key.spki, signature, message.data, f"waiver by {operator.id}")
    return write_envelope(Envelope(write_waiver(statement), sha256(key.spki), signature))


def _require_listed(policy_file: PolicyFile, rule: str) -> None:
    WAIVABLE_RULE.read(rule, "--rule", "")
    terms = read_policy(policy_file.data, policy_file.source).waiver
    if terms is None or rule not in terms.rules:
        listed = ", ".join(terms.rules) if terms else "none: it has no [waiver]"
        raise RefusedError(WaiverRule.WAIVER_RULE, policy_file.source, expected=f"{rule} in waiver.rules", got=listed)


def _statement(request: SigningRequest, pin: PolicyPin, waiving: Waiving, approver: Approver, now: datetime) -> Waiver:
    index = request.index
    expires = index.expires if waiving.hours is None else now + timedelta(hours=waiving.hours)
    if not now < expires <= index.expires:
        raise MisuseError(f"--hours {waiving.hours}: from 1 to the end of the request, {index.expires.isoformat()}")
    return Waiver(
        subjects=subjects_of(request),
        request_id=index.request_id,
        sequence=index.sequence,
        environment=index.environment,
        authority=index.authority,
        action=index.action,
        rule=waiving.rule,
        reason=waiving.reason,
        approver=approver,
        policy=pin,
        created=now,
        expires=expires,
    )
