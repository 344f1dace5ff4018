"""The seam of the audit log, and what may stand in it: a closed set of entry types, each with the shape of its body."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from enigm_tuf.audit.checkpoints import SignedCheckpoint
from enigm_tuf.audit.proofs import InclusionProof
from enigm_tuf.audit.rules import AuditRule
from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf.model.ceremony import CEREMONY_TYPES
from enigm_tuf.model.finding import INTENT_FIELDS, OUTCOME
from enigm_tuf.model.keys import ENVIRONMENT, HEX, HOME
from enigm_tuf.model.request import ACTION, AUTHORITY, ROLE, AuditHead
from enigm_tuf.model.shapes import (
    BUILD_ID,
    LINE,
    NAME,
    POSITIVE,
    SHA256,
    Boolean,
    Choice,
    Integer,
    Optional,
    Record,
    Sequence,
    Time,
)
from enigm_tuf.model.strict_json import JsonObject, encode, parse_encoded

REQUEST_ROLES = 20  # payloads of one request: an intent lists all of them, and must fit into an entry
HISTORY_FORM = 4  # of what is kept beside the log; another form is another number, so that old entries stay true
ENTRY_BYTES = 16_384  # GOVERNANCE "Audit log": one entry, without its end of line


class EntryType(StrEnum):
    """All that is ever logged."""

    AUTHORITY_CREATED = "authority.created"
    ROOT_TRUSTED = "root.trusted"
    REQUEST_RECEIVED = "request.received"
    POLICY_EVALUATED = "policy.evaluated"
    APPROVAL_COUNTED = "approval.counted"
    WAIVER_COUNTED = "waiver.counted"
    SESSION_OPEN = "session.open"
    SIGN_INTENT = "sign.intent"
    SIGN_PERFORMED = "sign.performed"
    SIGN_REFUSED = "sign.refused"
    SIGN_RECOVERED = "sign.recovered"
    CHECKPOINT_WITNESSED = "checkpoint.witnessed"
    SESSION_CLOSE = "session.close"
    INVENTORY_CHANGED = "inventory.changed"
    INVENTORY_CHECKED = "inventory.checked"
    OPERATORS_CHANGED = "operators.changed"
    POLICY_PROPOSED = "policy.proposed"
    POLICY_ADOPTED = "policy.adopted"
    KEY_DESTROYED = "key.destroyed"
    WRAPPING_MADE = "wrapping.made"
    WRAPPING_DESTROYED = "wrapping.destroyed"
    BACKUP_MADE = "backup.made"
    RESTORE_PROVED = "restore.proved"
    RESTORE_FAILED = "restore.failed"
    KEY_RESTORED = "key.restored"
    CEREMONY_OPENED = "ceremony.opened"
    CEREMONY_CLOSED = "ceremony.closed"
    HISTORY_KEPT = "history.kept"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry. ``sequence`` is its place in the log, from 1. Times are to the second."""

    sequence: int
    time: datetime
    type: EntryType
    body: JsonObject


class AuditLog(Protocol):
    """A log that is only ever appended to."""

    def append(self, kind: EntryType, body: Mapping[str, Any]) -> AuditEntry:
        """Add an entry; it is durable, under a checkpoint of its own, before this returns.

        RefusedError LOG-FORM if the body does not have the shape of its type, LOG-TIME if the clock is behind the
        last entry; StateError if the disk is full. The log is then as it was.
        """
        ...

    def extend(self, bodies: Iterable[tuple[EntryType, Mapping[str, Any]]]) -> tuple[AuditEntry, ...]:
        """Add several at once, all or none, under one checkpoint."""
        ...

    def entries(self) -> Iterator[AuditEntry]:
        """All entries, oldest first."""
        ...

    def entries_after(self, number: int) -> Iterator[AuditEntry]:
        """Those that follow entry ``number``, oldest first."""
        ...

    def proof(self, sequence: int, checkpoint: SignedCheckpoint) -> InclusionProof:
        """That entry number ``sequence`` stands in the log, under this checkpoint of it."""
        ...

    def covering(self, sequence: int) -> SignedCheckpoint:
        """The newest cosigned checkpoint if it covers that entry, else the newest of all."""
        ...

    def head(self) -> AuditHead:
        """How many entries there are, and the root hash of their tree."""
        ...


def _body(**fields: Any) -> Record[JsonObject]:
    return Record(dict, **fields)


