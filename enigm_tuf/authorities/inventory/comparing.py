"""What lies on a token, compared with what the inventory says: everything, not only the key that is asked for.

A key made beside the tool, one that was exchanged, an attribute that changed: each is a finding of its own.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from enigm_tuf.authorities.rules import InventoryRule
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.inventory import Inventory, InventoryKey
from enigm_tuf.model.keys import AttributeRecord, attribute_records
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.wrapping import WrappingKey, WrappingPlace
from enigm_tuf.ports import TokenIdentity, TokenKey, TokenObject, TokenSession


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference. ``problem`` is one of unexpected, missing, duplicate, changed."""

    problem: str
    what: str
    expected: str
    got: str


def compare(inventory: Inventory, session: TokenSession) -> tuple[Drift, ...]:
    """Every difference between the token and the inventory; empty if there is none."""
    identity, objects = session.identity, session.objects()
    duplicates = tuple(_duplicates(objects))
    if duplicates:
        return duplicates  # which of them is meant, nobody can say
    here = [item for item in inventory.keys if item.record.token.serial == identity.serial]
    keys = {key.label: key for key in session.keys()}
    return (
        *(drift for item in here for drift in _of_key(item, keys, identity)),
        *wrapping_drifts(inventory, objects, identity),
        *_unexpected(inventory, here, objects, keys, identity),
    )


def require_same(inventory: Inventory, session: TokenSession, label: str) -> InventoryKey:
    """The entry of the key that is to sign; RefusedError INVENTORY if it is not an active one, or as below."""
    require_no_drift(inventory, session)
    serial = session.identity.serial
    here = (item for item in inventory.keys if item.record.token.serial == serial and item.record.label == label)
    item = next((item for item in here if item.status != "destroyed"), None)
    if item is None or item.status != "active":
        subject, got = f"token {session.identity.label}, key {label}", item.status if item else "no entry"
        raise RefusedError(InventoryRule.INVENTORY, subject, expected="an active key of the inventory", got=got)
    return item


def require_no_drift(inventory: Inventory, session: TokenSession) -> None:
    """RefusedError INVENTORY, naming the first difference."""
    subject = f"token {session.identity.label}"
    for drift in compare(inventory, session):
        raise RefusedError(
            InventoryRule.INVENTORY,
            f"{subject}, {drift.problem} {drift.what}",
            expected=drift.expected,
            got=drift.got,
            hint="nothing was signed: find out who was at this token; enigm-sign key audit lists all differences",
        )


def _of_key(item: InventoryKey, keys: dict[str, TokenKey], identity: TokenIdentity) -> Iterator[Drift]:
    record, what = item.record, f"key {item.record.label}"
    token = record.token
    for name in ("manufacturer", "model", "firmware"):
        if getattr(token, name) != getattr(identity, name):
            yield Drift("changed", f"{name} of the token", getattr(token, name), getattr(identity, name))
    key = keys.get(record.label)
    if item.status == "destroyed":
        if any(sha256(other.spki) == record.spki_sha256 for other in keys.values()):
            yield Drift("unexpected", what, "destroyed", "there")
        return
    if key is None:
        yield Drift("missing", what, record.spki_sha256, "no such key")
    elif sha256(key.spki) != record.spki_sha256:
        yield Drift("changed", what, record.spki_sha256, sha256(key.spki))
    else:
        yield from _changed_attributes(record.attributes, attribute_records(key.attributes), what)


def wrapping_drifts(inventory: Inventory, objects: tuple[TokenObject, ...], identity: TokenIdentity) -> Iterator[Drift]:
    """Each wrapping key that belongs on this token: there once, with the attributes that the inventory says."""
    for key, place in wrapping_keys_on(inventory, identity.serial):
        what = f"wrapping key {key.label}"
        found = [item for item in objects if (item.kind, item.id, item.label) == ("secret-key", key.id, key.label)]
        if len(found) != 1:
            yield Drift("duplicate" if found else "missing", what, key.id, f"{len(found)} of it")
        else:
            yield from _changed_attributes(place.attributes, attribute_records(found[0].attributes), what)


def wrapping_keys_on(inventory: Inventory, serial: str) -> list[tuple[WrappingKey, WrappingPlace]]:
    """The wrapping keys that belong on the token with that serial, and what they may do there."""
    pairs = ((key, place) for key in inventory.wrapping_keys for place in key.places)
    return [(key, place) for key, place in pairs if place.token.serial == serial]


def _changed_attributes(
    before: dict[str, AttributeRecord], now: dict[str, AttributeRecord], what: str
) -> Iterator[Drift]:
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            yield Drift("changed", f"{name} of {what}", f"{before.get(name)}", f"{now.get(name)}")


def _duplicates(objects: tuple[TokenObject, ...]) -> Iterator[Drift]:
    labels = Counter((item.kind, item.label) for item in objects if item.kind in {"private-key", "public-key"})
    digests = Counter((item.kind, item.spki_sha256) for item in objects if item.spki_sha256)
    for (kind, name), count in (labels + digests).items():
        if count > 1 and kind != "certificate":
            yield Drift("duplicate", f"{kind} {name}", "one", str(count))


def _unexpected(
    inventory: Inventory,
    here: list[InventoryKey],
    objects: tuple[TokenObject, ...],
    keys: dict[str, TokenKey],
    identity: TokenIdentity,
) -> Iterator[Drift]:
    there = {item.record.spki_sha256 for item in here if item.status != "destroyed"}
    labels = {label for label, key in keys.items() if sha256(key.spki) in there}
    listed = {(item.kind, item.label) for item in inventory.objects if item.serial == identity.serial}
    wrapping = {(key.id, key.label) for key, _ in wrapping_keys_on(inventory, identity.serial)}
    for item in objects:
        ours = item.spki_sha256 in there if item.spki_sha256 else item.kind == "private-key" and item.label in labels
        if item.kind == "secret-key":
            ours = (item.id, item.label) in wrapping
        if not ours and (item.kind, item.label) not in listed:
            yield Drift("unexpected", f"{item.kind} {item.label or item.id or '(no label)'}", "nothing", "there")
