"""A virtual PIV card: NIST SP 800-73-4 part 2, with the vendor's attestation, metadata, version and serial commands.

``transmit`` is the whole card: bytes in, bytes and status word out. Keys are made when asked for and live as long as
the object, or in the file that ``enigm_testkit.piv_file`` writes.
"""

from collections.abc import Callable

from enigm_testkit import piv_apdu as sw
from enigm_testkit import piv_key_commands as keys
from enigm_testkit import piv_pin_commands as pins
from enigm_testkit.attestation_ca import AttestationCa
from enigm_testkit.piv_apdu import Apdu, CardError, parse_apdu, parse_tlvs, tlv
from enigm_testkit.piv_finger import Finger, at_once
from enigm_testkit.piv_state import CardState, Link, require_managed

PIV = bytes.fromhex("a000000308")
MANAGEMENT = bytes.fromhex("a000000527471117")
_GET_RESPONSE, _SELECT, _CHAINED = 0xC0, 0xA4, 0x10
_BUFFER = 3_055  # bytes of data in one command, chained or not: 3,062 with its header


class VirtualPivCard(CardState):
    """``touch`` is the finger that the card waits for (``enigm_testkit.piv_finger``)."""

    def __init__(
        self,
        serial: int,
        *,
        firmware: tuple[int, int, int] = (5, 7, 4),
        attestation_ca: AttestationCa | None = None,
        touch: Finger = at_once,
    ) -> None:
        super().__init__(serial, firmware, (attestation_ca or AttestationCa()).issue_card(serial), touch)

    def reset_link(self) -> None:
        """Power off and on: what was verified is forgotten."""
        self.link = Link()

    def transmit(self, raw: bytes) -> bytes:
        """One APDU in, its answer with status word out, whatever the bytes are."""
        try:
            return self._answer(parse_apdu(raw))
        except CardError as error:
            status = error.sw
        except (KeyError, IndexError, ValueError):  # a field is missing or makes no sense
            status = sw.WRONG_DATA
        self.link.chained = b""
        return status.to_bytes(2, "big")

    def _answer(self, apdu: Apdu) -> bytes:
        if apdu.ins == _GET_RESPONSE:
            return self._pieces(self.link.rest, extended=apdu.extended)
        if apdu.cla & _CHAINED:
            self.link.chained += apdu.data
            return sw.OK.to_bytes(2, "big")
        if len(self.link.chained) + len(apdu.data) > _BUFFER:
            raise CardError(sw.WRONG_LENGTH)
        whole = Apdu(apdu.cla, apdu.ins, apdu.p1, apdu.p2, self.link.chained + apdu.data, apdu.extended)
        self.link.chained = b""
        return self._pieces(self._run(whole), extended=apdu.extended)

    def _pieces(self, data: bytes, *, extended: bool) -> bytes:
        size = len(data) if extended else 256
        self.link.rest = data[size:]
        more = min(len(self.link.rest), 0xFF) if self.link.rest else 0
        status = 0x6100 | more if self.link.rest else sw.OK
        return data[:size] + status.to_bytes(2, "big")

    def _run(self, apdu: Apdu) -> bytes:
        if apdu.ins == _SELECT:
            return self._select(apdu)
        if self.link.selected == MANAGEMENT:
            return self._management(apdu)
        self.link.just_verified, self.link.fresh = self.link.fresh, False
        if apdu.ins not in _COMMANDS or self.link.selected != PIV:
            raise CardError(sw.UNKNOWN_INSTRUCTION)
        return _COMMANDS[apdu.ins](self, apdu)

    def _select(self, apdu: Apdu) -> bytes:
        if len(apdu.data) >= 5 and apdu.data[:5] == PIV:
            self.link = Link(selected=PIV)
            return tlv(0x61, tlv(0x4F, bytes.fromhex("000010000100")) + tlv(0x79, tlv(0x4F, PIV)))
        if apdu.data == MANAGEMENT:
            self.link = Link(selected=MANAGEMENT)
            return f"Virtual mgr - FW version {'.'.join(map(str, self.firmware))}".encode()
        raise CardError(sw.NOT_FOUND)

    def _management(self, apdu: Apdu) -> bytes:
        if apdu.ins != 0x1D or apdu.p1 != 0:
            raise CardError(sw.UNKNOWN_INSTRUCTION)
        piv_only = bytes([0x00, 0x10])
        data = tlv(1, piv_only) + tlv(2, self.serial.to_bytes(4, "big")) + tlv(3, piv_only) + tlv(4, b"\x01")
        data += tlv(5, bytes(self.firmware)) + tlv(10, b"\0")
        return bytes([len(data)]) + data


def _version(card: CardState, _apdu: Apdu) -> bytes:
    return bytes(card.firmware)


def _serial(card: CardState, _apdu: Apdu) -> bytes:
    return card.serial.to_bytes(4, "big")


def _get_data(card: CardState, apdu: Apdu) -> bytes:
    name = parse_tlvs(apdu.data)[0x5C]
    if name == b"\x7e":  # the discovery object: no outer tag
        return tlv(0x7E, tlv(0x4F, PIV + bytes.fromhex("000010000100")) + tlv(0x5F2F, b"\x40\0"))
    if name not in card.objects:
        raise CardError(sw.NOT_FOUND)
    return tlv(0x53, card.objects[name])


def _put_data(card: CardState, apdu: Apdu) -> bytes:
    require_managed(card)
    given = parse_tlvs(apdu.data)
    card.objects[given[0x5C]] = given[0x53]
    if not given[0x53]:  # an empty object is none
        del card.objects[given[0x5C]]
    return b""


_COMMANDS: dict[int, Callable[[CardState, Apdu], bytes]] = {
    0x20: pins.verify,
    0x24: pins.change,
    0x2C: pins.unblock,
    0x47: keys.generate,
    0x87: keys.authenticate,
    0xCB: _get_data,
    0xDB: _put_data,
    0xF7: keys.metadata,
    0xF8: _serial,
    0xF6: keys.delete,
    0xF9: keys.attest,
    0xFA: pins.set_retries,
    0xFB: pins.reset,
    0xFD: _version,
    0xFE: keys.bring_in,
    0xFF: keys.set_management_key,
}
