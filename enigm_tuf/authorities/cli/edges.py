"""What the commands of enigm-sign need from outside: time, a person, and the card readers."""

import contextlib
import getpass
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from enigm_tuf.authorities.cli.countdown import countdown
from enigm_tuf.authorities.core_dumps import forbid_core_dumps
from enigm_tuf.authorities.tokens.uri import TokenEdges, open_backup_token, open_token
from enigm_tuf.clock import SystemClock
from enigm_tuf.errors import MisuseError
from enigm_tuf.ports import Clock, Token

if TYPE_CHECKING:
    from enigm_tuf.authorities.tokens.hsm.backup_token import BackupToken
    from enigm_tuf.authorities.tokens.piv import CardSource


class Person(Protocol):
    """Who sits at the terminal."""

    def ask(self, question: str) -> str: ...
    def ask_secret(self, what: str) -> str: ...
    def notify(self, text: str) -> None: ...

    def waiting(self, text: str, seconds: int) -> contextlib.AbstractContextManager[None]:
        """Something to do within so many seconds, such as touching a card, told for as long as the block runs."""
        self.notify(f"{text} ({seconds} s)")
        return contextlib.nullcontext()


class Terminal:
    """Asks on the terminal; where there is none, takes one line of standard input for each question."""

    def ask(self, question: str) -> str:
        """An answer that may be seen."""
        if sys.stdin.isatty():
            return input(question)
        return self._line(question)

    def ask_secret(self, what: str) -> str:
        """An answer that is not shown: a PIN, a management key. From then on this process leaves no core dump."""
        forbid_core_dumps()
        if sys.stdin.isatty():
            return getpass.getpass(f"{what}: ")
        return self._line(f"{what}: ")

    def notify(self, text: str) -> None:
        """Something to do now, such as touching a card."""
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - this is the terminal

    def waiting(self, text: str, seconds: int) -> contextlib.AbstractContextManager[None]:
        """Counts down on a terminal; one line elsewhere."""
        return countdown(text, seconds, sys.stderr)

    def _line(self, question: str) -> str:
        print(question, file=sys.stderr, flush=True)  # noqa: T201
        line = sys.stdin.readline()
        if not line:
            raise MisuseError(f"no answer to: {question}", hint="run it on a terminal, or give one line per question")
        return line.rstrip("\n")


@dataclass(frozen=True)
class Edges:
    """``cards`` None means the machine's readers."""

    clock: Clock = field(default_factory=SystemClock)
    person: Person = field(default_factory=Terminal)
    cards: "CardSource | None" = None

    @property
    def tokens(self) -> TokenEdges:
        return TokenEdges(self.person.ask_secret, self.person.waiting, self.cards)

    def open_backup_token(self, uri: str) -> "BackupToken":
        """The same, for what backups need."""
        return open_backup_token(uri, self.tokens)

    def open_token(self, uri: str) -> Token:
        """The token that ``--token`` names."""
        return open_token(uri, self.tokens)
