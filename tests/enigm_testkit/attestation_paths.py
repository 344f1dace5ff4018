"""Attestation paths of one's own, with anything odd in any certificate of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enigm_testkit.attestation_ca import Odd, certificate

NOW = datetime(2026, 11, 23, tzinfo=UTC)
GOOD = {3: bytes([5, 7, 0]), 7: b"\x02\x02\x03\xe9", 8: b"\x03\x02", 9: b"\x01"}
KEY = ec.generate_private_key(ec.SECP256R1())
SPKI = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
Signer: TypeAlias = ec.EllipticCurvePrivateKey | Ed25519PrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Link:
    """One certificate of a path, and how it is odd. ``length`` is its path length; ``ca`` False is no authority."""

    ca: bool = True
    length: int | None = None
    odd: Odd = Odd()  # noqa: RUF009 - frozen
    make: Callable[[], Signer] = lambda: ec.generate_private_key(ec.SECP256R1())


def path(*links: Link, leaf: Odd | None = None) -> tuple[bytes, ...]:
    """A leaf for KEY and a certificate for each link, up to a root: DER, leaf first."""
    signers = [link.make() for link in links]
    made = [certificate("9c", KEY.public_key(), "0", signers[0], ca=False, extensions=GOOD, odd=leaf)]
    for number, (link, signer) in enumerate(zip(links, signers, strict=True)):
        above = min(number + 1, len(links) - 1)
        made.append(
            certificate(
                str(number),
                signer.public_key(),
                str(above),
                signers[above],
                ca=link.ca,
                path_length=link.length,
                odd=link.odd,
            )
        )
    return tuple(one.public_bytes(Encoding.DER) for one in made)


USUAL = (Link(length=0), Link(length=1), Link(length=2), Link(length=3))
"""The card's own certificate, two authorities, the root: Yubico's shape of 2025."""
