"""enigm-sign policy check: is this a policy that an authority can start with?"""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.authorities.cli.request_options import load_operators, load_policy
from enigm_tuf.authorities.confirming import digest_lines
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.model.operators import read_operators, require_able
from enigm_tuf.model.policy import read_policy
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.policy.catalogue import leaves

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("policy", metavar="FILE", help="a policy file")
    parser.add_argument("--operators", metavar="FILE", help="also: can these operators meet its quorums?")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:  # noqa: ARG001 - the shape of every command
    data = load_policy(arguments).data
    policy = read_policy(data, arguments.policy)
    if arguments.operators:
        operators = load_operators(arguments)
        require_able(policy, read_operators(operators.data, operators.source), arguments.policy)
    facts = {
        "version": policy.version,
        "authority": policy.authority,
        "environment": policy.environment,
        "sha256": sha256(data),
        "fields": len(leaves(policy)),
    }
    about = f"policy version {policy.version} of the {policy.authority} authority, {policy.environment}"
    return Outcome(facts, [f"{arguments.policy}: {about}, every field known", *digest_lines(sha256(data))])


COMMAND: "Command[Edges]" = Command(
    name="policy check",
    summary="Read a policy as strictly as an authority does, and show its digest, which root pins.",
    details="An unknown field, a missing one, one that stands twice, a number out of bounds or a quorum that nobody "
    "can meet is refused by its name.",
    examples="enigm-sign policy check release.policy.toml\n"
    "enigm-sign policy check release.policy.toml --operators release.operators.json",
    configure=configure,
    run=run,
)
