"""enigm-sign inventory adopt: put a signed version of the key inventory in force."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.audit.merkle import open_log
from enigm_tuf.authorities.cli.request_options import add_home, load_votes
from enigm_tuf.authorities.home import open_home
from enigm_tuf.authorities.inventory.keeping import adopt
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import read_input
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.strict_json import sha256

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inventory", metavar="INVENTORY", help="the proposal")
    add_home(parser)
    parser.add_argument("--vote", metavar="FILE", action="append", default=[], help="an operator's vote; may repeat")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    home = open_home(Path(arguments.home))
    data = read_input(Path(arguments.inventory), LIMITS.inventory_bytes)
    with open_log(home.log, edges.clock) as log:
        inventory = adopt(home, log, data, arguments.inventory, load_votes(arguments), edges.clock)
    facts = {"version": inventory.version, "sha256": sha256(data), "keys": len(inventory.keys)}
    return Outcome(facts, [f"inventory version {inventory.version} is in force: {len(inventory.keys)} keys"])


COMMAND: "Command[Edges]" = Command(
    name="inventory adopt",
    summary="Put a version of the key inventory in force, with the operators' votes that the policy asks for.",
    examples=(
        "enigm-sign inventory adopt release.inventory.json --home release --vote alice.inventory.dsse.json "
        "--vote bob.inventory.dsse.json"
    ),
    configure=configure,
    run=run,
)
