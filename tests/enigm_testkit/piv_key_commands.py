"""The virtual card's commands on keys (SP 800-73-4 part 2, sections 3.2.4 and 3.3.2, and the vendor's).

EC P-256 and P-384, and Ed25519 since firmware 5.7: what we sign with.
"""

import secrets
from collections.abc import Callable

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, CipherAlgorithm, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding

from enigm_testkit import piv_apdu as sw
from enigm_testkit.attestation_ca import certificate
from enigm_testkit.piv_apdu import Apdu, CardError, parse_tlvs, tlv
from enigm_testkit.piv_finger import arrives
from enigm_testkit.piv_pin_commands import secret_of
from enigm_testkit.piv_state import (
    FACTORY_MANAGEMENT_KEY,
    PIN_ALWAYS,
    PIN_ONCE,
    TDES,
    TOUCH_NEVER,
    CardState,
    Slot,
    SlotKey,
    require_managed,
)

_CURVES: dict[int, ec.EllipticCurve] = {0x11: ec.SECP256R1(), 0x14: ec.SECP384R1()}
_CIPHERS: dict[int, tuple[Callable[[bytes], CipherAlgorithm], int]] = {
    TDES: (TripleDES, 24),
    0x08: (algorithms.AES, 16),
    0x0A: (algorithms.AES, 24),
    0x0C: (algorithms.AES, 32),
}
_MANAGEMENT, _SIGNATURE, _ED25519, _NOWHERE = 0x9B, 0x9C, 0xE0, 0xFF


def generate(card: CardState, apdu: Apdu) -> bytes:
    """A key that is born on the card; answers with its public half."""
    require_managed(card)
    wanted = parse_tlvs(parse_tlvs(apdu.data)[0xAC])
    algorithm = wanted[0x80][0]
    _require_known(card, algorithm)
    made: SlotKey = (
        Ed25519PrivateKey.generate() if algorithm == _ED25519 else ec.generate_private_key(_CURVES[algorithm])
    )
    card.slots[apdu.p2] = _slot_of(apdu.p2, algorithm, made, wanted, made_here=True)
    return tlv(0x7F49, card.slots[apdu.p2].point())


def bring_in(card: CardState, apdu: Apdu) -> bytes:
    """A key that was born elsewhere."""
    require_managed(card)
    wanted = parse_tlvs(apdu.data)
    _require_known(card, apdu.p1)
    brought: SlotKey = (
        Ed25519PrivateKey.from_private_bytes(wanted[0x07])
        if apdu.p1 == _ED25519
        else ec.derive_private_key(int.from_bytes(wanted[0x06], "big"), _CURVES[apdu.p1])
    )
    card.slots[apdu.p2] = _slot_of(apdu.p2, apdu.p1, brought, wanted, made_here=False)
    return b""


def delete(card: CardState, apdu: Apdu) -> bytes:
    """MOVE KEY to nowhere (firmware 5.7): the key is gone."""
    require_managed(card)
    if apdu.p1 != _NOWHERE or card.firmware < (5, 7, 0):
        raise CardError(sw.WRONG_DATA)
    if card.slots.pop(apdu.p2, None) is None:
        raise CardError(sw.NOT_FOUND)
    return b""


def _slot_of(number: int, algorithm: int, key: SlotKey, wanted: dict[int, bytes], *, made_here: bool) -> Slot:
    usual = PIN_ALWAYS if number == _SIGNATURE else PIN_ONCE
    pin_policy = wanted.get(0xAA, b"\0")[0] or usual
    touch_policy = wanted.get(0xAB, b"\0")[0] or TOUCH_NEVER
    return Slot(algorithm, key, pin_policy, touch_policy, made_here)


def _require_known(card: CardState, algorithm: int) -> None:
    if algorithm not in _CURVES and (algorithm != _ED25519 or card.firmware < (5, 7, 0)):
        raise CardError(sw.WRONG_DATA)


def authenticate(card: CardState, apdu: Apdu) -> bytes:
    """Show the management key, or sign a digest with the key in a slot."""
    wanted = parse_tlvs(parse_tlvs(apdu.data)[0x7C])
    if apdu.p2 == _MANAGEMENT:
        return tlv(0x7C, _show_management_key(card, wanted))
    slot = _slot(card, apdu.p2)
    verified = card.link.verified
    allowed = {PIN_ALWAYS: verified and card.link.just_verified, PIN_ONCE: verified}.get(slot.pin_policy, True)
    if apdu.p1 != slot.algorithm or 0x81 not in wanted:
        raise CardError(sw.WRONG_DATA)
    if not allowed or (slot.touch_policy != TOUCH_NEVER and not arrives(card.touch)):
        raise CardError(sw.SECURITY_NOT_SATISFIED)
    signature = _sign(slot, wanted[0x81])
    card.signatures += 1
    return tlv(0x7C, tlv(0x82, signature))


