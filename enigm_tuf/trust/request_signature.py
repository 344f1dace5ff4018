"""Which device asks: a service verifies the signature over a request. Says nothing about what may be installed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from enigm_tuf.errors import RefusedError
from enigm_tuf.model.http_signature import HttpRequest, SignatureParameters, read_signature, signature_base
from enigm_tuf.model.public_keys import tuf_key
from enigm_tuf.model.tuf_fields import Key
from enigm_tuf.model.value import Value
from enigm_tuf.trust.rules import Rule
from enigm_tuf.trust.signatures import verifies

SCHEMES = {
    "ed25519": "ed25519",
    "ecdsa-p256-sha256": "ecdsa-sha2-nistp256",
    "ecdsa-p384-sha384": "ecdsa-sha2-nistp384",
}
"""Algorithms of RFC 9421 section 6.2.2 that count here, and TUF's names for them."""
_ECDSA_BYTES = {"ecdsa-p256-sha256": 64, "ecdsa-p384-sha384": 96}


class RequestRule(Rule):
    """What a service demands of a device's request."""

    REQUEST_SIGNATURE = "REQUEST-SIGNATURE", "a device's request is signed by its enrolled key, now"


class SignedRequest(Value):
    """Who asked. A service that must know that nothing is replayed keeps ``nonce`` for as long as a request is good."""

    keyid: str
    created: datetime | None
    nonce: str


def verify_request(
    request: HttpRequest, keys: Mapping[str, bytes], now: datetime, good_for: timedelta, *, clockless: bool = False
) -> SignedRequest:
    """``keys`` gives each device's DER SubjectPublicKeyInfo by keyid. ``clockless``: devices may leave the time out.

    MalformedError for fields of another form; RefusedError REQUEST-SIGNATURE.
    """
    parameters, signature = read_signature(request, "request")
    if parameters.keyid not in keys:
        _refuse("a key that is enrolled", f"keyid {parameters.keyid!r:.80}")
    key = tuf_key(keys[parameters.keyid])
    if SCHEMES.get(parameters.algorithm) != key.scheme:
        _refuse(f"the algorithm of key {parameters.keyid}", parameters.algorithm)
    if not _is_valid(key, parameters.algorithm, signature, signature_base(request, parameters)):
        _refuse(f"a signature by key {parameters.keyid}", "one that does not verify")
    return SignedRequest(parameters.keyid, _require_now(parameters, now, good_for, clockless), parameters.nonce)


def _is_valid(key: Key, algorithm: str, signature: bytes, base: bytes) -> bool:
    size = _ECDSA_BYTES.get(algorithm)
    if size is None:
        return verifies(key, signature.hex(), base)
    if len(signature) != size:
        return False
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    r, s = (int.from_bytes(half) for half in (signature[: size // 2], signature[size // 2 :]))
    return verifies(key, encode_dss_signature(r, s).hex(), base)


def _require_now(
    parameters: SignatureParameters, now: datetime, good_for: timedelta, clockless: bool
) -> datetime | None:
    if parameters.created is None:
        if not clockless:
            _refuse("the time when it was signed", "none")
        return None
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=min(parameters.created, 10**11))
    if abs(now - moment) > good_for:
        _refuse(f"{good_for} around {now.isoformat()}", moment.isoformat())
    return moment


def _refuse(expected: str, got: str) -> None:
    raise RefusedError(RequestRule.REQUEST_SIGNATURE, "request", expected=expected, got=got)
