"""A virtual PIV card: NIST SP 800-73-4 part 2, with the vendor's attestation, metadata, version and serial commands.

``transmit`` is the whole card: bytes in, bytes and status word out. Keys are made when asked for and live as long as
the object. EC P-256 and P-384 only, since that is all that we sign with.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers import Cipher, CipherAlgorithm, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enigm_testkit import piv_apdu as sw
from enigm_testkit.attestation_ca import AttestationCa, certificate
from enigm_testkit.piv_apdu import Apdu, CardError, parse_apdu, parse_tlvs, tlv

PIV = bytes.fromhex("a000000308")
MANAGEMENT = bytes.fromhex("a000000527471117")
FACTORY_MANAGEMENT_KEY = bytes.fromhex("010203040506070801020304050607080102030405060708")
FACTORY_PIN, FACTORY_PUK = b"123456", b"12345678"
_P256, _P384 = 0x11, 0x14
_CURVES: dict[int, ec.EllipticCurve] = {_P256: ec.SECP256R1(), _P384: ec.SECP384R1()}
_CIPHERS: dict[int, Callable[[bytes], CipherAlgorithm]] = {
    0x03: TripleDES,
    0x08: algorithms.AES,
    0x0A: algorithms.AES,
    0x0C: algorithms.AES,
}
_ONCE, _ALWAYS, _TOUCH_NEVER = 2, 3, 1


@dataclass
class Secret:
    """A PIN or PUK with its tries."""

    value: bytes
    factory: bytes
    total: int = 3
    left: int = 3

    def check(self, padded: bytes) -> None:
        if self.left == 0:
            raise CardError(sw.BLOCKED)
        if padded.rstrip(b"\xff") != self.value:
            self.left -= 1
            raise CardError(sw.NO_RETRY_LEFT + self.left if self.left else sw.BLOCKED)
        self.left = self.total

    def set(self, padded: bytes) -> None:
        value = padded.rstrip(b"\xff")
        if len(padded) != 8 or not 6 <= len(value) <= 8:
            raise CardError(sw.WRONG_DATA)
        self.value, self.left = value, self.total


@dataclass
class Slot:
    """A key with its policies; ``made_here`` is false for one that was brought in."""

    algorithm: int
    key: ec.EllipticCurvePrivateKey
    pin_policy: int
    touch_policy: int
    made_here: bool

    def point(self) -> bytes:
        raw = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return tlv(0x86, raw)


@dataclass
class _Link:
    """What a reset of the connection forgets."""

    selected: bytes = b""
    verified: bool = False
    fresh: bool = False  # VERIFY was the very last command: what PIN policy "always" demands
    managed: bool = False
    witness: bytes = b""
    chained: bytes = b""
    rest: bytes = b""


class VirtualPivCard:
    """``touch`` is asked whenever the card waits for a finger; False is nobody."""

    def __init__(
        self,
        serial: int,
        *,
        firmware: tuple[int, int, int] = (5, 7, 4),
        attestation_ca: AttestationCa | None = None,
        touch: Callable[[], bool] = lambda: True,
    ) -> None:
        self.serial = serial
        self.firmware = firmware
        self.touch = touch
        self.pulled = False
        self.pin = Secret(FACTORY_PIN, FACTORY_PIN)
        self.puk = Secret(FACTORY_PUK, FACTORY_PUK)
        self.management_key, self.management_algorithm = FACTORY_MANAGEMENT_KEY, 0x0A if firmware >= (5, 7, 0) else 0x03
        self.slots: dict[int, Slot] = {}
        self.objects: dict[bytes, bytes] = {}
        ca = attestation_ca or AttestationCa()
        self._attestation_key, self._attestation_certificate = ca.issue_card(serial)
        stored = tlv(0x70, self._attestation_certificate.public_bytes(Encoding.DER)) + tlv(0x71, b"\0")
        self.objects[bytes.fromhex("5fff01")] = stored + tlv(0xFE, b"")
        self.link = _Link()

    def reset_link(self) -> None:
        """Power off and on: what was verified is forgotten."""
        self.link = _Link()

    def transmit(self, raw: bytes) -> bytes:
        """One APDU in, its answer with status word out."""
        try:
            apdu = parse_apdu(raw)
            if apdu.ins == 0xC0:
                return self._pieces(self.link.rest, extended=apdu.extended)
            if apdu.cla & 0x10:
                self.link.chained += apdu.data
                return sw.OK.to_bytes(2, "big")
            whole = Apdu(apdu.cla, apdu.ins, apdu.p1, apdu.p2, self.link.chained + apdu.data, apdu.extended)
            self.link.chained = b""
            return self._pieces(self._run(whole), extended=apdu.extended)
        except CardError as error:
            self.link.chained = b""
            return error.sw.to_bytes(2, "big")

    def _pieces(self, data: bytes, *, extended: bool) -> bytes:
        size = len(data) if extended else 256
        self.link.rest = data[size:]
        more = min(len(self.link.rest), 0xFF) if self.link.rest else 0
        status = 0x6100 | more if self.link.rest else sw.OK
        return data[:size] + status.to_bytes(2, "big")

    def _run(self, apdu: Apdu) -> bytes:
        if apdu.ins == 0xA4:
            return self._select(apdu)
        if self.link.selected == MANAGEMENT:
            return self._management(apdu)
        fresh, self.link.fresh = self.link.fresh, False
        command = _COMMANDS.get(apdu.ins)
        if command is None or self.link.selected != PIV:
            raise CardError(sw.UNKNOWN_INSTRUCTION)
        return command(self, apdu, fresh)

    def _select(self, apdu: Apdu) -> bytes:
        if PIV.startswith(apdu.data[:5]) and len(apdu.data) >= 5:
            self.link = _Link(selected=PIV)
            return tlv(0x61, tlv(0x4F, bytes.fromhex("000010000100")) + tlv(0x79, tlv(0x4F, PIV)))
        if apdu.data == MANAGEMENT:
            self.link = _Link(selected=MANAGEMENT)
            return f"Virtual mgr - FW version {'.'.join(map(str, self.firmware))}".encode()
        raise CardError(sw.NOT_FOUND)

    def _management(self, apdu: Apdu) -> bytes:
        if apdu.ins != 0x1D or apdu.p1 != 0:
            raise CardError(sw.UNKNOWN_INSTRUCTION)
        piv_only = bytes([0x00, 0x10])
        data = tlv(1, piv_only) + tlv(2, self.serial.to_bytes(4, "big")) + tlv(3, piv_only) + tlv(4, b"\x01")
        data += tlv(5, bytes(self.firmware)) + tlv(10, b"\0")
        return bytes([len(data)]) + data

    def _version(self, _apdu: Apdu, _fresh: bool) -> bytes:
        return bytes(self.firmware)

    def _serial(self, _apdu: Apdu, _fresh: bool) -> bytes:
        return self.serial.to_bytes(4, "big")

    def _verify(self, apdu: Apdu, _fresh: bool) -> bytes:
        if apdu.p2 != 0x80:
            raise CardError(sw.REFERENCE_NOT_FOUND)
        if apdu.p1 == 0xFF:
            self.link.verified = False
        elif apdu.data:
            self.link.verified = False
            self.pin.check(apdu.data)
            self.link.verified = self.link.fresh = True
        elif not self.link.verified:
            raise CardError(sw.NO_RETRY_LEFT + self.pin.left if self.pin.left else sw.BLOCKED)
        return b""

    def _change(self, apdu: Apdu, _fresh: bool) -> bytes:
        secret = {0x80: self.pin, 0x81: self.puk}[apdu.p2]
        secret.check(apdu.data[:8])
        secret.set(apdu.data[8:])
        return b""

    def _unblock(self, apdu: Apdu, _fresh: bool) -> bytes:
        self.puk.check(apdu.data[:8])
        self.pin.set(apdu.data[8:])
        return b""

    def _set_retries(self, apdu: Apdu, _fresh: bool) -> bytes:
        self._require_managed()
        for secret, tries in ((self.pin, apdu.p1), (self.puk, apdu.p2)):
            secret.value, secret.total, secret.left = secret.factory, tries, tries
        return b""

    def _reset(self, _apdu: Apdu, _fresh: bool) -> bytes:
        if self.pin.left or self.puk.left:
            raise CardError(sw.CONDITIONS_NOT_SATISFIED)
        self.pin, self.puk = Secret(FACTORY_PIN, FACTORY_PIN), Secret(FACTORY_PUK, FACTORY_PUK)
        self.management_key = FACTORY_MANAGEMENT_KEY
        self.slots.clear()
        return b""

    def _generate(self, apdu: Apdu, _fresh: bool) -> bytes:
        self._require_managed()
        wanted = parse_tlvs(parse_tlvs(apdu.data)[0xAC])
        key = ec.generate_private_key(self._curve(wanted[0x80][0]))
        return tlv(0x7F49, self._put(apdu.p2, wanted[0x80][0], key, wanted, made_here=True).point())

    def _import(self, apdu: Apdu, _fresh: bool) -> bytes:
        self._require_managed()
        wanted = parse_tlvs(apdu.data)
        key = ec.derive_private_key(int.from_bytes(wanted[0x06], "big"), self._curve(apdu.p1))
        self._put(apdu.p2, apdu.p1, key, wanted, made_here=False)
        return b""

    def _put(
        self, slot: int, algorithm: int, key: ec.EllipticCurvePrivateKey, wanted: dict[int, bytes], *, made_here: bool
    ) -> Slot:
        usual = _ALWAYS if slot == 0x9C else _ONCE
        policies = [wanted.get(tag, b"\0")[0] or default for tag, default in ((0xAA, usual), (0xAB, _TOUCH_NEVER))]
        self.slots[slot] = Slot(algorithm, key, policies[0], policies[1], made_here)
        return self.slots[slot]

    def _curve(self, algorithm: int) -> ec.EllipticCurve:
        if algorithm not in _CURVES:
            raise CardError(sw.WRONG_DATA)
        return _CURVES[algorithm]

    def _authenticate(self, apdu: Apdu, fresh: bool) -> bytes:
        wanted = parse_tlvs(parse_tlvs(apdu.data)[0x7C])
        if apdu.p2 == 0x9B:
            return tlv(0x7C, self._authenticate_manager(wanted))
        slot = self._slot(apdu.p2)
        allowed = {_ALWAYS: fresh and self.link.verified, _ONCE: self.link.verified}.get(slot.pin_policy, True)
        if apdu.p1 != slot.algorithm or 0x81 not in wanted:
            raise CardError(sw.WRONG_DATA)
        if not allowed or (slot.touch_policy != _TOUCH_NEVER and not self.touch()):
            raise CardError(sw.SECURITY_NOT_SATISFIED)
        return tlv(0x7C, tlv(0x82, _sign(slot, wanted[0x81])))

    def _authenticate_manager(self, wanted: dict[int, bytes]) -> bytes:
        cipher = Cipher(_CIPHERS[self.management_algorithm](self.management_key), modes.ECB())  # noqa: S305 - SP 800-73
        size = 8 if self.management_algorithm == 0x03 else 16
        encrypt = cipher.encryptor().update
        if wanted.get(0x80) == b"":  # mutual, first half: the card's witness
            self.link.witness = secrets.token_bytes(size)
            return tlv(0x80, encrypt(self.link.witness))
        if wanted.get(0x81) == b"":  # single: the card's challenge
            self.link.witness = secrets.token_bytes(size)
            return tlv(0x81, self.link.witness)
        witness, self.link.witness = self.link.witness, b""
        proof = wanted.get(0x80) or cipher.decryptor().update(wanted.get(0x82, b""))
        if not witness or proof != witness:
            raise CardError(sw.SECURITY_NOT_SATISFIED)
        self.link.managed = True
        return tlv(0x82, encrypt(wanted[0x81])) if 0x81 in wanted else b""

    def _get_data(self, apdu: Apdu, _fresh: bool) -> bytes:
        name = parse_tlvs(apdu.data)[0x5C]
        if name == b"\x7e":
            return tlv(0x7E, tlv(0x4F, PIV + bytes.fromhex("000010000100")) + tlv(0x5F2F, b"\x40\0"))
        if name not in self.objects:
            raise CardError(sw.NOT_FOUND)
        return tlv(0x53, self.objects[name])

    def _put_data(self, apdu: Apdu, _fresh: bool) -> bytes:
        self._require_managed()
        given = parse_tlvs(apdu.data)
        self.objects[given[0x5C]] = given[0x53]
        return b""

    def _metadata(self, apdu: Apdu, _fresh: bool) -> bytes:
        if self.firmware < (5, 3, 0):
            raise CardError(sw.UNKNOWN_INSTRUCTION)
        if apdu.p2 in {0x80, 0x81}:
            secret = self.pin if apdu.p2 == 0x80 else self.puk
            is_factory = bytes([secret.value == secret.factory])
            return tlv(5, is_factory) + tlv(6, bytes([secret.total, secret.left]))
        if apdu.p2 == 0x9B:
            is_factory = bytes([self.management_key == FACTORY_MANAGEMENT_KEY])
            return tlv(1, bytes([self.management_algorithm])) + tlv(2, b"\0\x01") + tlv(5, is_factory)
        slot = self._slot(apdu.p2)
        policies, origin = bytes([slot.pin_policy, slot.touch_policy]), 1 if slot.made_here else 2
        return tlv(1, bytes([slot.algorithm])) + tlv(2, policies) + tlv(3, bytes([origin])) + tlv(4, slot.point())

    def _attest(self, apdu: Apdu, _fresh: bool) -> bytes:
        slot = self._slot(apdu.p1)
        if not slot.made_here:
            raise CardError(sw.WRONG_DATA)
        serial = self.serial.to_bytes(self.serial.bit_length() // 8 + 1, "big")
        extensions = {
            3: bytes(self.firmware),
            7: tlv(0x02, serial),
            8: bytes([slot.pin_policy, slot.touch_policy]),
            9: b"\x01",
        }
        subject = f"YubiKey PIV Attestation {apdu.p1:02x}"
        issuer = self._attestation_certificate.subject.rfc4514_string().removeprefix("CN=")
        made = certificate(
            subject, slot.key.public_key(), issuer, self._attestation_key, ca=False, extensions=extensions
        )
        return made.public_bytes(Encoding.DER)

    def _set_management_key(self, apdu: Apdu, _fresh: bool) -> bytes:
        self._require_managed()
        algorithm, _, size = apdu.data[:3]
        self.management_algorithm, self.management_key = algorithm, apdu.data[3 : 3 + size]
        return b""

    def _slot(self, number: int) -> Slot:
        if number not in self.slots:
            raise CardError(sw.REFERENCE_NOT_FOUND)
        return self.slots[number]

    def _require_managed(self) -> None:
        if not self.link.managed:
            raise CardError(sw.SECURITY_NOT_SATISFIED)


def _sign(slot: Slot, digest: bytes) -> bytes:
    """Clients send short digests as they are: the card pads them on the left."""
    size = slot.key.key_size // 8
    hash_of: hashes.HashAlgorithm = hashes.SHA256() if size == 32 else hashes.SHA384()
    if len(digest) > size:
        raise CardError(sw.WRONG_DATA)
    return slot.key.sign(digest.rjust(size, b"\0"), ec.ECDSA(utils.Prehashed(hash_of)))


_COMMANDS: dict[int, Callable[[VirtualPivCard, Apdu, bool], bytes]] = {
    0x20: VirtualPivCard._verify,
    0x24: VirtualPivCard._change,
    0x2C: VirtualPivCard._unblock,
    0x47: VirtualPivCard._generate,
    0x87: VirtualPivCard._authenticate,
    0xCB: VirtualPivCard._get_data,
    0xDB: VirtualPivCard._put_data,
    0xF7: VirtualPivCard._metadata,
    0xF8: VirtualPivCard._serial,
    0xF9: VirtualPivCard._attest,
    0xFA: VirtualPivCard._set_retries,
    0xFB: VirtualPivCard._reset,
    0xFD: VirtualPivCard._version,
    0xFE: VirtualPivCard._import,
    0xFF: VirtualPivCard._set_management_key,
}
