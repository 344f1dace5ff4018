"""A policy changes by the people whom the change concerns, after its delay, and is in force when root pins it."""

from datetime import timedelta
from pathlib import Path

import pytest

from enigm_testkit.house import House, copy_house
from enigm_tuf.authorities.home import open_home
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.words import last_words

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
TIGHTER = ("request_hours = 72", "request_hours = 71")
LOOSER = ("request_hours = 72", "request_hours = 73")


def next_policy(house: House, *changes: tuple[str, str], name: str = "next.policy.toml", version: int = 2) -> Path:
    text = (house.path / "release.policy.toml").read_text()
    for old, new in (("\nversion = 1\n", f"\nversion = {version}\n"), *changes):
        assert old in text
        text = text.replace(old, new, 1)
    path = house.path / name
    path.write_text(text)
    return path


def propose(house: House, policy: Path) -> int:
    return house.sign("policy", "propose", policy, "--home", house.home("release"))


def vote(house: House, policy: Path, who: str) -> Path:
    out = house.path / f"{who}.{sha256(policy.read_bytes())[:8]}.dsse.json"
    if not out.exists():
        words = last_words(sha256(policy.read_bytes()))
        options = [*house.works_as(who, "release"), "--out", out]
        assert house.sign("policy", "approve", policy, *options, last_four_words=words) == 0
    return out


def adopt(house: House, policy: Path, *voters: str) -> int:
    ballots = [part for who in voters for part in ("--vote", vote(house, policy, who))]
    return house.sign("policy", "adopt", policy, "--home", house.home("release"), *ballots)


def version_in_force(house: House) -> int:
    return open_home(house.home("release")).policy_pin.version


@pytest.mark.rule("POLICY-QUORUM", "accept")
@pytest.mark.rule("POLICY-NEXT", "accept")
def test_a_stricter_policy_is_adopted_at_once_and_waits_for_root(house: House) -> None:
    policy = next_policy(house, TIGHTER)
    assert propose(house, policy) == 0
    assert adopt(house, policy, "alice", "bob") == 0
    assert adopt(house, policy, "alice", "bob") == 0, "as after a crash"
    assert version_in_force(house) == 1


@pytest.mark.rule("POLICY-QUORUM", "reject")
@pytest.mark.parametrize("voters", [(), ("alice",), ("bob", "bob")])
def test_one_approver_too_few_is_refused(
    house: House, voters: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    policy = next_policy(house, TIGHTER)
    assert propose(house, policy) == 0
    assert adopt(house, policy, *voters) == 3
    assert "error: POLICY-QUORUM" in capsys.readouterr().err


def test_votes_for_other_bytes_do_not_count(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    policy = next_policy(house, TIGHTER)
    other = next_policy(house, LOOSER, name="other.policy.toml")
    assert propose(house, policy) == propose(house, other) == 0
    ballots = [part for who in ("alice", "bob") for part in ("--vote", vote(house, policy, who))]
    assert house.sign("policy", "adopt", other, "--home", house.home("release"), *ballots) == 3
    assert "error: POLICY-QUORUM" in capsys.readouterr().err


@pytest.mark.rule("POLICY-NEXT", "reject")
def test_what_was_not_proposed_or_is_not_the_next_is_refused(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    assert adopt(house, next_policy(house, TIGHTER), "alice", "bob") == 3
    assert "error: POLICY-NEXT" in capsys.readouterr().err
    assert propose(house, next_policy(house, TIGHTER, version=3)) == 3
    assert "expected version 2, got version 3" in capsys.readouterr().err
    assert propose(house, next_policy(house)) == 3
    assert "expected a change, got none" in capsys.readouterr().err


def test_a_policy_that_its_people_cannot_meet_is_not_proposed(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    three = ("[actions.root]\napprovals = 2", "[actions.root]\napprovals = 3")
    assert propose(house, next_policy(house, three)) == 2
    assert "3 asked, 2 active approvers have keys" in capsys.readouterr().err


@pytest.mark.rule("POLICY-DELAY", "accept")
@pytest.mark.rule("POLICY-DELAY", "reject")
def test_a_policy_that_asks_for_less_waits_to_the_second(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """The delay is that of the policy in force: the release house's is 0, so it is first raised."""
    delayed = ("relax_delay_hours = 0", "relax_delay_hours = 24")
    with_delay = next_policy(house, delayed)
    in_force(house, with_delay)
    looser = next_policy(house, delayed, LOOSER, name="looser.policy.toml", version=3)
    assert propose(house, looser) == 0
    proposed = house.clock.time
    house.clock.time = proposed + 24 * HOUR - SECOND
    (house.path / "release.policy.toml").write_bytes(with_delay.read_bytes())
    assert adopt(house, looser, "alice", "bob") == 3
    assert "error: POLICY-DELAY" in capsys.readouterr().err
    house.clock.time += SECOND
    assert adopt(house, looser, "alice", "bob") == 0


def in_force(house: House, policy: Path) -> None:
    """As if a root had pinned it: this house has none yet, and goes by the file of its beginning."""
    (house.home("release") / "policy.toml").write_bytes(policy.read_bytes())


def test_a_root_puts_an_adopted_policy_in_force_and_no_other(
    rooted_house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house = copy_house(rooted_house, tmp_path / "house")
    policy = next_policy(house, TIGHTER)
    old = (house.path / "release.policy.toml").read_bytes()
    (house.path / "repository" / "next.toml").write_bytes((house.path / "repository.toml").read_bytes())
    (house.path / "release.policy.toml").write_bytes(policy.read_bytes())
    house.repo("root", "prepare", "--config", house.path / "repository.toml")
    (house.path / "release.policy.toml").write_bytes(old)
    request = house.request("root-2")
    votes = house.votes(request)
    capsys.readouterr()
    assert house.signs(request, "root-a", votes) == 3
    assert "error: POLICY-APPROVED" in capsys.readouterr().err
    house.response(request, "root-a").unlink(missing_ok=True)
    assert propose(house, policy) == 0
    assert adopt(house, policy, "alice", "bob") == 0
    assert house.signs(request, "root-a", votes) == 0
    assert house.signs(request, "root-b", votes) == 0
    assert version_in_force(house) == 1
    house.publish("root-2", house.response(request, "root-a"), house.response(request, "root-b"))
    home = open_home(house.home("release"))
    home.add_root((house.path / "repository/published/metadata/2.root.json").read_bytes(), 2)
    assert version_in_force(house) == 2
    assert open_home(house.home("release")).policy_file.name == f"{sha256(policy.read_bytes())}.toml"
