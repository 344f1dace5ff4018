"""An operator's decision on a request, signed with their own approval key."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from enigm_tuf.authorities.rules import SigningRule
from enigm_tuf.authorities.token_fit import find_key, require_fit, require_never_copied
from enigm_tuf.authorities.tokens.self_check import require_valid
from enigm_tuf.errors import MisuseError, RefusedError
from enigm_tuf.model.approval import (
    Approval,
    Approver,
    Decision,
    Envelope,
    subjects_of,
    write_envelope,
    write_statement,
)
from enigm_tuf.model.operators import Operator, read_operators
from enigm_tuf.model.policy import read_policy
from enigm_tuf.model.request import SigningRequest
from enigm_tuf.model.root_extension import PolicyPin
from enigm_tuf.model.shapes import LINE
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.policy.question import Ledger, Question
from enigm_tuf.policy.reading import ask
from enigm_tuf.policy.rules.meta import MetaRule
from enigm_tuf.policy.rules.request import RequestRule
from enigm_tuf.ports import PinCallback, Token, TokenIdentity, TokenKey
from enigm_tuf.trust.rules import Rule
from enigm_tuf.trust.signable import approval


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """The policy that the operator works under: its bytes, and where they came from."""

    data: bytes
    source: str


@dataclass(frozen=True, slots=True)
class OperatorsFile:
    """The registry of operators that the operator stands in: its bytes, and where they came from."""

    data: bytes
    source: str


@dataclass(frozen=True, slots=True)
class Vote:
    """What the operator says. ``confirm`` shows the request and raises unless the person says its digest's words."""

    operator: str
    decision: Decision
    reason: str
    token: Token
    label: str
    pin: PinCallback
    confirm: Callable[[Question], None]


def cast(
    request: SigningRequest, policy_file: PolicyFile, operators_file: OperatorsFile, vote: Vote, now: datetime
) -> bytes:
    """The envelope's bytes. It counts until the request expires.

    RefusedError POLICY-PINNED, REQUEST-TIME, APPROVER-KEY, CONFIRM-WORDS, and those of the token.
    """
    pin = require_named_policy(request, policy_file)
    operator = operator_of(operators_file, vote.operator, ("approver",))
    require_unexpired(request, now)
    LINE.read(vote.reason, "--reason", "")
    identity = vote.token.identity()
    require_fit(identity, request.index.environment)
    vote.confirm(looked_at(request, policy_file, operators_file, now))
    with vote.token.session(vote.pin) as session:
        key = find_key(session, vote.label)
        require_enrolled(operator, key, identity)
        approver = Approver(operator.id, sha256(key.spki), operator.partition, identity.serial)
        statement = _statement(request, pin, vote, approver, now)
        message = approval(statement)
        signature = session.sign(vote.label, message)
    require_valid(key.spki, signature, message.data, f"approval by {operator.id}")
    return write_envelope(Envelope(write_statement(statement), sha256(key.spki), signature))


def looked_at(
    request: SigningRequest, policy_file: PolicyFile, operators_file: OperatorsFile, now: datetime
) -> Question:
    """What the operator looks at. What the authority trusts and remembers, the authority knows: here it is left out."""
    return ask(
        request,
        policy_data=policy_file.data,
        operators_data=operators_file.data,
        root=None,
        ledger=Ledger(),
        envelopes=(),
        custodian=None,
        now=now,
    )


def _statement(request: SigningRequest, pin: PolicyPin, vote: Vote, approver: Approver, now: datetime) -> Approval:
    index = request.index
    return Approval(
        subjects=subjects_of(request),
        request_id=index.request_id,
        sequence=index.sequence,
        environment=index.environment,
        authority=index.authority,
        action=index.action,
        decision=vote.decision,
        reason=vote.reason,
        approver=approver,
        policy=pin,
        created=now,
        expires=index.expires,
    )


def require_named_policy(request: SigningRequest, policy_file: PolicyFile) -> PolicyPin:
    """RefusedError POLICY-PINNED unless it is the policy that the request names."""
    policy = read_policy(policy_file.data, policy_file.source)
    pin = PolicyPin(policy.version, sha256(policy_file.data))
    if pin != request.index.policy:
        asked = request.index.policy
        _refuse(
            MetaRule.POLICY_PINNED,
            f"request {request.index.request_id}",
            f"policy version {asked.version}, {asked.sha256}",
            f"{policy_file.source}: version {pin.version}, {pin.sha256}",
        )
    return pin


def operator_of(operators_file: OperatorsFile, name: str, roles: tuple[str, ...]) -> Operator:
    """The operator of that name and one of these roles; MisuseError says who there is."""
    registry = read_operators(operators_file.data, operators_file.source)
    operators = {operator.id: operator for operator in registry.operators}
    source = operators_file.source
    if name not in operators:
        raise MisuseError(f"{source} knows no operator {name!r}; it knows {', '.join(sorted(operators))}")
    if not set(roles) & set(operators[name].roles):
        raise MisuseError(f"{name} is no {' or '.join(roles)}; {source} makes them {', '.join(operators[name].roles)}")
    if not operators[name].active:
        raise MisuseError(f"{name} is not active; {source} says {operators[name].status}")
    return operators[name]


def require_unexpired(request: SigningRequest, now: datetime) -> None:
    """RefusedError REQUEST-TIME."""
    index = request.index
    if not index.created <= now < index.expires:
        _refuse(
            RequestRule.REQUEST_TIME,
            f"request {index.request_id}",
            f"a time from {index.created.isoformat()} to before {index.expires.isoformat()}",
            now.isoformat(),
        )


def require_enrolled(operator: Operator, key: TokenKey, identity: TokenIdentity) -> None:
    """RefusedError APPROVER-KEY unless it is an approval key of theirs, on its own device; KEY-CLASS."""
    public = sha256(key.spki)
    devices = {item.record.spki_sha256: item.device for item in operator.approval_keys}
    if public not in devices:
        _refuse(SigningRule.APPROVER_KEY, f"operator {operator.id}", "an approval key of theirs", f"key {public}")
    if devices[public] != identity.serial:
        _refuse(
            SigningRule.APPROVER_KEY,
            f"operator {operator.id}",
            f"the key on device {devices[public]}",
            f"device {identity.serial}",
        )
    require_never_copied(key, f"operator {operator.id}")


def _refuse(rule: Rule, subject: str, expected: str, got: str) -> NoReturn:
    raise RefusedError(rule, subject, expected=expected, got=got)
