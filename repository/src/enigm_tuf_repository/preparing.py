"""Steps 1 and 2: take the build's artifacts, derive the metadata, write one signing request per authority."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from enigm_tuf.errors import MisuseError
from enigm_tuf.model.request import Action, Authority, RuleOutcome, read_request
from enigm_tuf_repository.durable import write_durably
from enigm_tuf_repository.lineage import Lineage
from enigm_tuf_repository.records import (
    ReleaseRecord,
    RequestEntry,
    Step,
    StepEvidence,
    digests_of,
    save_record,
    settings_files,
    staged_files,
)
from enigm_tuf_repository.register import load_register, save_register
from enigm_tuf_repository.requests import Draft, write_request
from enigm_tuf_repository.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Plan:
    """A record to be opened. ``built`` is what was seen of the artifacts; ``follows`` is as in the record.

    ``asked_as`` is the action of the requests, where it is another than the record's.
    """

    record_id: str
    action: Action
    product: str | None
    drafts: tuple[Draft, ...]
    built: tuple[RuleOutcome, ...] = field(default=())
    asked_as: Action | None = None
    follows: tuple[str, ...] = ()


@contextmanager
def new_record(workspace: Workspace, record_id: str, signer: Authority | None = None) -> Iterator[None]:
    """Room for a new record in place of one that nobody has signed for; nothing stays if the block fails.

    MisuseError once an authority's answer has been attached to the old one: any authority's, or ``signer``'s.
    """
    folder = workspace.record(record_id)
    if any((folder / "responses").glob(f"{signer or ''}*.enigmresp")):
        hint = "`enigm-repo status` shows its next step"
        raise MisuseError(f"{record_id}: an authority has signed for it already", hint=hint)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def open_record(workspace: Workspace, lineage: Lineage, plan: Plan, now: datetime) -> ReleaseRecord:
    """Take sequence numbers, write the requests, then the record with the evidence of ``built`` and ``prepared``."""
    folder = workspace.record(plan.record_id)
    asked = plan.asked_as or plan.action
    entries = tuple(write_entry(workspace, lineage, plan.record_id, asked, draft, now) for draft in plan.drafts)
    built = digests_of(folder, list(staged_files(workspace, plan.record_id)))
    prepared = digests_of(folder, [*(entry.path for entry in entries), *settings_files(workspace, plan.record_id)])
    record = ReleaseRecord(
        id=plan.record_id,
        action=plan.action,
        product=plan.product,
        created=now,
        requests=entries,
        steps=(StepEvidence(Step.BUILT, now, built, plan.built), StepEvidence(Step.PREPARED, now, prepared, ())),
        follows=plan.follows,
    )
    save_record(workspace, record)
    return record


def write_entry(
    workspace: Workspace, lineage: Lineage, record_id: str, action: Action, draft: Draft, now: datetime
) -> RequestEntry:
    """Take a sequence number and write the request of one authority into the record's folder."""
    register, sequence = load_register(workspace).issue(draft.authority)
    save_register(workspace, register.opened(record_id))
    request_id = f"{record_id}-{draft.authority}-{sequence}"
    data = write_request(workspace, lineage, draft, action, request_id, sequence, now)
    path = f"requests/{draft.authority}{'-roles' if action == 'roles' else ''}.enigmreq"
    write_durably(workspace.record(record_id) / path, data)
    return RequestEntry(draft.authority, action, sequence, read_request(data, path).digest, path, draft.versions())
