"""People who play a ceremony script in a house: they read the screen, type what it asks for, and may deviate."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from enigm_testkit.house import House
from enigm_testkit.people import Answers, FixedClock
from enigm_tuf.authorities.ceremony import performing, running, transcript
from enigm_tuf.authorities.cli import main, sign
from enigm_tuf.authorities.cli.edges import Edges
from enigm_tuf.authorities.home import open_home
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.transcript import TranscriptEntry, read_entry
from enigm_tuf.model.words import last_words

IMAGE = "1" * 64
PLAIN = {
    "type here": "here",
    "type ready": "ready",
    "type seen": "seen",
    "type right": "right",
    "Type happened": "happened",
}


class Participants(Answers):
    """Answers what a step asks; ``deviations`` give, by a part of the question, the answers to its first times."""

    def __init__(
        self, answers: Mapping[str, str], deviations: Mapping[str, list[str]], unseen: Mapping[str, str]
    ) -> None:
        super().__init__()
        self.answers = dict(answers)
        self.deviations = {part: list(texts) for part, texts in deviations.items()}
        self.unseen = unseen
        self.asked: list[str] = []

    def ask(self, question: str) -> str:
        self.asked.append(question)
        for part, texts in self.deviations.items():
            if part in question and texts:
                return texts.pop(0)
        for part, answer in PLAIN.items():
            if part in question:
                return answer
        if "last four words" in question:
            for part, digest in self.unseen.items():
                if part in question:
                    return last_words(digest)
            return last_words(re.findall(r"digest  ([0-9a-f]{64})", "\n".join(self.said))[-1])
        return super().ask(question)


@dataclass
class Ceremony:
    """A script in a house: ``people`` are ROLE=OPERATOR; ``file`` is the script's, beside its transcript."""

    house: House
    authority: str
    file: Path
    people: tuple[str, ...] = ("custodian=alice", "witness=bob")
    deviations: dict[str, list[str]] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    participants: Participants | None = None

    @property
    def transcript(self) -> Path:
        return self.file.with_suffix(".transcript")

    def arguments(self, verb: str) -> list[str]:
        people = [part for person in self.people for part in ("--person", person)]
        keys = [part for who in ("alice", "bob") for part in ("--key", f"{who}={self.key_uri(who)}")]
        home = ["--home", str(self.house.home(self.authority)), "--transcript", str(self.transcript)]
        return ["ceremony", verb, str(self.file), *home, *people, *keys]

    def key_uri(self, who: str) -> str:
        uri = self.house.uri(who)
        return uri if uri.startswith("piv:") else uri.replace("?", f";object={self.house.label(who)}?")

    def edges(self) -> Edges:
        ordinary = self.house.edges()
        usual = getattr(ordinary.person, "answers", {})
        answers = {"SO PIN": usual["SO PIN"]} | self.secrets | usual
        unseen = {"the image": IMAGE, "from your own copy": policy_digest(self.house, self.authority)}
        unseen["printed copy"] = sha256(self.file.read_bytes())
        self.participants = Participants(answers, self.deviations, unseen)
        return replace(ordinary, person=self.participants)

    def abort(self, reason: str) -> int:
        """``enigm-sign ceremony run --abort``."""
        return main([*self.arguments("run"), "--abort", reason], self.edges())

    def play(self, verb: str = "run", **deviations: list[str]) -> int:
        """``enigm-sign ceremony run`` (or rehearse); ``deviations`` are for this time alone."""
        self.deviations = {part.replace("_", " "): texts for part, texts in deviations.items()} | self.deviations
        edges = self.edges()
        self.deviations = {}
        return main(self.arguments(verb), edges)

    def verify(self, *more: str) -> int:
        command = ["ceremony", "verify", str(self.transcript), "--script", str(self.file)]
        return main([*command, "--home", str(self.house.home(self.authority)), *more])

    def entries(self) -> list[TranscriptEntry]:
        return [read_entry(line, "transcript") for line in self.transcript.read_bytes().splitlines()]

    def told(self) -> list[str]:
        """Each line as type, step and what became of it."""
        bodies = ((entry.type, entry.body) for entry in self.entries())
        return [
            " ".join(str(part) for part in (kind, body.get("step"), body.get("how") or body.get("next")) if part)
            for kind, body in bodies
        ]

    def killed(self, place: str, step: str) -> None:
        """The same in a process of its own, which dies by SIGKILL at ``place`` (a key of DEATHS) of the step."""
        self.edges()
        person = self.participants
        assert person is not None
        plan = {
            "arguments": self.arguments("run"),
            "place": place,
            "step": step,
            "now": self.house.clock.now().isoformat(),
            "answers": person.answers,
            "unseen": dict(person.unseen),
        }
        program = "import sys; from enigm_testkit.ceremonies import die; die(sys.argv[1])"
        environment = dict(os.environ) | {"PYTHONPATH": str(Path(__file__).parents[1])}
        command = [sys.executable, "-c", program, json.dumps(plan)]
        done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
        assert done.returncode == -signal.SIGKILL, done.stderr


