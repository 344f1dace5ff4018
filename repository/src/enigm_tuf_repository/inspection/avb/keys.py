"""The public keys in vbmeta: RSA with exponent 65537, as libavb wants them, with two numbers worked out beforehand."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.strict_json import sha256
from enigm_tuf_repository.inspection.fields import Layout

_HEADER = Layout(">", bits="I", n0inv="I")
_SIZES = (2048, 4096, 8192)
_EXPONENT = 65537


@dataclass(frozen=True, slots=True)
class AvbKey:
    """``spki_sha256`` names it as every other key; ``avb_sha256`` is the digest of its AVB form, as avbtool has it."""

    bits: int
    key: rsa.RSAPublicKey
    spki_sha256: str
    avb_sha256: str


def read_avb_key(data: bytes, source: str) -> AvbKey:
    """AvbRSAPublicKeyHeader, modulus, and R*R mod n; MalformedError where the numbers do not fit together."""
    header = _HEADER.read(data, source, "public key")
    bits, size = header["bits"], header["bits"] // 8
    if bits not in _SIZES or len(data) != _HEADER.size + 2 * size:
        raise MalformedError(source, "public key", f"must be RSA of {', '.join(map(str, _SIZES))} bits, and whole")
    modulus = int.from_bytes(data[_HEADER.size :][:size])
    squared = int.from_bytes(data[_HEADER.size + size :])
    if modulus % 2 == 0 or modulus.bit_length() != bits:
        raise MalformedError(source, "public key", "the modulus is none")
    if squared != pow(2, 2 * bits, modulus) or (header["n0inv"] * modulus + 1) % 2**32:
        raise MalformedError(source, "public key", "its helper numbers are not those of its modulus")
    try:
        key = rsa.RSAPublicNumbers(_EXPONENT, modulus).public_key()
    except ValueError as error:
        raise MalformedError(source, "public key", "no RSA key") from error
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return AvbKey(bits, key, sha256(spki), sha256(data))
