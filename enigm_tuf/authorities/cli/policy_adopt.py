"""enigm-sign policy adopt: take the next policy, with the votes that it needs, so that a root may pin it."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.audit.merkle import open_log
from enigm_tuf.authorities.cli.request_options import add_home, load_votes
from enigm_tuf.authorities.home import open_home
from enigm_tuf.authorities.policy_change import adopt
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import read_input
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.strict_json import sha256

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("new", metavar="NEW", help="the policy that was proposed")
    add_home(parser)
    parser.add_argument("--vote", metavar="FILE", action="append", default=[], help="an operator's vote; may repeat")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    home, data = open_home(Path(arguments.home)), read_input(Path(arguments.new), LIMITS.document_bytes)
    with open_log(home.log, edges.clock) as log:
        both = adopt(home, log, data, arguments.new, load_votes(arguments), edges.clock)
    facts = {"version": both.new.version, "sha256": sha256(data), "relaxes": both.relaxes}
    return Outcome(
        facts,
        [
            f"policy version {both.new.version} is adopted; {both.old.version} is in force until a root pins it",
            "next: enigm-repo root prepare, with the new file in place",
        ],
    )


COMMAND: "Command[Edges]" = Command(
    name="policy adopt",
    summary="Take the next policy, with the votes that its changes need. It is in force once a trusted root pins it.",
    details="Refused before its delay is over, if it asks for less, and with fewer votes than the strictest action "
    "that it relaxes needs.",
    examples=(
        "enigm-sign policy adopt next.policy.toml --home release --vote alice.policy.dsse.json "
        "--vote bob.policy.dsse.json"
    ),
    configure=configure,
    run=run,
)
