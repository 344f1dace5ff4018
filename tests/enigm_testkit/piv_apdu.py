"""APDUs and BER-TLV, as far as a PIV card needs them (ISO/IEC 7816-4)."""

from collections.abc import Iterator
from dataclasses import dataclass

OK = 0x9000
NO_RETRY_LEFT = 0x63C0
WRONG_LENGTH = 0x6700
SECURITY_NOT_SATISFIED = 0x6982
BLOCKED = 0x6983
CONDITIONS_NOT_SATISFIED = 0x6985
WRONG_DATA = 0x6A80
FUNCTION_NOT_SUPPORTED = 0x6A81
NOT_FOUND = 0x6A82
REFERENCE_NOT_FOUND = 0x6A88
UNKNOWN_INSTRUCTION = 0x6D00


class CardError(Exception):
    """Ends a command with a status word."""

    def __init__(self, sw: int) -> None:
        super().__init__(f"{sw:04x}")
        self.sw = sw


@dataclass(frozen=True)
class Apdu:
    """A command. ``extended`` says in which form it came; its answer may then be as long as it is."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes
    extended: bool


def parse_apdu(raw: bytes) -> Apdu:
    """Short and extended commands, with or without data and Le."""
    if len(raw) < 4:
        raise CardError(WRONG_LENGTH)
    cla, ins, p1, p2 = raw[:4]
    body = raw[4:]
    extended = len(body) >= 3 and body[0] == 0
    if extended:
        length = int.from_bytes(body[1:3], "big")
        data = body[3 : 3 + length] if len(body) > 3 else b""
    else:
        data = body[1 : 1 + body[0]] if len(body) > 1 else b""
    return Apdu(cla, ins, p1, p2, data, extended)


def tlv(tag: int, value: bytes) -> bytes:
    """One BER-TLV."""
    name = tag.to_bytes((tag.bit_length() + 7) // 8 or 1, "big")
    size = len(value)
    if size < 0x80:
        return name + bytes([size]) + value
    digits = (size.bit_length() + 7) // 8
    return name + bytes([0x80 | digits]) + size.to_bytes(digits, "big") + value


def parse_tlvs(data: bytes) -> dict[int, bytes]:
    """All TLVs of one level, by tag; the last of the same tag counts."""
    return dict(_tlvs(data))


def _tlvs(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(data):
        tag, position = _tag(data, position)
        size, position = _size(data, position)
        if position + size > len(data):
            raise CardError(WRONG_DATA)
        yield tag, data[position : position + size]
        position += size


def _tag(data: bytes, position: int) -> tuple[int, int]:
    tag = data[position]
    position += 1
    if tag & 0x1F == 0x1F and position < len(data):
        tag = tag << 8 | data[position]
        position += 1
    return tag, position


def _size(data: bytes, position: int) -> tuple[int, int]:
    if position >= len(data):
        raise CardError(WRONG_DATA)
    size = data[position]
    position += 1
    if size & 0x80:
        digits = size & 0x7F
        size = int.from_bytes(data[position : position + digits], "big")
        position += digits
    return size, position
