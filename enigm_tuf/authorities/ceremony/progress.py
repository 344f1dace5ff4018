"""How far a ceremony is, from its transcript alone: for who goes on with it, and for who verifies it. Pure.

Each entry is held against the script: another order, another person, a skipped step or a failure that was handled
otherwise than the script says is refused (TRANSCRIPT-ORDER).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import NoReturn

from enigm_tuf.authorities.ceremony.arguments import tokens_in
from enigm_tuf.authorities.ceremony.rules import TranscriptRule
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.ceremony import Script, Step
from enigm_tuf.model.strict_json import JsonObject
from enigm_tuf.model.transcript import TranscriptEntry, TranscriptType


@dataclass(frozen=True, slots=True)
class Progress:
    """``index``: steps that are done. The rest is about the step after them.

    ``begun``: the first and the last time that it was begun; ``open``: the last time has no end yet, so nobody knows;
    ``crashed``: that happened to an earlier time; ``performed``: its action was done, and somebody objected;
    ``failures``: how often it failed; ``aborting``: after a failure, or by people's word, only the closing may come;
    ``serials``: of tokens, as first read.
    """

    script: Script
    opened: JsonObject | None = None
    index: int = 0
    attempts: int = 0
    begun: tuple[JsonObject, ...] = ()
    open: bool = False
    crashed: bool = False
    performed: bool = False
    failures: int = 0
    aborting: bool = False
    outcome: str | None = None
    signers: tuple[str, ...] = ()
    serials: tuple[tuple[str, str], ...] = ()

    @property
    def step(self) -> Step | None:
        return self.script.steps[self.index] if self.index < len(self.script.steps) else None

    @property
    def people(self) -> dict[str, tuple[str, ...]]:
        return dict(self.opened["people"]) if self.opened else {}

    @property
    def goes_on(self) -> bool:
        """A step may still be done."""
        return self.step is not None and not self.aborting and self.outcome is None

    @property
    def in_doubt(self) -> bool:
        """A process died in the step, and nothing that came after says for certain what became of it."""
        return self.open or self.crashed

    def next_after_failure(self) -> str:
        """What the script says when the step fails once more: retry, resume or abort."""
        step = self.step
        if step is None or step.on_failure.what != "retry":
            return step.on_failure.what if step else "abort"
        return "retry" if self.failures < step.on_failure.times else "abort"


def follow(script: Script, entries: Iterable[TranscriptEntry]) -> Progress:
    """The progress after all entries; RefusedError TRANSCRIPT-ORDER names the first that the script does not have."""
    progress = Progress(script)
    for entry in entries:
        progress = advance(progress, entry)
    return progress


def advance(progress: Progress, entry: TranscriptEntry) -> Progress:
    """The progress after one more entry; RefusedError TRANSCRIPT-ORDER."""
    subject = f"line {entry.sequence}, {entry.type}"
    if (progress.opened is None) != (entry.type == TranscriptType.OPENED):
        _refuse(subject, "one opening, at the start", "another place")
    if (progress.outcome is not None) != (entry.type == TranscriptType.SIGNED):
        _refuse(subject, "signatures after the closing, and nothing else", "another place")
    if progress.aborting and entry.type not in _AFTER_AN_ABORT:
        _refuse(subject, "the closing", "another line")
    return _FOLLOWS[entry.type](progress, entry.body, subject)


def _opened(progress: Progress, body: JsonObject, subject: str) -> Progress:
    roles = set(progress.script.roles)
    if set(body["people"]) != roles:
        _refuse(subject, f"people for {', '.join(sorted(roles))}", f"for {', '.join(sorted(body['people'])) or 'none'}")
    return replace(progress, opened=body)


def _resumed(progress: Progress, body: JsonObject, subject: str) -> Progress:
    del body, subject
    return progress


def _begun(progress: Progress, body: JsonObject, subject: str) -> Progress:
    step = _step_of(progress, body, subject)
    if body["actor"] not in progress.people[step.actor] or body["witnesses"] != progress.people[step.witness]:
        people = f"one of {', '.join(progress.people[step.actor])}; all of {', '.join(progress.people[step.witness])}"
        _refuse(subject, people, f"{body['actor']}; {', '.join(body['witnesses'])}")
    if foreign := set(body["tokens"]) - set(tokens_in(step)):
        _refuse(subject, f"the tokens of step {step.id}", ", ".join(sorted(foreign)))
    known = dict(progress.serials)
    serials = tuple((known | {name: serial for name, serial in body["tokens"].items() if name not in known}).items())
    for name, serial in body["tokens"].items():
        if (named := progress.script.tokens[name].serial or known.get(name, serial)) != serial:
            _refuse(subject, f"token {name} with serial {named}", serial)
    return replace(
        progress,
        begun=(*progress.begun[:1], body),
        attempts=body["attempt"],
        crashed=progress.crashed or progress.open,
        open=True,
        performed=False,
        serials=serials,
    )


def _done(progress: Progress, body: JsonObject, subject: str) -> Progress:
    _require_begun(progress, body, subject)
    return Progress(progress.script, progress.opened, progress.index + 1, serials=progress.serials)


def _failed(progress: Progress, body: JsonObject, subject: str) -> Progress:
    if body["performed"]:
        _require_begun(progress, body, subject)
    elif not progress.open or body["attempt"] != progress.attempts:
        _step_of(progress, body, subject)
    expected = progress.next_after_failure()
    if body["next"] not in (expected, "resume" if expected == "retry" else expected):
        _refuse(subject, f"{expected} after this failure", body["next"])
    return replace(
        progress,
        attempts=body["attempt"],
        crashed=progress.crashed or (progress.open and body["attempt"] != progress.attempts),
        open=False,
        performed=body["performed"],
        failures=progress.failures + 1,
        aborting=body["next"] == "abort",
    )


def _deviation(progress: Progress, body: JsonObject, subject: str) -> Progress:
    del body, subject
    return progress


def _aborted(progress: Progress, body: JsonObject, subject: str) -> Progress:
    """By people, whatever the script says of failures: a step is left, and this tells which."""
    wanted = (progress.step.id, progress.in_doubt) if progress.step else ("the closing", False)
    if (body["step"], body["in_doubt"]) != wanted:
        _refuse(subject, f"{wanted[0]}, in doubt: {wanted[1]}", f"{body['step']}, in doubt: {body['in_doubt']}")
    return replace(progress, aborting=True)


def _closed(progress: Progress, body: JsonObject, subject: str) -> Progress:
    completed = progress.step is None
    if (body["outcome"] == "completed") != completed or (not completed and not progress.aborting):
        _refuse(subject, "the end of the script, or a failure that aborts", body["outcome"])
    return replace(progress, outcome=body["outcome"])


def _signed(progress: Progress, body: JsonObject, subject: str) -> Progress:
    people = {name for names in progress.people.values() for name in names}
    if body["operator"] not in people or body["operator"] in progress.signers:
        _refuse(subject, "each participant once", body["operator"])
    return replace(progress, signers=(*progress.signers, body["operator"]))


def _step_of(progress: Progress, body: JsonObject, subject: str) -> Step:
    """The step that comes next; refused if the entry names another or another attempt."""
    step = progress.step
    wanted = f"step {step.id}, attempt {progress.attempts + 1}" if step else "the closing"
    if step is None or (body["step"], body["attempt"]) != (step.id, progress.attempts + 1):
        _refuse(subject, wanted, f"{body['step']}, attempt {body['attempt']}")
    return step


def _require_begun(progress: Progress, body: JsonObject, subject: str) -> None:
    if (
        not progress.open
        or progress.step is None
        or (body["step"], body["attempt"])
        != (
            progress.step.id,
            progress.attempts,
        )
    ):
        _refuse(subject, "an end of the step that was begun", f"{body['step']}, attempt {body['attempt']}")


def _refuse(subject: str, expected: str, got: str) -> NoReturn:
    raise RefusedError(TranscriptRule.TRANSCRIPT_ORDER, subject, expected=expected, got=got)


_AFTER_AN_ABORT = (TranscriptType.RESUMED, TranscriptType.CLOSED, TranscriptType.SIGNED)
_FOLLOWS: dict[TranscriptType, Callable[[Progress, JsonObject, str], Progress]] = {
    TranscriptType.OPENED: _opened,
    TranscriptType.RESUMED: _resumed,
    TranscriptType.BEGUN: _begun,
    TranscriptType.DONE: _done,
    TranscriptType.FAILED: _failed,
    TranscriptType.DEVIATION: _deviation,
    TranscriptType.ABORTED: _aborted,
    TranscriptType.CLOSED: _closed,
    TranscriptType.SIGNED: _signed,
}
