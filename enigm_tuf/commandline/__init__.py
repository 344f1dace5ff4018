"""What the three command lines share: verbs, ``--json``, tables, ``error:`` and ``hint:``, exit statuses.

Exit statuses: 0 done, 2 bad input, usage, token, network or disk, 3 refused by a rule. 1 is a crash: a bug.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from enigm_tuf.errors import EnigmTufError, MalformedError, RefusedError, StateError

E = TypeVar("E")


@dataclass(frozen=True)
class Outcome:
    """What a command has to say: ``data`` for machines, ``lines`` for people.

    ``refusal`` is for a command that has a report to show although a rule said no.
    """

    data: dict[str, Any]
    lines: Sequence[str] = ()
    refusal: RefusedError | None = None


@dataclass(frozen=True)
class Command(Generic[E]):
    """One verb. ``name`` may have two words (``key generate``); ``examples`` stand under ``--help``."""

    name: str
    summary: str
    examples: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, E], Outcome]
    details: str = field(default="")


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table with two spaces between columns."""
    cells = [tuple(headers), *(tuple(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headers))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def run(program: str, about: str, commands: Sequence[Command[E]], argv: Sequence[str] | None, edges: E) -> int:
    """Parse, call, print; returns the exit status. Only errors of our own tree and full disks are caught."""
    arguments = _parser(program, about, commands).parse_args(argv)
    try:
        outcome: Outcome = arguments.command.run(arguments, edges)
    except EnigmTufError as error:
        return _fail(error, arguments.json)
    except OSError as error:
        return _fail(StateError(f"{error.filename or program}: {error.strerror or error}"), arguments.json)
    except KeyboardInterrupt:
        return _fail(
            StateError("interrupted", hint="run it again; if a token was signing, its authority's audit log says so"),
            arguments.json,
        )
    said = json.dumps(outcome.data, indent=2, sort_keys=True) if arguments.json else "\n".join(outcome.lines)
    try:
        print(said, flush=True)  # noqa: T201 - the command lines print
    except BrokenPipeError:  # whoever read it has seen enough, as in `... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return _tell(outcome.refusal) if outcome.refusal else 0


def _parser(program: str, about: str, commands: Sequence[Command[E]]) -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog=program, description=about, allow_abbrev=False)
    verbs = top.add_subparsers(metavar="COMMAND", required=True)
    groups: dict[str, Any] = {}
    for command in commands:
        *group, verb = command.name.split()
        parent = verbs
        if group:
            if group[0] not in groups:
                inner = verbs.add_parser(group[0], help=f"{group[0]} commands", allow_abbrev=False)
                groups[group[0]] = inner.add_subparsers(metavar="COMMAND", required=True)
            parent = groups[group[0]]
        _add(parent, verb, command)
    return top


def _add(parent: Any, verb: str, command: Command[E]) -> None:
    examples = "examples:\n" + "\n".join(f"  {line}" for line in command.examples.strip().splitlines())
    parser = parent.add_parser(
        verb,
        help=command.summary,
        description=f"{command.summary}\n\n{command.details}".strip(),
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.configure(parser)
    parser.add_argument("--json", action="store_true", help="print JSON for scripts")
    parser.set_defaults(command=command)


def _fail(error: EnigmTufError, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"error": _facts(error)}, indent=2, sort_keys=True))  # noqa: T201
    return _tell(error)


def _tell(error: EnigmTufError) -> int:
    print(f"error: {error}", file=sys.stderr)  # noqa: T201
    if error.hint:
        print(f"hint: {error.hint}", file=sys.stderr)  # noqa: T201
    return error.exit_status


def _facts(error: EnigmTufError) -> dict[str, str]:
    facts = {"kind": type(error).__name__, "message": str(error), "hint": error.hint}
    if isinstance(error, RefusedError):
        facts |= {"rule": error.rule, "subject": error.subject, "expected": error.expected, "got": error.got}
    if isinstance(error, MalformedError):
        facts |= {"source": error.source, "field": error.field, "rule": error.rule}
    return facts
