"""``enigm-sign operator``: a registry comes into force by the people of the one before it, and by nobody else."""

import json
from pathlib import Path

import pytest

from enigm_testkit.house import House, operators_toml
from enigm_tuf.audit.merkle import open_log
from enigm_tuf.authorities.home import open_home
from enigm_tuf.authorities.operators.keeping import in_force
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.operators import OperatorRegistry
from enigm_tuf.model.strict_json import sha256
from enigm_tuf_repository.cli import main as enigm_repo


def current(house: House) -> OperatorRegistry:
    home = open_home(house.home("release"))
    with open_log(home.log, house.clock) as log:
        return in_force(home, log)[0]


def propose(house: House, name: str = "next", after: str = "release.operators.json", **status: str) -> Path:
    """Version 2, in which people have another status."""
    listed, out = house.path / f"{name}.operators.toml", house.path / f"{name}.operators.json"
    listed.write_text(operators_toml("release", **status))
    assert house.sign("operator", "propose", listed, "--after", house.path / after, "--out", out) == 0
    return out


def adopt(house: House, proposal: Path, *voters: str) -> int:
    votes = [house.operators_vote(proposal, "release", who) for who in voters]
    ballots = [part for vote in votes for part in ("--vote", vote)]
    return house.sign("operator", "adopt", proposal, "--home", house.home("release"), *ballots)


