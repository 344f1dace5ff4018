"""Links and commands in the pages are true."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing


def test_the_make_targets_that_the_readme_names_exist() -> None:
    named = set(re.findall(r"make ([a-z-]+)", (ROOT / "README.md").read_text()))
    assert {"demo", "test"} <= named
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert named <= targets


def test_the_commands_that_the_tutorial_shows_exist() -> None:
    reference = (ROOT / "docs/reference/command-lines.md").read_text()
    shown = re.findall(r"^\$ (enigm-\w+ .*)", (ROOT / "docs/tutorial/first-release.md").read_text(), re.MULTILINE)
    assert len(shown) > 20
    for line in shown:
        program, verb, *rest = line.split()
        one, two = f"### {program} {verb}\n", f"### {program} {verb} {rest[0]}\n"
        assert one in reference or two in reference, line
