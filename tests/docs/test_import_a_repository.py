"""docs/howto/import-a-repository.md is played, on a repository that python-tuf made."""

import re
import shlex
from pathlib import Path

import pytest

from enigm_testkit.foreign_tuf import ForeignRepository
from enigm_testkit.vendor import Vendor, make_vendor
from enigm_tuf_repository.cli import Edges, main

PAGE = Path(__file__).parents[2] / "docs/howto/import-a-repository.md"


@pytest.fixture
def vendor(tmp_path: Path) -> Vendor:
    vendor = make_vendor(tmp_path / "vendor")
    vendor.done("init", "--config", str(vendor.path / "repository.toml"))
    vendor.publish("root-1")
    vendor.done("product", "add", "phone", "--channel", "stable")
    vendor.publish("product-phone")
    return vendor


def test_the_commands_of_the_page_work(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(vendor.workspace.path)
    ForeignRepository(Path("old")).publish().first_root.rename("old-root.json")
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)
    lines = [line.removeprefix("$ enigm-repo ") for block in blocks for line in block.splitlines()]
    assert len(lines) == 3
    for line in lines:
        assert main(shlex.split(line), Edges(vendor.clock)) == 0, line
        if "import take" in line:
            file = Path("phone-1.0/release.toml")
            file.write_text(re.sub(r"^# (\w+ = )", r"\1", file.read_text(), flags=re.MULTILINE))
    vendor.publish("phone-1.0")
    assert vendor.device_sees() == "1.0"
