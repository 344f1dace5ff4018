"""``status``: every role with its version and expiry, what is due, and the open records with their next step."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from enigm_tuf.model.request import Authority
from enigm_tuf.model.tuf import Root, Targets
from enigm_tuf_repository.gates.expiry_horizon import is_due
from enigm_tuf_repository.ledgers import owner
from enigm_tuf_repository.lineage import Lineage, SignedFile
from enigm_tuf_repository.records import HOW, ReleaseRecord, Step, load_record
from enigm_tuf_repository.register import load_register
from enigm_tuf_repository.staging import root_is_signed
from enigm_tuf_repository.trusted import RoleKeys, role_keys
from enigm_tuf_repository.workspace import Workspace


@dataclass(frozen=True, slots=True)
class RoleStanding:
    """A published role. ``owner`` is release, manifest or freshness; ``keyids`` may sign it, ``signers`` did.

    ``life_days`` is how long it lives when it is made. ``due`` is empty, ``due`` or ``expired``.
    """

    role: str
    owner: str
    version: int
    expires: datetime
    life_days: int
    due: str
    threshold: int
    keyids: tuple[str, ...]
    signers: tuple[str, ...]


def role_standings(workspace: Workspace, now: datetime) -> tuple[RoleStanding, ...]:
    """Every published role, the first to expire first. Read, not verified: devices verify."""
    days = workspace.configuration().expiry_days
    lineage = Lineage(workspace.published, [])
    root, targets = lineage.value("root", Root), lineage.value("targets", Targets)
    if root is None:
        return ()
    standings = [
        _standing(file, owner(file.role, root), days.of(file.role), role_keys(file.role, root, targets), now)
        for file in (lineage.heads[role] for role in lineage.heads.in_force())
    ]
    return tuple(sorted(standings, key=lambda item: (item.expires, item.role)))


def retired_products(workspace: Workspace) -> tuple[str, ...]:
    """Those whose roles snapshot lists and targets delegates to no more."""
    heads = Lineage(workspace.published, []).heads
    gone = set(heads) - set(heads.in_force())
    return tuple(sorted({role.rpartition(".")[0] for role in gone}))


def _standing(
    file: SignedFile, authority: Authority | None, life: timedelta, keys: RoleKeys, now: datetime
) -> RoleStanding:
    return RoleStanding(
        role=file.role,
        owner=authority or "freshness",
        version=file.version,
        expires=file.value.expires,
        life_days=life.days,
        due=due(file.value.expires, life, now),
        threshold=keys.threshold,
        keyids=keys.keyids,
        signers=tuple(sorted(set(file.signatures) & set(keys.keyids))),
    )


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


def due(expires: datetime, life: timedelta, now: datetime) -> str:
    """Empty, ``due`` (EXPIRY-HORIZON would refuse it soon), or ``expired``."""
    if expires <= now:
        return "expired"
    return "due" if is_due(expires, life, now) else ""
