"""The inventory that is in force: files in the authority's home, the newest one named by the audit log.

The log is the chain: an older version put back, a changed or a missing file does not match what it says last.
"""

from pathlib import Path
from typing import NoReturn

from enigm_tuf.audit.log import AuditEntry, EntryType
from enigm_tuf.audit.merkle import MerkleLog
from enigm_tuf.authorities.home import Home
from enigm_tuf.authorities.inventory.moving import require_moves_logged
from enigm_tuf.authorities.inventory.voting import require_votes
from enigm_tuf.authorities.rules import InventoryRule
from enigm_tuf.durable import read_input, write_new
from enigm_tuf.errors import MisuseError, RefusedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.inventory import Inventory, read_inventory
from enigm_tuf.model.policy import read_policy
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.trust.key_class import require_key_class
from enigm_tuf.trust.possession import require_possession


def adopt(home: Home, log: MerkleLog, data: bytes, source: str, envelopes: tuple[bytes, ...]) -> Inventory:
    """Put a version in force: logged first, then written; run again after a crash it goes on.

    RefusedError INVENTORY-QUORUM; INVENTORY-HEAD if it does not follow the one in force; KEY-CLASS,
    KEY-POSSESSION, BACKUP-MOVED.
    """
    inventory = read_inventory(data, source)
    if (inventory.authority, inventory.environment) != (home.authority, home.environment):
        whose = f"the inventory of the {inventory.authority} authority in {inventory.environment}"
        raise MisuseError(f"{source} is {whose}, not of {home.path}")
    policy = read_policy(home.policy_data, str(home.path / "policy.toml"))
    people = require_votes(data, policy, home.policy_pin, envelopes)
    last = _last(log)
    if last is None or last.body["sha256"] != sha256(data):
        _require_next(inventory, last)
        for item in inventory.keys:
            require_key_class(item.record)
            require_possession(item.record)
        if last is not None:
            require_moves_logged(in_force(home, log)[0], inventory, log.entries())
        body = {"version": inventory.version, "sha256": sha256(data), "operators": people}
        log.append(EntryType.INVENTORY_CHANGED, body)
    folder = home.path / "inventory"
    folder.mkdir(exist_ok=True)
    for envelope in envelopes:
        _write(folder / f"{inventory.version}.{sha256(envelope)[:16]}.dsse.json", envelope)
    _write(_file(home, inventory.version), data)
    return inventory


def has_inventory(log: MerkleLog) -> bool:
    """Whether one was ever adopted."""
    return _last(log) is not None


def in_force(home: Home, log: MerkleLog) -> tuple[Inventory, str]:
    """The inventory that the log names last, and its digest; RefusedError INVENTORY-HEAD if there is none."""
    last = _last(log)
    if last is None:
        _refuse("an inventory that was adopted", "none", "enigm-sign inventory propose, sign, adopt")
    path = _file(home, last.body["version"])
    data = read_input(path, LIMITS.inventory_bytes) if path.is_file() else b""
    digest: str = last.body["sha256"]
    if sha256(data) != digest:
        _refuse(f"{path.name} with SHA-256 {digest}", f"{sha256(data)}" if data else "no such file", "adopt it again")
    return read_inventory(data, str(path)), digest


def _require_next(inventory: Inventory, last: AuditEntry | None) -> None:
    version, digest = (last.body["version"], last.body["sha256"]) if last else (0, None)
    if (inventory.version, inventory.previous) != (version + 1, digest):
        got = f"version {inventory.version} after {inventory.previous}"
        _refuse(f"version {version + 1} after {digest}", got, "propose it anew from the one in force")


def _last(log: MerkleLog) -> AuditEntry | None:
    changes = [entry for entry in log.entries() if entry.type == EntryType.INVENTORY_CHANGED]
    return changes[-1] if changes else None


def _file(home: Home, version: int) -> Path:
    return home.path / "inventory" / f"{version}.json"


def _write(path: Path, data: bytes) -> None:
    if not path.is_file() or path.read_bytes() != data:
        path.unlink(missing_ok=True)  # what a crash left; the log says which bytes are right
        write_new(path, data)


def _refuse(expected: str, got: str, hint: str) -> NoReturn:
    raise RefusedError(InventoryRule.INVENTORY_HEAD, "inventory", expected=expected, got=got, hint=hint)
