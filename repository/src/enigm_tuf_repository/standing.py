"""``status``: every role with its version and expiry, what is due, and the open records with their next step."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from enigm_tuf_repository.gates.expiry_horizon import is_due
from enigm_tuf_repository.lineage import Lineage
from enigm_tuf_repository.records import HOW, ReleaseRecord, Step, load_record
from enigm_tuf_repository.register import load_register
from enigm_tuf_repository.staging import root_is_signed
from enigm_tuf_repository.workspace import Workspace


@dataclass(frozen=True, slots=True)
class RoleStanding:
    """A published role. ``due`` is empty, ``due`` (a gate would refuse it soon) or ``expired``."""

    role: str
    version: int
    expires: datetime
    due: str


def role_standings(workspace: Workspace, now: datetime) -> tuple[RoleStanding, ...]:
    """Sorted by expiry, the first to expire first."""
    days = workspace.configuration().expiry_days
    heads = Lineage(workspace.published, []).heads.values()
    standings = [
        RoleStanding(file.role, file.version, file.value.expires, _due(file.value.expires, days.of(file.role), now))
        for file in heads
    ]
    return tuple(sorted(standings, key=lambda item: item.expires))


def open_records(workspace: Workspace) -> tuple[ReleaseRecord, ...]:
    """Those that are not published, oldest first."""
    ids = load_register(workspace).open
    return tuple(load_record(workspace, item) for item in ids if (workspace.record(item) / "record.json").is_file())


def next_command(workspace: Workspace, record: ReleaseRecord) -> str:
    """What to do next with a record."""
    step = record.next_step()
    if record.unasked and root_is_signed(workspace, record):
        return f"enigm-repo root follow {record.id}"
    if step in {Step.APPROVED, Step.POLICY, Step.SIGNED}:
        return f"enigm-repo release attach {record.id} RESPONSE ..."
    return f"enigm-repo {HOW[step]} {record.id}" if step in HOW else ""


def _due(expires: datetime, life: timedelta, now: datetime) -> str:
    if expires <= now:
        return "expired"
    return "due" if is_due(expires, life, now) else ""
