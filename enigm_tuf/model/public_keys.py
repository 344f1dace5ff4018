"""Public keys: TUF's key object, DER SubjectPublicKeyInfo, and the algorithms that count.

Imported only where a key is looked at: ``cryptography`` is heavy.
"""

from __future__ import annotations

import binascii

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.strict_json import canonical, sha256
from enigm_tuf.model.tuf_fields import KNOWN_SCHEMES, Key

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    from typing import Any

    from enigm_tuf.ports import Algorithm

_PEM = "-----BEGIN PUBLIC KEY-----\n", "-----END PUBLIC KEY-----"
CURVES: dict[str, tuple[type[ec.EllipticCurve], type[SHA256] | type[SHA384], bytes, int]] = {
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
_NAMES: dict[Algorithm, tuple[str, str]] = {
    "ecdsa-p256": ("ecdsa", "ecdsa-sha2-nistp256"),
    "ecdsa-p384": ("ecdsa", "ecdsa-sha2-nistp384"),
    "ed25519": ("ed25519", "ed25519"),
    "rsa-pss-3072": ("rsa", "rsassa-pss-sha256"),
    "rsa-pss-4096": ("rsa", "rsassa-pss-sha256"),
    "ml-dsa-44": ("ml-dsa", "ml-dsa-44/1"),
    "ml-dsa-65": ("ml-dsa", "ml-dsa-65/1"),
    "ml-dsa-87": ("ml-dsa", "ml-dsa-87/1"),
}
ALGORITHMS = tuple(_NAMES)
"""What a token may be asked to make."""


def spki_of(key: Key) -> bytes:
    """DER SubjectPublicKeyInfo in its one encoding, whatever the key object uses; MalformedError."""
    plain = _plain_ec(key)
    if plain is not None:
        load(key)
        return plain
    return _spki(load(key))


def algorithm_of(spki: bytes) -> Algorithm:
    """The algorithm of a DER SubjectPublicKeyInfo; MalformedError for one that counts nowhere."""
    return _algorithm(_load_der(spki))


def tuf_key(spki: bytes) -> Key:
    """The TUF key of a DER SubjectPublicKeyInfo; its keyid is the hash of the key object. MalformedError."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    loaded = _load_der(spki)
    keytype, scheme = _NAMES[_algorithm(loaded)]
    if keytype == "ed25519":
        public = loaded.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    else:
        public = loaded.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    keyid = sha256(canonical(Key("", keytype, scheme, public).to_dict()))
    return Key(keyid, keytype, scheme, public)


def message_of(keytype: str, data: bytes) -> bytes:
    """What is given to the algorithm for ``data``: for ML-DSA TAP 21's prefix, version 1, and a SHA-512."""
    if keytype != "ml-dsa":
        return data
    from hashlib import sha512

    return b"tuf\x01" + sha512(data).digest()


def load(key: Key) -> Any:
    """The public key, if it is what its type and scheme say, and those are among the schemes that count."""
    if (key.keytype, key.scheme) not in KNOWN_SCHEMES:
        raise MalformedError(f"key {key.keyid}", "scheme", "not a scheme that counts")
    try:
        plain = _plain_ec(key)
        if plain is not None:
            curve, _, prefix, _ = CURVES[key.scheme]
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
    if key.scheme not in CURVES or not (text.startswith(head) and text.endswith(tail)):
        return None
    _, _, prefix, size = CURVES[key.scheme]
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
    if key.scheme in CURVES:
        return isinstance(loaded, ec.EllipticCurvePublicKey) and isinstance(loaded.curve, CURVES[key.scheme][0])
    if key.keytype == "ed25519":
        return True
    if key.keytype == "rsa":
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

        return isinstance(loaded, RSAPublicKey) and loaded.key_size >= 2048  # TUF specification 4.2
    from cryptography.hazmat.primitives.asymmetric import mldsa

    kinds = {"44": mldsa.MLDSA44PublicKey, "65": mldsa.MLDSA65PublicKey, "87": mldsa.MLDSA87PublicKey}
    return isinstance(loaded, kinds[key.scheme[7:9]])


def _algorithm(loaded: object) -> Algorithm:
    from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa, rsa

    kinds: dict[type, Algorithm] = {
        ed25519.Ed25519PublicKey: "ed25519",
        mldsa.MLDSA44PublicKey: "ml-dsa-44",
        mldsa.MLDSA65PublicKey: "ml-dsa-65",
        mldsa.MLDSA87PublicKey: "ml-dsa-87",
    }
    curves: dict[str, Algorithm] = {"secp256r1": "ecdsa-p256", "secp384r1": "ecdsa-p384"}
    sizes: dict[int, Algorithm] = {3072: "rsa-pss-3072", 4096: "rsa-pss-4096"}
    found: Algorithm | None = next((name for kind, name in kinds.items() if isinstance(loaded, kind)), None)
    if isinstance(loaded, ec.EllipticCurvePublicKey):
        found = curves.get(loaded.curve.name)
    elif isinstance(loaded, rsa.RSAPublicKey):
        found = sizes.get(loaded.key_size)
    if found is None:
        raise MalformedError("public key", "", f"must be one of {', '.join(ALGORITHMS)}")
    return found


def _load_der(spki: bytes) -> Any:
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        return load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedError("public key", "", f"not a DER SubjectPublicKeyInfo: {error}") from error


def _spki(loaded: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    spki: bytes = loaded.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return spki
