"""enigm-sign approve: an operator says yes to a request."""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.authorities.cli.voting import configure_vote, run_vote
from enigm_tuf.commandline import Command, Outcome

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    configure_vote(parser, reason_required=False)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    return run_vote("APPROVE", arguments, edges)


COMMAND: "Command[Edges]" = Command(
    name="approve",
    summary="Approve a request with your approval key, after you have typed the words of its digest.",
    examples=(
        "enigm-sign approve release.enigmreq --policy release.policy.toml --operators release.operators.json "
        "--operator alice --token piv:serial=12345678 --label 9a --out alice.dsse.json"
    ),
    configure=configure,
    run=run,
)
