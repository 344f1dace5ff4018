"""enigm-sign operator adopt: put a signed version of the registry of operators in force."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.audit.merkle import open_log
from enigm_tuf.authorities.cli.request_options import add_home, load_votes
from enigm_tuf.authorities.home import open_home
from enigm_tuf.authorities.operators.keeping import adopt
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import read_input
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.strict_json import sha256

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("registry", metavar="REGISTRY", help="the proposal")
    add_home(parser)
    parser.add_argument("--vote", metavar="FILE", action="append", default=[], help="an operator's vote; may repeat")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    home = open_home(Path(arguments.home))
    data = read_input(Path(arguments.registry), LIMITS.inventory_bytes)
    with open_log(home.log, edges.clock) as log:
        registry = adopt(home, log, data, arguments.registry, load_votes(arguments), edges.clock)
    facts = {"version": registry.version, "sha256": sha256(data), "operators": len(registry.operators)}
    return Outcome(facts, [f"operators version {registry.version} is in force: {len(registry.operators)} people"])


COMMAND: "Command[Edges]" = Command(
    name="operator adopt",
    summary="Put a version of the registry of operators in force, with the votes of the policy-approvers before it.",
    details="Refused if the policy's quorums could not be met by the people in it.",
    examples=(
        "enigm-sign operator adopt next.operators.json --home release --vote alice.operators.dsse.json "
        "--vote bob.operators.dsse.json"
    ),
    configure=configure,
    run=run,
)
