"""What a virtual PIV card remembers: secrets with their tries, keys with their policies, data objects."""

from dataclasses import dataclass, field
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enigm_testkit import piv_apdu as sw
from enigm_testkit.piv_apdu import CardError, tlv
from enigm_testkit.piv_finger import Finger

SlotKey: TypeAlias = ec.EllipticCurvePrivateKey | Ed25519PrivateKey

FACTORY_MANAGEMENT_KEY = bytes.fromhex("010203040506070801020304050607080102030405060708")
FACTORY_PIN, FACTORY_PUK = b"123456", b"12345678"
ATTESTATION_OBJECT = bytes.fromhex("5fff01")
TDES, AES192 = 0x03, 0x0A
PIN_ONCE, PIN_ALWAYS, TOUCH_NEVER = 2, 3, 1


@dataclass
class Secret:
    """A PIN or PUK with its tries."""

    factory: bytes
    value: bytes = b""
    total: int = 3
    left: int = 3

    def __post_init__(self) -> None:
        self.value = self.value or self.factory

    def check(self, padded: bytes) -> None:
        """CardError with the tries that are left."""
        if self.left == 0:
            raise CardError(sw.BLOCKED)
        if padded.rstrip(b"\xff") != self.value:
            self.left -= 1
            raise CardError(sw.NO_RETRY_LEFT + self.left if self.left else sw.BLOCKED)
        self.left = self.total

    def set(self, padded: bytes) -> None:
        """Six to eight bytes, padded to eight."""
        value = padded.rstrip(b"\xff")
        if len(padded) != 8 or not 6 <= len(value) <= 8:
            raise CardError(sw.WRONG_DATA)
        self.value, self.left = value, self.total

    @property
    def is_factory(self) -> bool:
        return self.value == self.factory


@dataclass
class Slot:
    """A key with its policies; ``made_here`` is false for one that was brought in."""

    algorithm: int
    key: SlotKey
    pin_policy: int
    touch_policy: int
    made_here: bool

    def point(self) -> bytes:
        """The public key as the card gives it."""
        public = self.key.public_key()
        if isinstance(public, ec.EllipticCurvePublicKey):
            return tlv(0x86, public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
        return tlv(0x86, public.public_bytes_raw())


@dataclass
class Link:
    """What a reset of the connection forgets."""

    selected: bytes = b""
    verified: bool = False
    fresh: bool = False  # VERIFY is the last command so far
    just_verified: bool = False  # and was, when this command came: what PIN policy "always" demands
    managed: bool = False
    witness: bytes = b""
    chained: bytes = b""
    rest: bytes = b""


@dataclass(eq=False)  # two cards are never the same card
class CardState:
    """``attestation`` is slot f9; a ``pulled`` card is out of its reader; ``signatures`` counts those ever made."""

    serial: int
    firmware: tuple[int, int, int]
    attestation: tuple[ec.EllipticCurvePrivateKey, x509.Certificate]
    touch: Finger
    pin: Secret = field(default_factory=lambda: Secret(FACTORY_PIN))
    puk: Secret = field(default_factory=lambda: Secret(FACTORY_PUK))
    slots: dict[int, Slot] = field(default_factory=dict)
    objects: dict[bytes, bytes] = field(default_factory=dict)
    management_key: bytes = FACTORY_MANAGEMENT_KEY
    management_algorithm: int = AES192
    link: Link = field(default_factory=Link)
    pulled: bool = False
    signatures: int = 0

    def __post_init__(self) -> None:
        self.back_to_factory()

    def back_to_factory(self) -> None:
        """All but the attestation key and its certificate, which the factory put there."""
        self.pin, self.puk = Secret(FACTORY_PIN), Secret(FACTORY_PUK)
        self.management_key = FACTORY_MANAGEMENT_KEY
        self.management_algorithm = AES192 if self.firmware >= (5, 7, 0) else TDES
        self.slots.clear()
        stored = tlv(0x70, self.attestation[1].public_bytes(Encoding.DER)) + tlv(0x71, b"\0")
        self.objects = {ATTESTATION_OBJECT: stored + tlv(0xFE, b"")}


def require_managed(card: CardState) -> None:
    """The management key was shown on this connection."""
    if not card.link.managed:
        raise CardError(sw.SECURITY_NOT_SATISFIED)
