"""What ``verify`` finds, and what it counts on its way."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from enigm_tuf.errors import EnigmTufError


class Kind(StrEnum):
    """What is wrong with a file. The value is the word in the table and in ``--json``."""

    MISSING = "missing"
    EXTRA = "extra"
    REFUSED = "refused"
    BYTES = "bytes"
    CHUNKS = "chunks"
    AGREEMENT = "agreement"
    RECORD = "record"


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is wrong. ``path`` is below the tree, or names a record; ``what`` is one line."""

    kind: Kind
    path: str
    what: str


@dataclass
class Findings:
    """The damage, and how much was looked at: what a person wants to read when nothing is wrong."""

    damage: list[Damage] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, kind: Kind, path: str, what: str) -> None:
        self.damage.append(Damage(kind, _one_line(path), _one_line(what)))

    def count(self, what: str, number: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + number

    def merge(self, other: "Findings") -> None:
        """What another one found, too."""
        self.damage += other.damage
        for what, number in other.counts.items():
            self.count(what, number)

    @contextmanager
    def noting(self, kind: Kind, path: str) -> Iterator[None]:
        """What the block refuses is damage of ``path``, and whoever asked goes on."""
        try:
            yield
        except EnigmTufError as error:
            self.add(kind, path, str(error))


def _one_line(text: str) -> str:
    """A name in a hostile tree may hold anything."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
