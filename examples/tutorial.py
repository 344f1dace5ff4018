"""Holds the tutorial to the demo: every command that it shows is one that was played."""

from collections.abc import Sequence
from pathlib import Path

TUTORIAL = Path(__file__).parents[1] / "docs" / "tutorial" / "first-release.md"


def commands_not_played(played: Sequence[str]) -> list[str]:
    """The commands of the tutorial that are not among ``played``."""
    shown = [line.removeprefix("$ ") for line in TUTORIAL.read_text().splitlines() if line.startswith("$ ")]
    return [command for command in shown if command not in set(played)]
