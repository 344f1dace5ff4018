"""An operator's approval: a DSSE envelope with one signature over an in-toto Statement v1 (GOVERNANCE, "Approvals").

Subjects: the request's index digest and every payload to be signed. The approval binds what was displayed.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.keys import BASE64, ENVIRONMENT, Environment
from enigm_tuf.model.request import ACTION, AUTHORITY, Action, Authority, SigningRequest
from enigm_tuf.model.root_extension import PolicyPin
from enigm_tuf.model.shapes import (
    BUILD_ID,
    LINE,
    NAME,
    POSITIVE,
    SHA256,
    WORD,
    Choice,
    Record,
    Sequence,
    Shape,
    Time,
)
from enigm_tuf.model.strict_json import encode, parse, sha256

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://enigm-tuf.dev/approval/v1"
Decision: TypeAlias = Literal["APPROVE", "REJECT"]


@dataclass(frozen=True, slots=True)
class Subject:
    """An in-toto ResourceDescriptor: name and SHA-256."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Approver:
    """Who: operator id, SPKI digest of the approval key, partition, serial of the device that holds the key."""

    operator: str
    key: str
    partition: str
    device: str


@dataclass(frozen=True, slots=True)
class Approval:
    """The predicate, with the subjects beside it."""

    subjects: tuple[Subject, ...]
    request_id: str
    sequence: int
    environment: Environment
    authority: Authority
    action: Action
    decision: Decision
    reason: str
    approver: Approver
    policy: PolicyPin
    created: datetime
    expires: datetime


@dataclass(frozen=True, slots=True)
class Envelope:
    """DSSE with exactly one signature. ``payload`` is the decoded statement; ``keyid`` the SPKI digest."""

    payload: bytes
    keyid: str
    signature: bytes


def _constant(word: str) -> Shape[Any]:
    return Choice((word,))


SUBJECT: Record[dict[str, Any]] = Record(dict, name=WORD, digest=Record(dict, sha256=SHA256))
_PREDICATE: Record[dict[str, Any]] = Record(
    dict,
    request_id=BUILD_ID,
    sequence=POSITIVE,
    environment=ENVIRONMENT,
    authority=AUTHORITY,
    action=ACTION,
    decision=Choice(("APPROVE", "REJECT")),
    reason=LINE,
    approver=Record(Approver, operator=NAME, key=SHA256, partition=NAME, device=WORD),
    policy=Record(PolicyPin, version=POSITIVE, sha256=SHA256),
    created=Time(),
    expires=Time(),
)
STATEMENT: Record[dict[str, Any]] = Record(
    dict,
    _type=_constant(STATEMENT_TYPE),
    subject=Sequence(SUBJECT, minimum=1, maximum=1_000),
    predicateType=_constant(PREDICATE_TYPE),
    predicate=_PREDICATE,
)
_ENVELOPE: Record[dict[str, Any]] = Record(
    dict,
    payload=BASE64,
    payloadType=_constant(PAYLOAD_TYPE),
    signatures=Sequence(Record(dict, keyid=SHA256, sig=BASE64), minimum=1, maximum=1),
)


def subjects_of(request: SigningRequest) -> tuple[Subject, ...]:
    """What an approval of ``request`` must name: its index, and every payload to be signed."""
    payloads = (Subject(name, sha256(data)) for name, data in sorted(request.below("payloads").items()))
    return (Subject("index.json", request.digest), *payloads)


def write_statement(approval: Approval) -> bytes:
    """The bytes under the signature, before DSSE's pre-authentication encoding."""
    predicate = {name: getattr(approval, name) for name in _PREDICATE.fields}
    return encode(
        STATEMENT.write(
            {
                "_type": STATEMENT_TYPE,
                "subject": write_subjects(approval.subjects),
                "predicateType": PREDICATE_TYPE,
                "predicate": predicate,
            }
        )
    )


def read_statement(data: bytes, source: str) -> Approval:
    """Parse a statement; unknown fields and other predicate types are refused."""
    statement = STATEMENT.read(parse(data, source=source), source)
    return Approval(subjects=read_subjects(statement), **statement["predicate"])


def write_subjects(subjects: tuple[Subject, ...]) -> tuple[dict[str, Any], ...]:
    """As in-toto writes them."""
    return tuple({"name": item.name, "digest": {"sha256": item.sha256}} for item in subjects)


def read_subjects(statement: dict[str, Any]) -> tuple[Subject, ...]:
    """Of a statement that was read by its shape."""
    return tuple(Subject(item["name"], item["digest"]["sha256"]) for item in statement["subject"])


def write_envelope(envelope: Envelope) -> bytes:
    """The file ``*.dsse.json``."""
    signature = {"keyid": envelope.keyid, "sig": base64.b64encode(envelope.signature).decode()}
    payload = base64.b64encode(envelope.payload).decode()
    return encode({"payload": payload, "payloadType": PAYLOAD_TYPE, "signatures": [signature]})


def read_envelope(data: bytes, source: str) -> Envelope:
    """Parse an envelope; nothing is verified here."""
    value = _ENVELOPE.read(parse(data, source=source), source)
    (signature,) = value["signatures"]
    return Envelope(
        _decode(value["payload"], source, "payload"),
        signature["keyid"],
        _decode(signature["sig"], source, "signatures[0].sig"),
    )


def pre_authentication_encoding(payload: bytes) -> bytes:
    """DSSE's PAE: the bytes that are signed."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _decode(text: str, source: str, field: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise MalformedError(source, field, "must be base64") from error
