"""The stage of the demo: a folder, the three commands, tokens, cards, and people who answer what they are asked."""

import contextlib
import io
import os
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from enigm_testkit.attestation_ca import AttestationCa
from enigm_testkit.people import Answers
from enigm_testkit.piv_card import VirtualPivCard
from enigm_testkit.piv_connection import InProcessCards
from enigm_testkit.softhsm import MODULE
from enigm_testkit.vpcd import PORTS, PcscdUnavailable, VpcdPlug, pcscd
from enigm_tuf.authorities.cli import main as enigm_sign
from enigm_tuf.authorities.cli.edges import Edges
from enigm_tuf.authorities.tokens.piv_cards import PcscCards
from enigm_tuf.clock import SystemClock
from enigm_tuf.errors import NoTokenError

BIN = Path(sys.executable).parent
PIN, SO_PIN = "246810", "so-24681012"
CARD_PIN, CARD_PUK, MANAGEMENT_KEY = "135791", "13579113", "a1b2c3d4e5f60718" * 3
ANSWERS = {
    "management key": MANAGEMENT_KEY,
    "PUK": CARD_PUK,
    "SO PIN": SO_PIN,
    "PIN of card": CARD_PIN,
    "user PIN": PIN,
    "PIN of token": PIN,
    "new PIN": CARD_PIN,
    "PIN of key file": PIN,
}


@dataclass
class Outcome:
    """How a command ended."""

    status: int
    out: str
    err: str


@dataclass
class Stage:
    """``folder`` holds everything that the demo makes; ``cards`` are in drawers until someone puts them in a reader."""

    folder: Path
    ca: AttestationCa = field(default_factory=AttestationCa)
    cards: dict[str, VirtualPivCard] = field(default_factory=dict)
    has_readers: bool = False
    inserted: tuple[VirtualPivCard, ...] = ()
    plugs: list[VpcdPlug] = field(default_factory=list)
    played: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        print(f"\n{text}", flush=True)

    def card(self, owner: str, serial: int) -> str:
        """A fresh card for somebody; returns its URI."""
        self.cards[owner] = VirtualPivCard(serial, attestation_ca=self.ca)
        return f"piv:serial={serial}"

    def put_in(self, *owners: str) -> None:
        """These people put their cards in; whoever's was in took it out."""
        wanted = tuple(self.cards[owner] for owner in owners)
        if wanted == self.inserted:
            return
        for plug in self.plugs:
            plug.unplug()
        if self.has_readers:
            self.plugs = [VpcdPlug(card, port) for card, port in zip(wanted, PORTS, strict=False)]
            _wait_for({card.serial for card in wanted})
        self.inserted = wanted

    def sign(self, *arguments: str, answers: Mapping[str, str] | None = None, status: int = 0) -> Outcome:
        """``enigm-sign``, with somebody at the terminal."""
        known = ANSWERS | dict(answers or {})
        if not self.has_readers and any(argument.startswith("piv:") for argument in arguments):
            return self._in_process(arguments, known, status)
        return self._run("enigm-sign", arguments, known, status)

    def repo(self, *arguments: str, status: int = 0) -> Outcome:
        """``enigm-repo`` in the repository's folder."""
        return self._run("enigm-repo", (*arguments, "--repository", str(self.folder / "repository")), {}, status)

    def update(self, device: Path, *arguments: str, status: int = 0) -> Outcome:
        """``enigm-update`` on a device."""
        return self._run("enigm-update", (*arguments, "--device", str(device)), {}, status)

    def _run(self, program: str, arguments: Sequence[str], answers: Mapping[str, str], status: int) -> Outcome:
        self._show(program, arguments)
        process = subprocess.Popen(
            [BIN / program, *arguments],
            cwd=self.folder,
            env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        said: list[str] = []
        listener = threading.Thread(target=_answer, args=(process, answers, said))
        listener.start()
        out = process.stdout.read() if process.stdout else ""
        listener.join()
        return self._judge(Outcome(process.wait(), out, "".join(said)), status, program, arguments)

    def _in_process(self, arguments: Sequence[str], answers: Mapping[str, str], status: int) -> Outcome:
        self._show("enigm-sign", arguments)
        person = Answers(**{key.replace(" ", "_"): value for key, value in answers.items()})
        edges = Edges(SystemClock(), person, InProcessCards(*self.inserted))
        out, err = io.StringIO(), io.StringIO()
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            ended = enigm_sign(list(arguments), edges)
        return self._judge(Outcome(ended, out.getvalue(), err.getvalue()), status, "enigm-sign", arguments)

    def _show(self, program: str, arguments: Sequence[str]) -> None:
        line = shlex.join([program, *arguments]).replace(f"{self.folder}/", "")
        self.played.append(line)
        print(f"$ {line if len(line) < 160 else line[:157] + '...'}", flush=True)

    def _judge(self, outcome: Outcome, status: int, program: str, arguments: Sequence[str]) -> Outcome:
        if outcome.status != status:
            command = shlex.join([program, *arguments])
            raise SystemExit(f"{command}\nended with {outcome.status}, not {status}\n{outcome.out}{outcome.err}")
        return outcome


def _wait_for(serials: set[int]) -> None:
    """A reader needs a moment to see its card."""
    for _ in range(100):
        with contextlib.suppress(NoTokenError):
            if set(PcscCards().serials()) == serials:
                return
        time.sleep(0.1)
    raise SystemExit(f"the readers do not see the cards {sorted(serials)}")


def _answer(process: "subprocess.Popen[str]", answers: Mapping[str, str], said: list[str]) -> None:
    """Read what the command says, and answer each question with the entry that it names."""
    if process.stderr is None or process.stdin is None:
        return
    for line in process.stderr:
        said.append(line)
        for key, answer in answers.items():
            if key in line and line.rstrip().endswith(":"):
                process.stdin.write(f"{answer}\n")
                process.stdin.flush()
                break
    process.stdin.close()


@contextlib.contextmanager
def open_stage(folder: Path) -> Iterator[Stage]:
    """A stage with SoftHSM tokens, and with card readers where pcscd can run."""
    tokens = folder / "tokens"
    tokens.mkdir()
    conf = folder / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(conf)
    stage = Stage(folder)
    (folder / "piv-root.pem").write_bytes(stage.ca.root_pem)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(pcscd())
            stage.has_readers = True
            stage.say("PIV cards: two virtual cards at a time in the readers of a real pcscd")
        except PcscdUnavailable as reason:
            stage.say(f"PIV cards: virtual cards in process, since {reason}")
        try:
            yield stage
        finally:
            for plug in stage.plugs:
                plug.unplug()


def hsm(label: str) -> str:
    """The URI of a SoftHSM token."""
    return f"pkcs11:token={label}?module-path={MODULE}"
