"""``enigm-sign policy``: a policy read as the authority does, and told with its rules."""

import json
from pathlib import Path
from typing import Any

import pytest

from enigm_testkit.audit_logs import log_state
from enigm_testkit.house import House
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.policy.engine import CATALOGUE


def edited(house: House, old: str, new: str) -> Path:
    text = (house.path / "release.policy.toml").read_text()
    assert old in text
    path = house.path / "edited.policy.toml"
    path.write_text(text.replace(old, new, 1))
    return path


def test_a_policy_that_an_authority_starts_with_is_checked(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    policy = house.path / "release.policy.toml"
    capsys.readouterr()
    assert house.sign("policy", "check", policy, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sha256"] == sha256(policy.read_bytes())
    assert (told["version"], told["authority"], told["environment"]) == (1, "release", "staging")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("request_hours = 72", "request_hours = 72\nforce = true", "force: unknown field"),
        ("request_hours = 72", "request_hours = 72\nrequest_hours = 73", "not TOML"),
        ("[actions.release]", "[actions.recoverx]", "actions.recoverx: must be"),
        ("[expiry.payload]", "[expiry.targets]", "expiry.payload: missing"),
        ("[actions.root]", "[actions.root]\nforce = true", "actions.root.force: unknown field"),
    ],
)
def test_a_policy_with_one_wrong_thing_is_refused_by_name(
    house: House, old: str, new: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = edited(house, old, new)
    capsys.readouterr()
    assert house.sign("policy", "check", path) == 2
    said = capsys.readouterr().err.splitlines()[0]
    assert str(path) in said
    assert told in said


def test_quorums_that_the_operators_cannot_meet_are_named(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    known = ["--operators", house.path / "release.operators.json"]
    assert house.sign("policy", "check", house.path / "release.policy.toml", *known) == 0
    assert house.sign("policy", "check", edited(house, "approvals = 2", "approvals = 3"), *known) == 2
    assert "3 asked, 2 active approvers have keys" in capsys.readouterr().err


def test_every_rule_is_explained_with_its_numbers(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert house.sign("policy", "explain", house.path / "release.policy.toml", "--json") == 0
    rules = {row["rule"]: row for row in json.loads(capsys.readouterr().out)["rules"]}
    assert list(rules) == [str(rule) for rule, _ in CATALOGUE]
    assert rules["REQUEST-TIME"]["numbers"] == ["request_hours = 72"]
    assert "passed" not in rules["REQUEST-TIME"]


def test_for_a_request_the_file_is_asked_instead_of_the_policy_in_force(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    stricter = edited(house, "request_hours = 72", "request_hours = 71")
    log = log_state(house.home("release") / "audit.log")
    said = {}
    for file in (house.path / "release.policy.toml", stricter):
        capsys.readouterr()
        what = ["--request", house.request("root-1"), "--home", house.home("release"), "--json"]
        assert house.sign("policy", "explain", file, *what) == 0
        rows = {row["rule"]: row for row in json.loads(capsys.readouterr().out)["rules"]}
        said[file] = rows["REQUEST-TIME"]["passed"]
        assert all("actions.root" in number for number in rows["QUORUM-PARTITION"]["numbers"] if "actions" in number)
    assert list(said.values()) == [True, False]
    assert log_state(house.home("release") / "audit.log") == log


def test_without_an_authority_only_the_numbers_of_the_request_are_told(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    policy = house.path / "release.policy.toml"
    known = ["--operators", house.path / "release.operators.json"]
    assert house.sign("policy", "explain", policy, "--request", house.request("root-1"), *known) == 0
    said = capsys.readouterr().out
    assert "actions.root.approvals = 2" in said
    assert "expiry.payload" not in said
    assert "FAILED" not in said


def test_an_authority_without_a_request_is_a_mistake(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    policy = house.path / "release.policy.toml"
    assert house.sign("policy", "explain", policy, "--home", house.home("release")) == 2
    assert "--home is for a request" in capsys.readouterr().err


def test_two_policies_are_compared_by_direction(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    stricter = edited(house, "request_hours = 72", "request_hours = 71")
    policy = house.path / "release.policy.toml"
    for old, new, direction in ((policy, stricter, "tighten"), (stricter, policy, "relax")):
        capsys.readouterr()
        assert house.sign("policy", "diff", old, new, "--json") == 0
        (change,) = json.loads(capsys.readouterr().out)["changes"]
        assert (change["field"], change["direction"], change["rules"]) == ("request_hours", direction, ["REQUEST-TIME"])


def test_a_policy_of_the_other_authority_is_no_later_one(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = (house.path / f"{authority}.policy.toml" for authority in ("release", "manifest"))
    assert house.sign("policy", "diff", old, new) == 2
    assert "no later policy changes it" in capsys.readouterr().err


def replayed(house: House, policy: Path, capsys: pytest.CaptureFixture[str], shown: Path | None = None) -> Any:
    capsys.readouterr()
    what = ["--home", house.home("release"), "--shown", shown or house.path]
    assert house.sign("policy", "replay", policy, *what, "--json") == 0
    return json.loads(capsys.readouterr().out)


def test_what_was_signed_is_asked_again(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.signed_by(house.request("root-1"), "root-a", "root-b")
    log = digest_of(house.home("release") / "audit.log")
    same = replayed(house, house.path / "release.policy.toml", capsys)
    assert (same["signed"], same["refused"], same["not_shown"]) == (1, 0, 0)
    now = {}
    for name, new in (("hours", ("request_hours = 72", "request_hours = 71")), ("three", THREE)):
        (told,) = replayed(house, edited(house, *new), capsys)["requests"]
        now[name] = [item["rule"] for item in told["refused_by"]]
    assert now == {"hours": ["REQUEST-TIME"], "three": ["QUORUM-COUNT"]}
    empty = house.path / "empty"
    empty.mkdir()
    assert replayed(house, house.path / "release.policy.toml", capsys, empty)["not_shown"] == 1
    assert digest_of(house.home("release") / "audit.log") == log


THREE = ("[actions.root]\napprovals = 2", "[actions.root]\napprovals = 3")


def digest_of(folder: Path) -> dict[str, str]:
    return {str(path): sha256(path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file()}
