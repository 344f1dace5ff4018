"""The engine: steps in their order, people asked before and after, each line durable before the next thing happens.

A step: 1. its people are there, its tokens are those of the script; 2. ``step.begun`` is written; 3. what may have
happened before is reconciled, or the action is done; 4. the witnesses saw what was expected; 5. ``step.done``.
A process that dies between 2 and 5 leaves an open step, which the next run reconciles.
"""

import os
from dataclasses import dataclass
from typing import NoReturn

from enigm_tuf.authorities.ceremony.anchoring import logged_entries
from enigm_tuf.authorities.ceremony.people import People, everybody
from enigm_tuf.authorities.ceremony.performing import Said, out_sha256, perform, prepare, require_room_for_out
from enigm_tuf.authorities.ceremony.progress import Progress, advance, follow
from enigm_tuf.authorities.ceremony.reconciling import Answer, reconcile
from enigm_tuf.authorities.ceremony.room import Room
from enigm_tuf.authorities.ceremony.rules import CeremonyRule
from enigm_tuf.authorities.ceremony.showing import printable
from enigm_tuf.authorities.ceremony.transcript import Transcript
from enigm_tuf.authorities.confirming import require_words
from enigm_tuf.authorities.signing_log import one_line
from enigm_tuf.errors import EnigmTufError, MisuseError, RefusedError, StateError, WrongPinError
from enigm_tuf.model.ceremony import Step
from enigm_tuf.model.transcript import TranscriptType

_TEXT = 1_000  # characters of an error or an objection


class ObjectionError(MisuseError):
    """Somebody is not there, or saw something else than was expected. ``performed``: the action was done."""

    def __init__(self, message: str, *, performed: bool) -> None:
        super().__init__(message)
        self.performed = performed


@dataclass(slots=True)
class Stage:
    """A ceremony while it runs: the transcript, and how far it says that the ceremony is.

    ``begun_here``: this very attempt has begun; an open step that has not is one of a process that died.
    """

    room: Room
    transcript: Transcript
    progress: Progress
    begun_here: bool = False

    def write(self, kind: TranscriptType, body: dict[str, object]) -> None:
        """One line more, which the script must have."""
        entry = self.transcript.append(kind, body)
        self.progress = advance(self.progress, entry)


def open_stage(room: Room, transcript: Transcript, people: People) -> Stage:
    """The start of a ceremony, or where it stopped. RefusedError CONFIRM-WORDS, CEREMONY-SAME, TRANSCRIPT-ORDER.

    At the start each participant types the words of the script from paper: what runs is what was printed.
    """
    stage = Stage(room, transcript, follow(room.script, transcript.entries))
    script = room.script
    about = {
        "type": script.type,
        "script_sha256": room.script_sha256,
        "authority": script.authority,
        "environment": script.environment,
        "policy": script.policy,
        "rehearsal": room.rehearsal,
        "people": dict(people),
    }
    if stage.progress.opened is None:
        for person in everybody(people):
            require_words(room.script_sha256, f"the script, from {person}'s printed copy", room.ask)
        stage.write(TranscriptType.OPENED, {"ceremony": os.urandom(16).hex()} | about)
        return stage
    for name, value in about.items():
        if stage.progress.opened[name] != value:
            raise RefusedError(
                CeremonyRule.CEREMONY_SAME,
                "ceremony",
                expected=f"{name} {stage.progress.opened[name]}"[:200],
                got=f"{value}"[:200],
                hint="this transcript is of another ceremony; name a new file for a new one",
            )
    if stage.progress.outcome is None:
        stage.room.say(f"going on at step {stage.progress.index + 1}")
        stage.write(TranscriptType.RESUMED, {"torn_bytes": transcript.torn_bytes})
    return stage


def run_steps(stage: Stage) -> None:
    """All steps that are left; StateError where the ceremony stops and can go on later."""
    while stage.progress.goes_on and (step := stage.progress.step):
        _introduce(stage, step)
        stage.begun_here = False
        try:
            _attempt(stage, step)
        except EnigmTufError as error:
            _fail(stage, step, error)
    _end(stage)


def abort(stage: Stage, reason: str) -> None:
    """No step more: the ceremony ends here, and says why. What its script says of failures does not matter.

    MisuseError if no step is left. Where the transcript already says that it is aborted, nothing is added but its end.
    """
    if stage.progress.step is None:
        hint = "run it without --abort: it is closed, signed, and logged"
        raise MisuseError("every step of the ceremony is done: there is nothing to abort", hint=hint)
    if stage.progress.outcome is None and not stage.progress.aborting:
        body = {"step": stage.progress.step.id, "in_doubt": stage.progress.in_doubt}
        stage.write(TranscriptType.ABORTED, body | {"reason": one_line(reason, _TEXT)})
    _end(stage)


def _end(stage: Stage) -> None:
    if stage.progress.outcome is None:
        stage.write(TranscriptType.CLOSED, {"outcome": "aborted" if stage.progress.aborting else "completed"})


