"""enigm-sign policy approve: a policy-approver vouches for the next policy."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.authorities.cli.document_voting import configure_document_vote, run_document_vote
from enigm_tuf.authorities.cli.policy_propose import proposal_lines
from enigm_tuf.authorities.cli.request_options import load_policy
from enigm_tuf.authorities.policy_change import proposed
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import read_input
from enigm_tuf.limits import LIMITS

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("new", metavar="NEW", help="the next policy; --policy is the one in force")
    configure_document_vote(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    old, data = load_policy(arguments), read_input(Path(arguments.new), LIMITS.document_bytes)
    both = proposed(old.data, old.source, data, arguments.new)
    return run_document_vote(both.voted, proposal_lines(both), arguments, edges)


COMMAND: "Command[Edges]" = Command(
    name="policy approve",
    summary="Vouch for the next policy, after you have seen what it changes and typed the words of its digest.",
    examples=(
        "enigm-sign policy approve next.policy.toml --policy release.policy.toml --operators release.operators.json "
        "--operator alice --token piv:serial=12345678 --label 9a --out alice.policy.dsse.json"
    ),
    configure=configure,
    run=run,
)