_REQUEST = {"request_sha256": SHA256, "request_id": BUILD_ID}
_QUORUM = _body(threshold=POSITIVE, keys=Sequence(SHA256, minimum=1, maximum=100, unique=True))
PAYLOAD = _body(role=ROLE, version=POSITIVE, sha256=SHA256, quorums=Sequence(_QUORUM, minimum=1, maximum=3))
_WRAPPED = {"key": SHA256, "blob_sha256": SHA256, "wrapping_key": HEX, "serial": LINE, "inventory": SHA256}
_TOKEN = {"home": HOME, "manufacturer": LINE, "model": LINE, "serial": LINE, "firmware": LINE, "label": LINE}
_CEREMONY = {
    "ceremony": HEX,
    "type": Choice(CEREMONY_TYPES),
    "script_sha256": SHA256,
    "transcript_sha256": SHA256,
    "rehearsal": Boolean(),
}

BODIES: dict[EntryType, Record[JsonObject]] = {
    EntryType.AUTHORITY_CREATED: _body(
        authority=AUTHORITY, environment=ENVIRONMENT, policy_version=POSITIVE, policy_sha256=SHA256
    ),
    EntryType.ROOT_TRUSTED: _body(version=POSITIVE, sha256=SHA256),
    EntryType.REQUEST_RECEIVED: _body(
        **_REQUEST,
        sequence=POSITIVE,
        authority=AUTHORITY,
        environment=ENVIRONMENT,
        action=ACTION,
        payloads=Sequence(LINE, maximum=100),
    ),
    EntryType.POLICY_EVALUATED: _body(
        **_REQUEST,
        decided=Time(),
        passed=Boolean(),
        rules=Sequence(_body(rule=LINE, passed=Boolean(), evidence=LINE, waived=Boolean()), minimum=1, maximum=100),
    ),
    EntryType.APPROVAL_COUNTED: _body(
        **_REQUEST,
        decision=Choice(("APPROVE", "REJECT")),
        operator=NAME,
        partition=NAME,
        key=SHA256,
        device=LINE,
        envelope_sha256=SHA256,
    ),
    EntryType.WAIVER_COUNTED: _body(
        **_REQUEST,
        rule=LINE,
        reason=LINE,
        expires=Time(),
        operator=NAME,
        partition=NAME,
        key=SHA256,
        device=LINE,
        envelope_sha256=SHA256,
    ),
    EntryType.SESSION_OPEN: _body(**_TOKEN, key=SHA256, custodian=LINE),
    EntryType.SIGN_INTENT: _body(
        **_REQUEST,
        sequence=POSITIVE,
        role=ROLE,
        version=POSITIVE,
        sha256=SHA256,
        key=SHA256,
        payloads=Sequence(PAYLOAD, minimum=1, maximum=REQUEST_ROLES),
    ),
    EntryType.SIGN_PERFORMED: _body(
        **_REQUEST,
        sequence=POSITIVE,
        role=ROLE,
        version=POSITIVE,
        sha256=SHA256,
        key=SHA256,
        keyid=SHA256,
        signature=HEX,
        decision_sha256=SHA256,
    ),
    EntryType.SIGN_REFUSED: _body(**_REQUEST, role=Optional(ROLE), rule=LINE, reason=LINE),
    EntryType.SIGN_RECOVERED: _body(
        **INTENT_FIELDS,
        intent=POSITIVE,
        outcome=OUTCOME,
        reason=LINE,
        finding_sha256=SHA256,
        operators=Sequence(NAME, minimum=1, maximum=100, unique=True),
        votes=Sequence(SHA256, minimum=1, maximum=100, unique=True),
    ),
    EntryType.CHECKPOINT_WITNESSED: _body(origin=LINE, entries=POSITIVE, root=SHA256),
    EntryType.SESSION_CLOSE: _body(key=SHA256),
    EntryType.INVENTORY_CHANGED: _body(
        version=POSITIVE, sha256=SHA256, operators=Sequence(NAME, minimum=1, maximum=100, unique=True)
    ),
    EntryType.OPERATORS_CHANGED: _body(
        version=POSITIVE, sha256=SHA256, operators=Sequence(NAME, minimum=1, maximum=100, unique=True)
    ),
    EntryType.POLICY_PROPOSED: _body(version=POSITIVE, sha256=SHA256, after=SHA256, relaxes=Boolean()),
    EntryType.POLICY_ADOPTED: _body(
        version=POSITIVE, sha256=SHA256, operators=Sequence(NAME, minimum=1, maximum=100, unique=True)
    ),
    EntryType.INVENTORY_CHECKED: _body(version=POSITIVE, sha256=SHA256, serial=LINE, label=LINE),
    EntryType.KEY_DESTROYED: _body(key=SHA256, serial=LINE, label=LINE, inventory=SHA256),
    EntryType.WRAPPING_MADE: _body(id=HEX, label=LINE, wraps_on=LINE, unwraps_on=LINE),
    EntryType.WRAPPING_DESTROYED: _body(id=HEX, serial=LINE, inventory=SHA256),
    EntryType.BACKUP_MADE: _body(**_WRAPPED, label=LINE, custodian=LINE),
    EntryType.RESTORE_PROVED: _body(**_WRAPPED, witness=NAME, nonce=HEX, signature=HEX),
    EntryType.RESTORE_FAILED: _body(**_WRAPPED, witness=NAME, rule=LINE, reason=LINE),
    EntryType.KEY_RESTORED: _body(**_WRAPPED, label=LINE, witness=NAME),
    EntryType.HISTORY_KEPT: _body(form=Integer(HISTORY_FORM, HISTORY_FORM), entries=POSITIVE, sha256=SHA256),
    EntryType.CEREMONY_OPENED: _body(**_CEREMONY),
    EntryType.CEREMONY_CLOSED: _body(
        **_CEREMONY,
        outcome=Choice(("completed", "aborted")),
        reason=Optional(LINE),
        entries=POSITIVE,
        deviations=Integer(),
        people=Sequence(NAME, minimum=1, maximum=100, unique=True),
    ),
}
"""The shape of the body of each type. ``key`` is the SHA-256 of a SubjectPublicKeyInfo, ``sha256`` of canonical bytes.

``decided`` is the time that the rules were asked as of. ``decision_sha256`` is ``decision_digest`` of the evaluation
that the signature rests on: what a response tells of it can be told only so.
``payloads`` of ``sign.intent`` are all payloads of the request: which keys may sign each and how many must.
``intent`` of ``sign.recovered`` is the number of its entry; ``votes`` are the SHA-256 of the envelopes.
``role`` of ``sign.refused`` names the payload whose intent came to nothing; absent before any intent, and where the
token may have signed all the same: that intent stays open.
``transcript_sha256`` is the hash of a ceremony's first line, and at its end of its last: one hangs on the other.
``reason``: why a ceremony was aborted; absent where it was completed.
``serial`` of a backup is that of the key's own token, of a restore that of the spare.
"""


