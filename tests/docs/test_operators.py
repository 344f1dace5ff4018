"""The page about operators is played: its list is one, and its commands put the next version in force."""

import re
from pathlib import Path

import pytest

from enigm_testkit.house import House, build_house, operators_toml
from enigm_testkit.pages import Page, code
from enigm_tuf.authorities.cli import main as enigm_sign
from enigm_tuf.model.operators import read_operator_list
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.words import last_words
from enigm_tuf_repository.cli import Edges
from enigm_tuf_repository.cli import main as enigm_repo

PAGE = Page("howto/operators")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return build_house(tmp_path_factory.mktemp("people") / "house")


def test_the_page_is_true(house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(house.path)
    Path("next.operators.toml").write_text(operators_toml("release", rob="suspended"))
    assert len(PAGE.commands) == 6
    for program, *arguments in PAGE.commands:
        if program == "enigm-repo":
            assert enigm_repo(arguments, Edges(house.clock)) == 0, arguments
            continue
        typed = last_words(sha256(Path(arguments[2]).read_bytes())) if arguments[1] == "sign" else ""
        assert enigm_sign(arguments, house.edges(last_four_words=typed)) == 0, (arguments, capsys.readouterr().err)
    assert "operators version 2 of the release authority" in capsys.readouterr().out


def test_the_list_of_the_page_is_one() -> None:
    listed = PAGE.toml
    assert [person.id for person in read_operator_list(listed.encode(), "page").operators] == ["rob", "alice", "bob"]


def test_what_the_page_says_that_it_says_is_said_somewhere() -> None:
    said = code()
    rows = re.findall(r"^\| `([^`]+)` \| (?!may)", PAGE.text, re.MULTILINE)
    assert all(word in said for row in rows for word in row.split())
