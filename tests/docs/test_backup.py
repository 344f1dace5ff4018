"""The page on backups is played: its commands in their order, on SoftHSM, from the key to the copy in its place."""

from pathlib import Path

import pytest

from enigm_testkit.house import PIN, House, build_house
from enigm_testkit.pages import Page, code
from enigm_testkit.people import Answers
from enigm_testkit.softhsm import SO_PIN, make_token
from enigm_tuf.authorities.cli import main
from enigm_tuf.authorities.cli.edges import Edges
from enigm_tuf.model.keys import read_key_record
from enigm_tuf.model.policy import read_policy
from enigm_tuf.model.words import last_words

PAGE = Page("howto/backup")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """The house has a token payload-a already: the page's one is called first-a here."""
    house = build_house(tmp_path_factory.mktemp("backup") / "house")
    for label in ("first-a", "spare"):
        make_token(label, PIN)
    return house


def test_the_page_is_true(house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (house.path / "desk").mkdir()
    monkeypatch.chdir(house.path / "desk")
    Path("release").symlink_to(house.home("release"))
    played = []
    for _, *command in PAGE.commands:
        arguments = [part.replace("token=payload-a", "token=first-a") for part in command]
        answers = {"SO PIN": SO_PIN, "PIN": PIN}
        if command[:2] == ["key", "restore"]:
            record = read_key_record(Path("payload-a.key.json").read_bytes(), "record")
            answers["last four words"] = last_words(record.spki_sha256)
        assert main(arguments, Edges(house.clock, Answers(**answers))) == 0, (command, capsys.readouterr().err)
        played.append(" ".join(command[:2]))
        if command[:2] == ["inventory", "propose"]:
            house.adopt_inventory("release", Path(command[-1]).resolve())
    assert played == [
        "key generate",
        "key enrol",
        "wrapping make",
        "inventory propose",
        "key backup",
        "key restore-test",
        "key restore",
        "inventory propose",
    ]
    audit = ["key", "audit", "--home", "release", "--token", house.uri("spare")]
    assert main(audit, house.edges()) == 0
    assert "as the inventory says" in capsys.readouterr().out


def test_the_table_of_the_page_is_a_policy_s(house: House) -> None:
    table = PAGE.toml
    policy = read_policy((house.path / "release.policy.toml").read_bytes() + b"\n" + table.encode(), "policy")
    assert policy.backup is not None
    assert policy.backup.restore_proof_days == 180


def test_what_the_page_says_that_it_says_is_said_somewhere() -> None:
    said, rows = code(), PAGE.rows
    assert len(rows) == 8
    for row in rows:
        assert all(word in said for word in row.split()), row
