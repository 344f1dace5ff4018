"""A key changes its token between two inventories only if it was restored there, as this log says (BACKUP-MOVED)."""

from collections.abc import Iterable

from enigm_tuf.audit.log import AuditEntry, EntryType
from enigm_tuf.authorities.rules import BackupRule
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.inventory import Inventory


def require_moves_logged(before: Inventory, after: Inventory, entries: Iterable[AuditEntry]) -> None:
    """RefusedError BACKUP-MOVED, naming the key."""
    places = {item.record.spki_sha256: (item.record.token.serial, item.record.label) for item in before.keys}
    restored = {
        (entry.body["key"], entry.body["serial"], entry.body["label"])
        for entry in entries
        if entry.type == EntryType.KEY_RESTORED
    }
    for item in after.keys:
        key, place = item.record.spki_sha256, (item.record.token.serial, item.record.label)
        if places.get(key, place) != place and (key, *place) not in restored:
            raise RefusedError(
                BackupRule.BACKUP_MOVED,
                f"key {key}",
                expected=f"on token {places[key][0]}, or restored by enigm-sign key restore",
                got=f"{place[1]} on token {place[0]}",
            )
