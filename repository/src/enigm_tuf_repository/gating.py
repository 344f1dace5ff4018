"""Step 7 on a record: run every gate on the verified tree, and keep the evidence if all of them pass."""

from collections.abc import Mapping
from datetime import datetime

from enigm_tuf.model.request import RuleOutcome
from enigm_tuf_repository.gates import run_gates
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.lineage import Lineage, SignedFile, read_signed_file, root_chain
from enigm_tuf_repository.records import (
    ReleaseRecord,
    Step,
    StepEvidence,
    load_record,
    require_before,
    require_nothing_else,
    save_record,
)
from enigm_tuf_repository.staging import TIMESTAMP, signed_roles
from enigm_tuf_repository.trusted import admit_chain
from enigm_tuf_repository.workspace import Workspace


def gate(workspace: Workspace, record_id: str, now: datetime) -> tuple[ReleaseRecord, tuple[RuleOutcome, ...]]:
    """The record and what each gate said; the step has evidence only if all passed."""
    record = load_record(workspace, record_id)
    digests = require_verified(workspace, record, Step.GATED)
    published = record.evidence(Step.PUBLISHED)
    gated = record.evidence(Step.GATED)
    if published and gated:
        return record, gated.findings
    outcomes = run_gates(gate_context(workspace, record, now))
    if all(outcome.passed for outcome in outcomes):
        record = record.with_evidence(StepEvidence(Step.GATED, now, dict(digests), outcomes))
        save_record(workspace, record)
    return record, outcomes


def require_verified(workspace: Workspace, record: ReleaseRecord, step: Step) -> Mapping[str, str]:
    """The digests that were verified; RefusedError RECORD-EVIDENCE unless the staged tree is exactly these."""
    require_before(workspace, record, step)
    verified = record.evidence(Step.VERIFIED)
    digests = verified.digests if verified else {}
    require_nothing_else(workspace, record, digests)
    return digests


def gate_context(workspace: Workspace, record: ReleaseRecord, now: datetime) -> GateContext:
    """What the gates look at: the staged roles beside the published ones."""
    workspace = workspace.with_settings_of(record.id)
    config, staged = workspace.configuration(), workspace.staged(record.id)
    root = admit_chain(root_chain(staged, workspace.published), config.environment, now).root.value
    before = Lineage(workspace.published, []).heads
    return GateContext(workspace, record, _staged(workspace, record), before, root, now)


def _staged(workspace: Workspace, record: ReleaseRecord) -> dict[str, SignedFile]:
    roles = signed_roles(workspace, record)
    candidate = workspace.record(record.id) / TIMESTAMP
    if candidate.is_file():
        roles["timestamp"] = read_signed_file(candidate.read_bytes(), "timestamp", str(candidate))
    return roles
