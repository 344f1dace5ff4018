"""The page about changing a policy is played: its commands in their order, up to the adopted policy."""

import re
import shlex
from pathlib import Path

import pytest

from enigm_testkit.house import House, build_house
from enigm_tuf.authorities.cli import main
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.words import last_words

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/howto/change-a-policy.md"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return build_house(tmp_path_factory.mktemp("policy") / "house")


def test_the_page_is_true(house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(house.path)
    text = Path("release.policy.toml").read_text().replace("\nversion = 1\n", "\nversion = 2\n")
    Path("next.policy.toml").write_text(text.replace("request_hours = 72", "request_hours = 71"))
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)
    lines = [line.removeprefix("$ enigm-sign ") for block in blocks for line in block.strip().splitlines()]
    assert len(lines) == 7
    words = last_words(sha256(Path("next.policy.toml").read_bytes()))
    for line in lines:
        assert main(shlex.split(line), house.edges(last_four_words=words)) == 0, (line, capsys.readouterr().err)
    assert "policy version 2 is adopted" in capsys.readouterr().out


def test_what_the_page_says_that_it_says_is_said_somewhere() -> None:
    source = "".join(path.read_text() for path in (ROOT / "enigm_tuf").rglob("*.py"))
    rows = re.findall(r"^\| `([^`]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert len(rows) == 5
    assert all(row in source for row in rows)
