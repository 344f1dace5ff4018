"""The backup of a payload key: wrapped on its token under a wrapping key of the inventory, and signed by itself."""

from base64 import b64encode
from dataclasses import dataclass

from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import open_log
from enigm_tuf.authorities.home import Home
from enigm_tuf.authorities.inventory.comparing import require_same, wrapping_keys_on
from enigm_tuf.authorities.inventory.keeping import in_force
from enigm_tuf.authorities.rules import BackupRule
from enigm_tuf.authorities.token_fit import find_key, require_fit
from enigm_tuf.authorities.tokens.hsm.backup_token import BackupToken
from enigm_tuf.errors import MisuseError, RefusedError
from enigm_tuf.model.backup import Backup, BackupStatement
from enigm_tuf.model.inventory import Inventory
from enigm_tuf.model.keys import KeyRecord
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.wrapping import WrappingKey
from enigm_tuf.ports import Clock, PinCallback
from enigm_tuf.trust.rules import AuthorityRule
from enigm_tuf.trust.signable import backup_made


@dataclass(frozen=True, slots=True)
class KeyToCopy:
    """Which key of which token, under which wrapping key (its label; None if there is one only)."""

    token: BackupToken
    label: str
    wrapping: str | None
    pin: PinCallback


def back_up(home: Home, wanted: KeyToCopy, clock: Clock) -> Backup:
    """RefusedError INVENTORY, KEY-CLASS, WRAPPING-KEY; MisuseError where the token does not wrap such a key."""
    require_fit(wanted.token.identity(), home.environment)
    with open_log(home.log, clock) as log, wanted.token.backup_session(wanted.pin) as session:
        inventory, digest = in_force(home, log)
        label = find_key(session, wanted.label).label
        record = require_same(inventory, session, label).record
        _require_copied_class(record)
        wrapping = _wrapping_key(inventory, record, wanted.wrapping)
        wrapped = session.wrap(label, wrapping.id, wrapping.mechanism)
        statement = BackupStatement(
            key=record.spki_sha256,
            label=label,
            authority=home.authority,
            environment=home.environment,
            custodian=record.custodian,
            token=record.token,
            wrapping_key=wrapping.id,
            mechanism=wrapping.mechanism,
            blob_sha256=sha256(wrapped.blob),
            inventory=digest,
            made=clock.now().replace(microsecond=0),
        )
        signature = session.sign(label, backup_made(statement))
        names = ("key", "label", "custodian", "wrapping_key", "blob_sha256", "inventory")
        body = {name: getattr(statement, name) for name in names}
        log.append(EntryType.BACKUP_MADE, body | {"serial": record.token.serial})
    return Backup(statement, b64encode(wrapped.blob).decode(), signature.hex())


def _require_copied_class(record: KeyRecord) -> None:
    if record.key_class != "wrapped-backup":
        raise RefusedError(
            AuthorityRule.KEY_CLASS,
            f"key {record.label} of {record.custodian}",
            expected="wrapped-backup",
            got=record.key_class,
            hint="no key of this class leaves its token: more keys and a threshold instead of copies",
        )


def _wrapping_key(inventory: Inventory, record: KeyRecord, label: str | None) -> WrappingKey:
    here = [key for key, place in wrapping_keys_on(inventory, record.token.serial) if place.use == "wrap"]
    found = [key for key in here if label in (None, key.label)]
    if not found:
        raise RefusedError(
            BackupRule.WRAPPING_KEY,
            f"token {record.token.serial}",
            expected=f"a wrapping key {label or ''} of the inventory that wraps there".replace("  ", " "),
            got=", ".join(key.label for key in here) or "none",
            hint="enigm-sign wrapping make, then inventory propose --wrapping",
        )
    if len(found) > 1:
        raise MisuseError("which wrapping key?", hint=f"--wrapping: one of {', '.join(key.label for key in found)}")
    return found[0]
