"""What a build says of itself: in-toto statements in DSSE envelopes, in the formats of SLSA and in-toto. Only parsed.

These formats are others', and they ask readers to pass over fields that they do not know. What is read here is read
strictly: a field of another type than its specification says is an error, never a field that is not there.
"""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from enigm_tuf.errors import MalformedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.statement import PAYLOAD_TYPE, STATEMENT_TYPE
from enigm_tuf.model.strict_json import JsonObject, parse
from enigm_tuf.model.tuf_fields import read_object, read_text

PROVENANCE = "https://slsa.dev/provenance/v1"
REVIEW = "https://slsa.dev/verification_summary/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
TWO_PERSON_REVIEW = "SLSA_SOURCE_LEVEL_4"
"""The level of SLSA's source track that means that two people agreed to every change."""
_SIGNATURES = 10
_GIT = "git+"


@dataclass(frozen=True, slots=True)
class BuildSubject:
    """An in-toto ResourceDescriptor: ``digests`` are hex by algorithm, at least one."""

    name: str
    digests: dict[str, str]


@dataclass(frozen=True, slots=True)
class BuildStatement:
    """A statement with the signatures over it, which nobody verified. ``payload`` are the bytes that were signed."""

    source: str
    payload: bytes
    signatures: tuple[bytes, ...]
    predicate_type: str
    subjects: tuple[BuildSubject, ...]
    predicate: JsonObject

    def sha256_of(self, name: str) -> tuple[str, ...]:
        """Every SHA-256 that it gives for a file of that name."""
        return tuple(item.digests["sha256"] for item in self.subjects if item.name == name and "sha256" in item.digests)

    def names(self, algorithm: str, digest: str) -> bool:
        """Whether it is about the file with this digest."""
        return any(item.digests.get(algorithm) == digest for item in self.subjects)


@dataclass(frozen=True, slots=True)
class SourceRevision:
    """What was built: ``repository`` as in ``git+https://...``, the ref after ``@`` if there is one, the commit."""

    repository: str
    ref: str
    commit: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who built it, how (``build_type``), and from what."""

    builder: str
    build_type: str
    sources: tuple[SourceRevision, ...]


@dataclass(frozen=True, slots=True)
class SourceReview:
    """A verifier's summary of a commit: which levels of the source track it has reached."""

    verifier: str
    repository: str
    passed: bool
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tested:
    """``finished`` is our field of that predicate, ``finishedOn``, since in-toto's has no time."""

    result: str
    failed: tuple[str, ...]
    finished: datetime


def is_envelope(data: bytes) -> bool:
    """Whether a file claims to be a DSSE envelope at all."""
    try:
        value = parse(data, source="evidence", max_bytes=LIMITS.evidence_bytes)
    except MalformedError:
        return False
    return type(value) is dict and "payloadType" in value and "signatures" in value


def read_build_statement(data: bytes, source: str) -> BuildStatement:
    """Parse an envelope and the statement in it; MalformedError."""
    envelope = read_object(parse(data, source=source, max_bytes=LIMITS.evidence_bytes), source, "")
    if (kind := _text(envelope, "payloadType", source)) != PAYLOAD_TYPE:
        raise MalformedError(source, "payloadType", f"must be {PAYLOAD_TYPE}, is {kind:.60}")
    payload = _base64(envelope, "payload", source)
    signed = [
        read_object(item, source, f"signatures[{at}]") for at, item in enumerate(_list(envelope, "signatures", source))
    ]
    if not 1 <= len(signed) <= _SIGNATURES:
        raise MalformedError(source, "signatures", f"1 to {_SIGNATURES} signatures, has {len(signed)}")
    statement = read_object(parse(payload, source=source, max_bytes=LIMITS.evidence_bytes), source, "payload")
    if (kind := _text(statement, "_type", source)) != STATEMENT_TYPE:
        raise MalformedError(source, "_type", f"must be {STATEMENT_TYPE}, is {kind:.60}")
    return BuildStatement(
        source=source,
        payload=payload,
        signatures=tuple(_base64(item, "sig", source) for item in signed),
        predicate_type=_text(statement, "predicateType", source),
        subjects=tuple(_subjects(statement, source)),
        predicate=_object(statement, "predicate", source),
    )


