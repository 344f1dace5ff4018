"""The page on ceremonies is played: its commands in their order, with two people who type what is asked."""

from pathlib import Path

import pytest

from enigm_testkit.ceremonies import Participants, policy_digest
from enigm_testkit.house import PIN, House, build_house
from enigm_testkit.pages import Page, code
from enigm_testkit.softhsm import SO_PIN, make_token
from enigm_tuf.authorities.cli import main
from enigm_tuf.authorities.cli.edges import Edges
from enigm_tuf.model.strict_json import sha256

PAGE = Page("howto/run-a-ceremony")
SECRETS = {"SO PIN": SO_PIN, "PIN": PIN, "number on the bag": "A-1001"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Alice and bob have cards."""
    return build_house(tmp_path_factory.mktemp("ceremony") / "house", "alice", "bob")


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A house for rehearsals, in SoftHSM alone."""
    return build_house(tmp_path_factory.mktemp("drill") / "house")


def test_the_page_is_true(
    drill: House, house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (house.path / "desk").mkdir()
    monkeypatch.chdir(house.path / "desk")
    Path("release").symlink_to(house.home("release"))
    Path("rehearsal.home").symlink_to(drill.home("release"))
    make_token("root-d", PIN)
    cards = house.edges().cards
    played = []
    for _, *command in PAGE.commands:
        home = drill if "rehearsal" in " ".join(command) else house
        unseen = {"from your own copy": policy_digest(home, "release")}
        if command[1] in ("run", "rehearse"):
            unseen["printed copy"] = sha256(Path(command[2]).read_bytes())
        monkeypatch.setenv("SOFTHSM2_CONF", str(home.path / "softhsm" / "softhsm2.conf"))
        arguments = [part.replace("alice-drill", "alice").replace("bob-drill", "bob") for part in command]
        status = main(arguments, Edges(house.clock, Participants(SECRETS, {}, unseen), cards))
        assert status == 0, (command, capsys.readouterr().err)
        played.append(" ".join(command[:3]))
    assert [verb.split()[1] for verb in played] == ["new", "check", "script", "new", "rehearse", "run", "verify"]
    assert "completed" in capsys.readouterr().out
    audit = ["key", "audit", "--home", "release", "--token", house.uri("root-d")]
    assert main(audit, house.edges()) == 0, "the key is in the inventory"


def test_what_the_page_says_that_it_says_is_said_somewhere() -> None:
    said, rows = code(), PAGE.rows
    assert len(rows) == 12
    for row in rows:
        assert all(word in said for word in row.split()), row
