"""docs/howto/retire-a-product.md is played: a product ends, and comes back."""

import re
import shlex
from pathlib import Path

import pytest

from enigm_testkit.vendor import Vendor, make_vendor
from enigm_tuf_repository.cli import Edges, main

PAGE = Path(__file__).parents[2] / "docs/howto/retire-a-product.md"


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
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)
    lines = [line.removeprefix("$ enigm-repo ") for block in blocks for line in block.splitlines()]
    assert len(lines) == 6
    for line in lines:
        words = shlex.split(line)
        if words[:2] == ["release", "attach"]:
            words = [*words[:3], *vendor.answers(words[2])]
        assert main(words, Edges(vendor.clock)) == 0, line


def test_the_options_of_the_page_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["product", "retire", "--help"])
    assert "--give-up RECORD" in capsys.readouterr().out