def read_provenance(statement: BuildStatement) -> Provenance:
    """SLSA v1 provenance; MalformedError."""
    source = statement.source
    definition = _object(statement.predicate, "buildDefinition", source)
    builder = _object(_object(statement.predicate, "runDetails", source), "builder", source)
    listed = _list(definition, "resolvedDependencies", source) if "resolvedDependencies" in definition else []
    dependencies = [read_object(item, source, "resolvedDependencies") for item in listed]
    return Provenance(
        _text(builder, "id", source),
        _text(definition, "buildType", source),
        tuple(_sources(dependencies, source)),
    )


def read_review(statement: BuildStatement) -> SourceReview:
    """A SLSA verification summary of a source revision; MalformedError."""
    source, predicate = statement.source, statement.predicate
    levels = [read_text(item, source, "verifiedLevels") for item in _list(predicate, "verifiedLevels", source)]
    return SourceReview(
        _text(_object(predicate, "verifier", source), "id", source),
        _text(predicate, "resourceUri", source),
        _text(predicate, "verificationResult", source) == "PASSED",
        tuple(levels),
    )


def read_test_result(statement: BuildStatement) -> Tested:
    """in-toto's test-result v0.1 with ``finishedOn`` beside it; MalformedError."""
    source, predicate = statement.source, statement.predicate
    listed = _list(predicate, "failedTests", source) if "failedTests" in predicate else []
    failed = [read_text(item, source, "failedTests") for item in listed]
    result = _text(predicate, "result", source)
    return Tested(result, tuple(failed), _time(predicate, "finishedOn", source))


def _subjects(statement: JsonObject, source: str) -> Iterator[BuildSubject]:
    listed = _list(statement, "subject", source)
    if not 1 <= len(listed) <= LIMITS.listed:
        raise MalformedError(source, "subject", f"1 to {LIMITS.listed:,} subjects, has {len(listed)}")
    for at, value in enumerate(listed):
        item = read_object(value, source, f"subject[{at}]")
        digests = _object(item, "digest", source)
        read = {name: read_text(digest, source, f"digest.{name:.20}").lower() for name, digest in digests.items()}
        yield BuildSubject(_text(item, "name", source) if "name" in item else "", read)


def _sources(dependencies: list[JsonObject], source: str) -> Iterator[SourceRevision]:
    """The dependencies that are Git repositories; what a builder fetched besides is its own business."""
    for item in dependencies:
        uri = _text(item, "uri", source) if "uri" in item else ""
        if not uri.startswith(_GIT):
            continue
        digests = _object(item, "digest", source)
        repository, at, ref = uri.rpartition("@")
        commit = digests.get("gitCommit", digests.get("sha1"))
        yield SourceRevision(
            repository if at else uri,
            ref if at else "",
            read_text(commit, source, "resolvedDependencies.digest.gitCommit"),
        )


def _object(value: JsonObject, name: str, source: str) -> JsonObject:
    return read_object(value.get(name), source, name)


def _text(value: JsonObject, name: str, source: str) -> str:
    return read_text(value.get(name), source, name)


def _list(value: JsonObject, name: str, source: str) -> list[Any]:
    found = value.get(name)
    if type(found) is not list:
        raise MalformedError(source, name, "must be a list")
    return found


def _time(value: JsonObject, name: str, source: str) -> datetime:
    """RFC 3339 in UTC, with or without a fraction of a second."""
    text = _text(value, name, source)
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedError(source, name, f"must be a time, is {text[:40]!r}") from error
    if read.tzinfo is None:
        raise MalformedError(source, name, "must be a time with its zone")
    try:
        return read.astimezone(UTC)
    except OverflowError as error:
        raise MalformedError(source, name, f"beyond what a calendar holds: {text[:40]!r}") from error


def _base64(value: JsonObject, name: str, source: str) -> bytes:
    try:
        return base64.b64decode(_text(value, name, source), validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedError(source, name, "must be base64") from error
