"""The signed key inventory: proposed, voted for, adopted, and compared with all that lies on a token."""

import json
import subprocess
from pathlib import Path

import pytest

from enigm_testkit.custodians import key_record, soft_key
from enigm_testkit.fake_token import FakeToken
from enigm_testkit.house import PIN, House
from enigm_testkit.softhsm import MODULE
from enigm_tuf.audit.linked import open_log, read_log
from enigm_tuf.audit.log import EntryType
from enigm_tuf.authorities.home import open_home
from enigm_tuf.authorities.inventory.comparing import Drift, compare
from enigm_tuf.authorities.inventory.keeping import in_force
from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf.model.approval import read_envelope
from enigm_tuf.model.inventory import (
    AllowedObject,
    Inventory,
    InventoryKey,
    read_inventory,
    read_vote,
    write_inventory,
)
from enigm_tuf.model.keys import attribute_records
from enigm_tuf.model.request import read_response
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.value import replace
from enigm_tuf.model.words import last_words

RELEASE = ("root-a", "root-b", "root-c", "payload-a", "payload-b")


def current(house: House, authority: str = "release") -> tuple[Inventory, str]:
    home = open_home(house.home(authority))
    with open_log(home.log, house.clock) as log:
        return in_force(home, log)


def key_audit(house: House, token: str, *more: str) -> int:
    return house.sign("key", "audit", "--home", house.home("release"), "--token", house.uri(token), *more)


# --- what must be signed, by whom, and in which order ---


def test_the_house_has_an_inventory_of_every_key_of_the_authority(house: House) -> None:
    inventory, digest = current(house)
    assert inventory.version == 1
    assert {item.record.label for item in inventory.keys} == set(RELEASE)
    (changed,) = (entry for entry in read_log(house.home("release") / "audit.log") if "inventory" in entry.type)
    assert changed.body == {"version": 1, "sha256": digest, "operators": ("alice", "bob")}


def propose(house: House, *options: object, name: str = "proposal.json") -> Path:
    out = house.path / name
    arguments = ["inventory", "propose", "--home", house.home("release"), *options, "--out", out]
    assert house.sign(*arguments) == 0
    return out


def adopt(house: House, proposal: Path, *votes: Path) -> int:
    ballots = [part for vote in votes for part in ("--vote", vote)]
    return house.sign("inventory", "adopt", proposal, "--home", house.home("release"), *ballots)


@pytest.mark.rule("INVENTORY-QUORUM", "accept")
@pytest.mark.rule("INVENTORY-HEAD", "accept")
def test_two_operators_put_the_next_version_in_force(house: House) -> None:
    retired = house.key("root-c").spki_sha256
    proposal = propose(house, "--retire", retired)
    votes = [house.inventory_vote(proposal, "release", who) for who in ("alice", "bob")]
    assert adopt(house, proposal, *votes) == 0
    inventory, digest = current(house)
    assert (inventory.version, digest) == (2, sha256(proposal.read_bytes()))
    assert {item.record.label for item in inventory.keys if item.status == "retired"} == {"root-c"}