def _shape(kind: EntryType) -> Record[AuditEntry]:
    """Its reader gives ``type`` as the EntryType, whatever text stands for it."""

    def make(sequence: int, time: datetime, type: str, body: JsonObject) -> AuditEntry:  # noqa: A002 # the field's name
        del type
        return AuditEntry(sequence, time, kind, body)

    return Record(make, 1, sequence=POSITIVE, time=Time(), type=Choice((kind,)), body=BODIES[kind])


_ENTRIES: dict[str, Record[AuditEntry]] = {str(kind): _shape(kind) for kind in EntryType}


def entry_shape(kind: object) -> Record[AuditEntry]:
    """The shape of an entry of this type; MalformedError if there is no such type."""
    shape = _ENTRIES.get(kind) if isinstance(kind, str) else None
    if shape is None:
        raise MalformedError("audit entry", "type", f"must be one of {', '.join(EntryType)}, is {kind!r:.40}")
    return shape


def write_entry(entry: AuditEntry) -> bytes:
    """The one encoding of an entry; MalformedError if its body has not the shape of its type."""
    return encode(entry_shape(entry.type).write(entry))


def read_entry(data: bytes, sequence: int, source: str) -> AuditEntry:
    """Entry number ``sequence``; RefusedError LOG-FORM unless it is that, of a known type, in the one encoding.

    No shape takes two JSON values for the same one (null is none of them), so the one encoding of what was parsed is
    the one encoding of the entry.
    """
    subject = f"{source}, entry {sequence}"
    try:
        value = parse_encoded(data, source=subject, max_bytes=ENTRY_BYTES)
        entry = entry_shape(value.get("type")).read(value, subject)
    except MalformedError as error:
        raise RefusedError(AuditRule.LOG_FORM, subject, expected="an entry of a known type", got=str(error)) from error
    if entry.sequence != sequence:
        raise RefusedError(AuditRule.LOG_FORM, subject, expected=f"sequence {sequence}", got=f"{entry.sequence}")
    return entry


def require_later(before: AuditEntry | None, entry: AuditEntry, source: str) -> None:
    """RefusedError LOG-TIME where an entry is older than the one before it."""
    if before is not None and entry.time < before.time:
        subject = f"{source}, entry {entry.sequence}"
        expected = f"{before.time.isoformat()} or later"
        raise RefusedError(AuditRule.LOG_TIME, subject, expected=expected, got=entry.time.isoformat())
