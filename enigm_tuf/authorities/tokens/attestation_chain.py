"""The path from an attestation certificate up to a pinned root: RFC 5280 section 6.1, as far as attestation needs it.

No revocation: makers publish none for attestation. Stricter than the RFC: self-issued certificates count for the
path length, pinned roots obey their own limits, and no critical extension passes but the two that are checked here.
"""

import warnings
from datetime import datetime
from itertools import pairwise
from typing import NoReturn

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtensionOID

from enigm_tuf.authorities.tokens.rules import TokenRule
from enigm_tuf.errors import RefusedError

LONGEST = 8
"""Certificates, as many as a key record holds. Yubico's chain of 2025 has four and the root."""
UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What cryptography raises on a certificate that is none; the last four are no ValueErrors."""
_CHECKED_HERE = {ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE}
_STRONG_HASHES = {"sha256", "sha384", "sha512"}
_CURVES = {"secp256r1", "secp384r1", "secp521r1"}


def load(certificates: tuple[bytes, ...]) -> list[x509.Certificate]:
    """Without the warning about serial numbers that RFC 5280 forbids: none of them decides anything here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        return [x509.load_der_x509_certificate(data) for data in certificates]


def complete(chain: tuple[bytes, ...], intermediates: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """``chain`` (DER, leaf first) and those ``intermediates`` that lead on from it. Decides nothing, and trusts none.

    Cards hold two certificates; the maker publishes what stands between them and the root.
    """
    try:
        path, pool = load(chain), load(intermediates)
    except UNREADABLE:  # ``require_path`` says so
        return chain
    while path and len(path) < LONGEST:
        above = next((parent for parent in pool if parent not in path and _is_issued_by(path[-1], parent)), None)
        if above is None:
            break
        path.append(above)
    return tuple(certificate.public_bytes(Encoding.DER) for certificate in path)


def require_path(chain: list[x509.Certificate], roots: list[x509.Certificate], now: datetime) -> None:
    """RefusedError TOKEN-ATTESTATION-CHAIN unless ``chain`` (leaf first) is a path to one of ``roots`` at ``now``.

    1. The leaf is no authority, and each certificate above it is one that may have so many below it.
    2. Each is signed by the next, with strong keys and hashes, and the last by a pinned root, or is it.
    3. ``now`` lies within the dates of all, the root's too: the clock is that of the machine that enrols.
    4. No critical extension that is not understood here.
    """
    if len(chain) > LONGEST:
        _refuse("length", f"up to {LONGEST} certificates", str(len(chain)))
    if _constraints(chain[0]).ca:
        _refuse("leaf", "a certificate of a key, not of an authority", _name(chain[0]))
    for below, (child, parent) in enumerate(pairwise(chain)):
        _require_issued(child, parent, below)
    root = next((root for root in roots if root == chain[-1] or _is_issued_by(chain[-1], root)), None)
    if root is None:
        pinned = ", ".join(map(_name, roots)) or "none"
        _refuse("end", f"a pinned root ({pinned})", chain[-1].issuer.rfc4514_string())
    if root != chain[-1]:
        _require_issued(chain[-1], root, len(chain) - 1)
    for certificate in (*chain, root):
        _require_current(certificate, now)
        _require_understood(certificate)


def _require_issued(child: x509.Certificate, parent: x509.Certificate, below: int) -> None:
    """``below`` is how many authorities stand between ``parent`` and the leaf."""
    constraints = _constraints(parent)
    if not constraints.ca:  # else any attested key could attest another
        _refuse("authority", "certificates of authorities above the leaf", _name(parent))
    if constraints.path_length is not None and below > constraints.path_length:
        _refuse("path length", f"{constraints.path_length} authorities below {_name(parent)}", str(below))
    if not _may_sign_certificates(parent):
        _refuse("key usage", "a key for signing certificates", _name(parent))
    if not _is_strong(parent):
        _refuse("key", "RSA of 2048 bits or more, P-256 to P-521, or Ed25519", _name(parent))
    if not _is_issued_by(child, parent):
        _refuse("signature", f"signed by {_name(parent)}", child.issuer.rfc4514_string())
    digest = child.signature_hash_algorithm
    if digest is not None and digest.name not in _STRONG_HASHES:
        _refuse("hash", f"one of {', '.join(sorted(_STRONG_HASHES))}", digest.name)


def _constraints(certificate: x509.Certificate) -> x509.BasicConstraints:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return x509.BasicConstraints(ca=False, path_length=None)


def _may_sign_certificates(certificate: x509.Certificate) -> bool:
    """Without the extension a key may do anything (RFC 5280 section 4.2.1.3); cards' own certificates have none."""
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return True


def _is_strong(certificate: x509.Certificate) -> bool:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= 2048
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.curve.name in _CURVES
    return isinstance(key, ed25519.Ed25519PublicKey)


def _is_issued_by(child: x509.Certificate, parent: x509.Certificate) -> bool:
    try:
        child.verify_directly_issued_by(parent)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _require_current(certificate: x509.Certificate, now: datetime) -> None:
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not start <= now <= end:
        _refuse("dates", f"{start:%Y-%m-%d} to {end:%Y-%m-%d} for {_name(certificate)}", f"{now:%Y-%m-%d %H:%M:%S}")


def _require_understood(certificate: x509.Certificate) -> None:
    for extension in certificate.extensions:
        if extension.critical and extension.oid not in _CHECKED_HERE:
            _refuse("extension", "none that is critical and unknown", extension.oid.dotted_string)


def _name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()


def _refuse(subject: str, expected: str, got: str) -> NoReturn:
    raise RefusedError(TokenRule.TOKEN_ATTESTATION_CHAIN, subject, expected=expected, got=got)
