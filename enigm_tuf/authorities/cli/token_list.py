"""enigm-sign token list: what tokens are here."""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.authorities.tokens.uri import list_cards, list_module
from enigm_tuf.commandline import Command, Outcome, table
from enigm_tuf.model.value import as_dict

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--module", metavar="FILE", action="append", default=[], help="a PKCS#11 module; may repeat")
    parser.add_argument("--piv", action="store_true", help="PIV cards in the readers")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    tokens = [identity for module in arguments.module for identity in list_module(module)]
    tokens += list_cards(edges.tokens) if arguments.piv or not arguments.module else []
    rows = [(t.home, t.label, t.serial, t.manufacturer, t.model, t.firmware) for t in tokens]
    lines = table(("home", "label", "serial", "manufacturer", "model", "firmware"), rows)
    return Outcome({"tokens": [as_dict(token) for token in tokens]}, lines if rows else ["no tokens found"])


COMMAND: "Command[Edges]" = Command(
    name="token list",
    summary="List tokens: those of PKCS#11 modules, and PIV cards (the default).",
    examples="enigm-sign token list\nenigm-sign token list --module /usr/lib/softhsm/libsofthsm2.so --json",
    configure=configure,
    run=run,
)
