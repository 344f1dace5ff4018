"""What a device's signature over an HTTP request covers, and the two fields that carry it (RFC 9421).

One form, for signer and verifier: method, authority and path, the range, and the device's evidence where they are sent.
Any library for HTTP message signatures reads it too.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping

from enigm_tuf.errors import MalformedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.value import Value

EVIDENCE = "attestation-evidence"
"""The header field of the device's evidence: a byte sequence of RFC 8941, such as ``:AAEC:``."""
TAG = "enigm-update"
_COVERED_FIELDS = ("range", EVIDENCE)
_PARAMETERS = re.compile(
    r'enigm=\((?P<covered>"[^()]*")\)(?:;created=(?P<created>[0-9]{1,15}))?;keyid="(?P<keyid>[\x20-\x21\x23-\x5b\x5d-\x7e]+)"'
    r';alg="(?P<algorithm>[a-z0-9-]+)";nonce="(?P<nonce>[0-9a-f]{32})";tag="enigm-update"'
)
_SIGNATURE = re.compile(r"enigm=:([A-Za-z0-9+/]+={0,2}):")


class HttpRequest(Value):
    """A request as it is sent. ``authority`` as in Host, ``path`` with its percent-encoding; ``fields`` by their
    lower-case names."""

    method: str
    authority: str
    path: str
    fields: Mapping[str, str]


class SignatureParameters(Value):
    """``created`` in seconds since 1970, None from a device without a clock; ``nonce`` is 32 hex digits."""

    created: int | None
    keyid: str
    algorithm: str
    nonce: str


def signature_base(request: HttpRequest, parameters: SignatureParameters) -> bytes:
    """The bytes under the signature (RFC 9421 section 2.5)."""
    values = {
        "@method": request.method,
        "@authority": request.authority.lower(),
        "@path": request.path,
        **{name: request.fields[name] for name in _COVERED_FIELDS if name in request.fields},
    }
    lines = [f'"{name}": {value}' for name, value in values.items()]
    return "\n".join([*lines, f'"@signature-params": {_parameters(request, parameters)}']).encode()


def signature_fields(request: HttpRequest, parameters: SignatureParameters, signature: bytes) -> dict[str, str]:
    """``signature-input`` and ``signature``, to be sent with the request."""
    return {
        "signature-input": f"enigm={_parameters(request, parameters)}",
        "signature": f"enigm=:{b64encode(signature).decode()}:",
    }


def read_signature(request: HttpRequest, source: str) -> tuple[SignatureParameters, bytes]:
    """The parameters and the signature of a request; nothing is verified here.

    MalformedError: a field is missing, has another form, or does not cover exactly what it must.
    """
    stated, found = (
        _field(request, "signature-input", _PARAMETERS, source),
        _field(request, "signature", _SIGNATURE, source),
    )
    if stated["covered"] != _covered(request):
        raise MalformedError(source, "signature-input", f"must cover {_covered(request)}")
    try:
        signature = b64decode(found[1], validate=True)
    except binascii.Error as error:
        raise MalformedError(source, "signature", "must be base64 between colons") from error
    created = int(stated["created"]) if stated["created"] else None
    return SignatureParameters(created, stated["keyid"], stated["algorithm"], stated["nonce"]), signature


def _covered(request: HttpRequest) -> str:
    names = ("@method", "@authority", "@path", *(name for name in _COVERED_FIELDS if name in request.fields))
    return " ".join(f'"{name}"' for name in names)


def _parameters(request: HttpRequest, parameters: SignatureParameters) -> str:
    created = "" if parameters.created is None else f";created={parameters.created}"
    return (
        f"({_covered(request)}){created}"
        f';keyid="{parameters.keyid}";alg="{parameters.algorithm}";nonce="{parameters.nonce}";tag="{TAG}"'
    )


def _field(request: HttpRequest, name: str, pattern: re.Pattern[str], source: str) -> re.Match[str]:
    value = request.fields.get(name, "")
    match = pattern.fullmatch(value) if len(value) <= LIMITS.text else None
    if match is None:
        raise MalformedError(source, name, "must be one signature in the form of enigm_tuf.model.http_signature")
    return match
