"""A card maker for the tests: a root, one signing certificate per card, and what they say about keys."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

_ARC = "1.3.6.1.4.1.41482.3"
_DAY = timedelta(days=1)


class AttestationCa:
    """Makes its key when it is made; nothing of it is ever written anywhere but the root certificate."""

    def __init__(self, name: str = "enigm testkit PIV root") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.root = certificate(name, self._key.public_key(), name, self._key, ca=True)

    @property
    def root_pem(self) -> bytes:
        return self.root.public_bytes(Encoding.PEM)

    def issue_card(self, serial: int) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        """The key and certificate in slot f9 of a card."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self.root.subject.rfc4514_string().removeprefix("CN=")
        return key, certificate(f"card {serial} attestation", key.public_key(), issuer, self._key, ca=True)


def certificate(
    subject: str,
    key: ec.EllipticCurvePublicKey,
    issuer: str,
    signer: ec.EllipticCurvePrivateKey,
    *,
    ca: bool,
    extensions: dict[int, bytes] | None = None,
) -> x509.Certificate:
    """A certificate; ``extensions`` by the last number of the maker's arc."""
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + 3650 * _DAY)
    )
    if ca:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    for number, value in (extensions or {}).items():
        oid = x509.ObjectIdentifier(f"{_ARC}.{number}")
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
