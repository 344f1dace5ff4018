"""What must hold before a backup is unwrapped: of which key it is, where it may come out, and under which key."""

from enigm_tuf.authorities.home import Home
from enigm_tuf.authorities.rules import BackupRule
from enigm_tuf.errors import refuse
from enigm_tuf.model.backup import Backup
from enigm_tuf.model.inventory import Inventory, InventoryKey
from enigm_tuf.model.keys import KeyRecord, record_key
from enigm_tuf.ports import TokenIdentity
from enigm_tuf.trust.signable import backup_made
from enigm_tuf.trust.threshold import signers


def require_of_key(home: Home, inventory: Inventory, backup: Backup) -> KeyRecord:
    """BACKUP-STATEMENT: the record of the key that signed the statement, one that this authority still has."""
    statement = backup.statement
    subject = f"backup of key {statement.key}"
    place = (statement.authority, statement.environment)
    if place != (home.authority, home.environment):
        refuse(BackupRule.BACKUP_STATEMENT, subject, f"{home.authority}, {home.environment}", ", ".join(place))
    item = next((item for item in inventory.keys if item.record.spki_sha256 == statement.key), None)
    if item is None or not _may_come_back(item):
        got = "no entry" if item is None else f"{item.status}, {item.record.key_class}"
        refuse(BackupRule.BACKUP_STATEMENT, subject, "a key of the inventory that may have copies", got)
    key, signed = record_key(item.record), backup_made(statement).data
    if not signers({key.keyid: key}, [key.keyid], {key.keyid: backup.signature}, signed):
        refuse(BackupRule.BACKUP_STATEMENT, subject, "a statement that the key itself signed", "another signature")
    return item.record


def _may_come_back(item: InventoryKey) -> bool:
    return item.status != "destroyed" and item.record.key_class == "wrapped-backup"


def require_spare(inventory: Inventory, backup: Backup, record: KeyRecord, spare: TokenIdentity) -> None:
    """BACKUP-SPARE: not the key's own token. WRAPPING-KEY: one that unwraps there, as the inventory says."""
    statement, subject = backup.statement, f"backup of key {record.spki_sha256}"
    if spare.serial == record.token.serial:
        refuse(BackupRule.BACKUP_SPARE, subject, "a token other than the key's own", f"token {spare.serial}")
    wrapping = inventory.wrapping_key(statement.wrapping_key)
    if wrapping is None or wrapping.mechanism != statement.mechanism:
        refuse(BackupRule.WRAPPING_KEY, subject, "a wrapping key of the inventory", statement.wrapping_key)
    place = wrapping.place("unwrap").token
    if place.serial != spare.serial:
        refuse(BackupRule.WRAPPING_KEY, subject, f"token {place.serial}, where it unwraps", f"token {spare.serial}")
