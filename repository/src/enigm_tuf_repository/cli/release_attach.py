"""enigm-repo release attach: bring back what the authorities answered."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome, table
from enigm_tuf_repository.attaching import RoleProgress, attach
from enigm_tuf_repository.cli.options import add_record_argument, changing, next_lines, record_data

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_record_argument(parser)
    parser.add_argument("responses", nargs="+", metavar="RESPONSE", help="an .enigmresp file")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    responses = [Path(item) for item in arguments.responses]
    with changing(arguments) as workspace:
        record, states = attach(workspace, arguments.record, responses, edges.now())
    data = record_data(workspace, record) | {"roles": [asdict(state) for state in states]}
    if not states:
        return Outcome(data, [f"{record.id} is signed already; nothing was changed"])
    return Outcome(data, [*_table(states), *next_lines(workspace, record)])


def _table(states: Sequence[RoleProgress]) -> list[str]:
    """Whose signatures they are is said where a role has more than one quorum: root."""
    rows = [(item.role, str(item.version), f"{item.signed} of {item.threshold}", item.quorum) for item in states]
    if any(item.quorum for item in states):
        return table(("ROLE", "VERSION", "SIGNATURES", "WHOSE"), rows)
    return table(("ROLE", "VERSION", "SIGNATURES"), [row[:3] for row in rows])


COMMAND: "Command[Edges]" = Command(
    name="release attach",
    summary="Judge the authorities' responses again, merge their signatures, and stage what is complete.",
    details="Responses of several custodians may come one by one or together.",
    examples="enigm-repo release attach root-1 a.enigmresp b.enigmresp\n"
    "enigm-repo release attach phone-2026.11.1 payload-a.enigmresp payload-b.enigmresp manifest.enigmresp",
    configure=configure,
    run=run,
)
