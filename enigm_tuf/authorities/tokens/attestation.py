"""PIV attestation: the maker's certificate chain that says how a key was made (slot f9, arcs 1.3.6.1.4.1.41482.3).

What it proves: the key was made on a card of that maker with these policies. What it does not: that the card is in
the right hands.
"""

import warnings
from dataclasses import dataclass
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.utils import CryptographyDeprecationWarning

from enigm_tuf.authorities.tokens.rules import TokenRule
from enigm_tuf.errors import RefusedError

_ARC = "1.3.6.1.4.1.41482.3"
FIRMWARE, SERIAL, POLICIES, FORM_FACTOR = (x509.ObjectIdentifier(f"{_ARC}.{number}") for number in (3, 7, 8, 9))
ALWAYS_PIN, ALWAYS_TOUCH = 3, 2
"""The maker's numbers: PIN never 1, once 2, always 3; touch never 1, always 2, cached 3."""
_UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What cryptography raises on a certificate that is none; the last four are no ValueErrors."""
OLDEST_FIRMWARE = (5, 7, 0)  # CVE-2024-45678: older ones leak ECDSA keys to who holds the card


@dataclass(frozen=True, slots=True)
class AttestationClaims:
    """What the attestation certificate says. Policies are the maker's numbers."""

    serial: int
    firmware: tuple[int, int, int]
    pin_policy: int
    touch_policy: int
    form_factor: int


def verify_attestation(chain: tuple[bytes, ...], roots: tuple[bytes, ...], expected_spki: bytes) -> AttestationClaims:
    """The claims, if ``chain`` (DER, leaf first) leads to one of the pinned ``roots`` and attests that very key.

    RefusedError TOKEN-ATTESTATION: no chain, another root, another key, PIN or touch not always, old firmware.
    """
    if not chain:
        _refuse("chain", "an attestation certificate", "none")
    try:
        certificates = _load(chain)
        _require_pinned(certificates, _load(roots))
        claims = _claims(certificates[0])
        spki = certificates[0].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except _UNREADABLE as error:
        raise RefusedError(
            TokenRule.TOKEN_ATTESTATION, "chain", expected="certificates that parse", got=str(error)
        ) from error
    if spki != expected_spki:
        _refuse("attested key", "the key that is enrolled", "another key")
    _require_policies(claims)
    return claims


def _load(certificates: tuple[bytes, ...]) -> list[x509.Certificate]:
    """Without the warning about serial numbers that RFC 5280 forbids: none of them decides anything here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        return [x509.load_der_x509_certificate(data) for data in certificates]


def _require_pinned(chain: list[x509.Certificate], roots: list[x509.Certificate]) -> None:
    """Each certificate is signed by the next one, and the last one by a pinned root, or is it."""
    for child, parent in pairwise(chain):
        if not _is_authority(parent):  # else any attested key could attest another
            _refuse("chain", "certificates of authorities above the leaf", parent.subject.rfc4514_string())
        if not _is_issued_by(child, parent):
            _refuse("chain", f"signed by {parent.subject.rfc4514_string()}", child.issuer.rfc4514_string())
    if not any(chain[-1] == root or _is_issued_by(chain[-1], root) for root in roots):
        pinned = ", ".join(root.subject.rfc4514_string() for root in roots) or "none"
        _refuse("chain", f"a pinned root ({pinned})", chain[-1].issuer.rfc4514_string())


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _is_issued_by(child: x509.Certificate, parent: x509.Certificate) -> bool:
    try:
        child.verify_directly_issued_by(parent)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _claims(leaf: x509.Certificate) -> AttestationClaims:
    firmware, policies = _extension(leaf, FIRMWARE), _extension(leaf, POLICIES)
    serial, form = _extension(leaf, SERIAL), _extension(leaf, FORM_FACTOR)
    if [len(firmware), len(policies), len(form)] != [3, 2, 1] or serial[:2] != bytes([2, len(serial) - 2]):
        raise ValueError("an extension of the attestation has the wrong length")
    return AttestationClaims(
        serial=int.from_bytes(serial[2:], "big"),  # DER INTEGER
        firmware=(firmware[0], firmware[1], firmware[2]),
        pin_policy=policies[0],
        touch_policy=policies[1],
        form_factor=form[0],
    )


def _extension(leaf: x509.Certificate, oid: x509.ObjectIdentifier) -> bytes:
    try:
        value = leaf.extensions.get_extension_for_oid(oid).value
    except x509.ExtensionNotFound as error:
        raise ValueError(f"no extension {oid.dotted_string}") from error
    if not isinstance(value, x509.UnrecognizedExtension):
        raise ValueError(f"extension {oid.dotted_string} is not the maker's")  # noqa: TRY004 - a certificate's fault
    return value.value


def _require_policies(claims: AttestationClaims) -> None:
    if claims.pin_policy != ALWAYS_PIN:
        _refuse("PIN policy", f"{ALWAYS_PIN} (always)", str(claims.pin_policy))
    if claims.touch_policy != ALWAYS_TOUCH:
        _refuse("touch policy", f"{ALWAYS_TOUCH} (always)", str(claims.touch_policy))
    if claims.firmware < OLDEST_FIRMWARE:
        _refuse("firmware", "5.7.0 or newer (CVE-2024-45678)", ".".join(map(str, claims.firmware)))


def _refuse(subject: str, expected: str, got: str) -> None:
    raise RefusedError(TokenRule.TOKEN_ATTESTATION, subject, expected=expected, got=got)
