"""A card maker for the tests: a root, authorities below it, one signing certificate per card, and what they attest.

The shapes are Yubico's (developers.yubico.com/PKI): with two authorities in between it is the chain of 2025, with
none the one before. A card's certificate is an authority with path length 0; leaves copy its dates.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

ARC = "1.3.6.1.4.1.41482.3"
START, END = datetime(2024, 12, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
FIPS, CSPN = 10, 11
"""The last numbers of the extensions in a card's own certificate that say how its model was certified."""


class AttestationCa:
    """Makes its keys when it is made; nothing of it is ever written anywhere but certificates."""

    def __init__(self, name: str = "enigm testkit PIV root", between: int = 0) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        self.root = certificate(name, key.public_key(), name, key, ca=True, path_length=between + 1)
        self.intermediates: tuple[x509.Certificate, ...] = ()
        self._issuer, self._key = self.root, key
        for number in range(between):
            self._add_intermediate(f"{name} intermediate {number}", between - number)

    def _add_intermediate(self, name: str, path_length: int) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        made = certificate(
            name, key.public_key(), common_name(self._issuer), self._key, ca=True, path_length=path_length
        )
        self.intermediates += (made,)
        self._issuer, self._key = made, key

    @property
    def root_pem(self) -> bytes:
        return self.root.public_bytes(Encoding.PEM)

    @property
    def intermediates_pem(self) -> bytes:
        """One file with all of them, as the maker publishes it."""
        return b"".join(made.public_bytes(Encoding.PEM) for made in self.intermediates)

    def issue_card(self, serial: int, *certified: int) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        """The key and certificate in slot f9 of a card; ``certified`` is FIPS or CSPN."""
        key = ec.generate_private_key(ec.SECP256R1())
        marks = dict.fromkeys(certified, b"\x05\x00")
        return key, certificate(
            f"card {serial} attestation",
            key.public_key(),
            common_name(self._issuer),
            self._key,
            ca=True,
            path_length=0,
            extensions=marks,
        )


def common_name(made: x509.Certificate) -> str:
    """Of the subject."""
    return made.subject.rfc4514_string().removeprefix("CN=")


@dataclass(frozen=True)
class Odd:
    """What is otherwise in a certificate than a maker would have it. ``usage`` False: may not sign certificates."""

    start: datetime = START
    end: datetime = END
    usage: bool | None = None
    more: tuple[tuple[x509.ExtensionType, bool], ...] = field(default=())
    hash_of: hashes.SHA224 | hashes.SHA256 | hashes.SHA384 = field(default_factory=hashes.SHA256)


def certificate(
    subject: str,
    key: ec.EllipticCurvePublicKey | Ed25519PublicKey | rsa.RSAPublicKey,
    issuer: str,
    signer: ec.EllipticCurvePrivateKey | Ed25519PrivateKey | rsa.RSAPrivateKey,
    *,
    ca: bool,
    path_length: int | None = None,
    extensions: dict[int, bytes] | None = None,
    odd: Odd | None = None,
) -> x509.Certificate:
    """A certificate; ``extensions`` by the last number of the maker's arc."""
    odd = odd or Odd()
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(odd.start)
        .not_valid_after(odd.end)
    )
    if ca:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
    if odd.usage is not None:
        builder = builder.add_extension(_usage(signs=odd.usage), critical=True)
    for number, value in (extensions or {}).items():
        oid = x509.ObjectIdentifier(f"{ARC}.{number}")
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
    for extension, critical in odd.more:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signer, None if isinstance(signer, Ed25519PrivateKey) else odd.hash_of)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
