"""enigm-repo status: what is published, what is due, what is open."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome, table
from enigm_tuf.errors import RefusedError
from enigm_tuf_repository.cli.options import add_repository_option, reading, record_data
from enigm_tuf_repository.rules import RepositoryRule
from enigm_tuf_repository.standing import RoleStanding, next_command, open_records, retired_products, role_standings

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_repository_option(parser)
    parser.add_argument("--monitor", action="store_true", help="exit status 3 if a role is due or expired")
    parser.add_argument("--prometheus", action="store_true", help="print metrics in Prometheus' text format")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    workspace = reading(arguments)
    roles = role_standings(workspace, edges.now())
    records = open_records(workspace)
    data = {
        "roles": [asdict(item) | {"expires": f"{item.expires:%FT%TZ}"} for item in roles],
        "retired": list(retired := retired_products(workspace)),
        "open": [record_data(workspace, record) for record in records],
    }
    refusal = _overdue(roles, edges.now()) if arguments.monitor else None
    if arguments.prometheus:
        return Outcome(data, metrics(roles, len(records)), refusal)
    rows = [
        (item.role, str(item.version), f"{item.expires:%F %T}", f"{len(item.signers)} ({item.threshold})", item.due)
        for item in roles
    ]
    headers = ("ROLE", "VERSION", "EXPIRES (UTC)", "SIGNED (NEEDED)", "DUE")
    lines = table(headers, rows) if rows else ["nothing is published yet"]
    lines += [f"retired: {', '.join(retired)}"] if retired else []
    steps = [(record.id, str(record.next_step()), next_command(workspace, record)) for record in records]
    opened = table(("OPEN", "NEXT STEP", "RUN"), steps) if steps else ["nothing is open"]
    return Outcome(data, [*lines, "", *opened], refusal)


def metrics(roles: Sequence[RoleStanding], opened: int) -> list[str]:
    """Prometheus' text exposition format, version 0.0.4. Role names need no escaping (enigm_tuf.model.request.ROLE)."""
    lines = []
    for name, meaning, value in (
        ("expires_seconds", "when the published version expires, in seconds since 1970", _expiry),
        ("version", "the published version", lambda item: item.version),
        ("due", "1 if the role should be signed again, 2 if it has expired", _due),
    ):
        lines += [f"# HELP enigm_role_{name} {meaning}", f"# TYPE enigm_role_{name} gauge"]
        lines += [f'enigm_role_{name}{{role="{item.role}",owner="{item.owner}"}} {value(item)}' for item in roles]
    return [*lines, "# HELP enigm_open_records records that are not published", "# TYPE enigm_open_records gauge",
            f"enigm_open_records {opened}"]  # fmt: skip


def _expiry(item: RoleStanding) -> int:
    return int(item.expires.timestamp())


def _due(item: RoleStanding) -> int:
    return ("", "due", "expired").index(item.due)


def _overdue(roles: Sequence[RoleStanding], now: datetime) -> RefusedError | None:
    late = [item for item in roles if item.due]
    if not late:
        return None
    names = ", ".join(f"{item.role} ({item.due})" for item in late)
    return RefusedError(
        RepositoryRule.EXPIRY_HORIZON,
        f"published roles at {now:%F %T} UTC",
        expected="none that is due",
        got=names,
        hint="`enigm-repo timestamp` renews the timestamp; the others are signed anew by their authority",
    )


COMMAND: "Command[Edges]" = Command(
    name="status",
    summary="Show every published role with version, expiry and signatures, what is due, and the open records.",
    examples="enigm-repo status\nenigm-repo status --monitor --json\nenigm-repo status --prometheus",
    configure=configure,
    run=run,
)
