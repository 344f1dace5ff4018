"""THE threshold: the one place where signatures are counted (TUF specification 5.3.4, 5.4.2, 5.5.3, 5.6.3).

A threshold counts distinct public keys, by SHA-256 of their SubjectPublicKeyInfo, never keyids.
"""

from enigm_tuf.errors import RefusedError
from enigm_tuf.model.lean import Collection, Mapping
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.tuf_fields import Key
from enigm_tuf.trust.rules import AuthorityRule
from enigm_tuf.trust.tuf_rules import TufRule


def spki_sha256(key: Key) -> str:
    """SHA-256 of the DER SubjectPublicKeyInfo, whatever encoding the key object uses; MalformedError."""
    from enigm_tuf.model.public_keys import spki_of

    return sha256(spki_of(key))


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
    got = f"{len(distinct)}, by {len(valid)} keyids"
    raise RefusedError(rule, subject, expected=f"signatures by {threshold} distinct public keys", got=got)


def _valid(
    keys: Mapping[str, Key], keyids: Collection[str], signatures: Mapping[str, str], data: bytes
) -> dict[str, str]:
    """Keyid to SPKI digest, of those that signed."""
    from enigm_tuf.trust.signatures import verifies

    return {
        keyid: spki_sha256(keys[keyid])
        for keyid in keyids
        if keyid in keys and keyid in signatures and verifies(keys[keyid], signatures[keyid], data)
    }
