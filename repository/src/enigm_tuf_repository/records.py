"""The record of one release (or root, or product): the eight steps of DESIGN section 4, each with its evidence.

Evidence is bound to the digests of the files that it speaks about. A step runs only when every step before it is
there and every file is still what it was; none can be skipped, and a file changed in between is RECORD-EVIDENCE.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from enigm_tuf.errors import MisuseError, RefusedError
from enigm_tuf.model.request import ACTION, AUTHORITY, ROLE, RULE_OUTCOME, Action, Authority, RuleOutcome
from enigm_tuf.model.shapes import (
    BUILD_ID,
    NAME,
    PATH,
    POSITIVE,
    SHA256,
    Choice,
    Optional,
    Record,
    Sequence,
    Table,
    Time,
)
from enigm_tuf.model.strict_json import encode, parse
from enigm_tuf_repository.durable import file_sha256, write_durably
from enigm_tuf_repository.rules import RepositoryRule
from enigm_tuf_repository.workspace import Workspace


class Step(StrEnum):
    """In their order. The value is the word in record.json."""

    BUILT = "built"
    PREPARED = "prepared"
    APPROVED = "approved"
    POLICY = "policy"
    SIGNED = "signed"
    VERIFIED = "verified"
    GATED = "gated"
    PUBLISHED = "published"


HOW = {
    Step.APPROVED: "release attach",
    Step.POLICY: "release attach",
    Step.SIGNED: "release attach",
    Step.VERIFIED: "release verify",
    Step.GATED: "release gate",
    Step.PUBLISHED: "release publish",
}


@dataclass(frozen=True, slots=True)
class StepEvidence:
    """``digests`` gives the SHA-256 of each file by its path in the record; ``findings`` what was seen."""

    step: Step
    done: datetime
    digests: dict[str, str]
    findings: tuple[RuleOutcome, ...]


@dataclass(frozen=True, slots=True)
class RequestEntry:
    """A request of this record: ``digest`` is that of its index, ``path`` its file, ``action`` what it asks for."""

    authority: Authority
    action: Action
    sequence: int
    digest: str
    path: str
    roles: dict[str, int]


@dataclass(frozen=True, slots=True)
class ReleaseRecord:
    """``base`` is the SHA-256 of the published timestamp that the record was verified on top of; None for none.

    ``follows`` are the roles that must be signed anew under the root that the record makes, before it is whole.
    """

    id: str
    action: Action
    product: str | None
    created: datetime
    requests: tuple[RequestEntry, ...]
    steps: tuple[StepEvidence, ...]
    base: str | None = None
    follows: tuple[str, ...] = ()

    @property
    def asked_as(self) -> Action:
        """The action that people agree to: an emergency is a release whose every request says so."""
        return "emergency" if all(entry.action == "emergency" for entry in self.requests) else self.action

    @property
    def roles(self) -> dict[str, int]:
        """The versions that its requests propose, by role."""
        return {role: version for entry in self.requests for role, version in entry.roles.items()}

    @property
    def products(self) -> tuple[str, ...]:
        """Those whose roles it proposes."""
        return tuple(sorted({role.rpartition(".")[0] for role in self.roles if "." in role}))

    @property
    def unasked(self) -> tuple[str, ...]:
        """The roles that must follow, and that nobody has been asked to sign yet."""
        return tuple(role for role in self.follows if role not in self.roles)

    def evidence(self, step: Step) -> StepEvidence | None:
        return next((item for item in self.steps if item.step == step), None)

    def next_step(self) -> Step | None:
        """The first step without evidence; None when published."""
        return next((step for step in Step if self.evidence(step) is None), None)

    def with_evidence(self, *new: StepEvidence) -> "ReleaseRecord":
        """``new`` in place of older evidence of those steps; whatever comes after them is void."""
        first = min(list(Step).index(item.step) for item in new)
        kept = tuple(item for item in self.steps if list(Step).index(item.step) < first)
        return replace(self, steps=(*kept, *new))

    def without(self, step: Step) -> "ReleaseRecord":
        """The evidence of ``step`` and of all that comes after it is void."""
        first = list(Step).index(step)
        return replace(self, steps=tuple(item for item in self.steps if list(Step).index(item.step) < first))


_EVIDENCE = Record(
    lambda step, **rest: StepEvidence(Step(step), **rest),
    step=Choice(tuple(Step)),
    done=Time(),
    digests=Table(PATH, SHA256),
    findings=Sequence(RULE_OUTCOME, maximum=1_000),
)
RELEASE_RECORD = Record(
    ReleaseRecord,
    1,
    id=BUILD_ID,
    action=ACTION,
    product=Optional(NAME),
    created=Time(),
    requests=Sequence(
        Record(
            RequestEntry,
            authority=AUTHORITY,
            action=ACTION,
            sequence=POSITIVE,
            digest=SHA256,
            path=PATH,
            roles=Table(ROLE, POSITIVE, minimum=1),
        ),
        minimum=1,
        maximum=4,  # two of each authority: for a root, and for the roles that follow it
    ),
    steps=Sequence(_EVIDENCE, maximum=len(Step)),
    base=Optional(SHA256),
    follows=Sequence(ROLE, maximum=1_000, unique=True),
)


def load_record(workspace: Workspace, record_id: str) -> ReleaseRecord:
    """MisuseError if there is no such record."""
    path = workspace.record(BUILD_ID.read(record_id, "record id", "")) / "record.json"
    if not path.is_file():
        raise MisuseError(f"no record {record_id} here", hint="`enigm-repo status` lists the open ones")
    record = RELEASE_RECORD.read(parse(path.read_bytes(), source=str(path)), str(path))
    if [item.step for item in record.steps] != list(Step)[: len(record.steps)]:
        _refuse(record_id, "the eight steps in their order, none left out", "other steps in record.json")
    return record


def save_record(workspace: Workspace, record: ReleaseRecord) -> None:
    """Replace record.json in one step."""
    write_durably(workspace.record(record.id) / "record.json", encode(RELEASE_RECORD.write(record)))


def require_before(workspace: Workspace, record: ReleaseRecord, step: Step) -> None:
    """Every step before ``step`` has its evidence, and every file that it speaks about is unchanged."""
    missing = record.next_step()
    if missing and list(Step).index(missing) < list(Step).index(step):
        hint = f"run `enigm-repo {HOW[missing]} {record.id}`" if missing in HOW else ""
        raise MisuseError(f"{record.id}: step {step} comes after {missing}, which is not done", hint=hint)
    order = list(Step).index(step)
    earlier = [item for item in record.steps if list(Step).index(item.step) < order]
    _require_unchanged(workspace, record, {pair for item in earlier for pair in item.digests.items()})


def _require_unchanged(workspace: Workspace, record: ReleaseRecord, evidence: set[tuple[str, str]]) -> None:
    """RECORD-EVIDENCE: each file is there with the digest that every step names. Each is read once."""
    folder = workspace.record(record.id)
    got = {path: file_sha256(folder / path) if (folder / path).is_file() else "no file" for path, _ in evidence}
    for path, digest in sorted(evidence):
        if got[path] != digest:
            _refuse(f"{record.id}, {path}", f"SHA-256 {digest} as in the record", got[path])


def require_nothing_else(workspace: Workspace, record: ReleaseRecord, digests: Mapping[str, str]) -> None:
    """RECORD-EVIDENCE: the staged tree holds no file that the evidence does not name."""
    for path in staged_files(workspace, record.id):
        if path not in digests:
            _refuse(f"{record.id}, {path}", "staged files that were verified, and no others", "an extra file")


def staged_files(workspace: Workspace, record_id: str) -> Iterator[str]:
    """Paths of the staged files, relative to the record."""
    folder = workspace.record(record_id)
    yield from sorted(str(path.relative_to(folder)) for path in (folder / "staged").rglob("*") if not path.is_dir())


def settings_files(workspace: Workspace, record_id: str) -> list[str]:
    """Paths of the settings that a root puts in force, relative to the record."""
    folder = workspace.record(record_id)
    return sorted(str(path.relative_to(folder)) for path in (folder / "settings").rglob("*") if path.is_file())


def digests_of(folder: Path, paths: Iterator[str] | list[str]) -> dict[str, str]:
    """SHA-256 of files by their path in ``folder``."""
    return {path: file_sha256(folder / path) for path in paths}


def _refuse(subject: str, expected: str, got: str) -> None:
    raise RefusedError(RepositoryRule.RECORD_EVIDENCE, subject, expected=expected, got=got)