def _sign(slot: Slot, digest: bytes) -> bytes:
    """Clients send short digests as they are: the card pads them on the left. Ed25519 takes the message itself."""
    if isinstance(slot.key, Ed25519PrivateKey):
        return slot.key.sign(digest)
    size = slot.key.key_size // 8
    hash_of: hashes.HashAlgorithm = hashes.SHA256() if size == 32 else hashes.SHA384()
    if len(digest) > size:
        raise CardError(sw.WRONG_DATA)
    return slot.key.sign(digest.rjust(size, b"\0"), ec.ECDSA(utils.Prehashed(hash_of)))


def _show_management_key(card: CardState, wanted: dict[int, bytes]) -> bytes:
    algorithm, _ = _CIPHERS[card.management_algorithm]
    cipher = Cipher(algorithm(card.management_key), modes.ECB())  # noqa: S305 - SP 800-73
    size = 8 if card.management_algorithm == TDES else 16
    encrypt = cipher.encryptor().update
    if wanted.get(0x80) == b"":  # mutual, first half: the card's witness
        card.link.witness = secrets.token_bytes(size)
        return tlv(0x80, encrypt(card.link.witness))
    if wanted.get(0x81) == b"":  # single: the card's challenge
        card.link.witness = secrets.token_bytes(size)
        return tlv(0x81, card.link.witness)
    witness, card.link.witness = card.link.witness, b""
    proof = wanted.get(0x80) or cipher.decryptor().update(wanted.get(0x82, b""))
    if not witness or proof != witness:
        raise CardError(sw.SECURITY_NOT_SATISFIED)
    card.link.managed = True
    return tlv(0x82, encrypt(wanted[0x81])) if 0x81 in wanted else b""


def set_management_key(card: CardState, apdu: Apdu) -> bytes:
    """Algorithm, 9B, length, key."""
    require_managed(card)
    algorithm, reference, size = apdu.data[:3]
    key = apdu.data[3:]
    if reference != _MANAGEMENT or size != len(key) or _CIPHERS.get(algorithm, (None, 0))[1] != size:
        raise CardError(sw.WRONG_DATA)
    card.management_algorithm, card.management_key = algorithm, key
    return b""


def metadata(card: CardState, apdu: Apdu) -> bytes:
    """Since firmware 5.3: whether a secret is the factory's and its tries; a key's algorithm, policies and origin."""
    if card.firmware < (5, 3, 0):
        raise CardError(sw.UNKNOWN_INSTRUCTION)
    if apdu.p2 in {0x80, 0x81}:
        secret = secret_of(card, apdu.p2)
        return tlv(5, bytes([secret.is_factory])) + tlv(6, bytes([secret.total, secret.left]))
    if apdu.p2 == _MANAGEMENT:
        is_factory = bytes([card.management_key == FACTORY_MANAGEMENT_KEY])
        return tlv(1, bytes([card.management_algorithm])) + tlv(2, b"\0\x01") + tlv(5, is_factory)
    slot = _slot(card, apdu.p2)
    policies, origin = bytes([slot.pin_policy, slot.touch_policy]), 1 if slot.made_here else 2
    return tlv(1, bytes([slot.algorithm])) + tlv(2, policies) + tlv(3, bytes([origin])) + tlv(4, slot.point())


def attest(card: CardState, apdu: Apdu) -> bytes:
    """The maker's certificate for a key that was born here; one that was brought in has none."""
    slot = _slot(card, apdu.p1)
    if not slot.made_here:
        raise CardError(sw.WRONG_DATA)
    extensions = {
        3: bytes(card.firmware),
        7: tlv(0x02, card.serial.to_bytes(card.serial.bit_length() // 8 + 1, "big")),
        8: bytes([slot.pin_policy, slot.touch_policy]),
        9: b"\x01",
    }
    signer, own = card.attestation
    issuer = own.subject.rfc4514_string().removeprefix("CN=")
    subject = f"YubiKey PIV Attestation {apdu.p1:02x}"
    made = certificate(subject, slot.key.public_key(), issuer, signer, ca=False, extensions=extensions)
    return made.public_bytes(Encoding.DER)


def _slot(card: CardState, number: int) -> Slot:
    if number not in card.slots:
        raise CardError(sw.REFERENCE_NOT_FOUND)
    return card.slots[number]
