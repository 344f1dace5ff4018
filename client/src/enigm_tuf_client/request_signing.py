"""Signed requests: a service can know which device asks (RFC 9421), and see its evidence.

A device with a keystore implements ``enigm_tuf.ports.DeviceKey`` on that; ``KeyFile`` is for those without.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Callable, Mapping

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, HashAlgorithm

from enigm_tuf.durable import read_input
from enigm_tuf.errors import MisuseError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.http_signature import (
    EVIDENCE,
    HttpRequest,
    SignatureParameters,
    signature_base,
    signature_fields,
)
from enigm_tuf.ports import DeviceClock, DeviceKey

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    from pathlib import Path

_CURVES: dict[str, tuple[str, int, HashAlgorithm]] = {
    "secp256r1": ("ecdsa-p256-sha256", 32, SHA256()),
    "secp384r1": ("ecdsa-p384-sha384", 48, SHA384()),
}


class KeyFile:
    """An Ed25519 or ECDSA key (P-256, P-384) in a PEM file without a password: ``enigm_tuf.ports.DeviceKey``."""

    def __init__(self, file: Path, keyid: str) -> None:
        """MisuseError for a file that holds no such key."""
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            key = load_pem_private_key(read_input(file, LIMITS.document_bytes), None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise MisuseError(f"{file}: not a PEM private key without a password") from error
        self.keyid = keyid
        self._key = key
        if isinstance(key, Ed25519PrivateKey):
            self.algorithm = "ed25519"
        elif isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
            self.algorithm = _CURVES[key.curve.name][0]
        else:
            raise MisuseError(f"{file}: must be an Ed25519, P-256 or P-384 key")

    def sign(self, base: bytes) -> bytes:
        """See DeviceKey."""
        if isinstance(self._key, Ed25519PrivateKey):
            return self._key.sign(base)
        assert isinstance(self._key, ec.EllipticCurvePrivateKey)  # noqa: S101 - looked at when it was loaded
        _, size, algorithm = _CURVES[self._key.curve.name]
        r, s = decode_dss_signature(self._key.sign(base, ec.ECDSA(algorithm)))
        return r.to_bytes(size) + s.to_bytes(size)


class SignedRequests:
    """Implements ``enigm_tuf.ports.RequestSigner`` with a device's key.

    ``evidence`` gives what the platform attests, anew for each request, as bytes that only the service understands.
    """

    def __init__(self, key: DeviceKey, clock: DeviceClock, evidence: Callable[[], bytes] | None = None) -> None:
        self._key = key
        self._clock = clock
        self._evidence = evidence

    def describe(self) -> str:
        """See RequestSigner."""
        attested = "" if self._evidence is None else ", with evidence of the platform"
        return f"signed by key {self._key.keyid} ({self._key.algorithm}, RFC 9421){attested}"

    def fields(self, authority: str, path: str, fields: Mapping[str, str]) -> Mapping[str, str]:
        """See RequestSigner."""
        shown = {} if self._evidence is None else {EVIDENCE: f":{b64encode(self._evidence()).decode()}:"}
        request = HttpRequest("GET", authority, path, {**fields, **shown})
        now = self._clock.now()
        created = None if now is None else int(now.timestamp())
        parameters = SignatureParameters(created, self._key.keyid, self._key.algorithm, secrets.token_hex(16))
        signature = self._key.sign(signature_base(request, parameters))
        return shown | signature_fields(request, parameters, signature)
