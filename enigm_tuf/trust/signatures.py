"""One signature by one key, on ``cryptography``. Imported only where there is something to verify: it is heavy.

Which of them count, and how many are needed, is decided in ``threshold``.
"""

from __future__ import annotations

import binascii
import hashlib

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.tuf_fields import KNOWN_SCHEMES, Key

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    from typing import Any

_PEM = "-----BEGIN PUBLIC KEY-----\n", "-----END PUBLIC KEY-----"
_CURVES: dict[str, tuple[type[ec.EllipticCurve], type[SHA256] | type[SHA384], bytes, int]] = {
    # curve, hash, the DER SubjectPublicKeyInfo up to the point (RFC 5480), and the bytes of an uncompressed point
    "ecdsa-sha2-nistp256": (
        ec.SECP256R1,
        SHA256,
        bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200"),
        65,
    ),
    "ecdsa-sha2-nistp384": (
        ec.SECP384R1,
        SHA384,
        bytes.fromhex("3076301006072a8648ce3d020106052b81040022036200"),
        97,
    ),
}


def spki_of(key: Key) -> bytes:
    """DER SubjectPublicKeyInfo in its one encoding, whatever the key object uses; MalformedError."""
    plain = _plain_ec(key)
    if plain is not None:
        _load(key)
        return plain
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    spki: bytes = _load(key).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return spki


def verifies(key: Key, signature: str, data: bytes) -> bool:
    """Whether the hex ``signature`` over ``data`` is by ``key``, in the key's own scheme."""
    try:
        public, raw = _load(key), bytes.fromhex(signature)
    except (MalformedError, ValueError):
        return False
    try:
        if key.scheme in _CURVES:
            public.verify(raw, data, ec.ECDSA(_CURVES[key.scheme][1]()))
        elif key.keytype == "ed25519":
            public.verify(raw, data)
        elif key.keytype == "rsa":
            from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS

            public.verify(raw, data, PSS(mgf=MGF1(SHA256()), salt_length=PSS.AUTO), SHA256())
        else:
            public.verify(raw, b"tuf\x01" + hashlib.sha512(data).digest())  # TAP 21, version 1
    except InvalidSignature:
        return False
    return True


def _load(key: Key) -> Any:
    """The public key, if it is what its type and scheme say, and those are among the schemes that count."""
    if (key.keytype, key.scheme) not in KNOWN_SCHEMES:
        raise MalformedError(f"key {key.keyid}", "scheme", "not a scheme that counts")
    try:
        plain = _plain_ec(key)
        if plain is not None:
            curve, _, prefix, _ = _CURVES[key.scheme]
            return ec.EllipticCurvePublicKey.from_encoded_point(curve(), plain[len(prefix) :])
        loaded = _load_any(key)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise MalformedError(f"key {key.keyid}", "keyval.public", f"not a {key.keytype} public key") from error
    if not _fits(key, loaded):
        raise MalformedError(f"key {key.keyid}", "keyval.public", f"not a public key for {key.scheme}")
    return loaded


def _plain_ec(key: Key) -> bytes | None:
    """The SubjectPublicKeyInfo of a PEM that is as everybody writes it; None sends all others to ``cryptography``.

    Loading PEM through ``cryptography`` imports its SSH formats: 5 ms and 2 MiB of a device.
    """
    head, tail = _PEM
    text = key.public.strip("\n")
    if key.scheme not in _CURVES or not (text.startswith(head) and text.endswith(tail)):
        return None
    _, _, prefix, size = _CURVES[key.scheme]
    try:
        spki = binascii.a2b_base64(text[len(head) : -len(tail)].replace("\n", ""), strict_mode=True)
    except ValueError:
        return None
    plain = spki.startswith(prefix) and len(spki) == len(prefix) + size and spki[len(prefix)] == 4
    return spki if plain else None


def _load_any(key: Key) -> object:
    if key.keytype == "ed25519":
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.public))
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    return load_pem_public_key(key.public.encode())


def _fits(key: Key, loaded: object) -> bool:
    """Whether the loaded key is of the kind that its scheme names."""
    if key.scheme in _CURVES:
        return isinstance(loaded, ec.EllipticCurvePublicKey) and isinstance(loaded.curve, _CURVES[key.scheme][0])
    if key.keytype == "ed25519":
        return True
    if key.keytype == "rsa":
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

        return isinstance(loaded, RSAPublicKey) and loaded.key_size >= 2048  # TUF specification 4.2
    from cryptography.hazmat.primitives.asymmetric import mldsa

    kinds = {"44": mldsa.MLDSA44PublicKey, "65": mldsa.MLDSA65PublicKey, "87": mldsa.MLDSA87PublicKey}
    return isinstance(loaded, kinds[key.scheme[7:9]])
