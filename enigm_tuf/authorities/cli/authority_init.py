"""enigm-sign authority init: make the home of an authority."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.audit.merkle import log_signer
from enigm_tuf.authorities.cli.request_options import add_home, load_operators, load_policy, load_votes
from enigm_tuf.authorities.founding import Founders, create_home
from enigm_tuf.authorities.home import Identity
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.model.keys import ENVIRONMENT
from enigm_tuf.model.request import AUTHORITY

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_home(parser)
    parser.add_argument("--authority", required=True, choices=AUTHORITY.words)
    parser.add_argument("--environment", required=True, choices=ENVIRONMENT.words)
    parser.add_argument(
        "--log-name", metavar="NAME", help="begins the origin of the audit log, such as example.com/audit"
    )
    parser.add_argument("--policy", required=True, metavar="FILE", help="the policy file, whose digest root pins")
    parser.add_argument("--operators", required=True, metavar="FILE", help="version 1 of the registry of operators")
    parser.add_argument("--vote", metavar="FILE", action="append", default=[], help="a vote for it; may repeat")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    identity = Identity(arguments.authority, arguments.environment)
    founders = Founders(load_policy(arguments), load_operators(arguments), load_votes(arguments))
    home = create_home(Path(arguments.home), identity, founders, edges.clock, arguments.log_name)
    pin, key = home.policy_pin, log_signer(home.log).log
    data = {
        "authority": home.authority,
        "environment": home.environment,
        "policy": {"version": pin.version, "sha256": pin.sha256},
        "log": {"origin": key.name, "public_key": key.text},
    }
    lines = [
        f"{home.path}: home of the {home.authority} authority in {home.environment}",
        f"policy version {pin.version}, SHA-256 {pin.sha256}",
        f"audit log {key.text}",
    ]
    return Outcome(data, lines)


COMMAND: "Command[Edges]" = Command(
    name="authority init",
    summary="Make the home of an authority: its policy, its operators, the roots that it trusts, its audit log.",
    examples=(
        "enigm-sign authority init --home release --authority release --environment staging "
        "--policy release.policy.toml --operators release.operators.json --vote alice.operators.dsse.json "
        "--vote bob.operators.dsse.json"
    ),
    configure=configure,
    run=run,
)
