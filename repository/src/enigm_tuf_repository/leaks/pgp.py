"""OpenPGP secret-key packets of version 4 (RFC 9580 sections 4.2 and 5.5.3), binary or in armour.

A header and a version are found in any compressed gibibyte. So the whole packet is read: it ends where its length says,
a secret in the clear has its checksum, an encrypted one names ciphers and digests that there are.
"""

import base64
import binascii
import re

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enigm_tuf.model.strict_json import sha256

_SECRET = (5, 7)  # secret key, secret subkey
_EARLIEST = 631_152_000  # 1990, before there was OpenPGP
_LATEST = 4_102_444_800  # 2100
_MPIS = {1: 2, 2: 2, 3: 2, 16: 3, 17: 4}  # of the public part, by algorithm
_WITH_CURVE = {18, 19, 22}
_SECRET_MPIS = {1: 4, 2: 4, 3: 4, 16: 1, 17: 1, 18: 1, 19: 1, 22: 1}
_NATIVE = {25, 27}  # X25519 and Ed25519: 32 bytes, and 32 more
_ENCRYPTED = {253, 254, 255}
_CIPHERS = {1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 13}
_DIGESTS = {1, 2, 3, 8, 9, 10, 11, 12, 13, 14}
_SALTS = {0: 0, 1: 8, 3: 9}  # and count, by the kind of string-to-key
_ARGON2 = 4
_ENCRYPTED_BYTES = range(18, 8_192)
_CURVES: dict[bytes, ec.EllipticCurve] = {
    bytes.fromhex("2a8648ce3d030107"): ec.SECP256R1(),
    bytes.fromhex("2b81040022"): ec.SECP384R1(),
    bytes.fromhex("2b81040023"): ec.SECP521R1(),
}
_ED25519 = bytes.fromhex("2b06010401da470f01")
_OTHER_CURVES = {
    bytes.fromhex(oid)
    for oid in (
        "2b060104019755010501",  # Curve25519
        "2b8104000a",  # secp256k1
        "2b2403030208010107",  # brainpoolP256r1, P384r1, P512r1
        "2b240303020801010b",
        "2b240303020801010d",
    )
}


class _ShortError(Exception):
    """The data end before what they announce."""


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise _ShortError
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")

    def mpi(self) -> int:
        """A number that has exactly the bits that it announces, 1 to 16,384 of them."""
        bits = self.number(2)
        value = self.number((bits + 7) // 8)
        if not 1 <= bits <= 16_384 or value.bit_length() != bits:
            raise _ShortError
        return value


def secret_packet(data: bytes) -> tuple[int, str | None] | None:
    """Length of the packet that ``data`` begins with, and its public key's SPKI digest; None if it is no secret key."""
    reader = _Reader(data)
    try:
        length = _length(reader)
        end = reader.at + length
        if end > len(data):
            return None
        public, algorithm = _public(reader)
        _require_secret(_Reader(data[reader.at : end]), algorithm)
    except (_ShortError, ValueError):
        return None
    return end, public


def spki_of_armour(body: bytes) -> str | None:
    """Of the first packet in the armour's body; None where it is none that is known here."""
    lines = re.split(rb"\n[ \t]*\n", body, maxsplit=1)[-1]
    text = re.sub(rb"\n=.{4}|[^A-Za-z0-9+/=]", b"", lines.split(b"-----")[0])
    try:
        found = secret_packet(base64.b64decode(text + b"=" * (-len(text) % 4)))
    except binascii.Error:
        return None
    return found[1] if found else None


def _length(reader: _Reader) -> int:
    first = reader.number(1)
    if first & 0x40:
        tag, size = first & 0x3F, reader.number(1)
        if 192 <= size < 224:
            size = ((size - 192) << 8) + reader.number(1) + 192
        elif size == 255:
            size = reader.number(4)
        elif size >= 224:
            raise _ShortError  # in parts: nobody writes keys so
    else:
        tag, size = (first & 0x3C) >> 2, reader.number({0: 1, 1: 2, 2: 4}.get(first & 3, 9))
    if tag not in _SECRET:
        raise _ShortError
    return size


def _require_secret(reader: _Reader, algorithm: int) -> None:
    """The rest of the packet is a secret, whole and nothing after it."""
    usage = reader.number(1)
    if usage == 0:
        start = reader.at
        if algorithm in _NATIVE:
            reader.take(32)
        for _ in range(_SECRET_MPIS.get(algorithm, 0)):
            reader.mpi()
        clear = reader.data[start : reader.at]
        if reader.number(2) != sum(clear) % 65_536 or reader.at != len(reader.data):
            raise _ShortError
    elif usage in _ENCRYPTED:
        _require_encrypted(reader, usage)
    else:
        raise _ShortError


def _require_encrypted(reader: _Reader, usage: int) -> None:
    if reader.number(1) not in _CIPHERS or (usage == 253 and reader.number(1) not in {1, 2, 3}):
        raise _ShortError
    kind = reader.number(1)
    if kind == _ARGON2:
        reader.take(19)
    elif kind not in _SALTS or reader.number(1) not in _DIGESTS:
        raise _ShortError
    else:
        reader.take(_SALTS[kind])
    if len(reader.data) - reader.at not in _ENCRYPTED_BYTES:
        raise _ShortError


def _public(reader: _Reader) -> tuple[str | None, int]:
    """The public part, checked: its SPKI digest where the algorithm has one, and the algorithm."""
    version, created, algorithm = reader.number(1), reader.number(4), reader.number(1)
    if version != 4 or not _EARLIEST < created < _LATEST:
        raise _ShortError
    if algorithm in _NATIVE:
        reader.take(32)
        return None, algorithm
    if algorithm in _WITH_CURVE:
        curve = reader.take(reader.number(1))
        point = reader.mpi()
        if algorithm == 18:
            reader.take(reader.number(1))  # how the shared secret becomes a key
        return _on_curve(curve, point), algorithm
    if algorithm not in _MPIS:
        raise _ShortError
    numbers = [reader.mpi() for _ in range(_MPIS[algorithm])]
    return _digest(rsa.RSAPublicNumbers(numbers[1], numbers[0]).public_key()) if algorithm <= 3 else None, algorithm


def _on_curve(curve: bytes, point: int) -> str | None:
    encoded = point.to_bytes((point.bit_length() + 7) // 8, "big")
    if curve == _ED25519:
        return _digest(ed25519.Ed25519PublicKey.from_public_bytes(encoded[1:]))
    if curve in _CURVES:
        return _digest(ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[curve], encoded))
    if curve not in _OTHER_CURVES:
        raise _ShortError
    return None


def _digest(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey) -> str:
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
