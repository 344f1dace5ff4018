"""cpio archives in the forms "newc" (070701) and "crc" (070702): ramdisks of Linux, and SWUpdate's images."""

from collections.abc import Iterator
from dataclasses import dataclass

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.source import Source

MAGICS = (b"070701", b"070702")
_HEADER = 110  # bytes: six of magic, then thirteen numbers of eight hex digits
_TRAILER = "TRAILER!!!"
_LONGEST_NAME = 4096


@dataclass(frozen=True, slots=True)
class CpioEntry:
    """``mode`` as stat has it. ``checksum`` is the sum of all bytes, in the form "crc"; else None."""

    name: str
    mode: int
    data: Source
    checksum: int | None


def looks_like_cpio(source: Source) -> bool:
    """Begins with one of the magics."""
    return source.length > _HEADER and source.read(0, 6) in MAGICS


def read_cpio(source: Source, most: int) -> Iterator[CpioEntry]:
    """Entries in order up to the trailer; MalformedError where there are more than ``most``, or one is cut off."""
    place = 0
    for _ in range(most + 1):
        head = source.read(place, _HEADER)
        fields = _fields(head, source, place)
        size, name_size = fields[6], fields[11]
        if not 1 < name_size <= _LONGEST_NAME:
            raise MalformedError(source.name, f"byte {place:,}", "no name")
        raw = source.read(place + _HEADER, name_size)
        name = raw[:-1].decode("utf-8", "replace")
        if raw[-1] or not name.isprintable():
            raise MalformedError(source.name, f"byte {place:,}", "no name")
        if name == _TRAILER:
            return
        start = _aligned(place + _HEADER + name_size)
        yield CpioEntry(name, fields[1], source.part(start, size, name), fields[12] if head[:6] == MAGICS[1] else None)
        place = _aligned(start + size)
    raise MalformedError(source.name, "", f"at most {most:,} entries")


def _fields(head: bytes, source: Source, place: int) -> list[int]:
    digits = head[6:]
    if head[:6] not in MAGICS or not all(byte in b"0123456789abcdefABCDEF" for byte in digits):
        raise MalformedError(source.name, f"byte {place:,}", "no cpio header")
    return [int(digits[start : start + 8], 16) for start in range(0, len(digits), 8)]


def _aligned(place: int) -> int:
    return -(-place // 4) * 4