@pytest.mark.rule("OPERATORS-QUORUM", "accept")
@pytest.mark.rule("OPERATORS-HEAD", "accept")
def test_two_policy_approvers_put_the_next_version_in_force(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    assert adopt(house, propose(house, rob="suspended"), "alice", "bob") == 0
    assert current(house).version == 2
    capsys.readouterr()
    assert house.sign("operator", "list", "--home", house.home("release"), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert {person["id"]: person["status"] for person in told["operators"]}["rob"] == "suspended"


@pytest.mark.rule("OPERATORS-QUORUM", "reject")
def test_one_policy_approver_does_not(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    proposal = propose(house, rob="suspended")
    for voters in ((), ("alice",), ("alice", "alice")):
        assert adopt(house, proposal, *voters) == 3
        assert "error: OPERATORS-QUORUM" in capsys.readouterr().err
    assert current(house).version == 1


@pytest.mark.rule("OPERATORS-HEAD", "reject")
def test_a_version_that_follows_another_is_refused(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    proposal = propose(house, rob="suspended")
    second = propose(house, "second", rob="left")
    assert adopt(house, proposal, "alice", "bob") == 0
    assert adopt(house, second, "alice", "bob") == 3
    assert "error: OPERATORS-HEAD" in capsys.readouterr().err
    assert current(house).version == 2


def test_who_left_votes_for_nothing_any_more(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Two approvals are asked of two partitions: the house cannot lock itself out."""
    proposal = propose(house, bob="left")
    assert adopt(house, proposal, "alice", "bob") == 2
    assert "2 asked, 1 active approvers have keys" in capsys.readouterr().err
    assert current(house).version == 1


def test_a_file_put_back_or_taken_away_is_noticed_and_can_be_adopted_again(house: House) -> None:
    first = (house.home("release") / "operators" / "1.json").read_bytes()
    proposal = propose(house, rob="suspended")
    assert adopt(house, proposal, "alice", "bob") == 0
    kept = house.home("release") / "operators" / "2.json"
    for damaged in (first, None):
        kept.unlink()
        if damaged:
            kept.write_bytes(damaged)
        with pytest.raises(RefusedError, match="OPERATORS-HEAD"):
            current(house)
        what = ["--home", house.home("release")]
        assert house.sign("request", "inspect", house.request("root-1"), *what) == 3
        assert adopt(house, proposal) == 0
        assert current(house).version == 2


def test_a_key_that_did_not_sign_its_record_is_not_adopted(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    proposal = propose(house, rob="suspended")
    odd = json.loads(proposal.read_text())
    alice = next(person for person in odd["operators"] if person["id"] == "alice")
    alice["approval_keys"][0]["record"]["custodian"] = "mallory"
    (house.path / "odd.json").write_text(json.dumps(odd))
    assert adopt(house, house.path / "odd.json", "alice", "bob") == 3
    assert "error: KEY-POSSESSION" in capsys.readouterr().err
    assert current(house).version == 1


def test_nobody_is_dropped(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    listed = house.path / "next.operators.toml"
    text = operators_toml("release")
    listed.write_text(text[: text.rindex("[[operators]]")])
    options = ["--after", house.path / "release.operators.json", "--out", house.path / "next.json"]
    assert house.sign("operator", "propose", listed, *options) == 2
    said = capsys.readouterr().err
    assert "ivan is not in the list any more" in said
    assert 'give them status = "left"' in said
    assert not (house.path / "next.json").exists()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("alice.key.json", "none.key.json", "none.key.json: no such file"),
        ("alice.key.json", "root-a.key.json", "record.purpose: must be approval, is root"),
        ('"2100-01-01T00:00:00Z"', '"2100-01-01T00:00:00"', "valid_until: must be a time in UTC"),
        ("schema = 1", "schema = 1\nforce = true", "force: unknown field"),
        ('authority = "release"', 'authority = "manifest"', "the registry in force is of the release authority"),
    ],
)
def test_a_list_with_one_wrong_thing_is_refused(
    house: House, old: str, new: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = house.path / "next.operators.toml"
    listed.write_text(operators_toml("release", rob="suspended").replace(old, new))
    options = ["--after", house.path / "release.operators.json", "--out", house.path / "next.json"]
    capsys.readouterr()
    assert house.sign("operator", "propose", listed, *options) == 2
    assert told in capsys.readouterr().err
    assert not (house.path / "next.json").exists()


def test_an_authority_is_founded_by_its_own_operators_alone(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """The same files, with one vote too few: nothing is made."""
    registry = house.path / "release.operators.json"
    known = ["--policy", house.path / "release.policy.toml", "--operators", registry]
    vote = ["--vote", house.operators_vote(registry, "release", "alice")]
    who = ["--home", house.path / "new", "--authority", "release", "--environment", "staging"]
    capsys.readouterr()
    assert house.sign("authority", "init", *who, *known, *vote) == 3
    assert "error: OPERATORS-QUORUM" in capsys.readouterr().err
    assert not (house.path / "new").exists()
    assert not list(house.path.glob(".new.*"))


def test_a_registry_that_the_policy_does_not_name_founds_nothing(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    other = house.path / "other.operators.json"
    listed = house.path / "other.operators.toml"
    listed.write_text(operators_toml("release", rob="suspended"))
    assert house.sign("operator", "propose", listed, "--out", other) == 0
    known = ["--policy", house.path / "release.policy.toml", "--operators", other]
    votes = [part for who in ("alice", "bob") for part in ("--vote", house.operators_vote(other, "release", who))]
    who = ["--home", house.path / "new", "--authority", "release", "--environment", "staging"]
    capsys.readouterr()
    assert house.sign("authority", "init", *who, *known, *votes) == 3
    assert "error: OPERATORS-HEAD" in capsys.readouterr().err
    assert not (house.path / "new").exists()


def test_a_vote_for_operators_is_none_for_an_inventory(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    vote = house.operators_vote(house.path / "release.operators.json", "release", "alice")
    proposal = house.path / "release.inventory.1.json"
    assert house.sign("inventory", "adopt", proposal, "--home", house.home("release"), "--vote", vote) == 2
    assert "must be one of inventory.json, is 'operators.json'" in capsys.readouterr().err


def test_the_repository_keeps_the_newest_registry(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    repository = ["--repository", str(house.path / "repository")]
    second = propose(house, rob="suspended")
    house.repo("operators", "put", second)
    kept = house.path / "repository" / "operators" / "release.json"
    assert sha256(kept.read_bytes()) == sha256(second.read_bytes())
    house.repo("operators", "put", second)
    capsys.readouterr()
    assert enigm_repo(["operators", "put", str(house.path / "release.operators.json"), *repository]) == 2
    assert "version 2 is here, this is version 1" in capsys.readouterr().err
    other = json.loads(second.read_text()) | {"version": 3}
    (house.path / "odd.json").write_text(json.dumps(other))
    assert enigm_repo(["operators", "put", str(house.path / "odd.json"), *repository]) == 2
    assert "does not follow the version 2 that is here" in capsys.readouterr().err


def test_lint_without_operators_says_how_they_are_made_known(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    (house.path / "repository" / "operators" / "release.json").unlink()
    request = str(house.request("root-1"))
    assert enigm_repo(["request", "lint", request, "--repository", str(house.path / "repository")]) == 2
    assert "hint: enigm-repo operators put FILE" in capsys.readouterr().err