def shipped(
    house: House, authority: str, kind: str, tokens: Mapping[str, str], texts: Mapping[str, object], bag: str = ""
) -> Ceremony:
    """The shipped script of a type, filled in for this house by ``ceremony new``; ``tokens`` are names to URIs.

    ``bag`` is that of the first of them.
    """
    file = house.path / f"{kind}.toml"
    filled = [part for name, uri in tokens.items() for part in ("--token", f"{name}={uri}")]
    filled += [part for name, text in texts.items() for part in ("--set", f"{name.replace('_', '-')}={text}")]
    filled += ["--bag", f"{next(iter(tokens))}={bag}"] if bag else []
    home = house.home(authority)
    assert house.sign("ceremony", "new", kind, "--home", home, *filled, "--image", IMAGE, "--out", file) == 0
    return Ceremony(house, authority, file, secrets={"number on the bag": bag} if bag else {})


def policy_digest(house: House, authority: str) -> str:
    return open_home(house.home(authority)).policy_pin.sha256


class PowerCut(BaseException):
    """The process ends here, as far as the code under test can tell."""


def _kill() -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def cut_power() -> Any:
    """In this process, for tokens that live in it."""
    raise PowerCut


Put = Callable[[object, str, object], None]
"""``setattr``, or pytest's, which is undone."""
Dying = Callable[[], Any]


def _before(put: Put, step: str, dying: Dying) -> None:
    real = performing.perform
    put(running, "perform", lambda room, one, *rest: dying() if one.id == step else real(room, one, *rest))


def _after(put: Put, step: str, dying: Dying) -> None:
    real = performing.perform

    def acting(room: Any, one: Any, actor: str) -> Any:
        result = real(room, one, actor)
        return dying() if one.id == step else result

    put(running, "perform", acting)


def _torn(put: Put, step: str, dying: Dying) -> None:
    """The line that says that the step is done is half written when the power goes."""
    real = transcript._write_whole

    def half(file: Any, line: bytes) -> None:
        if b'"step.done"' in line and f'"step":"{step}"'.encode() in line:
            file.seek(0, os.SEEK_END)
            file.write(line[: len(line) // 2])
            os.fsync(file.fileno())
            dying()
        real(file, line)

    put(transcript, "_write_whole", half)


def _no_file(put: Put, step: str, dying: Dying) -> None:
    """The signature is made and logged; the file that tells of it is never written."""
    del step
    put(sign, "write_new", lambda *_: dying())


DEATHS: dict[str, Callable[[Put, str, Dying], None]] = {
    "before the action": _before,
    "after the action": _after,
    "in the middle of a line": _torn,
    "before the response is written": _no_file,
}


def at_line(put: Put, number: int, dying: Dying, *, written: bool) -> None:
    """The power goes at that line of the transcript, right after it was written or right before."""
    real, seen = transcript._write_whole, [0]

    def counting(file: Any, line: bytes) -> None:
        seen[0] += 1
        if seen[0] == number and not written:
            dying()
        real(file, line)
        if seen[0] == number:
            dying()

    put(transcript, "_write_whole", counting)


def die(plan_text: str) -> None:
    """What the process of ``killed`` runs."""
    plan = json.loads(plan_text)
    DEATHS[plan["place"]](setattr, plan["step"], _kill)
    person = Participants(plan["answers"], {}, plan["unseen"])
    main(plan["arguments"], Edges(FixedClock(datetime.fromisoformat(plan["now"])), person))
