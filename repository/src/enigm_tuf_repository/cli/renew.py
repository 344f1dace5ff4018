"""enigm-repo renew: ask for new signatures of what expires soon."""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf_repository.cli.options import add_repository_option, changing, record_data, request_lines
from enigm_tuf_repository.role_renewing import prepare_renewal
from enigm_tuf_repository.standing import role_standings

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges

ELSEWHERE = {"root": "enigm-repo root prepare", "timestamp": "enigm-repo timestamp"}
"""What renews the roles that are not renewed here."""


def configure(parser: argparse.ArgumentParser) -> None:
    add_repository_option(parser)
    meaning = "what expires within N days (default: what `status` calls due, the last fifth of its life)"
    parser.add_argument("--days", metavar="N", type=int, help=meaning)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    with changing(arguments) as workspace:
        renewal = prepare_renewal(workspace, arguments.days, edges.now())
        due = [item for item in role_standings(workspace, edges.now()) if item.due and item.role in ELSEWHERE]
        others = {item.role: ELSEWHERE[item.role] for item in due}
        lines = [f"{role} is due too: run `{command}`" for role, command in others.items()]
        data = {"record": None, "left": list(renewal.left), "elsewhere": others}
        if renewal.record is None:
            return Outcome(data, ["nothing to renew", *lines])
        record = renewal.record
        roles = [f"  signed anew: {role} version {version}" for role, version in record.roles.items()]
        more = f"{len(renewal.left)} roles are left: publish {record.id}, then run it again"
        lines = [*request_lines(workspace, record), *roles, *([more] if renewal.left else []), *lines]
        return Outcome(data | record_data(workspace, record), lines)


COMMAND: "Command[Edges]" = Command(
    name="renew",
    summary="Write the requests for the roles that expire soon: snapshot, targets, manifest and payload roles.",
    details="They are signed anew with what they held, and published like a release. Nothing to renew is no error.",
    examples="enigm-repo renew\nenigm-repo renew --days 14 --json",
    configure=configure,
    run=run,
)
