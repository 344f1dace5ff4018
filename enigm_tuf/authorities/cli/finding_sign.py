"""enigm-sign finding sign: an auditor or policy-approver vouches for a finding."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.authorities.cli.document_voting import configure_document_vote, run_document_vote
from enigm_tuf.authorities.cli.finding_propose import finding_lines
from enigm_tuf.authorities.recovering import voted_finding
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import read_input
from enigm_tuf.limits import LIMITS

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("finding", metavar="FINDING", help="what finding propose wrote")
    configure_document_vote(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    data = read_input(Path(arguments.finding), LIMITS.document_bytes)
    finding, voted = voted_finding(data, arguments.finding)
    return run_document_vote(voted, finding_lines(finding), arguments, edges)


COMMAND: "Command[Edges]" = Command(
    name="finding sign",
    summary="Vouch for what was found out after a crash, after you have typed the words of its digest.",
    examples=(
        "enigm-sign finding sign finding.json --policy release.policy.toml --operators release.operators.json "
        "--operator alice --token piv:serial=12345678 --label 9a --out alice.finding.dsse.json"
    ),
    configure=configure,
    run=run,
    details="Auditors and policy-approvers do, but never the custodian whose signature is in doubt.",
)
