"""``enigm-sign policy``: a policy read as the authority does, and told with its rules."""

import json
from pathlib import Path

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
        ("approvals = 2", "approvals = 3", "3 asked, 2 approvers have keys"),
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
    assert house.sign("policy", "explain", policy, "--request", house.request("root-1")) == 0
    said = capsys.readouterr().out
    assert "actions.root.approvals = 2" in said
    assert "expiry.payload" not in said
    assert "FAILED" not in said


def test_an_authority_without_a_request_is_a_mistake(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    policy = house.path / "release.policy.toml"
    assert house.sign("policy", "explain", policy, "--home", house.home("release")) == 2
    assert "--home is for a request" in capsys.readouterr().err
