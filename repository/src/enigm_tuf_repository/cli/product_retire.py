"""enigm-repo product retire: take a product out of targets."""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf_repository.cli.options import add_repository_option, changing, record_data, request_lines
from enigm_tuf_repository.product_retiring import prepare_retirement

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("product", metavar="PRODUCT", help="its name")
    parser.add_argument(
        "--give-up",
        default=[],
        action="append",
        metavar="RECORD",
        help="an open record of it that nobody has signed for; may be given repeatedly",
    )
    add_repository_option(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    with changing(arguments) as workspace:
        record = prepare_retirement(workspace, arguments.product, arguments.give_up, edges.now())
    return Outcome(record_data(workspace, record), request_lines(workspace, record))


COMMAND: "Command[Edges]" = Command(
    name="product retire",
    summary="Take a product out of targets, and write the signing request for the manifest authority.",
    details="Its devices keep what they have, and are told that it is retired. Nothing is deleted: see prune.",
    examples="enigm-repo product retire phone\nenigm-repo product retire phone --give-up phone-2026.11.2",
    configure=configure,
    run=run,
)
