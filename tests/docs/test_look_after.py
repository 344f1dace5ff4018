"""docs/howto/look-after-a-repository.md is played: its commands in their order, on a repository with a release."""

import re
import shutil
from pathlib import Path

import pytest

from enigm_testkit.pages import Page
from enigm_testkit.vendor import Vendor, make_vendor
from enigm_tuf_repository.cli import Edges, main
from enigm_tuf_repository.integrity.damage import Kind

PAGE = Page("howto/look-after-a-repository")


@pytest.fixture
def vendor(tmp_path: Path) -> Vendor:
    vendor = make_vendor(tmp_path / "vendor").opened()
    vendor.publish(vendor.prepare_release("2026.11.1"))
    return vendor


def test_the_commands_of_the_page_work(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(vendor.workspace.path)
    shutil.copy(vendor.published / "metadata/1.root.json", "1.root.json")
    for program, *command in PAGE.commands:
        if program != "enigm-repo":
            continue
        command = [word.replace("/tmp/enigm-copy", str(vendor.path / "copy")) for word in command]
        assert main(command, Edges(vendor.clock)) == 0, command


def test_every_kind_of_damage_is_in_the_table() -> None:
    assert set(re.findall(r"^\| `([a-z]+)` \|", PAGE.text, re.MULTILINE)) >= set(Kind)
