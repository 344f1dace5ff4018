"""The check before a signature leaves the token layer, and the digests that tokens sign."""

import hashlib

from cryptography.hazmat.primitives import hashes

from enigm_tuf.authorities.tokens.rules import TokenRule
from enigm_tuf.errors import RefusedError
from enigm_tuf.model.public_keys import load, tuf_key
from enigm_tuf.ports import Algorithm
from enigm_tuf.trust.signatures import is_by


def hash_of(algorithm: Algorithm) -> hashes.HashAlgorithm:
    """The hash that goes with the algorithm in TUF's schemes; of no account for Ed25519 and ML-DSA."""
    return hashes.SHA384() if algorithm == "ecdsa-p384" else hashes.SHA256()


def digest_for(algorithm: Algorithm, data: bytes) -> bytes:
    """What a token signs where it signs digests (CKM_ECDSA, CKM_RSA_PKCS_PSS)."""
    return hashlib.new(hash_of(algorithm).name, data).digest()


class SelfCheck:
    """For the signatures of one key, whose DER SubjectPublicKeyInfo is loaded once."""

    def __init__(self, spki: bytes) -> None:
        self._key = tuf_key(spki)
        self._public = load(self._key)

    def require(self, signature: bytes, data: bytes, subject: str) -> None:
        """RefusedError SIGNATURE-SELF-CHECK unless ``signature`` over ``data`` verifies in TUF's scheme."""
        if not is_by(self._key, self._public, signature, data):
            raise RefusedError(
                TokenRule.SIGNATURE_SELF_CHECK, subject, expected="a signature of this key", got="another one"
            )


def require_valid(spki: bytes, signature: bytes, data: bytes, subject: str) -> None:
    """SelfCheck for one signature."""
    SelfCheck(spki).require(signature, data, subject)
