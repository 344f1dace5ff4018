"""The key record: the public account of one key on one token, written at enrolment.

A record holds no secret. ``keyid`` and ``key`` are TUF's (specification 4.2); ``spki_sha256`` is what the
rules compare. ``proof`` is a signature by the key over a domain-separated challenge and all that the record says: the
custodian's statement, made with the PIN that they alone have.
"""

from __future__ import annotations

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.lean import datetime
from enigm_tuf.model.shapes import (
    LINE,
    NAME,
    SHA256,
    WORD,
    Boolean,
    Choice,
    Optional,
    Record,
    Sequence,
    Table,
    Text,
    Time,
)
from enigm_tuf.model.strict_json import canonical, encode, parse, sha256
from enigm_tuf.model.tuf_fields import KNOWN_SCHEMES, Key
from enigm_tuf.model.value import Value
from enigm_tuf.ports import Home

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    from typing import Any, Literal, TypeAlias

    Environment: TypeAlias = Literal["production", "staging", "development"]
    Purpose: TypeAlias = Literal["root", "payload", "manifest", "timestamp", "approval"]
    KeyClass: TypeAlias = Literal["non-extractable", "wrapped-backup"]
else:
    Environment = Purpose = KeyClass = str


ENVIRONMENT = Choice(("production", "staging", "development"))
HOME = Choice(("piv", "hsm", "development"))
PURPOSE = Choice(("root", "payload", "manifest", "timestamp", "approval"))
KEY_CLASS = Choice(("non-extractable", "wrapped-backup"))
BASE64 = Text(r"[A-Za-z0-9+/]+={0,2}", "base64", 20_000)
HEX = Text(r"([0-9a-f]{2})+", "lower-case hex")


class TokenRecord(Value):
    """The token as it described itself."""

    manufacturer: str
    model: str
    serial: str
    firmware: str


class AttributeRecord(Value):
    """One attribute as read back: a PKCS#11 flag in ``flag`` or a PIV policy in ``text``."""

    flag: bool | None
    text: str | None


class Proof(Value):
    """Proof of possession: hex challenge (32 bytes) and hex DER signature."""

    challenge: str
    signature: str


class KeyRecord(Value):
    """One enrolled key. ``attestation`` holds base64 DER certificates, leaf first; empty for HSM keys.

    ``key_class`` is ``wrapped-backup`` for a key that may leave its token under a trusted wrapping key.
    """

    purpose: Purpose
    environment: Environment
    home: Home
    custodian: str
    keyid: str
    key: dict[str, Any]
    spki_sha256: str
    token: TokenRecord
    label: str
    attributes: dict[str, AttributeRecord]
    attestation: tuple[str, ...]
    proof: Proof
    enrolled: datetime
    key_class: KeyClass = "non-extractable"


# keytype, scheme and one public value, nothing else: strict clients hash the whole object into the keyid
_PUBLIC = Text(
    r"-----BEGIN PUBLIC KEY-----\n[A-Za-z0-9+/=\n]+-----END PUBLIC KEY-----\n?|[0-9a-f]{64}",
    "a PEM public key, or for ed25519 32 bytes in hex",
    5_000,
)
TUF_KEY: Record[dict[str, Any]] = Record(
    dict,
    keytype=Choice(("ecdsa", "ed25519", "ml-dsa", "rsa")),
    scheme=Choice(tuple(sorted({scheme for _, scheme in KNOWN_SCHEMES}))),
    keyval=Record(dict, public=_PUBLIC),
)

TOKEN_RECORD = Record(TokenRecord, manufacturer=LINE, model=LINE, serial=LINE, firmware=LINE)
ATTRIBUTES = Table(NAME, Record(AttributeRecord, flag=Optional(Boolean()), text=Optional(LINE)))
KEY_RECORD = Record(
    KeyRecord,
    1,
    purpose=PURPOSE,
    environment=ENVIRONMENT,
    home=HOME,
    custodian=WORD,
    keyid=SHA256,
    key=TUF_KEY,
    spki_sha256=SHA256,
    token=TOKEN_RECORD,
    label=WORD,
    attributes=ATTRIBUTES,
    key_class=KEY_CLASS,
    attestation=Sequence(BASE64, maximum=8),
    proof=Record(Proof, challenge=HEX, signature=HEX),
    enrolled=Time(),
)


def read_key_record(data: bytes, source: str) -> KeyRecord:
    """Parse, and check that keyid and SPKI digest are those of the key. The proof is checked by trust."""
    record = KEY_RECORD.read(parse(data, source=source), source)
    require_own_digests(record, source)
    return record


def require_own_digests(record: KeyRecord, source: str) -> None:
    """MalformedError unless keyid and SPKI digest are those of the key in the record."""
    if record.keyid != sha256(canonical(record.key)):
        raise MalformedError(source, "keyid", "must be the SHA-256 of the canonical key object")
    if record.spki_sha256 != sha256(_spki(record, source)):
        raise MalformedError(source, "spki_sha256", "must be the SHA-256 of the key's SubjectPublicKeyInfo")


def _spki(record: KeyRecord, source: str) -> bytes:
    from enigm_tuf.model.public_keys import spki_of

    try:
        return spki_of(record_key(record))
    except MalformedError as error:
        raise MalformedError(source, "key.keyval.public", str(error)) from error


def record_key(record: KeyRecord) -> Key:
    """The TUF key, exactly as enrolled."""
    return Key(record.keyid, record.key["keytype"], record.key["scheme"], record.key["keyval"]["public"])


def write_key_record(record: KeyRecord) -> bytes:
    """The bytes of the file."""
    return encode(KEY_RECORD.write(record))


def stated(record: KeyRecord) -> bytes:
    """What the key vouches for at its enrolment: the SHA-256 of everything in the record but the proof."""
    facts = KEY_RECORD.write(record)
    del facts["proof"]
    return bytes.fromhex(sha256(canonical(facts)))


def attribute_records(attributes: dict[str, bool | str]) -> dict[str, AttributeRecord]:
    """Attributes as a token session reads them, in the record's shape."""
    return {
        name: AttributeRecord(value, None) if isinstance(value, bool) else AttributeRecord(None, value)
        for name, value in attributes.items()
    }
