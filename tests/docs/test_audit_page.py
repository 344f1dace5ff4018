"""The page about the audit log is played, command by command, by a house with both authorities."""

import os
from pathlib import Path

import pytest

from enigm_testkit.house import House, build_house
from enigm_testkit.pages import Page
from enigm_testkit.recovery import leave_intent
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.words import last_words

PAGE = Page("howto/audit-the-log")


def test_the_page_is_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "SOFTHSM2_CONF", os.environ.get("SOFTHSM2_CONF", ""))
    house: House = build_house(tmp_path / "house").with_root()
    monkeypatch.chdir(house.path)
    assert len(PAGE.commands) == 13
    for _, *arguments in PAGE.commands:
        if arguments[:2] == ["finding", "propose"]:
            leave_intent(house)
        words = last_words(sha256(Path("finding.json").read_bytes())) if arguments[:2] == ["finding", "sign"] else ""
        assert house.sign(*arguments, last_four_words=words) == 0, arguments
