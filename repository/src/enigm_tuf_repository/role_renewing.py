"""``renew``: what expires soon is signed anew, with what it held. ``root prepare`` and ``timestamp`` do the others.

It goes under the action ``roles``: the authorities' rules let nothing but versions and expiry change.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from enigm_tuf.audit.log import REQUEST_ROLES
from enigm_tuf.errors import MisuseError
from enigm_tuf.model.tuf import Snapshot, Targets
from enigm_tuf_repository.configuration import ExpiryDays
from enigm_tuf_repository.gates.expiry_horizon import is_due
from enigm_tuf_repository.lineage import Lineage, Signed, lineage_of, root_chain
from enigm_tuf_repository.preparing import Plan, new_record, open_record
from enigm_tuf_repository.records import ReleaseRecord
from enigm_tuf_repository.register import load_register
from enigm_tuf_repository.role_building import with_delegations, with_targets, with_versions
from enigm_tuf_repository.settings import settings_in
from enigm_tuf_repository.signed_anew import drafts_anew
from enigm_tuf_repository.staging import require_no_signed_root
from enigm_tuf_repository.trusted import admit_chain
from enigm_tuf_repository.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Renewal:
    """``record`` asks for what is due, None where nothing is; ``left`` is due too, and more than one request holds."""

    record: ReleaseRecord | None
    left: tuple[str, ...]


def prepare_renewal(workspace: Workspace, days: int | None, now: datetime) -> Renewal:
    """Open the record ``renew-<snapshot version>`` for all that expires within ``days``.

    None for what ``status`` calls due. MisuseError for more days than a role lives.
    """
    settings, register = settings_in(workspace), load_register(workspace)
    lives = settings.config.expiry_days
    require_no_signed_root(workspace, register)
    admit_chain(root_chain(workspace.published), settings.config.environment, now)
    lineage = lineage_of(workspace, register)
    _require_living(days, lives, lineage)
    due = _due(lineage, lives, days, now)
    if not due:
        return Renewal(None, ())
    chosen, left = _as_many_as_fit(due)
    record_id = f"renew-{lineage.require('snapshot', Snapshot).version + 1}"
    with new_record(workspace, record_id):
        drafts = drafts_anew(lineage, settings, _anew(lineage, chosen, lives, now))
        return Renewal(open_record(workspace, lineage, Plan(record_id, "roles", None, drafts), now), left)


def _require_living(days: int | None, lives: ExpiryDays, lineage: Lineage) -> None:
    """Or it would be due again as soon as it is signed."""
    for role in sorted(lineage.heads.in_force()) if days is not None else ():
        life = lives.of(role).days
        if role not in {"root", "timestamp"} and days is not None and not 1 <= days < life:
            hint = f"ask for fewer than {life}, or leave --days out: then it is what `enigm-repo status` calls due"
            raise MisuseError(f"--days {days}: {role} lives {life} days, so it would be due for ever", hint=hint)


def _due(lineage: Lineage, lives: ExpiryDays, days: int | None, now: datetime) -> list[str]:
    """The first to expire first."""
    ours = {role: lineage.heads.expires(role) for role in lineage.heads.in_force() if role not in {"root", "timestamp"}}
    due = [
        (expires, role)
        for role, expires in ours.items()
        if (is_due(expires, lives.of(role), now) if days is None else expires <= now + timedelta(days=days))
    ]
    return [role for _, role in sorted(due)]


def _as_many_as_fit(due: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """One request holds so many roles; snapshot is in each of the manifest authority's."""
    payloads = [role for role in due if role.endswith(".payload")]
    others = [role for role in due if role not in payloads and role != "snapshot"]
    left = {*payloads[REQUEST_ROLES:], *others[REQUEST_ROLES - 1 :]}
    return [role for role in due if role not in left], tuple(role for role in due if role in left)


def _anew(lineage: Lineage, chosen: list[str], lives: ExpiryDays, now: datetime) -> dict[str, Signed]:
    made: dict[str, Signed] = {}
    for role in chosen:
        expires = now + lives.of(role)
        if role == "targets":
            made[role] = with_delegations(lineage.require(role, Targets), {}, expires)
        elif role != "snapshot":
            made[role] = with_targets(lineage.require(role, Targets), {}, expires)
    versions = {role: value.version for role, value in made.items()}
    before = lineage.require("snapshot", Snapshot)
    return made | {"snapshot": with_versions(before, versions, now, now + lives.of("snapshot"))}
