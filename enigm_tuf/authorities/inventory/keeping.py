"""The inventory that is in force, and how a new version comes into force."""

from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import MerkleLog
from enigm_tuf.authorities.history import history_of
from enigm_tuf.authorities.home import Home
from enigm_tuf.authorities.inventory.moving import require_moves_logged
from enigm_tuf.authorities.kept_documents import INVENTORY
from enigm_tuf.authorities.operators.keeping import electorate_of
from enigm_tuf.authorities.voting import Voted, require_votes
from enigm_tuf.model.inventory import Inventory, read_inventory
from enigm_tuf.model.strict_json import JsonObject, sha256
from enigm_tuf.model.votes import INVENTORY_MATTER
from enigm_tuf.policy.rules.moment import in_ceremony
from enigm_tuf.ports import Clock
from enigm_tuf.trust.key_class import require_key_class
from enigm_tuf.trust.possession import require_possession


def voted_inventory(data: bytes, source: str) -> tuple[Inventory, Voted]:
    """The document, and what is voted for."""
    inventory = read_inventory(data, source)
    voted = Voted(INVENTORY_MATTER, data, source, inventory.version, inventory.authority, inventory.environment)
    return inventory, voted


def adopt(
    home: Home, log: MerkleLog, data: bytes, source: str, envelopes: tuple[bytes, ...], clock: Clock
) -> Inventory:
    """Put a version in force: logged first, then written; run again after a crash it goes on.

    RefusedError INVENTORY-QUORUM; INVENTORY-HEAD if it does not follow the one in force; CEREMONY-OPEN, KEY-CLASS,
    KEY-POSSESSION, BACKUP-MOVED.
    """
    inventory, voted = voted_inventory(data, source)
    home.require_own(inventory, "inventory", source)
    electorate = electorate_of(home, log)
    people = require_votes(voted, electorate, envelopes, clock.now())
    last = INVENTORY.last(log)
    if last is None or last["sha256"] != sha256(data):
        INVENTORY.require_next(inventory.version, inventory.previous, last)
        in_ceremony(electorate.policy, INVENTORY_MATTER.action, history_of(log.entries()).ceremonies, clock.now())
        for item in inventory.keys:
            require_key_class(item.record)
            require_possession(item.record)
        if last is not None:
            require_moves_logged(in_force(home, log)[0], inventory, log.entries())
        body = {"version": inventory.version, "sha256": sha256(data), "operators": people}
        log.append(EntryType.INVENTORY_CHANGED, body)
    INVENTORY.keep(home, inventory.version, data, envelopes)
    return inventory


def has_inventory(log: MerkleLog) -> bool:
    """Whether one was ever adopted."""
    return INVENTORY.last(log) is not None


def in_force(home: Home, log: MerkleLog) -> tuple[Inventory, str]:
    """The inventory that the log names last, and its digest; RefusedError INVENTORY-HEAD if there is none."""
    return named_by(home, INVENTORY.last(log))


def named_by(home: Home, entry: JsonObject | None) -> tuple[Inventory, str]:
    """The same, where the body of the log's last entry of it is known."""
    data = INVENTORY.in_force(home, entry)
    return read_inventory(data, str(home.path / "inventory")), sha256(data)
