"""What lies on a token against the inventory: every difference has a name, shown on a token that can have each."""

import pytest

from enigm_testkit.custodians import key_record, soft_key
from enigm_testkit.fake_token import FakeToken
from enigm_testkit.house import PIN
from enigm_tuf.authorities.inventory.comparing import Drift, compare
from enigm_tuf.errors import MalformedError
from enigm_tuf.model.inventory import (
    AllowedObject,
    Inventory,
    InventoryKey,
    read_inventory,
    write_inventory,
)
from enigm_tuf.model.keys import attribute_records
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.value import replace


def stocked() -> tuple[FakeToken, Inventory]:
    """A token with the keys root and spare, and the inventory that says so."""
    token = FakeToken("fake", PIN, serial="77")
    with token.session(lambda _: PIN) as session:
        made = [session.generate(label, "ecdsa-p256") for label in ("root", "spare")]
        identity = session.identity
    plain = key_record(soft_key("carol"), "root")
    names = ("manufacturer", "model", "serial", "firmware")
    described = replace(plain.token, **{name: getattr(identity, name) for name in names})
    records = [
        replace(
            plain,
            label=key.label,
            spki_sha256=sha256(key.spki),
            token=described,
            attributes=attribute_records(key.attributes),
        )
        for key in made
    ]
    keys = tuple(InventoryKey(record, "active") for record in records)
    return token, Inventory(1, "release", "staging", None, keys, ())


def drifts(token: FakeToken, inventory: Inventory) -> set[tuple[str, str]]:
    with token.session(lambda _: PIN) as session:
        found: tuple[Drift, ...] = compare(inventory, session)
    return {(drift.problem, drift.what) for drift in found}


def test_no_difference_is_found_where_there_is_none() -> None:
    assert drifts(*stocked()) == set()


def test_a_missing_key() -> None:
    token, inventory = stocked()
    del token.keys["spare"]
    assert drifts(token, inventory) == {("missing", "key spare")}


def test_an_exchanged_key() -> None:
    token, inventory = stocked()
    token.keys["root"], token.keys["spare"] = token.keys["spare"], token.keys["root"]
    assert drifts(token, inventory) == {("changed", "key root"), ("changed", "key spare")}


def test_two_keys_of_one_label() -> None:
    token, inventory = stocked()
    token.duplicate("root")
    assert drifts(token, inventory) == {("duplicate", "private-key root"), ("duplicate", "public-key root")}


def test_one_key_under_two_labels() -> None:
    token, inventory = stocked()
    token.keys["again"] = token.keys["root"]
    assert {problem for problem, _ in drifts(token, inventory)} == {"duplicate"}


@pytest.mark.parametrize("field", ["manufacturer", "model", "firmware"])
def test_another_token_with_the_same_serial(field: str) -> None:
    token, inventory = stocked()
    keys = tuple(
        replace(item, record=replace(item.record, token=replace(item.record.token, **{field: "other"})))
        for item in inventory.keys
    )
    assert drifts(token, replace(inventory, keys=keys)) == {("changed", f"{field} of the token")}


def test_an_attribute_that_changed() -> None:
    token, inventory = stocked()
    root, spare = inventory.keys
    other = attribute_records({"extractable": True, "sensitive": True, "local": True})
    keys = (replace(root, record=replace(root.record, attributes=other)), spare)
    assert drifts(token, replace(inventory, keys=keys)) == {("changed", "extractable of key root")}


def test_what_else_may_lie_there_is_listed_by_serial_kind_and_label() -> None:
    token, inventory = stocked()
    with token.session(lambda _: PIN) as session:
        session.generate("wrapping", "ecdsa-p256")
    found = {("unexpected", "private-key wrapping"), ("unexpected", "public-key wrapping")}
    assert drifts(token, inventory) == found
    allowed = tuple(AllowedObject("77", kind, "wrapping") for kind in ("private-key", "public-key"))
    assert drifts(token, replace(inventory, objects=allowed)) == set()
    elsewhere = tuple(replace(item, serial="78") for item in allowed)
    assert drifts(token, replace(inventory, objects=elsewhere)) == found


def test_the_document_is_read_as_it_was_written_and_refuses_what_stands_twice() -> None:
    _, inventory = stocked()
    root, spare = inventory.keys
    twice = replace(spare, record=replace(spare.record, label="root"))
    for broken, field in (
        (replace(inventory, keys=(root, root)), "spki_sha256"),
        (replace(inventory, keys=(root, twice)), "keys.label"),
        (replace(inventory, version=2), "previous"),
        (replace(inventory, environment="production"), "keys.environment"),
    ):
        with pytest.raises(MalformedError, match=field):
            read_inventory(write_inventory(broken), "inventory")
