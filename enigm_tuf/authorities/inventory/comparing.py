"""What lies on a token, compared with what the inventory says: everything, not only the key that is asked for.

A key made beside the tool, one that was exchanged, an attribute that changed: each is a finding of its own.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from enigm_tuf.authorities.rules import InventoryRule
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.inventory import Inventory, InventoryKey
from enigm_tuf.model.keys import attribute_records
from enigm_tuf.model.strict_json import sha256
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
        *_unexpected(inventory, here, objects, keys, identity),
    )


def require_same(inventory: Inventory, session: TokenSession, label: str) -> None:
    """RefusedError INVENTORY, naming the first difference; or if the key that is to sign is not an active one."""
    subject = f"token {session.identity.label}"
    for drift in compare(inventory, session):
        raise RefusedError(
            InventoryRule.INVENTORY,
            f"{subject}, {drift.problem} {drift.what}",
            expected=drift.expected,
            got=drift.got,
            hint="nothing was signed: find out who was at this token; enigm-sign key audit lists all differences",
        )
    serial = session.identity.serial
    here = (item for item in inventory.keys if item.record.token.serial == serial and item.record.label == label)
    status = next((item.status for item in here if item.status != "destroyed"), "no entry")
    if status != "active":
        raise RefusedError(
            InventoryRule.INVENTORY, f"{subject}, key {label}", expected="an active key of the inventory", got=status
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
        now = attribute_records(key.attributes)
        for name in sorted(record.attributes.keys() | now.keys()):
            if record.attributes.get(name) != now.get(name):
                yield Drift("changed", f"{name} of {what}", f"{record.attributes.get(name)}", f"{now.get(name)}")


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
    for item in objects:
        ours = item.spki_sha256 in there if item.spki_sha256 else item.kind == "private-key" and item.label in labels
        if not ours and (item.kind, item.label) not in listed:
            yield Drift("unexpected", f"{item.kind} {item.label or item.id or '(no label)'}", "nothing", "there")