def _introduce(stage: Stage, step: Step) -> None:
    people = stage.progress.people
    number, count = stage.progress.index + 1, len(stage.room.script.steps)
    lines = [
        f"step {number} of {count}: {step.id} ({step.action})",
        f"  {step.actor} ({', '.join(people[step.actor])}) says: {step.say}",
        f"  {step.witness} ({', '.join(people[step.witness])}) expects: {step.expect}",
        *([f"  enigm-sign {' '.join((step.action, *stage.room.arguments(step)))}"] if step.arguments else []),
    ]
    marked = [f"REHEARSAL  {line}" for line in lines] if stage.room.rehearsal else lines
    stage.room.say("\n" + "\n".join(printable(line) for line in marked))


def _attempt(stage: Stage, step: Step) -> None:
    room, before = stage.room, stage.progress
    actor = _gather(stage, step)
    tokens = prepare(room, step, dict(before.serials))
    if not before.begun:
        require_room_for_out(room, step)
    body = {"step": step.id, "attempt": before.attempts + 1, "actor": actor}
    body |= {"witnesses": before.people[step.witness], "tokens": tokens, "audit_entries": logged_entries(room)}
    stage.write(TranscriptType.BEGUN, body)
    stage.begun_here = True
    how, said = _happen(stage, step, before, actor)
    room.say("\n".join(printable(line) for line in said.lines))
    _witness(stage, step)
    done = {"step": step.id, "attempt": stage.progress.attempts, "how": how, "out_sha256": out_sha256(room, step)}
    stage.write(TranscriptType.DONE, done | said.facts())


def _happen(stage: Stage, step: Step, before: Progress, actor: str) -> tuple[str, Said]:
    """Done now, unless it was done before."""
    if before.begun:
        found = reconcile(stage.room, step, before)
        stage.room.say(f"step {step.id} was begun before; {found.answer.value}: {found.why}")
        if found.answer == Answer.HAPPENED:
            return "reconciled", found.said
        if found.answer == Answer.DOUBT and _settle(stage, step, actor, found.why):
            return "settled", found.said
    return "performed", perform(stage.room, step, actor)


def _settle(stage: Stage, step: Step, actor: str, why: str) -> bool:
    """Actor and witnesses say, each for themselves, whether it happened; StateError unless they agree."""
    answers = set()
    for person in (actor, *stage.progress.people[step.witness]):
        typed = stage.room.ask(f"{person}: did {step.id} happen? ({why}) Type happened or not: ").strip()
        stage.write(TranscriptType.DEVIATION, _deviation(step, person, f"did it happen? {typed}"))
        answers.add(typed)
    if answers not in ({"happened"}, {"not"}):
        raise StateError(f"step {step.id}: it is not known whether it happened", hint="find out, then run this again")
    return answers == {"happened"}


def _gather(stage: Stage, step: Step) -> str:
    """Who acts; ObjectionError unless that person and all witnesses say that they are there."""
    people = stage.progress.people
    actors = people[step.actor]
    actor = actors[0]
    if len(actors) > 1:
        actor = stage.room.ask(f"who of {', '.join(actors)} acts as {step.actor} in {step.id}? ").strip()
        if actor not in actors:
            raise ObjectionError(f"{actor[:60]!r} is not {step.actor}", performed=False)
    for person in people[step.witness]:
        _expect(stage, step, person, f"{person} ({step.witness}), before {step.id}: type here: ", "here")
    _expect(stage, step, actor, f"{actor} ({step.actor}), before {step.id}: type ready: ", "ready")
    return actor


def _expect(stage: Stage, step: Step, person: str, question: str, word: str, *, performed: bool = False) -> None:
    typed = stage.room.ask(question).strip()
    if typed.lower() != word:
        stage.write(TranscriptType.DEVIATION, _deviation(step, person, typed or "no answer"))
        raise ObjectionError(f"{person} did not say {word}, but {typed[:60]!r}", performed=performed)


def _witness(stage: Stage, step: Step) -> None:
    for person in stage.progress.people[step.witness]:
        question = (
            f"{person} ({step.witness}), after {step.id}: type seen if it went as expected, or say what did not: "
        )
        _expect(stage, step, person, question, "seen", performed=True)


def _deviation(step: Step, person: str, text: str) -> dict[str, object]:
    return {"step": step.id, "person": person, "text": one_line(text, _TEXT)}


def _fail(stage: Stage, step: Step, error: EnigmTufError) -> None:
    """Written down, with what the script says comes next; StateError where the ceremony stops for now."""
    attempt = stage.progress.attempts + (0 if stage.begun_here else 1)
    following = stage.progress.next_after_failure()
    if following == "retry" and isinstance(error, WrongPinError) and error.tries_left == 1:
        following = "resume"  # a retry is never the last try of a PIN
    body = {"step": step.id, "attempt": attempt, "performed": isinstance(error, ObjectionError) and error.performed}
    stage.write(TranscriptType.FAILED, body | {"error": one_line(str(error), _TEXT), "next": following})
    stage.room.say(f"step {step.id} failed: {printable(str(error))}; {following}")
    if following == "resume":
        _stop(step, error)


def _stop(step: Step, error: EnigmTufError) -> NoReturn:
    hint = "run the same command again, with the same transcript, to go on here"
    raise StateError(f"the ceremony stops at step {step.id}: {error}", hint=hint) from error
