"""The key inventory of an authority (GOVERNANCE, "Keys").

The document lists every key that the authority has, as read back when it was enrolled, and what else may lie on its
tokens.
"""

from typing import Literal, TypeAlias

from enigm_tuf.errors import MalformedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.keys import ENVIRONMENT, KEY_RECORD, Environment, KeyRecord
from enigm_tuf.model.request import AUTHORITY, Authority
from enigm_tuf.model.shapes import LINE, NAME, POSITIVE, SHA256, WORD, Choice, Optional, Record, Sequence
from enigm_tuf.model.strict_json import encode, parse
from enigm_tuf.model.value import Value
from enigm_tuf.model.wrapping import WRAPPING_KEY, WrappingKey, require_two_places

KeyStatus: TypeAlias = Literal["active", "retired", "destroyed"]


class InventoryKey(Value):
    """One key. ``retired`` keys lie on their token and sign nothing; ``destroyed`` ones must be gone."""

    record: KeyRecord
    status: KeyStatus


class AllowedObject(Value):
    """Something else that may lie on the token with that serial: kind and label as ``key audit`` shows them."""

    serial: str
    kind: str
    label: str


class Inventory(Value):
    """``previous`` is the SHA-256 of the version before; None for the first.

    ``wrapping_keys`` are those under which keys are backed up, each on its two tokens.
    """

    version: int
    authority: Authority
    environment: Environment
    previous: str | None
    keys: tuple[InventoryKey, ...]
    objects: tuple[AllowedObject, ...]
    wrapping_keys: tuple[WrappingKey, ...] = ()

    def wrapping_key(self, number: str) -> WrappingKey | None:
        """By its id."""
        return next((key for key in self.wrapping_keys if key.id == number), None)


INVENTORY = Record(
    Inventory,
    1,
    version=POSITIVE,
    authority=AUTHORITY,
    environment=ENVIRONMENT,
    previous=Optional(SHA256),
    keys=Sequence(
        Record(InventoryKey, record=KEY_RECORD, status=Choice(("active", "retired", "destroyed"))),
        minimum=1,
        maximum=1_000,
    ),
    objects=Sequence(Record(AllowedObject, serial=WORD, kind=NAME, label=LINE), maximum=1_000, unique=True),
    wrapping_keys=Sequence(WRAPPING_KEY, maximum=100),
)


def write_inventory(inventory: Inventory) -> bytes:
    """The file's bytes, whose SHA-256 names this version."""
    return encode(INVENTORY.write(inventory))


def read_inventory(data: bytes, source: str) -> Inventory:
    """Parse; MalformedError if a key stands twice, a place holds two keys, or the first version follows another."""
    inventory = INVENTORY.read(parse(data, source=source, max_bytes=LIMITS.inventory_bytes), source)
    if (inventory.previous is None) != (inventory.version == 1):
        raise MalformedError(source, "previous", "the first version has none, every other has one")
    there = [item.record for item in inventory.keys if item.status != "destroyed"]
    places = [(record.token.serial, record.label) for record in there]
    digests = [item.record.spki_sha256 for item in inventory.keys]
    for field, values in (("keys.spki_sha256", digests), ("keys.label", places)):
        if len(set(values)) != len(values):
            raise MalformedError(source, field, "no key and no place stands twice")
    _require_wrapping_keys(inventory, source)
    for record in there:
        if record.environment != inventory.environment:
            raise MalformedError(source, "keys.environment", f"must be {inventory.environment}, as the inventory's")
    return inventory


def _require_wrapping_keys(inventory: Inventory, source: str) -> None:
    numbers = [key.id for key in inventory.wrapping_keys]
    if len(set(numbers)) != len(numbers):
        raise MalformedError(source, "wrapping_keys.id", "no wrapping key stands twice")
    for key in inventory.wrapping_keys:
        require_two_places(key, source)
        if key.environment != inventory.environment:
            raise MalformedError(source, "wrapping_keys.environment", f"must be {inventory.environment}")
