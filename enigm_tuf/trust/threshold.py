"""THE threshold: the one place where signatures are counted (TUF specification 5.3.4, 5.4.2, 5.5.3, 5.6.3).

A threshold counts distinct public keys, by SHA-256 of their SubjectPublicKeyInfo, never keyids.
"""

import warnings
from collections.abc import Collection, Mapping

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError
from securesystemslib.signer import Signature
from tuf.api.metadata import Key

from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.trust.rules import AuthorityRule
from enigm_tuf.trust.tuf_rules import TufRule

ALLOWED_SCHEMES = frozenset(
    {
        ("ecdsa", "ecdsa-sha2-nistp256"),
        ("ecdsa", "ecdsa-sha2-nistp384"),
        ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"),  # keytype of older repositories, same algorithm
        ("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"),
        ("ed25519", "ed25519"),
        ("rsa", "rsassa-pss-sha256"),
        ("ml-dsa", "ml-dsa-44/1"),
        ("ml-dsa", "ml-dsa-65/1"),
        ("ml-dsa", "ml-dsa-87/1"),
    }
)
"""(keytype, scheme) that can count. Never PKCS#1 v1.5 or OpenPGP, which securesystemslib would take."""


def is_allowed(key: Key) -> bool:
    return (key.keytype, key.scheme) in ALLOWED_SCHEMES


def spki_sha256(key: Key) -> str:
    """SHA-256 of the DER SubjectPublicKeyInfo, whatever encoding the key object uses; MalformedError."""
    try:
        public = str(key.keyval["public"])
        if key.keytype == "ed25519":
            loaded: object = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        else:
            loaded = load_pem_public_key(public.encode())
        return sha256(loaded.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))  # type: ignore[attr-defined]
    except (KeyError, ValueError, TypeError, AttributeError, UnsupportedAlgorithm) as error:
        raise MalformedError(f"key {key.keyid}", "keyval.public", f"not a {key.keytype} public key") from error


def signers(
    keys: Mapping[str, Key], keyids: Collection[str], signatures: Mapping[str, str], data: bytes
) -> frozenset[str]:
    """SPKI digests of the distinct public keys among ``keyids`` with a valid hex signature over ``data``."""
    return frozenset(_valid(keys, keyids, signatures, data).values())


def require_threshold(
    keys: Mapping[str, Key],
    keyids: Collection[str],
    threshold: int,
    signatures: Mapping[str, str],
    data: bytes,
    subject: str,
) -> frozenset[str]:
    """The signers, if they are at least ``threshold`` distinct public keys.

    RefusedError THRESHOLD-DISTINCT where keyids would be enough and public keys are not, else SIGNATURE-THRESHOLD.
    """
    valid = _valid(keys, keyids, signatures, data)
    distinct = frozenset(valid.values())
    if len(distinct) >= threshold:
        return distinct
    rule = AuthorityRule.THRESHOLD_DISTINCT if len(valid) >= threshold else TufRule.SIGNATURE_THRESHOLD
    got = f"{len(distinct)} from {len(valid)} keyids" if len(valid) > len(distinct) else str(len(distinct))
    raise RefusedError(rule, subject, expected=f"signatures by {threshold} distinct public keys", got=got)


def _valid(
    keys: Mapping[str, Key], keyids: Collection[str], signatures: Mapping[str, str], data: bytes
) -> dict[str, str]:
    """Keyid to SPKI digest, of those that signed."""
    return {
        keyid: spki_sha256(keys[keyid])
        for keyid in keyids
        if keyid in keys and keyid in signatures and _verifies(keys[keyid], signatures[keyid], data)
    }


def _verifies(key: Key, signature: str, data: bytes) -> bool:
    if not is_allowed(key):
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the older keytype names, allowed above on purpose
            key.verify_signature(Signature(key.keyid, signature), data)
    except (UnverifiedSignatureError, VerificationError):
        return False
    return True
