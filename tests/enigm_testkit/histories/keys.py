"""Software keys for generated histories: the same at every run, so that a failing history can be told and replayed."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import KEY_FOR_TYPE_AND_SCHEME, Key, SecretsHandler, Signature, Signer, SSlibKey


class SoftSigner(Signer):
    """One key pair; ``keyid`` may be another than the key's own, as an attacker would choose it."""

    def __init__(self, private: Ed25519PrivateKey | ec.EllipticCurvePrivateKey, keyid: str | None = None) -> None:
        self._private = private
        key = SSlibKey.from_crypto(private.public_key())
        self._key = SSlibKey(keyid or key.keyid, key.keytype, key.scheme, key.keyval)

    def __repr__(self) -> str:
        """As a failing history names it."""
        return f"<{self._key.keytype} {self.keyid[:6]}>"

    @property
    def public_key(self) -> Key:
        return self._key

    @property
    def keyid(self) -> str:
        return str(self._key.keyid)

    def sign(self, payload: bytes) -> Signature:
        """Deterministic for both kinds of key (RFC 8032, RFC 6979)."""
        if isinstance(self._private, Ed25519PrivateKey):
            raw = self._private.sign(payload)
        else:
            raw = self._private.sign(payload, ec.ECDSA(SHA256(), deterministic_signing=True))
        return Signature(self.keyid, raw.hex())

    def twin(self) -> SoftSigner:
        """The same key under another keyid."""
        return SoftSigner(self._private, hashlib.sha256(self.keyid.encode()).hexdigest())

    @classmethod
    def from_priv_key_uri(
        cls, priv_key_uri: str, public_key: Key, secrets_handler: SecretsHandler | None = None
    ) -> Signer:
        """Made in memory only."""
        raise NotImplementedError


class KeyOfTomorrow(SSlibKey):
    """Of a type that our client does not know. python-tuf refuses a whole file for one such key; so that it goes on
    judging the rest, it learns the type here, of which no signature is ever valid.
    """

    def verify_signature(self, signature: Signature, data: bytes) -> None:
        """Never."""
        raise UnverifiedSignatureError(f"{len(data)} bytes by {signature.keyid}")


KEY_FOR_TYPE_AND_SCHEME[("lattice", "lattice/1")] = KeyOfTomorrow
EXOTIC = KeyOfTomorrow("e" * 64, "lattice", "lattice/1", {"public": "00"})


def _number(index: int) -> bytes:
    return hashlib.sha256(f"key {index} of the generated histories".encode()).digest()


def _signer(index: int) -> SoftSigner:
    if index % 2:
        return SoftSigner(ec.derive_private_key(int.from_bytes(_number(index), "big"), ec.SECP256R1()))
    return SoftSigner(Ed25519PrivateKey.from_private_bytes(_number(index)))


POOL = tuple(_signer(index) for index in range(10))
TWINS = tuple(signer.twin() for signer in POOL)
STRANGER = _signer(99)
"""In no role, ever."""
BY_KEYID = {signer.keyid: signer for signer in (*POOL, *TWINS, STRANGER)}
