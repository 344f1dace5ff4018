"""enigm-sign audit show: the entries of the log, after all of it was compared with its checkpoint."""

import argparse
import json
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.audit.log import EntryType, entry_shape
from enigm_tuf.audit.merkle import read_whole
from enigm_tuf.authorities.cli.request_options import add_home
from enigm_tuf.authorities.home import open_home
from enigm_tuf.commandline import Command, Outcome, table

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_home(parser)
    parser.add_argument("--type", choices=[str(kind) for kind in EntryType], help="entries of one type only")
    parser.add_argument("--last", metavar="N", type=int, help="only so many, the newest")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    del edges
    last = arguments.last if arguments.last and arguments.last > 0 else None
    _, entries = read_whole(
        open_home(Path(arguments.home)).log,
        lambda all_: deque((entry for entry in all_ if arguments.type in {None, entry.type}), maxlen=last),
    )
    rows = [
        (f"{entry.sequence}", entry.time.strftime("%Y-%m-%d %H:%M:%S"), entry.type, json.dumps(entry.body)[:90])
        for entry in entries
    ]
    data = {"entries": [entry_shape(entry.type).write(entry) for entry in entries]}
    return Outcome(data, table(("ENTRY", "TIME", "TYPE", "BODY"), rows))


COMMAND: "Command[Edges]" = Command(
    name="audit show",
    summary="Show the entries of the audit log; with --json whole.",
    examples=(
        "enigm-sign audit show --home release --last 20\nenigm-sign audit show --home release --type sign.performed"
    ),
    configure=configure,
    run=run,
)
