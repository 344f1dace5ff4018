"""Documents of an authority that people vote for: one command to sign, one to adopt, whatever the document."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from enigm_tuf.audit.merkle import MerkleLog, open_log
from enigm_tuf.authorities.cli.request_options import (
    add_home,
    add_signatory,
    load_papers,
    load_votes,
    signatory_of,
)
from enigm_tuf.authorities.confirming import digest_lines, require_words
from enigm_tuf.authorities.home import Home, open_home
from enigm_tuf.authorities.voting import Voted, cast_vote
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import read_input, require_new, write_new
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.ports import Clock

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


Seen: TypeAlias = Callable[[bytes, str, argparse.Namespace], tuple[Voted, Sequence[str]]]
"""From a document's bytes and source: what is voted for, and all the lines that there are to see of it."""
Adopt: TypeAlias = Callable[[Home, MerkleLog, bytes, str, tuple[bytes, ...], Clock], Outcome]
"""Puts a document in force with these votes."""


@dataclass(frozen=True, slots=True)
class Document:
    """The argument of a command that names a document: as the parser calls it, what it is, its most bytes."""

    argument: str
    help: str
    max_bytes: int = LIMITS.inventory_bytes

    def add(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(self.argument, metavar=self.argument.upper(), help=self.help)

    def load(self, arguments: argparse.Namespace) -> tuple[bytes, str]:
        """Its bytes, and its name; MisuseError."""
        source: str = getattr(arguments, self.argument)
        return read_input(Path(source), self.max_bytes), source


def sign_command(
    *, name: str, document: Document, seen: Seen, summary: str, examples: str, details: str = ""
) -> "Command[Edges]":
    """An operator votes for a document, after typing the words of what they saw."""

    def configure(parser: argparse.ArgumentParser) -> None:
        document.add(parser)
        add_signatory(parser, "your vote, such as alice.dsse.json")

    def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
        voted, lines = seen(*document.load(arguments), arguments)
        return _vote(voted, lines, arguments, edges)

    return Command(name, summary, examples, configure, run, details)


def adopt_command(
    *, name: str, document: Document, adopt: Adopt, summary: str, examples: str, details: str = ""
) -> "Command[Edges]":
    """A document comes into force in a home, with the votes that it needs."""

    def configure(parser: argparse.ArgumentParser) -> None:
        document.add(parser)
        add_home(parser)
        parser.add_argument(
            "--vote", metavar="FILE", action="append", default=[], help="an operator's vote; may repeat"
        )

    def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
        home, (data, source) = open_home(Path(arguments.home)), document.load(arguments)
        with open_log(home.log, edges.clock) as log:
            return adopt(home, log, data, source, load_votes(arguments), edges.clock)

    return Command(name, summary, examples, configure, run, details)


def _vote(voted: Voted, lines: Sequence[str], arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    """Show the document, have its words typed, sign."""
    out, what = Path(arguments.out), f"{voted.matter.name} version {voted.version}"
    require_new(out)

    def confirm(digest: str) -> None:
        edges.person.notify("\n".join([*lines, "", *digest_lines(digest)]))
        require_words(digest, what, edges.person.ask)

    voter = signatory_of(arguments, edges, confirm)
    write_new(out, cast_vote(voted, load_papers(arguments), voter, edges.clock.now().replace(microsecond=0)))
    facts = {voted.matter.name: sha256(voted.data), "version": voted.version, "operator": voter.operator}
    return Outcome(facts, [f"{what} signed by {voter.operator}, written to {out}"])
