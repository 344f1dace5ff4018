"""enigm-sign policy propose: log that a policy is to change, and show what that means."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.audit.merkle import open_log
from enigm_tuf.authorities.cli.policy_diff import change_lines
from enigm_tuf.authorities.cli.request_options import add_home
from enigm_tuf.authorities.confirming import digest_lines
from enigm_tuf.authorities.home import open_home
from enigm_tuf.authorities.policy_change import Proposed, propose
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import read_input
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.policy.comparing import needed_quorum

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("new", metavar="NEW", help="the next policy: the one in force, changed, its version plus one")
    add_home(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    home, data = open_home(Path(arguments.home)), read_input(Path(arguments.new), LIMITS.document_bytes)
    with open_log(home.log, edges.clock) as log:
        both = propose(home, log, data, arguments.new)
    facts = {"version": both.new.version, "sha256": sha256(data), "relaxes": both.relaxes}
    return Outcome(facts, [*proposal_lines(both), "", *digest_lines(sha256(data))])


def proposal_lines(both: Proposed) -> list[str]:
    """What changes, who must agree, and from when on it can be adopted."""
    quorum = needed_quorum(both.old, both.changes)
    delay = f"{both.old.time.relax_delay_hours} hours after it was proposed" if both.relaxes else "at once"
    return [
        f"policy version {both.new.version} of the {both.new.authority} authority, {both.new.environment}",
        f"asks for {'less' if both.relaxes else 'more'}: adopted {delay}",
        f"by {quorum.approvals} policy-approvers, one at least of each of {', '.join(quorum.partitions)}",
        "",
        *change_lines(both.changes),
    ]


COMMAND: "Command[Edges]" = Command(
    name="policy propose",
    summary="Log the next policy, and show field by field whether it asks for more or less. The delay runs from here.",
    examples="enigm-sign policy propose next.policy.toml --home release",
    configure=configure,
    run=run,
)
