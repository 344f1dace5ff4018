"""The next inventory: the one in force, with keys added, retired or destroyed. Nothing is in force by that."""

from collections.abc import Sequence
from dataclasses import dataclass

from enigm_tuf.authorities.home import Home
from enigm_tuf.errors import MisuseError
from enigm_tuf.model.inventory import AllowedObject, Inventory, InventoryKey, KeyStatus
from enigm_tuf.model.keys import KeyRecord
from enigm_tuf.model.value import replace


@dataclass(frozen=True, slots=True)
class Changes:
    """``retired`` and ``destroyed`` are SPKI digests of keys in the inventory."""

    added: tuple[KeyRecord, ...] = ()
    retired: tuple[str, ...] = ()
    destroyed: tuple[str, ...] = ()
    allowed: tuple[AllowedObject, ...] = ()


def propose(home: Home, current: tuple[Inventory, str] | None, changes: Changes) -> Inventory:
    """MisuseError if nothing changes, or a key is named that is not there, or is added twice."""
    if changes == Changes():
        raise MisuseError("nothing would change", hint="give --record, --retire, --destroyed or --allow")
    old, digest = current or (Inventory(0, home.authority, home.environment, None, (), ()), None)
    keys = {item.record.spki_sha256: item for item in old.keys}
    for record in changes.added:
        if record.spki_sha256 in keys:
            raise MisuseError(f"key {record.spki_sha256} of {record.custodian} is in the inventory already")
        keys[record.spki_sha256] = InventoryKey(record, "active")
    _change(keys, changes.retired, "retired")
    _change(keys, changes.destroyed, "destroyed")
    objects = (*old.objects, *(item for item in changes.allowed if item not in old.objects))
    return replace(old, version=old.version + 1, previous=digest, keys=tuple(keys.values()), objects=objects)


def _change(keys: dict[str, InventoryKey], digests: Sequence[str], status: KeyStatus) -> None:
    for digest in digests:
        if digest not in keys:
            raise MisuseError(f"the inventory has no key {digest}", hint="enigm-sign key audit lists them")
        keys[digest] = replace(keys[digest], status=status)
