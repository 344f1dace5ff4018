"""docs/howto/retire-a-product.md is played: a product ends, and comes back."""

from pathlib import Path

import pytest

from enigm_testkit.pages import Page
from enigm_testkit.vendor import Vendor, make_vendor
from enigm_tuf_repository.cli import Edges, main

PAGE = Page("howto/retire-a-product")


@pytest.fixture
def vendor(tmp_path: Path) -> Vendor:
    return make_vendor(tmp_path / "vendor").opened()


def test_the_commands_of_the_page_work(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(vendor.workspace.path)
    assert len(PAGE.commands) == 6
    for _, *arguments in PAGE.commands:
        if arguments[:2] == ["release", "attach"]:
            arguments = [*arguments[:3], *vendor.answers(arguments[2])]
        assert main(arguments, Edges(vendor.clock)) == 0, arguments


def test_the_options_of_the_page_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["product", "retire", "--help"])
    assert "--give-up RECORD" in capsys.readouterr().out
