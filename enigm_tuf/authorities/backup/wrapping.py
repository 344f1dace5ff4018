"""A wrapping key on two tokens: agreed upon by them while both security officers are there, destroyed by one of them.

Neither makes keys available: operators vote for the inventory that lists it, and only then is anything wrapped.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import open_log
from enigm_tuf.authorities.home import Home
from enigm_tuf.authorities.inventory.keeping import in_force
from enigm_tuf.authorities.rules import BackupRule
from enigm_tuf.authorities.token_fit import require_fit
from enigm_tuf.authorities.tokens.hsm.backup_token import BackupToken, OfficerSession
from enigm_tuf.errors import EnigmTufError, MisuseError, RefusedError
from enigm_tuf.model.keys import TokenRecord, attribute_records
from enigm_tuf.model.wrapping import WRAP_MECHANISMS, Use, WrapMechanism, WrappingKey, WrappingPlace
from enigm_tuf.ports import Clock, PinCallback, TokenIdentity, TokenObject

_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class TwoTokens:
    """``token`` holds keys that will be copied, ``spare`` takes the copies. ``pin`` asks each officer for theirs."""

    token: BackupToken
    spare: BackupToken
    pin: PinCallback


def make_wrapping_key(home: Home, two: TwoTokens, label: str, clock: Clock) -> WrappingKey:
    """RefusedError BACKUP-SPARE, TOKEN-PRODUCTION, TOKEN-WRAPPING; WrongPinError; MisuseError if the modules cannot."""
    identifier = secrets.token_hex(_ID_BYTES)
    _require_two(home, two.token.identity(), two.spare.identity())
    with (
        open_log(home.log, clock) as log,
        two.token.officer(two.pin) as officer,
        two.spare.officer(two.pin) as other,
    ):
        mechanism = common_mechanism(officer, other)
        point, peer = officer.offer(identifier, label), other.offer(identifier, label)
        body = {"id": identifier, "label": label}
        log.append(
            EntryType.WRAPPING_MADE,
            {**body, "wraps_on": officer.identity.serial, "unwraps_on": other.identity.serial},
        )
        wraps = officer.agree(peer, identifier, label, "wrap", mechanism)
        try:
            unwraps = other.agree(point, identifier, label, "unwrap", mechanism)
            _require_equal(wraps, unwraps, label)
        except EnigmTufError:
            officer.destroy(identifier)  # half a wrapping key would only stand in the way of the next audit
            raise
        places = (_place(officer.identity, "wrap", wraps), _place(other.identity, "unwrap", unwraps))
    return WrappingKey(identifier, label, home.environment, mechanism, places, _now(clock))


def destroy_wrapping_key(home: Home, token: BackupToken, pin: PinCallback, identifier: str, clock: Clock) -> str:
    """Take one back that the inventory in force does not list any more; logged first. Returns the token's serial."""
    with open_log(home.log, clock) as log, token.officer(pin) as officer:
        inventory, digest = in_force(home, log)
        serial = officer.identity.serial
        if (listed := inventory.wrapping_key(identifier)) is not None:
            raise RefusedError(
                BackupRule.WRAPPING_KEY,
                f"wrapping key {identifier} on token {serial}",
                expected="one that the inventory in force gives up",
                got=f"listed as {listed.label}",
                hint=f"enigm-sign inventory propose --no-wrapping {identifier}, then sign and adopt it",
            )
        log.append(EntryType.WRAPPING_DESTROYED, {"id": identifier, "serial": serial, "inventory": digest})
        officer.destroy(identifier)
    return serial


def _require_two(home: Home, token: TokenIdentity, spare: TokenIdentity) -> None:
    for identity in (token, spare):
        require_fit(identity, home.environment)
    if token.serial == spare.serial:
        raise RefusedError(
            BackupRule.BACKUP_SPARE, f"token {token.label}", expected="another token as spare", got="the same one twice"
        )


def common_mechanism(one: OfficerSession, other: OfficerSession) -> WrapMechanism:
    """The better of those that both modules have; MisuseError if there is none."""
    for mechanism in WRAP_MECHANISMS:
        if mechanism in one.wraps and mechanism in other.wraps:
            return mechanism
    names = " or ".join(f"CKM_{name}" for name in WRAP_MECHANISMS)
    raise MisuseError(
        f"tokens {one.identity.label} and {other.identity.label}: their modules do not both have {names}",
        hint="keys on them have no copies: more keys and a threshold instead, or the maker's own replication",
    )


def _require_equal(wraps: TokenObject, unwraps: TokenObject, label: str) -> None:
    """CKA_CHECK_VALUE says by three bytes whether both tokens derived the same; a restore says it for sure."""
    values = [item.attributes.get("check_value") for item in (wraps, unwraps)]
    if values[0] != values[1]:
        raise RefusedError(
            BackupRule.WRAPPING_KEY,
            f"wrapping key {label}",
            expected=f"check value {values[0]} on both tokens",
            got=str(values[1]),
        )


def _place(identity: TokenIdentity, use: Use, made: TokenObject) -> WrappingPlace:
    token = TokenRecord(identity.manufacturer, identity.model, identity.serial, identity.firmware)
    return WrappingPlace(token, use, attribute_records(made.attributes))


def _now(clock: Clock) -> datetime:
    return clock.now().replace(microsecond=0)
