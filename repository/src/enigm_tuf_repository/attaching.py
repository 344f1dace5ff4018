"""Steps 3 to 5 come back from the authorities: responses are judged, merged, and become signed metadata.

Responses of several custodians merge until the threshold of each role is met. The steps have their evidence only
when every role of both authorities is signed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from enigm_tuf.durable import read_input
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.decisions import decision_name
from enigm_tuf.model.request import RuleOutcome
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.trust.threshold import require_threshold, signers
from enigm_tuf_repository.answers import Answer, judge_answers
from enigm_tuf_repository.asked import Asked, AskedQuorum, read_asked
from enigm_tuf_repository.durable import write_durably
from enigm_tuf_repository.lineage import file_name, metadata_file
from enigm_tuf_repository.records import (
    ReleaseRecord,
    Step,
    StepEvidence,
    digests_of,
    load_record,
    require_before,
    save_record,
)
from enigm_tuf_repository.register import load_register, save_register
from enigm_tuf_repository.staging import stage_decisions
from enigm_tuf_repository.workspace import Workspace


@dataclass(frozen=True, slots=True)
class RoleProgress:
    """How far a role is: distinct public keys that signed, and how many must. ``quorum`` says whose, for a root."""

    role: str
    version: int
    quorum: str
    signed: int
    threshold: int

    @property
    def complete(self) -> bool:
        return self.signed >= self.threshold


def attach(
    workspace: Workspace, record_id: str, files: Sequence[Path], now: datetime
) -> tuple[ReleaseRecord, tuple[RoleProgress, ...]]:
    """Judge the responses together with those that came before, keep them, and stage every role that is complete.

    Nothing is kept of a response that is refused. Once all is signed, further responses change nothing.
    """
    record = load_record(workspace, record_id)
    require_before(workspace, record, Step.APPROVED)
    if record.evidence(Step.SIGNED):
        _note_signed(workspace, record)
        return record, ()
    asked = read_asked(workspace, record, now)
    responses = {str(file): read_input(file, LIMITS.request_bytes) for file in files} | _kept(workspace, record)
    unique = {data: source for source, data in responses.items()}
    answers = judge_answers(asked, unique)
    states = progress(asked, record, answers)
    for answer in answers:
        _keep(workspace, record, answer)
    _stage(workspace, record, asked, answers, states)
    if all(state.complete for state in states) and not record.unasked:
        record = record.with_evidence(*_evidence(workspace, record, answers, now))
        stage_decisions(workspace, record)
        save_record(workspace, record)
        _note_signed(workspace, record)
    return record, states


def progress(asked: Asked, record: ReleaseRecord, answers: Sequence[Answer]) -> tuple[RoleProgress, ...]:
    """For every quorum of every role; RefusedError THRESHOLD-DISTINCT if keyids would do and public keys do not."""
    return tuple(
        _progress_of(asked, role, version, quorum, _signatures(role, answers))
        for role, version in record.roles.items()
        for quorum in asked.quorums(role)
    )


def _progress_of(
    asked: Asked, role: str, version: int, quorum: AskedQuorum, signatures: dict[str, str]
) -> RoleProgress:
    keys, data = quorum.keys, asked.proposed(role) or b""
    if len(signatures.keys() & set(keys.keyids)) >= keys.threshold:
        require_threshold(keys.keys, keys.keyids, keys.threshold, signatures, data, f"{role} version {version}")
    found = signers(keys.keys, keys.keyids, signatures, data)
    return RoleProgress(role, version, quorum.name, len(found), keys.threshold)


def _signatures(role: str, answers: Sequence[Answer]) -> dict[str, str]:
    return {
        item.keyid: item.signature for answer in answers for item in answer.response.signatures if item.role == role
    }


def _kept(workspace: Workspace, record: ReleaseRecord) -> dict[str, bytes]:
    folder = workspace.record(record.id) / "responses"
    return {str(path): path.read_bytes() for path in sorted(folder.glob("*.enigmresp"))}


def _keep(workspace: Workspace, record: ReleaseRecord, answer: Answer) -> None:
    folder = workspace.record(record.id)
    for envelope in answer.envelopes.values():
        write_durably(folder / "approvals" / f"{sha256(envelope)}.dsse.json", envelope)
    name = decision_name(answer.response.authority, answer.data)
    write_durably(folder / "responses" / name, answer.data)


def _stage(
    workspace: Workspace, record: ReleaseRecord, asked: Asked, answers: Sequence[Answer], states: Sequence[RoleProgress]
) -> None:
    folder = workspace.staged(record.id) / "metadata"
    for role, version in record.roles.items():
        if all(state.complete for state in states if state.role == role):
            data = metadata_file(asked.proposed(role) or b"", _signatures(role, answers))
            write_durably(folder / file_name(role, version), data)


def _evidence(
    workspace: Workspace, record: ReleaseRecord, answers: Sequence[Answer], now: datetime
) -> tuple[StepEvidence, ...]:
    approvals = {
        RuleOutcome("APPROVAL", True, f"{answer.response.authority}: {vote.operator} of {vote.partition}")
        for answer in answers
        for vote in answer.counted
    }
    waivers = {
        RuleOutcome("WAIVER", True, f"{answer.response.authority}: {item.waiver.rule} by {item.operator}")
        for answer in answers
        for item in answer.waivers
    }
    rules = {
        replace(outcome, evidence=f"{answer.response.authority}: {outcome.evidence}")
        for answer in answers
        for outcome in answer.outcomes
    }
    seen: dict[Step, tuple[str, set[RuleOutcome]]] = {
        Step.APPROVED: ("approvals/*", approvals | waivers),
        Step.POLICY: ("responses/*", rules),
        Step.SIGNED: ("staged/metadata/*", set()),
    }
    folder = workspace.record(record.id)
    return tuple(
        StepEvidence(step, now, digests_of(folder, _paths(folder, pattern)), _sorted(findings))
        for step, (pattern, findings) in seen.items()
    )


def _paths(folder: Path, pattern: str) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.glob(pattern))


def _sorted(findings: set[RuleOutcome]) -> tuple[RuleOutcome, ...]:
    return tuple(sorted(findings, key=lambda item: (item.rule, item.evidence)))


def _note_signed(workspace: Workspace, record: ReleaseRecord) -> None:
    """After the record, so that a power cut in between leaves a register that is behind, never one ahead."""
    register = load_register(workspace)
    for entry in record.requests:
        register = register.with_signed(entry.authority, entry.sequence)
    save_register(workspace, register)
