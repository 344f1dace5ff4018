"""What all token kinds share about ECDSA: which curve, which digest, and the check before a signature leaves."""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from enigm_tuf.authorities.tokens.rules import TokenRule
from enigm_tuf.errors import RefusedError, TokenError
from enigm_tuf.ports import Algorithm


def algorithm_of(spki: bytes) -> Algorithm:
    """The algorithm of a DER SubjectPublicKeyInfo; TokenError for anything but P-256 and P-384."""
    key = load_der_public_key(spki)
    if isinstance(key, ec.EllipticCurvePublicKey):
        if isinstance(key.curve, ec.SECP256R1):
            return "ecdsa-p256"
        if isinstance(key.curve, ec.SECP384R1):
            return "ecdsa-p384"
    raise TokenError("the token holds a key that is neither P-256 nor P-384")


def hash_of(algorithm: Algorithm) -> hashes.HashAlgorithm:
    """The hash that goes with the curve in TUF's schemes."""
    return hashes.SHA256() if algorithm == "ecdsa-p256" else hashes.SHA384()


def digest_for(algorithm: Algorithm, data: bytes) -> bytes:
    """What a token signs: the digest of ``data``."""
    return hashlib.new(hash_of(algorithm).name, data).digest()


def require_valid(spki: bytes, signature: bytes, data: bytes, subject: str) -> None:
    """RefusedError SIGNATURE-SELF-CHECK unless the DER ``signature`` over ``data`` verifies under ``spki``."""
    key = load_der_public_key(spki)
    algorithm = ec.ECDSA(hash_of(algorithm_of(spki)))
    try:
        key.verify(signature, data, algorithm)  # type: ignore[union-attr, call-arg, arg-type] # algorithm_of: it is EC
    except InvalidSignature as error:
        raise RefusedError(
            TokenRule.SIGNATURE_SELF_CHECK, subject, expected="a signature of this key", got="another one"
        ) from error
