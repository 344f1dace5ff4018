"""What a gate said, as an in-toto Statement v1 in the shape of a SLSA verification summary: ``gates/<ID>.json``.

Not the predicate type of SLSA itself: that has no words for "waived" and "does not apply". Nobody signs it here, as a
repository holds no key; the record binds it by digest, and whoever publishes reads it again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enigm_tuf.limits import LIMITS
from enigm_tuf.model.shapes import LINE, PATH, SHA256, WORD, Choice, Integer, Record, Table, Time
from enigm_tuf.model.statement import Statement, Subject
from enigm_tuf_repository.gates.gate import GateResult, Verdict
from enigm_tuf_repository.gates.pinned import DISTRIBUTION

FOLDER = "gates"
_RESULTS = {
    Verdict.PASS: "PASSED",
    Verdict.FAIL: "FAILED",
    Verdict.WAIVED: "WAIVED",
    Verdict.NOT_APPLICABLE: "NOT_APPLICABLE",
}


class _AnyJson:
    """Whatever strict JSON lets through."""

    def read(self, value: object, source: str, field: str) -> Any:
        del source, field
        return value

    def write(self, value: Any) -> Any:
        return value

    def schema(self) -> dict[str, Any]:
        return {}


_DIGEST: Record[dict[str, Any]] = Record(dict, sha256=SHA256)
_PREDICATE: Record[dict[str, Any]] = Record(
    dict,
    verifier=Record(dict, id=WORD, version=Table(WORD, WORD, minimum=1)),
    timeVerified=Time(),
    resourceUri=WORD,
    policy=Record(dict, uri=WORD, digest=_DIGEST),
    verificationResult=Choice(tuple(_RESULTS.values())),
    gate=WORD,
    summary=LINE,
    facts=Table(WORD, _AnyJson()),
    milliseconds=Integer(),
)
GATE_STATEMENT = Statement("https://enigm-tuf.dev/release-gate/v1", _PREDICATE, PATH, LIMITS.listed)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a statement speaks about. ``policy`` is the SHA-256 of the repository's configuration."""

    record_id: str
    digests: Mapping[str, str]
    policy: str
    when: datetime


@dataclass(frozen=True, slots=True)
class GateStatement:
    """The part of a statement that publication looks at."""

    rule: str
    passed: bool
    waived: bool
    subjects: tuple[Subject, ...]


def statement_path(rule: str) -> str:
    """Where the statement of a gate lies in the record."""
    return f"{FOLDER}/{rule}.json"


def write_gate_statement(result: GateResult, judged: Judged) -> bytes:
    """The bytes of ``gates/<ID>.json``."""
    names = result.subjects or tuple(judged.digests)
    predicate = {
        "verifier": {"id": f"{DISTRIBUTION}/gates/{result.rule}", "version": {result.distribution: result.version}},
        "timeVerified": judged.when,
        "resourceUri": f"records/{judged.record_id}",
        "policy": {"uri": "repository.toml", "digest": {"sha256": judged.policy}},
        "verificationResult": _RESULTS[result.verdict],
        "gate": result.rule,
        "summary": result.summary,
        "facts": result.facts,
        "milliseconds": round(result.seconds * 1000),
    }
    return GATE_STATEMENT.write(tuple(Subject(name, judged.digests[name]) for name in sorted(names)), predicate)


def read_gate_statement(data: bytes, source: str) -> GateStatement:
    """Parse; MalformedError names the field."""
    subjects, predicate = GATE_STATEMENT.read(data, source)
    result = predicate["verificationResult"]
    waived = result == _RESULTS[Verdict.WAIVED]
    return GateStatement(predicate["gate"], not waived and result != _RESULTS[Verdict.FAIL], waived, subjects)
