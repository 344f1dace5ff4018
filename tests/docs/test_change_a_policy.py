"""The page about changing a policy is played: its commands in their order, up to the adopted policy."""

from pathlib import Path

import pytest

from enigm_testkit.house import House, build_house
from enigm_testkit.pages import Page, code
from enigm_tuf.authorities.cli import main
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.words import last_words

PAGE = Page("howto/change-a-policy")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return build_house(tmp_path_factory.mktemp("policy") / "house")


def test_the_page_is_true(house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(house.path)
    text = Path("release.policy.toml").read_text().replace("\nversion = 1\n", "\nversion = 2\n")
    Path("next.policy.toml").write_text(text.replace("request_hours = 72", "request_hours = 71"))
    assert len(PAGE.commands) == 7
    words = last_words(sha256(Path("next.policy.toml").read_bytes()))
    for _, *arguments in PAGE.commands:
        assert main(arguments, house.edges(last_four_words=words)) == 0, (arguments, capsys.readouterr().err)
    assert "policy version 2 is adopted" in capsys.readouterr().out


def test_what_the_page_says_that_it_says_is_said_somewhere() -> None:
    said, rows = code(), PAGE.rows
    assert len(rows) == 5
    assert all(row in said for row in rows)
