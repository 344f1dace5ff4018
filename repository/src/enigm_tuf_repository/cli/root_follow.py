"""enigm-repo root follow: ask for the roles that a signed root leaves without enough signatures."""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf_repository.cli.options import add_repository_option, changing, record_data, request_lines
from enigm_tuf_repository.root_following import follow_root
from enigm_tuf_repository.stores.opening import remote_of

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("record", metavar="RECORD", help="the root's record, such as root-2")
    add_repository_option(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    with changing(arguments) as workspace:
        record = follow_root(workspace, arguments.record, edges.now(), remote_of(workspace))
        roles = [f"  signed anew: {role} version {record.roles[role]}" for role in record.follows]
        return Outcome(record_data(workspace, record), [*request_lines(workspace, record), *roles])


COMMAND: "Command[Edges]" = Command(
    name="root follow",
    summary="Once a root is signed, write the requests for the roles that its new keys must sign anew.",
    details="Root and roles are one record, and are published together. Run again until an authority has signed.",
    examples="enigm-repo root follow root-2",
    configure=configure,
    run=run,
)
