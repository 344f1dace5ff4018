"""enigm-repo status: what is published, what is due, what is open."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome, table
from enigm_tuf_repository.cli.options import add_repository_option, record_data, workspace_of
from enigm_tuf_repository.standing import next_command, open_records, role_standings

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    workspace = workspace_of(arguments)
    roles = role_standings(workspace, edges.now())
    records = open_records(workspace)
    data = {
        "roles": [asdict(item) | {"expires": f"{item.expires:%FT%TZ}"} for item in roles],
        "open": [record_data(workspace, record) for record in records],
    }
    rows = [(item.role, str(item.version), f"{item.expires:%F %T}", item.due) for item in roles]
    lines = table(("ROLE", "VERSION", "EXPIRES (UTC)", "DUE"), rows) if rows else ["nothing is published yet"]
    steps = [(record.id, str(record.next_step()), next_command(workspace, record)) for record in records]
    return Outcome(data, [*lines, "", *(table(("OPEN", "NEXT STEP", "RUN"), steps) if steps else ["nothing is open"])])


COMMAND: "Command[Edges]" = Command(
    name="status",
    summary="Show every published role with version and expiry, what is due, and the open records.",
    examples="enigm-repo status\nenigm-repo status --json",
    configure=add_repository_option,
    run=run,
)
