"""Private keys in memory, of every algorithm: what the development token holds, and nothing else in production."""

from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enigm_tuf.authorities.tokens.self_check import hash_of
from enigm_tuf.model.public_keys import algorithm_of, message_of, tuf_key
from enigm_tuf.ports import Algorithm

_MAKERS: dict[Algorithm, Callable[[], Any]] = {
    "ecdsa-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa-pss-3072": lambda: rsa.generate_private_key(65537, 3072),
    "rsa-pss-4096": lambda: rsa.generate_private_key(65537, 4096),
    "ml-dsa-44": mldsa.MLDSA44PrivateKey.generate,
    "ml-dsa-65": mldsa.MLDSA65PrivateKey.generate,
    "ml-dsa-87": mldsa.MLDSA87PrivateKey.generate,
}


def make_key(algorithm: Algorithm) -> Any:
    """A new private key of ``cryptography``."""
    return _MAKERS[algorithm]()


def spki_of(private: Any) -> bytes:
    """DER SubjectPublicKeyInfo of its public half."""
    spki: bytes = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return spki


def sign(private: Any, data: bytes) -> bytes:
    """A signature over ``data`` in TUF's scheme for the key."""
    spki = spki_of(private)
    algorithm, message = algorithm_of(spki), message_of(tuf_key(spki).keytype, data)
    if algorithm in {"ecdsa-p256", "ecdsa-p384"}:
        signature: bytes = private.sign(message, ec.ECDSA(hash_of(algorithm)))
    elif algorithm in {"rsa-pss-3072", "rsa-pss-4096"}:
        signature = private.sign(message, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    else:
        signature = private.sign(message)
    return signature
