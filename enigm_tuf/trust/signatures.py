"""One signature by one key, on ``cryptography``. Imported only where there is something to verify: it is heavy.

Which of them count, and how many are needed, is decided in ``threshold``.
"""

import hashlib

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.tuf_fields import KNOWN_SCHEMES, Key

_CURVES: dict[str, tuple[type[ec.EllipticCurve], type[SHA256] | type[SHA384]]] = {
    "ecdsa-sha2-nistp256": (ec.SECP256R1, SHA256),
    "ecdsa-sha2-nistp384": (ec.SECP384R1, SHA384),
}
_ML_DSA: dict[str, type] = {
    "ml-dsa-44/1": mldsa.MLDSA44PublicKey,
    "ml-dsa-65/1": mldsa.MLDSA65PublicKey,
    "ml-dsa-87/1": mldsa.MLDSA87PublicKey,
}
_PublicKey = (
    ec.EllipticCurvePublicKey
    | Ed25519PublicKey
    | rsa.RSAPublicKey
    | mldsa.MLDSA44PublicKey
    | mldsa.MLDSA65PublicKey
    | mldsa.MLDSA87PublicKey
)


def spki_of(key: Key) -> bytes:
    """DER SubjectPublicKeyInfo in its one encoding, whatever the key object uses; MalformedError."""
    return _load(key).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def verifies(key: Key, signature: str, data: bytes) -> bool:
    """Whether the hex ``signature`` over ``data`` is by ``key``, in the key's own scheme."""
    try:
        public, raw = _load(key), bytes.fromhex(signature)
    except (MalformedError, ValueError):
        return False
    try:
        if isinstance(public, Ed25519PublicKey):
            public.verify(raw, data)
        elif isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(raw, data, ec.ECDSA(_CURVES[key.scheme][1]()))
        elif isinstance(public, rsa.RSAPublicKey):
            pss = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=padding.PSS.AUTO)
            public.verify(raw, data, pss, SHA256())
        else:
            public.verify(raw, b"tuf\x01" + hashlib.sha512(data).digest())  # TAP 21, version 1
    except InvalidSignature:
        return False
    return True


def _load(key: Key) -> _PublicKey:
    """The key, if it is what its type and scheme say, and those are among the schemes that count."""
    if (key.keytype, key.scheme) not in KNOWN_SCHEMES:
        raise MalformedError(f"key {key.keyid}", "scheme", "not a scheme that counts")
    try:
        if key.keytype == "ed25519":
            return Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.public))
        loaded = load_pem_public_key(key.public.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise MalformedError(f"key {key.keyid}", "keyval.public", f"not a {key.keytype} public key") from error
    if isinstance(loaded, ec.EllipticCurvePublicKey):
        if key.scheme in _CURVES and isinstance(loaded.curve, _CURVES[key.scheme][0]):
            return loaded
    elif isinstance(loaded, rsa.RSAPublicKey):
        if key.scheme == "rsassa-pss-sha256":
            return loaded
    elif isinstance(loaded, mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey) and isinstance(
        loaded, _ML_DSA.get(key.scheme, ())
    ):
        return loaded
    raise MalformedError(f"key {key.keyid}", "keyval.public", f"not a public key for {key.scheme}")
