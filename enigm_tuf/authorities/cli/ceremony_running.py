"""What ``ceremony run`` and ``ceremony rehearse`` share: the room, and the way through it."""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.audit.merkle import read_log
from enigm_tuf.authorities.ceremony.anchoring import anchor_opening, deviations, reason_of, unclosed
from enigm_tuf.authorities.ceremony.checking import require_checked
from enigm_tuf.authorities.ceremony.closing import close
from enigm_tuf.authorities.ceremony.entering import require_entry, require_policy
from enigm_tuf.authorities.ceremony.people import People, everybody, read_keys, read_people, signing_place
from enigm_tuf.authorities.ceremony.progress import follow
from enigm_tuf.authorities.ceremony.room import Room, RoomCommand
from enigm_tuf.authorities.ceremony.running import Stage, abort, open_stage, run_steps
from enigm_tuf.authorities.ceremony.showing import printable
from enigm_tuf.authorities.ceremony.transcript import open_transcript
from enigm_tuf.authorities.cli import response_again
from enigm_tuf.authorities.cli.ceremony_options import ACTIONS, CONFIGURES, add_script, load_script
from enigm_tuf.authorities.cli.request_options import add_home
from enigm_tuf.authorities.history import history_of
from enigm_tuf.authorities.home import open_home
from enigm_tuf.authorities.kept_documents import OPERATORS
from enigm_tuf.authorities.tokens.uri import key_in
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.errors import MisuseError, StateError
from enigm_tuf.model.operators import read_operators
from enigm_tuf.model.strict_json import sha256

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure_run(parser: argparse.ArgumentParser) -> None:
    add_script(parser)
    add_home(parser)
    parser.add_argument(
        "--person", metavar="ROLE=OPERATOR", action="append", default=[], help="who plays a role; may repeat"
    )
    parser.add_argument(
        "--key",
        metavar="OPERATOR=URI",
        action="append",
        default=[],
        help="where an operator's approval key is, unless it is in slot 9a of the PIV card that the registry names",
    )
    parser.add_argument("--transcript", required=True, metavar="FILE", help="made, or gone on with if it is there")
    parser.add_argument(
        "--abort", metavar="REASON", help="do no step more: end the ceremony of this transcript, signed, and say why"
    )


def run_ceremony(arguments: argparse.Namespace, edges: "Edges", *, rehearsal: bool) -> Outcome:
    """Exit 2 where the ceremony stops for now or was aborted; what is written stays."""
    people, path = read_people(arguments.person), Path(arguments.transcript)
    room = _room(arguments, edges, rehearsal)
    require_checked(room.script, CONFIGURES)
    require_entry(room, people)
    if arguments.abort is not None:
        _require_abortable(path, arguments.abort)
    given = read_keys(arguments.key)
    places = {person: signing_place(room.operators[person], given, key_in) for person in everybody(people)}
    return _play(replace(room, places=places), path, people, arguments.abort)


def _require_abortable(path: Path, reason: str) -> None:
    """MisuseError, before anything is written."""
    if not reason.strip():
        raise MisuseError("--abort: say why, in a few words")
    if not path.is_file():
        raise MisuseError(f"{path}: there is no such transcript")


def _room(arguments: argparse.Namespace, edges: "Edges", rehearsal: bool) -> Room:
    script, data = load_script(arguments)
    home = open_home(Path(arguments.home))
    named = history_of(read_log(home.log)).operators or {}
    operators_data = OPERATORS.in_force(home, named or None)
    commands = {**ACTIONS, response_again.COMMAND.name: response_again.COMMAND}
    return Room(
        home=home,
        script=script,
        script_sha256=sha256(data),
        rehearsal=rehearsal,
        clock=edges.clock,
        ask=edges.person.ask,
        say=edges.person.notify,
        secret=edges.person.ask_secret,
        open_token=edges.open_token,
        commands={name: RoomCommand(command.configure, _run(command, edges)) for name, command in commands.items()},
        operators={operator.id: operator for operator in read_operators(operators_data, "operators").operators},
        operators_file=OPERATORS.path(home, named["version"]),
        places={},
    )


def _run(command: "Command[Edges]", edges: "Edges") -> Callable[[argparse.Namespace], Outcome]:
    return lambda parsed: command.run(parsed, edges)


def _play(room: Room, path: Path, people: People, aborted: str | None) -> Outcome:
    with open_transcript(path, room.clock) as transcript:
        if aborted is not None and not transcript.entries:
            raise MisuseError(f"{path}: no ceremony was opened in this transcript")
        if aborted is None and follow(room.script, transcript.entries).goes_on:
            require_policy(room)
        stage = open_stage(room, transcript, people)
        anchor_opening(room, transcript.entries)
        _tell_of_others(stage)
        run_steps(stage) if aborted is None else abort(stage, aborted)
        close(stage)
        if aborted is None and stage.progress.outcome == "aborted":
            what = f"the {_what(stage)} was aborted at step {stage.progress.index + 1}"
            raise StateError(f"{what}; {path} is signed and says why")
        return _outcome(stage, path)


def _tell_of_others(stage: Stage) -> None:
    """A ceremony that has no end stands out until somebody finds its transcript."""
    own = stage.transcript.entries[0].body["ceremony"]
    for entry in unclosed(read_log(stage.room.home.log)):
        if entry.body["ceremony"] != own:
            opened = f"{entry.body['type']} ceremony {entry.body['ceremony']}, opened {entry.time.isoformat()}"
            stage.room.say(f"note: {opened}, was never closed")


def _outcome(stage: Stage, path: Path) -> Outcome:
    entries, outcome, reason = stage.transcript.entries, stage.progress.outcome, reason_of(stage.transcript.entries)
    facts = {
        "ceremony": entries[0].body["ceremony"],
        "outcome": outcome,
        "reason": reason,
        "rehearsal": stage.room.rehearsal,
        "entries": len(entries),
        "deviations": len(deviations(entries)),
        "sha256": stage.transcript.head,
    }
    lines = [
        f"{_what(stage)} {facts['ceremony']} {outcome}, {facts['deviations']} deviations",
        *([f"at step {stage.progress.index + 1}: {printable(reason)}"] if reason else []),
        f"transcript {path}: {len(entries)} lines, signed by {', '.join(stage.progress.signers)}",
        f"head {len(entries)}:{stage.transcript.head}, in the audit log",
    ]
    return Outcome(facts, lines)


def _what(stage: Stage) -> str:
    return "rehearsal" if stage.room.rehearsal else "ceremony"
