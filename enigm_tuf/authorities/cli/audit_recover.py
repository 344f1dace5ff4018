"""enigm-sign audit recover: log what people found out about a signature that nobody knows of; signing goes on."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.audit.merkle import open_log
from enigm_tuf.authorities.cli.request_options import add_home, load_votes
from enigm_tuf.authorities.home import open_home
from enigm_tuf.authorities.recovering import recover
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import read_input
from enigm_tuf.limits import LIMITS

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("finding", metavar="FINDING", help="what finding propose wrote")
    add_home(parser)
    parser.add_argument("--vote", metavar="FILE", action="append", default=[], help="an operator's vote; may repeat")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    home, data = open_home(Path(arguments.home)), read_input(Path(arguments.finding), LIMITS.document_bytes)
    with open_log(home.log, edges.clock) as log:
        entry = recover(home, log, data, arguments.finding, load_votes(arguments), edges.clock)
    body = entry.body
    facts = {"entry": entry.sequence, "role": body["role"], "version": body["version"], "outcome": body["outcome"]}
    told = f"entry {entry.sequence}: {body['role']} version {body['version']} is no longer in doubt: {body['outcome']}"
    return Outcome(facts, [told, f"said by {', '.join(body['operators'])}", "signing goes on"])


COMMAND: "Command[Edges]" = Command(
    name="audit recover",
    summary="Log a finding about an intent without a result, with the votes that it needs; signing goes on.",
    examples=(
        "enigm-sign audit recover finding.json --home release --vote alice.finding.dsse.json "
        "--vote bob.finding.dsse.json"
    ),
    configure=configure,
    run=run,
    details=(
        "Refused with fewer votes than [actions.finding] of the policy asks for, and with one of the custodian whose "
        "signature is in doubt. No signature is made: the request is signed again."
    ),
)
