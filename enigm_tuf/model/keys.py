"""The key record: the public account of one key on one token, written at enrolment.

A record holds no secret. ``keyid`` and ``key`` are TUF's (specification 4.2); ``spki_sha256`` is what the
rules compare. ``proof`` is a signature by the key over a domain-separated challenge.
"""

from __future__ import annotations

from datetime import datetime

from enigm_tuf.errors import MalformedError
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
from enigm_tuf.model.tuf_fields import Key
from enigm_tuf.model.value import Value
from enigm_tuf.ports import Home

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    from typing import Any, Literal, TypeAlias

    Environment: TypeAlias = Literal["production", "staging", "development"]
    Purpose: TypeAlias = Literal["root", "payload", "manifest", "timestamp", "approval"]
else:
    Environment = Purpose = str


ENVIRONMENT = Choice(("production", "staging", "development"))
HOME = Choice(("piv", "hsm", "development"))
PURPOSE = Choice(("root", "payload", "manifest", "timestamp", "approval"))
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
    """One enrolled key. ``attestation`` holds base64 DER certificates, leaf first; empty for HSM keys."""

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


# keytype, scheme and one public value, nothing else: strict clients hash the whole object into the keyid
_PEM = Text(r"-----BEGIN PUBLIC KEY-----\n[A-Za-z0-9+/=\n]+-----END PUBLIC KEY-----\n?", "a PEM public key")
TUF_KEY: Record[dict[str, Any]] = Record(
    dict,
    keytype=Choice(("ecdsa",)),
    scheme=Choice(("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384")),
    keyval=Record(dict, public=_PEM),
)

TOKEN_RECORD = Record(TokenRecord, manufacturer=LINE, model=LINE, serial=LINE, firmware=LINE)
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
    attributes=Table(NAME, Record(AttributeRecord, flag=Optional(Boolean()), text=Optional(LINE))),
    attestation=Sequence(BASE64, maximum=8),
    proof=Record(Proof, challenge=HEX, signature=HEX),
    enrolled=Time(),
)


def tuf_key(spki: bytes) -> Key:
    """The TUF key of a DER SubjectPublicKeyInfo (EC P-256 or P-384); its keyid is the hash of the key object."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

    key = load_der_public_key(spki)
    if not isinstance(key, EllipticCurvePublicKey) or key.curve.name not in _SCHEMES:
        raise MalformedError("public key", "", "must be EC P-256 or P-384")
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    scheme = _SCHEMES[key.curve.name]
    keyid = sha256(canonical(Key("", "ecdsa", scheme, pem).to_dict()))
    return Key(keyid, "ecdsa", scheme, pem)


_SCHEMES = {"secp256r1": "ecdsa-sha2-nistp256", "secp384r1": "ecdsa-sha2-nistp384"}


def read_key_record(data: bytes, source: str) -> KeyRecord:
    """Parse, and check that keyid and SPKI digest are those of the key. The proof is checked by trust."""
    record = KEY_RECORD.read(parse(data, source=source), source)
    if record.keyid != sha256(canonical(record.key)):
        raise MalformedError(source, "keyid", "must be the SHA-256 of the canonical key object")
    if record.spki_sha256 != sha256(_spki(record.key["keyval"]["public"], source)):
        raise MalformedError(source, "spki_sha256", "must be the SHA-256 of the key's SubjectPublicKeyInfo")
    return record


def _spki(pem: str, source: str) -> bytes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

    try:
        return load_pem_public_key(pem.encode()).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedError(source, "key.keyval.public", f"not a public key: {error}") from error


def write_key_record(record: KeyRecord) -> bytes:
    """The bytes of the file."""
    return encode(KEY_RECORD.write(record))


def attribute_records(attributes: dict[str, bool | str]) -> dict[str, AttributeRecord]:
    """Attributes as a token session reads them, in the record's shape."""
    return {
        name: AttributeRecord(value, None) if isinstance(value, bool) else AttributeRecord(None, value)
        for name, value in attributes.items()
    }
