"""A ceremony's transcript: lines of canonical JSON, each with the SHA-256 of the line before it (GOVERNANCE).

What each participant signs of it is a DSSE envelope over an in-toto Statement with a predicate type of its own.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.approval import APPROVER, Approver
from enigm_tuf.model.ceremony import CEREMONY_TYPES
from enigm_tuf.model.keys import BASE64, ENVIRONMENT, HEX
from enigm_tuf.model.request import AUTHORITY
from enigm_tuf.model.root_extension import POLICY_PIN
from enigm_tuf.model.shapes import (
    LINE,
    NAME,
    POSITIVE,
    SHA256,
    WORD,
    Boolean,
    Choice,
    Integer,
    Optional,
    Record,
    Sequence,
    Table,
    Time,
)
from enigm_tuf.model.statement import Statement, Subject
from enigm_tuf.model.strict_json import JsonObject, encode, parse

LINE_BYTES = 256_000  # one entry: what a command said, shortened
SAID_LINES = 200  # lines of a command that an entry keeps
SAID_WIDTH = 400  # characters of each
START = "0" * 64


class TranscriptType(StrEnum):
    """All that a transcript can say."""

    OPENED = "opened"
    RESUMED = "resumed"
    BEGUN = "step.begun"
    DONE = "step.done"
    FAILED = "step.failed"
    DEVIATION = "deviation"
    ABORTED = "aborted"
    CLOSED = "closed"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True)
class TranscriptEntry:
    """One line. ``previous`` is the hash of the line before it, 64 zeros for the first. Times are to the second."""

    sequence: int
    previous: str
    time: datetime
    type: TranscriptType
    body: JsonObject


def _body(**fields: Any) -> Record[JsonObject]:
    return Record(dict, **fields)


PEOPLE = Table(NAME, Sequence(NAME, minimum=1, maximum=20, unique=True))
OUTCOME = Choice(("completed", "aborted"))
_STEP = {"step": NAME, "attempt": POSITIVE}
BODIES: dict[TranscriptType, Record[JsonObject]] = {
    TranscriptType.OPENED: _body(
        ceremony=HEX,
        type=Choice(CEREMONY_TYPES),
        script_sha256=SHA256,
        authority=AUTHORITY,
        environment=ENVIRONMENT,
        policy=POLICY_PIN,
        rehearsal=Boolean(),
        people=PEOPLE,
    ),
    TranscriptType.RESUMED: _body(torn_bytes=Integer()),
    TranscriptType.BEGUN: _body(
        **_STEP,
        actor=NAME,
        witnesses=Sequence(NAME, minimum=1, maximum=20, unique=True),
        tokens=Table(NAME, WORD),
        audit_entries=Integer(),
    ),
    TranscriptType.DONE: _body(
        **_STEP,
        how=Choice(("performed", "reconciled", "settled")),
        said=Sequence(LINE, maximum=SAID_LINES),
        said_sha256=SHA256,
        out_sha256=Optional(SHA256),
    ),
    TranscriptType.FAILED: _body(**_STEP, performed=Boolean(), error=LINE, next=Choice(("retry", "resume", "abort"))),
    TranscriptType.DEVIATION: _body(step=Optional(NAME), person=Optional(NAME), text=LINE),
    TranscriptType.ABORTED: _body(step=NAME, in_doubt=Boolean(), reason=LINE),
    TranscriptType.CLOSED: _body(outcome=OUTCOME),
    TranscriptType.SIGNED: _body(operator=NAME, envelope=BASE64),
}
"""The shape of the body of each type.

``audit_entries``: how long the audit log was when the step began. ``tokens``: serials as read from the tokens.
``performed`` of a failure: the action itself was done, and somebody objected afterwards.
``aborted``: people stopped the ceremony before that step, or in it; ``in_doubt``: it was begun, and whether it happened
was never found out.
"""
_ENTRIES = {
    kind: Record(
        TranscriptEntry, 1, sequence=POSITIVE, previous=SHA256, time=Time(), type=Choice((kind,)), body=BODIES[kind]
    )
    for kind in TranscriptType
}


def write_entry(entry: TranscriptEntry) -> bytes:
    """The line, without its end."""
    return encode(_ENTRIES[entry.type].write(entry))


def read_entry(line: bytes, source: str) -> TranscriptEntry:
    """Parse; MalformedError, also where the line is not the one encoding of its entry."""
    value = parse(line, source=source, max_bytes=LINE_BYTES)
    kind = value.get("type")
    if kind not in tuple(TranscriptType):
        raise MalformedError(source, "type", f"must be one of {', '.join(TranscriptType)}, is {kind!r:.40}")
    shape = _ENTRIES[TranscriptType(str(kind))]
    read = shape.read(value, source)
    entry = TranscriptEntry(read.sequence, read.previous, read.time, TranscriptType(read.type), read.body)
    if write_entry(entry) != line:
        raise MalformedError(source, "", "must be the one encoding of its entry")
    return entry


@dataclass(frozen=True, slots=True)
class CeremonyStatement:
    """What a participant signs: the transcript up to its closing (``entries`` lines, ``sha256`` of the last)."""

    ceremony: str
    entries: int
    sha256: str
    script_sha256: str
    outcome: str
    rehearsal: bool
    participant: Approver


_PREDICATE: Record[dict[str, Any]] = Record(
    dict,
    ceremony=HEX,
    entries=POSITIVE,
    script_sha256=SHA256,
    outcome=OUTCOME,
    rehearsal=Boolean(),
    participant=APPROVER,
)
CEREMONY = Statement("https://enigm-tuf.dev/ceremony/v1", _PREDICATE, Choice(("transcript",)), maximum=1)


def write_ceremony_statement(statement: CeremonyStatement) -> bytes:
    """The bytes, before DSSE's pre-authentication encoding."""
    return CEREMONY.write((Subject("transcript", statement.sha256),), statement)


def read_ceremony_statement(data: bytes, source: str) -> CeremonyStatement:
    """Parse; an approval, or anything else, is refused."""
    (subject,), predicate = CEREMONY.read(data, source)
    return CeremonyStatement(sha256=subject.sha256, **predicate)
