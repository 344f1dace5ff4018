"""The signed key inventory: proposed, voted for, adopted, and compared with all that lies on a token."""

import json
import subprocess
from pathlib import Path

import pytest

from enigm_testkit.house import PIN, House
from enigm_testkit.softhsm import MODULE
from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import open_log, read_log
from enigm_tuf.authorities.home import open_home
from enigm_tuf.authorities.inventory.keeping import in_force
from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf.model.inventory import (
    Inventory,
)
from enigm_tuf.model.request import read_response
from enigm_tuf.model.statement import read_envelope
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.votes import INVENTORY_MATTER, read_vote
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
        read_vote(INVENTORY_MATTER, read_envelope(approval.read_bytes(), "approval").payload, "approval")
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


def test_a_record_that_its_key_did_not_sign_is_not_adopted(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Not even if two operators voted for it: the custodian's name is in what the key signed."""
    inventory = json.loads((house.path / "release.inventory.1.json").read_text())
    inventory |= {"version": 2, "previous": current(house)[1]}
    inventory["keys"][0]["record"]["custodian"] = "mallory"
    proposal = house.path / "odd.json"
    proposal.write_text(json.dumps(inventory))
    votes = [house.inventory_vote(proposal, "release", who) for who in ("alice", "bob")]
    assert adopt(house, proposal, *votes) == 3
    assert "error: KEY-POSSESSION: key" in capsys.readouterr().err
    assert current(house)[0].version == 1


def test_wrong_words_vote_for_nothing(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    proposal = propose(house, "--retire", house.key("root-c").spki_sha256)
    options = [*house.works_as("alice", "release"), "--out", house.path / "vote"]
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
