"""``root follow``: the root is signed; now the roles that it leaves without enough signatures are asked for.

They belong to the same record: root and roles are published together, since between them no device could go on.
"""

from dataclasses import replace
from datetime import datetime

from enigm_tuf.errors import MisuseError
from enigm_tuf.model.request import read_response
from enigm_tuf.ports import Fetcher
from enigm_tuf_repository.following import Following, require_signable
from enigm_tuf_repository.foreign_client import verify_roots_with_tuf
from enigm_tuf_repository.lineage import lineage_of, root_chain
from enigm_tuf_repository.preparing import write_entry
from enigm_tuf_repository.records import (
    ReleaseRecord,
    RequestEntry,
    Step,
    StepEvidence,
    digests_of,
    load_record,
    require_before,
    save_record,
    settings_files,
)
from enigm_tuf_repository.register import Register, load_register
from enigm_tuf_repository.settings import settings_in
from enigm_tuf_repository.signed_anew import drafts_anew
from enigm_tuf_repository.staging import root_is_signed
from enigm_tuf_repository.trusted import admit_chain
from enigm_tuf_repository.workspace import Workspace


def follow_root(workspace: Workspace, record_id: str, now: datetime, remote: Fetcher | None) -> ReleaseRecord:
    """Write the requests for the roles that follow the record's root. Again is fine until an authority has signed them.

    Both implementations have accepted the root chain before.
    """
    record, register = load_record(workspace, record_id), load_register(workspace)
    require_before(workspace, record, Step.APPROVED)
    _require_in_turn(workspace, record, register)
    settings = settings_in(workspace.with_settings_of(record_id))
    lineage = lineage_of(workspace, register)
    chain = root_chain(workspace.staged(record_id), workspace.published)
    root = admit_chain(chain, settings.config.environment, now).root.value
    verify_roots_with_tuf(chain)
    roles = require_signable(Following(root, settings, lineage, workspace.published, remote, now).decide())
    made = tuple(
        write_entry(workspace, lineage, record_id, "roles", draft, now)
        for draft in drafts_anew(lineage, settings, roles)
    )
    return _save(workspace, record, made, tuple(roles), now)


def _require_in_turn(workspace: Workspace, record: ReleaseRecord, register: Register) -> None:
    if not record.follows:
        raise MisuseError(f"{record.id}: no role has to follow")
    if not root_is_signed(workspace, record):
        raise MisuseError(
            f"{record.id}: its root is not signed yet", hint=f"run `enigm-repo release attach {record.id}`"
        )
    for other in register.open:
        if other != record.id and any((workspace.staged(other) / "metadata").glob("*.json")):
            raise MisuseError(f"{other} is signed and not published", hint=f"publish {other} first, or it is lost")
    if _is_answered(workspace, record):
        raise MisuseError(f"{record.id}: an authority has signed the roles already")


def _is_answered(workspace: Workspace, record: ReleaseRecord) -> bool:
    asked = {entry.digest for entry in record.requests if _is_about_roles(entry)}
    kept = (workspace.record(record.id) / "responses").glob("*.enigmresp")
    return any(read_response(path.read_bytes(), path.name)[0].request_sha256 in asked for path in kept)


def _is_about_roles(entry: RequestEntry) -> bool:
    return "root" not in entry.roles


def _save(
    workspace: Workspace, record: ReleaseRecord, made: tuple[RequestEntry, ...], follows: tuple[str, ...], now: datetime
) -> ReleaseRecord:
    kept = tuple(entry for entry in record.requests if not _is_about_roles(entry))
    record = replace(record, requests=(*kept, *made), follows=follows)
    paths = [*(entry.path for entry in record.requests), *settings_files(workspace, record.id)]
    prepared = StepEvidence(Step.PREPARED, now, digests_of(workspace.record(record.id), paths), ())
    record = record.with_evidence(prepared)
    save_record(workspace, record)
    return record
