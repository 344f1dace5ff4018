"""enigm-sign operator sign: a policy-approver vouches for a version of the registry of operators."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.authorities.cli.document_voting import configure_document_vote, run_document_vote
from enigm_tuf.authorities.cli.operator_list import registry_lines
from enigm_tuf.authorities.operators.keeping import voted_operators
from enigm_tuf.authorities.operators.proposing import changes
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import read_input
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.operators import read_operators

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("registry", metavar="REGISTRY", help="the proposal; version 1 is its own --operators")
    configure_document_vote(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    data = read_input(Path(arguments.registry), LIMITS.inventory_bytes)
    registry, voted = voted_operators(data, arguments.registry)
    old = read_operators(read_input(Path(arguments.operators), LIMITS.inventory_bytes), arguments.operators)
    lines = [*registry_lines(registry), "", *changes(None if registry.version == 1 else old, registry)]
    return run_document_vote(voted, lines, arguments, edges)


COMMAND: "Command[Edges]" = Command(
    name="operator sign",
    summary="Vouch for a version of the registry of operators, after you have typed the words of its digest.",
    examples=(
        "enigm-sign operator sign next.operators.json --policy release.policy.toml --operators release.operators.json "
        "--operator alice --token piv:serial=12345678 --label 9a --out alice.operators.dsse.json"
    ),
    configure=configure,
    run=run,
)
