"""Pages of the docs, as the tests that play them read them."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Page:
    """A page by its name below ``docs/``, such as ``howto/backup``."""

    def __init__(self, name: str) -> None:
        self.text = (ROOT / "docs" / f"{name}.md").read_text()

    def blocks(self, kind: str) -> list[str]:
        return re.findall(rf"```{kind}\n(.*?)```", self.text, re.DOTALL)

    @property
    def toml(self) -> str:
        """Of a page that has one such block."""
        (block,) = self.blocks("toml")
        return block

    @property
    def sections(self) -> list[list[str]]:
        """The commands, block by block, without the ``$``."""
        return [[line.removeprefix("$ ") for line in block.strip().splitlines()] for block in self.blocks("console")]

    @property
    def lines(self) -> list[str]:
        """All commands, as they are typed."""
        return [line for lines in self.sections for line in lines]

    @property
    def commands(self) -> list[list[str]]:
        """The words of every command; the first is the program."""
        return [shlex.split(line) for line in self.lines]

    @property
    def rows(self) -> list[str]:
        """What stands as code alone in the first column of a table."""
        return re.findall(r"^\| `([^`]+)` \|", self.text, re.MULTILINE)


def code() -> str:
    """All of enigm_tuf: what a page says that a command says stands there."""
    return "".join(path.read_text() for path in (ROOT / "enigm_tuf").rglob("*.py"))
