"""enigm-sign reject: an operator says no to a request."""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.authorities.cli.voting import configure_vote, run_vote
from enigm_tuf.commandline import Command, Outcome

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    configure_vote(parser, reason_required=True)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    return run_vote("REJECT", arguments, edges)


COMMAND: "Command[Edges]" = Command(
    name="reject",
    summary="Reject a request: any valid rejection stops it, whatever others approve.",
    examples=(
        "enigm-sign reject release.enigmreq --policy release.policy.toml --operators release.operators.json "
        "--operator alice --token piv:serial=12345678 --label 9a --reason 'wrong rollback index' --out alice.dsse.json"
    ),
    configure=configure,
    run=run,
)
