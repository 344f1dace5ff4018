"""Step 7 on a record: run every gate on the verified tree, and keep the evidence if all of them pass."""

import shutil
from collections.abc import Mapping
from datetime import datetime

from enigm_tuf.errors import RefusedError
from enigm_tuf.model.request import RuleOutcome
from enigm_tuf.model.strict_json import sha256
from enigm_tuf_repository.durable import write_durably
from enigm_tuf_repository.gates.artifacts import StagedArtifacts
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import GateResult, Verdict
from enigm_tuf_repository.gates.pinned import PINNED_GATES
from enigm_tuf_repository.gates.running import Watcher, run_gates
from enigm_tuf_repository.gates.statements import (
    FOLDER,
    Judged,
    read_gate_statement,
    statement_path,
    write_gate_statement,
)
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
from enigm_tuf_repository.rules import RepositoryRule
from enigm_tuf_repository.staging import TIMESTAMP, signed_roles
from enigm_tuf_repository.trusted import admit_chain
from enigm_tuf_repository.waivers import is_waived
from enigm_tuf_repository.workspace import Workspace


def gate(
    workspace: Workspace, record_id: str, now: datetime, watcher: Watcher | None = None
) -> tuple[ReleaseRecord, tuple[GateResult, ...]]:
    """The record and what each gate said; the step has evidence only if all passed.

    A record that is published already stays as it is; nothing runs.
    """
    record = load_record(workspace, record_id)
    digests = require_verified(workspace, record, Step.GATED)
    if record.evidence(Step.PUBLISHED):
        return record, ()
    record = record.without(Step.GATED)
    save_record(workspace, record)
    context = gate_context(workspace, record, now)
    try:
        results = run_gates(context, watcher=watcher)
    finally:
        context.artifacts.clear()
    statements = _write_statements(context.workspace, record, results, digests, now)
    if all(result.passed for result in results):
        findings = tuple(outcome_of(result) for result in results)
        record = record.with_evidence(StepEvidence(Step.GATED, now, {**digests, **statements}, findings))
        save_record(workspace, record)
    return record, results


def outcome_of(result: GateResult) -> RuleOutcome:
    """One line of a record."""
    prefix = "does not apply: " if result.verdict is Verdict.NOT_APPLICABLE else ""
    waived = result.verdict is Verdict.WAIVED
    return RuleOutcome(result.rule, result.passed and not waived, prefix + result.summary, waived)


def _write_statements(
    workspace: Workspace,
    record: ReleaseRecord,
    results: tuple[GateResult, ...],
    digests: Mapping[str, str],
    now: datetime,
) -> dict[str, str]:
    """One statement for each gate, passed or not, in place of those of an earlier run; their digests by path."""
    folder = workspace.record(record.id)
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
    judged = Judged(record.id, digests, sha256(workspace.configuration_file.read_bytes()), now)
    written = {}
    for result in results:
        data = write_gate_statement(result, judged)
        write_durably(folder / statement_path(result.rule), data)
        written[statement_path(result.rule)] = sha256(data)
    return written


def require_gated(workspace: Workspace, record: ReleaseRecord, digests: Mapping[str, str], now: datetime) -> None:
    """GATE-SET: every gate that must have run has a statement that it did not fail on these very files.

    What was waived has waivers that count now: one that ran out since is none.
    """
    for rule in (RepositoryRule.GATE_SET, *PINNED_GATES, *workspace.configuration().required_gates):
        path = workspace.record(record.id) / statement_path(rule)
        if not path.is_file():
            _refuse(record, f"the statement of {rule}", "none; run `enigm-repo release gate` again")
        statement = read_gate_statement(path.read_bytes(), str(path))
        if statement.rule != rule or not (statement.passed or statement.waived):
            _refuse(record, f"{rule} passed", "another statement")
        if statement.waived and not is_waived(workspace, record, rule, now):
            _refuse(record, f"a waiver of {rule} that counts now", "none; run `enigm-repo release gate` again")
        if any(digests.get(subject.name) != subject.sha256 for subject in statement.subjects):
            _refuse(record, f"{rule} on the files that were verified", "a statement about other files")


def _refuse(record: ReleaseRecord, expected: str, got: str) -> None:
    raise RefusedError(RepositoryRule.GATE_SET, record.id, expected=expected, got=got)


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
    verified = record.evidence(Step.VERIFIED)
    digests = verified.digests if verified else {}
    artifacts = StagedArtifacts(workspace, record)
    return GateContext(workspace, record, _staged(workspace, record), before, root, digests, artifacts, now)


def _staged(workspace: Workspace, record: ReleaseRecord) -> dict[str, SignedFile]:
    roles = signed_roles(workspace, record)
    candidate = workspace.record(record.id) / TIMESTAMP
    if candidate.is_file():
        roles["timestamp"] = read_signed_file(candidate.read_bytes(), "timestamp", str(candidate))
    return roles
