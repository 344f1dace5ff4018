"""enigm-repo request lint: every check that the authority will run, before it is asked."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf_repository.cli.options import add_repository_option, reading
from enigm_tuf_repository.findings import outcome_table, refusal_of
from enigm_tuf_repository.linting import lint, waits_for_people

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("request", metavar="REQUEST", help="an .enigmreq file")
    parser.add_argument("--approval", action="append", default=[], metavar="FILE", help="an approval to count")
    parser.add_argument(
        "--consent",
        action="append",
        default=[],
        metavar="RESPONSE",
        help="what the other authority signed of this root",
    )
    add_repository_option(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    approvals = [Path(item) for item in arguments.approval]
    consents = [Path(item) for item in arguments.consent]
    outcomes = lint(reading(arguments), Path(arguments.request), approvals, consents, edges.now())
    failed = next((outcome for outcome in outcomes if not outcome.allowed and not waits_for_people(outcome)), None)
    expected = "a request that the authority would sign"
    refusal = refusal_of(failed, Path(arguments.request).name, expected) if failed else None
    return Outcome({"rules": [asdict(outcome) for outcome in outcomes]}, outcome_table(outcomes), refusal)


COMMAND: "Command[Edges]" = Command(
    name="request lint",
    summary="Run every rule that the authority will run. A quorum that is not there yet is no failure here.",
    details="Exit status 3 when a rule fails that no approval can mend.",
    examples="enigm-repo request lint records/phone-2026.11.1/requests/release.enigmreq\n"
    "enigm-repo request lint release.enigmreq --approval alice.dsse.json --approval bob.dsse.json",
    configure=configure,
    run=run,
)
