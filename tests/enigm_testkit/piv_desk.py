"""A desk with a PIV card in its reader and the person who holds it, at the command line of enigm-sign."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from enigm_testkit.attestation_ca import AttestationCa
from enigm_testkit.people import Answers, FixedClock
from enigm_testkit.piv_card import VirtualPivCard
from enigm_testkit.piv_connection import InProcessCards
from enigm_testkit.piv_people import MANAGEMENT_KEY, PIN, PUK, pin, ready_token
from enigm_tuf.authorities.cli import main
from enigm_tuf.authorities.cli.edges import Edges

CLOCK = FixedClock(datetime(2026, 11, 23, 20, 0, tzinfo=UTC))


CARD = "piv:serial=1001"


class Holder(Answers):
    """Who has the card at hand: knows its secrets, and may pull it out while asked, or when it has signed."""

    def __init__(self, card: VirtualPivCard, pulls: str = "", **answers: str) -> None:
        super().__init__(**(answers | {"PIN": answers.get("PIN", PIN), "PUK": answers.get("PUK", PUK)}))
        self.answers.setdefault("management key", MANAGEMENT_KEY)
        self._card, self._pulls = card, pulls

    def ask_secret(self, what: str) -> str:
        self._card.pulled |= self._pulls == "while asked"
        return super().ask_secret(what)

    def waiting(self, text: str, seconds: int) -> AbstractContextManager[None]:
        return self._waiting(text, seconds)

    @contextmanager
    def _waiting(self, text: str, seconds: int) -> Iterator[None]:
        self.notify(f"{text}, {seconds} s")
        yield
        self._card.pulled |= self._pulls == "when it has signed"


@dataclass
class Desk:
    """A card in a reader, its holder's command line, and what that said."""

    card: VirtualPivCard
    folder: Path
    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: str, holder: Holder | None = None, cards: InProcessCards | None = None) -> int:
        edges = Edges(CLOCK, holder or Holder(self.card), cards or InProcessCards(self.card))
        self.capsys.readouterr()
        return main(list(arguments), edges)

    def enrol(
        self,
        holder: Holder | None = None,
        cards: InProcessCards | None = None,
        token: str = CARD,
        environment: str = "production",
        *more: str,
    ) -> int:
        """Proof of possession is a signature."""
        who = ["--token", token, "--label", "9c", "--custodian", "heidi", "--out", str(self.record)]
        root = ["--attestation-root", str(self.folder / "maker.pem")]
        arguments = ["key", "enrol", *who, "--purpose", "manifest", "--environment", environment, *root, *more]
        return self.run(*arguments, holder=holder, cards=cards)

    def unblock(self, **answers: str) -> int:
        return self.run("token", "unblock", "--token", CARD, holder=Holder(self.card, **answers))

    @property
    def record(self) -> Path:
        return self.folder / "manifest-a.key.json"

    def said(self) -> tuple[str, str]:
        """The error and the hint: one line each, and nothing else."""
        error, hint = self.capsys.readouterr().err.splitlines()
        return error.removeprefix("error: "), hint.removeprefix("hint: ")


def desk_with_key(folder: Path, capsys: pytest.CaptureFixture[str], maker: AttestationCa | None = None) -> Desk:
    """Card 1001 with a key in slot 9c; its maker's root lies in ``maker.pem``."""
    maker = maker or AttestationCa()
    (folder / "maker.pem").write_bytes(maker.root_pem)
    card = VirtualPivCard(1001, attestation_ca=maker)
    with ready_token(card).session(pin) as session:
        session.generate("9c", "ecdsa-p256")
    return Desk(card, folder, capsys)
