"""enigm-repo product add: delegate a new product to both authorities."""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf_repository.cli.options import add_repository_option, changing, record_data, request_lines
from enigm_tuf_repository.product_preparing import add_channels, prepare_product

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("product", metavar="PRODUCT", help="its name: a-z, 0-9, _ and -")
    parser.add_argument("--channel", required=True, action="append", metavar="CHANNEL", help="may be given repeatedly")
    add_repository_option(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    with changing(arguments) as workspace:
        channels = tuple(arguments.channel)
        if new := add_channels(workspace, arguments.product, channels):
            return Outcome({"product": arguments.product, "channels": list(new)}, _lines(arguments.product, new))
        record = prepare_product(workspace, arguments.product, channels, edges.now())
    return Outcome(record_data(workspace, record), request_lines(workspace, record))


def _lines(product: str, channels: tuple[str, ...]) -> list[str]:
    return [
        f"channel {name} of product {product}: nobody has to sign, it begins with its first release"
        for name in channels
    ]


COMMAND: "Command[Edges]" = Command(
    name="product add",
    summary="Delegate a new product to both authorities, and write a signing request for each.",
    details="For a product that is there, it adds channels, and nobody has to sign.",
    examples="enigm-repo product add phone --channel stable\n"
    "enigm-repo product add tablet --channel stable --channel beta",
    configure=configure,
    run=run,
)
