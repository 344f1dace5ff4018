"""X.509 certificates: whose key is in them, and do they say that they are for tests?"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.trust.test_keys import known_test_key

TEST_SUBJECTS = ("do not trust", "android@android.com", "test certificate", "testkey", "snakeoil", "not for production")
"""Words in a subject that only certificates for tests carry (GOVERNANCE, "Test keys"), in lower case."""

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
_SMALLEST_RSA = 2048  # bits


@dataclass(frozen=True, slots=True)
class SigningCertificate:
    """A certificate that signs packages. ``spki_sha256`` is of its SubjectPublicKeyInfo."""

    subject: str
    spki_sha256: str
    not_before: datetime
    not_after: datetime
    key: PublicKey
    der: bytes

    def why_test(self) -> str | None:
        """Why it is a certificate for tests; None if nothing says so."""
        if name := known_test_key(self.spki_sha256):
            return f"the key of {name}"
        words = next((words for words in TEST_SUBJECTS if words in self.subject.lower()), None)
        return f"a subject with {words!r}" if words else None


def read_certificate(data: bytes, source: str) -> SigningCertificate:
    """A certificate in DER or PEM; MalformedError, also for keys that no Android verifies with."""
    try:
        pem = data.lstrip().startswith(b"-----BEGIN")
        certificate = x509.load_pem_x509_certificate(data) if pem else x509.load_der_x509_certificate(data)
        return _facts(certificate, source)
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension) as error:
        raise MalformedError(source, "", f"not an X.509 certificate: {_first_line(error)}") from error


def _facts(certificate: x509.Certificate, source: str) -> SigningCertificate:
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise MalformedError(source, "public key", "must be RSA or ECDSA")
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _SMALLEST_RSA:
        raise MalformedError(source, "public key", f"must have {_SMALLEST_RSA} bits or more, has {key.key_size}")
    return SigningCertificate(
        subject=certificate.subject.rfc4514_string(),
        spki_sha256=sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        key=key,
        der=certificate.public_bytes(Encoding.DER),
    )


def keys_of(certificates: Iterable[SigningCertificate]) -> list[str]:
    """The SPKI digests, sorted, each once."""
    return sorted({certificate.spki_sha256 for certificate in certificates})


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
