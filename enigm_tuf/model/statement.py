"""In-toto Statements v1, and the DSSE envelopes with one signature that people's statements travel in."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.keys import BASE64
from enigm_tuf.model.shapes import SHA256, WORD, Choice, Record, Sequence, Shape
from enigm_tuf.model.strict_json import encode, parse

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"


@dataclass(frozen=True, slots=True)
class Subject:
    """An in-toto ResourceDescriptor: name and SHA-256."""

    name: str
    sha256: str

    @property
    def digest(self) -> dict[str, str]:
        """As in-toto writes it."""
        return {"sha256": self.sha256}


class Statement:
    """A kind of statement: its predicate's type and shape, what its subjects may be called, how many there may be."""

    def __init__(
        self, predicate_type: str, predicate: Record[dict[str, Any]], name: Shape[str] = WORD, maximum: int = 1_000
    ) -> None:
        self._types = {"_type": STATEMENT_TYPE, "predicateType": predicate_type}
        subject = Record(_subject, name=name, digest=Record(dict, sha256=SHA256))
        self.shape: Record[dict[str, Any]] = Record(
            dict,
            _type=Choice((STATEMENT_TYPE,)),
            subject=Sequence(subject, minimum=1, maximum=maximum),
            predicateType=Choice((predicate_type,)),
            predicate=predicate,
        )

    def write(self, subjects: Iterable[Subject], predicate: object) -> bytes:
        """The bytes, before DSSE's pre-authentication encoding. ``predicate`` has its fields as attributes or items."""
        return encode(self.shape.write(self._types | {"subject": subjects, "predicate": predicate}))

    def read(self, data: bytes, source: str) -> tuple[tuple[Subject, ...], dict[str, Any]]:
        """Subjects and predicate; unknown fields and other predicate types are refused."""
        whole = self.shape.read(parse(data, source=source), source)
        return whole["subject"], whole["predicate"]


@dataclass(frozen=True, slots=True)
class Envelope:
    """DSSE with exactly one signature. ``payload`` is the decoded statement; ``keyid`` the SPKI digest."""

    payload: bytes
    keyid: str
    signature: bytes


_ENVELOPE: Record[dict[str, Any]] = Record(
    dict,
    payload=BASE64,
    payloadType=Choice((PAYLOAD_TYPE,)),
    signatures=Sequence(Record(dict, keyid=SHA256, sig=BASE64), minimum=1, maximum=1),
)


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


def _subject(name: str, digest: dict[str, str]) -> Subject:
    return Subject(name, digest["sha256"])


def _decode(text: str, source: str, field: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise MalformedError(source, field, "must be base64") from error
