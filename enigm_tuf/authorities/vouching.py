"""What operators sign with their approval keys: approvals, waivers, votes, transcripts. All on this one path."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NoReturn, TypeVar

from enigm_tuf.authorities.rules import SigningRule
from enigm_tuf.authorities.token_fit import find_key, require_fit, require_never_copied
from enigm_tuf.authorities.tokens.self_check import require_valid
from enigm_tuf.errors import MisuseError, RefusedError
from enigm_tuf.model.approval import Approver
from enigm_tuf.model.keys import Environment
from enigm_tuf.model.operators import Operator, read_operators
from enigm_tuf.model.statement import Envelope, write_envelope
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.ports import PinCallback, Token, TokenIdentity, TokenKey
from enigm_tuf.trust.signable import SignableStatement

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that an operator was given: its bytes, and where they came from."""

    data: bytes
    source: str


@dataclass(frozen=True, slots=True)
class Papers:
    """What an operator works under: the policy, and the registry that they stand in."""

    policy: InputFile
    operators: InputFile


@dataclass(frozen=True, slots=True)
class Signatory(Generic[T]):
    """Who signs, with what. ``confirm`` shows what is signed, and raises unless the person says its digest's words."""

    operator: str
    token: Token
    label: str
    pin: PinCallback
    confirm: Callable[[T], None]


def vouch(
    signatory: Signatory[T],
    operator: Operator,
    environment: Environment,
    shown: T,
    state: Callable[[Approver], SignableStatement],
) -> bytes:
    """The envelope's bytes over what ``state`` makes of the person, the key and its device.

    RefusedError ENVIRONMENT-MATCH, TOKEN-PRODUCTION, CONFIRM-WORDS, APPROVER-KEY, KEY-CLASS, SIGNATURE-SELF-CHECK.
    """
    identity = signatory.token.identity()
    require_fit(identity, environment)
    signatory.confirm(shown)
    with signatory.token.session(signatory.pin) as session:
        key = find_key(session, signatory.label)
        require_enrolled(operator, key, identity)
        message = state(Approver(operator.id, sha256(key.spki), operator.partition, identity.serial))
        signature = session.sign(key.label, message)
    require_valid(key.spki, signature, message.data, f"{message.purpose}, signed by {operator.id}")
    return write_envelope(Envelope(message.payload, sha256(key.spki), signature))


def operator_of(operators_file: InputFile, name: str, roles: tuple[str, ...]) -> Operator:
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


def require_enrolled(operator: Operator, key: TokenKey, identity: TokenIdentity) -> None:
    """RefusedError APPROVER-KEY unless it is an approval key of theirs, on its own device; KEY-CLASS."""
    public = sha256(key.spki)
    devices = {item.record.spki_sha256: item.device for item in operator.approval_keys}
    if public not in devices:
        _refuse(operator, "an approval key of theirs", f"key {public}")
    if devices[public] != identity.serial:
        _refuse(operator, f"the key on device {devices[public]}", f"device {identity.serial}")
    require_never_copied(key, f"operator {operator.id}")


def _refuse(operator: Operator, expected: str, got: str) -> NoReturn:
    raise RefusedError(SigningRule.APPROVER_KEY, f"operator {operator.id}", expected=expected, got=got)
