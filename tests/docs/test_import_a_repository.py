"""docs/howto/import-a-repository.md is played, on a repository that python-tuf made."""

import re
from pathlib import Path

import pytest

from enigm_testkit.foreign_tuf import ForeignRepository
from enigm_testkit.pages import Page
from enigm_testkit.vendor import Vendor, make_vendor
from enigm_tuf_repository.cli import Edges, main

PAGE = Page("howto/import-a-repository")


@pytest.fixture
def vendor(tmp_path: Path) -> Vendor:
    return make_vendor(tmp_path / "vendor").opened()


def test_the_commands_of_the_page_work(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(vendor.workspace.path)
    ForeignRepository(Path("old")).publish().first_root.rename("old-root.json")
    assert len(PAGE.commands) == 3
    for _, *arguments in PAGE.commands:
        assert main(arguments, Edges(vendor.clock)) == 0, arguments
        if arguments[:2] == ["import", "take"]:
            file = Path("phone-1.0/release.toml")
            file.write_text(re.sub(r"^# (\w+ = )", r"\1", file.read_text(), flags=re.MULTILINE))
    vendor.publish("phone-1.0")
    assert vendor.device_sees() == "1.0"
