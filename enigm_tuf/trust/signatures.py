"""One signature by one key, on ``cryptography``. Imported only where there is something to verify: it is heavy.

Which of them count, and how many are needed, is decided in ``threshold``.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.public_keys import CURVES, load, message_of
from enigm_tuf.model.tuf_fields import Key

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    from typing import Any


class _Ecdsa(ec.ECDSA):
    """ECDSA for verifying. To ask whether it may sign deterministically, ``cryptography`` imports all its ciphers: 5 ms
    and 1 MiB of a device."""

    deterministic_signing = False

    def __init__(self, algorithm: HashAlgorithm) -> None:
        self._hash = algorithm

    @property
    def algorithm(self) -> HashAlgorithm:
        return self._hash


def verifies(key: Key, signature: str, data: bytes) -> bool:
    """Whether the hex ``signature`` over ``data`` is by ``key``, in the key's own scheme."""
    try:
        public, raw = load(key), bytes.fromhex(signature)
    except (MalformedError, ValueError):
        return False
    return is_by(key, public, raw, data)


def is_by(key: Key, public: Any, signature: bytes, data: bytes) -> bool:
    """The same, of a key that is loaded already: ``public`` is ``load(key)``."""
    message = message_of(key.keytype, data)
    try:
        if key.scheme in CURVES:
            public.verify(signature, message, _Ecdsa(CURVES[key.scheme][1]()))
        elif key.keytype == "rsa":
            from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS

            public.verify(signature, message, PSS(mgf=MGF1(SHA256()), salt_length=PSS.AUTO), SHA256())
        else:
            public.verify(signature, message)
    except InvalidSignature:
        return False
    return True
