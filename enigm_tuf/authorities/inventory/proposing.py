"""The next inventory: the one in force, with keys added, retired or destroyed. Nothing is in force by that."""

from collections.abc import Sequence
from dataclasses import dataclass

from enigm_tuf.authorities.home import Home
from enigm_tuf.errors import MisuseError
from enigm_tuf.model.inventory import AllowedObject, Inventory, InventoryKey, KeyStatus
from enigm_tuf.model.keys import KeyRecord
from enigm_tuf.model.value import replace
from enigm_tuf.model.wrapping import WrappingKey


@dataclass(frozen=True, slots=True)
class Changes:
    """``retired`` and ``destroyed`` are SPKI digests of keys in the inventory, ``unwrapped`` ids of wrapping keys."""

    added: tuple[KeyRecord, ...] = ()
    retired: tuple[str, ...] = ()
    destroyed: tuple[str, ...] = ()
    allowed: tuple[AllowedObject, ...] = ()
    wrapping: tuple[WrappingKey, ...] = ()
    unwrapped: tuple[str, ...] = ()


def propose(home: Home, current: tuple[Inventory, str] | None, changes: Changes) -> Inventory:
    """MisuseError if nothing changes, or a key is named that is not there, or is added twice."""
    if changes == Changes():
        hint = "give --record, --retire, --destroyed, --allow, --wrapping or --no-wrapping"
        raise MisuseError("nothing would change", hint=hint)
    old, digest = current or (Inventory(0, home.authority, home.environment, None, (), ()), None)
    keys = {item.record.spki_sha256: item for item in old.keys}
    for record in changes.added:
        if record.spki_sha256 in keys and not _is_moved(keys[record.spki_sha256], record):
            raise MisuseError(f"key {record.spki_sha256} of {record.custodian} is in the inventory already")
        keys[record.spki_sha256] = InventoryKey(record, "active")
    _change(keys, changes.retired, "retired")
    _change(keys, changes.destroyed, "destroyed")
    objects = (*old.objects, *(item for item in changes.allowed if item not in old.objects))
    return replace(
        old,
        version=old.version + 1,
        previous=digest,
        keys=tuple(keys.values()),
        objects=objects,
        wrapping_keys=_wrapping_keys(old, changes),
    )


def _is_moved(item: InventoryKey, record: KeyRecord) -> bool:
    """A copy of it was restored on another token, and takes its place; the audit log must say so when it is adopted."""
    same_class = item.record.key_class == record.key_class == "wrapped-backup"
    return same_class and item.status != "destroyed" and item.record.token != record.token


def _wrapping_keys(old: Inventory, changes: Changes) -> tuple[WrappingKey, ...]:
    for number in changes.unwrapped:
        if old.wrapping_key(number) is None:
            raise MisuseError(f"the inventory has no wrapping key {number}", hint="enigm-sign key audit lists them")
    kept = (key for key in old.wrapping_keys if key.id not in changes.unwrapped)
    return (*kept, *changes.wrapping)


def _change(keys: dict[str, InventoryKey], digests: Sequence[str], status: KeyStatus) -> None:
    for digest in digests:
        if digest not in keys:
            raise MisuseError(f"the inventory has no key {digest}", hint="enigm-sign key audit lists them")
        keys[digest] = replace(keys[digest], status=status)
