"""JSON Web Keys (RFC 7517, 7518, 8037)."""

import base64
import binascii
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enigm_tuf.model.strict_json import sha256

_CURVES: dict[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
    "secp256k1": ec.SECP256K1(),
}
_OKP: dict[str, Any] = {
    "Ed25519": ed25519.Ed25519PublicKey,
    "Ed448": ed448.Ed448PublicKey,
    "X25519": x25519.X25519PublicKey,
}
_SHORTEST_SECRET = 16  # characters of base64url: 96 bits


def is_private(value: object) -> bool:
    """Whether the object is a key with its secret: ``d``, or ``k`` of a symmetric one."""
    if type(value) is not dict:
        return False
    secret = value.get("k" if value.get("kty") == "oct" else "d")
    return type(secret) is str and len(secret) >= _SHORTEST_SECRET


def spki_sha256(value: dict[str, Any]) -> str | None:
    """Of its public half; None where it has none that can be read."""
    try:
        public = _public(value)
    except (KeyError, ValueError, TypeError, binascii.Error):
        return None
    return sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)) if public else None


def _public(value: dict[str, Any]) -> Any:
    if value["kty"] == "RSA":
        return rsa.RSAPublicNumbers(_number(value["e"]), _number(value["n"])).public_key()
    if value["kty"] == "EC":
        numbers = ec.EllipticCurvePublicNumbers(_number(value["x"]), _number(value["y"]), _CURVES[value["crv"]])
        return numbers.public_key()
    return _OKP[value["crv"]].from_public_bytes(_bytes(value["x"])) if value["kty"] == "OKP" else None


def _number(text: str) -> int:
    return int.from_bytes(_bytes(text), "big")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
