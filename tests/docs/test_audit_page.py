"""The page about the audit log is played, command by command, by a house with both authorities."""

import os
import re
import shlex
from pathlib import Path

import pytest

from enigm_testkit.house import House, build_house
from enigm_testkit.recovery import leave_intent
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.words import last_words

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "audit-the-log.md"


def test_the_page_is_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "SOFTHSM2_CONF", os.environ.get("SOFTHSM2_CONF", ""))
    house: House = build_house(tmp_path / "house").with_root()
    monkeypatch.chdir(house.path)
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)
    commands = [line.removeprefix("$ ") for block in blocks for line in block.strip().splitlines()]
    assert len(commands) == 13
    for command in commands:
        if "finding propose" in command:
            leave_intent(house)
        words = last_words(sha256(Path("finding.json").read_bytes())) if "finding sign" in command else ""
        assert house.sign(*shlex.split(command)[1:], last_four_words=words) == 0, command