@pytest.mark.rule("INVENTORY-QUORUM", "reject")
@pytest.mark.parametrize("who", [(), ("alice",), ("alice", "alice")])
def test_too_few_operators_do_not(house: House, who: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    proposal = propose(house, "--retire", house.key("root-c").spki_sha256)
    votes = {name: house.inventory_vote(proposal, "release", name) for name in set(who)}
    assert adopt(house, proposal, *(votes[name] for name in who)) == 3
    assert "error: INVENTORY-QUORUM" in capsys.readouterr().err
    assert current(house)[0].version == 1


def test_a_vote_for_another_document_does_not_count(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    proposal = propose(house, "--retire", house.key("root-c").spki_sha256)
    votes = [house.inventory_vote(proposal, "release", who) for who in ("alice", "bob")]
    other = propose(house, "--retire", house.key("root-b").spki_sha256, name="other.json")
    assert adopt(house, other, *votes) == 3
    assert "error: INVENTORY-QUORUM" in capsys.readouterr().err


def test_an_approval_is_no_vote_and_a_vote_no_approval(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    approval = house.vote(house.request("root-1"), "alice")
    with pytest.raises(MalformedError, match="approval: "):
        read_vote(read_envelope(approval.read_bytes(), "approval").payload, "approval")
    proposal = propose(house, "--retire", house.key("root-c").spki_sha256)
    vote = house.inventory_vote(proposal, "release", "bob")
    assert house.signs(house.request("root-1"), "root-a", ["--approval", approval, "--approval", vote]) != 0
    assert "error:" in capsys.readouterr().err


@pytest.mark.rule("INVENTORY-HEAD", "reject")
def test_an_older_version_does_not_come_back(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    first = house.path / "release.inventory.1.json"
    votes = sorted(house.path.glob("*-release.inventory.1.dsse.json"))
    house.take_stock("release", retire=house.key("root-c").spki_sha256)
    assert adopt(house, first, *votes) == 3
    assert "error: INVENTORY-HEAD" in capsys.readouterr().err
    assert current(house)[0].version == 2


def test_a_file_that_was_changed_or_taken_away_is_noticed_and_can_be_adopted_again(house: House) -> None:
    kept = house.home("release") / "inventory" / "1.json"
    data = kept.read_bytes()
    for damaged in (data.replace(b"active", b"retired", 1), None):
        kept.unlink()
        if damaged:
            kept.write_bytes(damaged)
        with pytest.raises(RefusedError, match="INVENTORY-HEAD"):
            current(house)
        votes = sorted(house.path.glob("*-release.inventory.1.dsse.json"))
        assert adopt(house, house.path / "release.inventory.1.json", *votes) == 0
        assert current(house)[0].version == 1


def test_wrong_words_vote_for_nothing(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    proposal = propose(house, "--retire", house.key("root-c").spki_sha256)
    who = ["--operator", "alice", "--token", house.uri("alice"), "--label", "alice"]
    options = ["--policy", house.path / "release.policy.toml", *who, "--out", house.path / "vote"]
    assert house.sign("inventory", "sign", proposal, *options, last_four_words="yes") == 3
    assert "error: CONFIRM-WORDS" in capsys.readouterr().err
    assert not (house.path / "vote").exists()


# --- what lies on a token ---


def foreign_key(label: str, on: str) -> None:
    """A key made beside the tool, with the maker's own."""
    command = ["pkcs11-tool", "--module", MODULE, "--token-label", on, "--login", "--pin", PIN, "--keypairgen"]
    subprocess.run([*command, "--key-type", "EC:prime256v1", "--label", label], check=True, capture_output=True)


@pytest.mark.rule("INVENTORY", "accept")
def test_a_token_that_is_as_the_inventory_says_signs(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    assert key_audit(house, "root-a") == 0
    assert "as the inventory says" in capsys.readouterr().out
    request = house.request("root-1")
    (answer,) = house.signed_by(request, "root-a")
    assert read_response(answer.read_bytes(), "answer")[0].inventory == current(house)[1]


@pytest.mark.rule("INVENTORY", "reject")
def test_a_key_beside_ours_stops_the_session_before_any_intent(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign_key("stranger", on="root-a")
    assert key_audit(house, "root-a", "--json") == 3
    found = json.loads(capsys.readouterr().out)
    assert {(drift["problem"], drift["what"]) for drift in found["drifts"]} == {
        ("unexpected", "private-key stranger"),
        ("unexpected", "public-key stranger"),
    }
    request = house.request("root-1")
    assert house.signs(request, "root-a", house.votes(request)) == 3
    assert "error: INVENTORY: token root-a, unexpected" in capsys.readouterr().err
    assert EntryType.SIGN_INTENT not in {entry.type for entry in read_log(house.home("release") / "audit.log")}
    assert not house.response(request, "root-a").exists()


def test_a_retired_key_signs_nothing(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.take_stock("release", retire=house.key("root-a").spki_sha256)
    assert key_audit(house, "root-a") == 0
    request = house.request("root-1")
    assert house.signs(request, "root-a", house.votes(request)) == 3
    assert "expected an active key of the inventory, got retired" in capsys.readouterr().err


def test_a_key_is_destroyed_when_the_inventory_says_so_and_not_before(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = house.key("root-c").spki_sha256
    who = ["--home", house.home("release"), "--token", house.uri("root-c"), "--label", "root-c"]
    assert house.sign("key", "destroy", *who, last_four_words=last_words(digest)) == 3
    assert "gives up (destroyed), got active" in capsys.readouterr().err
    house.take_stock("release", destroyed=digest)
    assert key_audit(house, "root-c") == 3
    assert house.sign("key", "destroy", *who, last_four_words="yes") == 3
    assert house.sign("key", "destroy", *who, last_four_words=last_words(digest)) == 0
    assert key_audit(house, "root-c") == 0
    last = list(read_log(house.home("release") / "audit.log"))[-1]
    assert (last.type, last.body["key"]) == (EntryType.KEY_DESTROYED, digest)


# --- every difference, on a token that can show each ---


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
