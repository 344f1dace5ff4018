"""Zip files in which every reader must see the same: one directory, one entry of a name, local headers that agree.

Refused beside what ``zipfile`` refuses: bytes before, between and behind the entries that no entry owns, a name twice,
absolute names and ``..``, encryption, other methods than stored and deflated, too many entries, a directory too long.
"""

import re
import shutil
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.fields import Layout
from enigm_tuf_repository.inspection.limits import INSPECTION_LIMITS
from enigm_tuf_repository.inspection.reading_file import SourceFile
from enigm_tuf_repository.inspection.source import PIECE, Source, file_source

MAGIC = b"PK\x03\x04"
_END_MAGIC = b"PK\x05\x06"
_END = Layout("<", magic="4s", disk="H", start_disk="H", here="H", entries="H", size="I", offset="I", comment="H")
_LONGEST_DESCRIPTOR = 24  # bytes: with magic, in a zip64 file
_LOCAL = Layout(
    "<",
    magic="4s",
    version="H",
    flags="H",
    method="H",
    time="H",
    date="H",
    crc="I",
    packed="I",
    size="I",
    name="H",
    extra="H",
)
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_FOREIGN = (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, struct.error, zlib.error, UnicodeError)


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """``data`` is where its packed bytes lie; ``size`` is that of the unpacked ones."""

    name: str
    data: Source
    size: int
    stored: bool


@dataclass(frozen=True, slots=True)
class ZipPackage:
    """The entries by name. ``comment`` is the archive's."""

    source: Source
    entries: dict[str, ZipEntry]
    comment: bytes

    def read(self, name: str, maximum: int = INSPECTION_LIMITS.small_file) -> bytes:
        """An entry, unpacked and its CRC checked; MalformedError where it is missing or longer than ``maximum``."""
        entry = self.entries.get(name)
        if entry is None:
            raise MalformedError(self.source.name, name, "missing from the package")
        if entry.size > maximum:
            raise MalformedError(self.source.name, name, f"at most {maximum:,} bytes, has {entry.size:,}")
        try:
            with SourceFile(self.source) as file, zipfile.ZipFile(file) as archive:
                data = archive.read(name)
        except _FOREIGN as error:
            raise MalformedError(self.source.name, name, f"cannot be unpacked: {error}") from error
        return data

    def unpack(self, name: str, place: Path) -> Source:
        """An entry as a file at ``place``, never longer than the directory says, and its CRC checked."""
        entry = self.entries[name]
        if entry.size > INSPECTION_LIMITS.partition:
            raise MalformedError(self.source.name, name, f"at most {INSPECTION_LIMITS.partition:,} bytes")
        try:
            with SourceFile(self.source) as file, zipfile.ZipFile(file) as archive, place.open("wb") as out:
                shutil.copyfileobj(archive.open(name), out, PIECE)
        except _FOREIGN as error:
            raise MalformedError(self.source.name, name, f"cannot be unpacked: {error}") from error
        return file_source(place, f"{self.source.name}: {name}")

    def stored(self, name: str) -> Source:
        """The bytes of an entry that is not compressed, in place."""
        entry = self.entries.get(name)
        if entry is None:
            raise MalformedError(self.source.name, name, "missing from the package")
        if not entry.stored:
            raise MalformedError(self.source.name, name, "must be stored, not compressed")
        return entry.data


def looks_like_zip(source: Source) -> bool:
    """Begins as a zip file does."""
    return source.length >= len(MAGIC) and source.read(0, len(MAGIC)) == MAGIC


def read_zip(source: Source) -> ZipPackage:
    """MalformedError names what is wrong. No entry is unpacked yet."""
    _require_one_end(source)
    try:
        with SourceFile(source) as file, zipfile.ZipFile(file) as archive:
            infos, comment, directory = archive.infolist(), archive.comment, archive.start_dir
    except _FOREIGN as error:
        raise MalformedError(source.name, "", f"not a zip file: {error}") from error
    if len(infos) > INSPECTION_LIMITS.zip_entries:
        raise MalformedError(source.name, "", f"at most {INSPECTION_LIMITS.zip_entries:,} entries")
    entries: dict[str, ZipEntry] = {}
    for info in sorted(infos, key=lambda info: info.header_offset):
        entry = _entry(source, info)
        if entry.name in entries:
            raise MalformedError(source.name, entry.name, "stands twice in the package")
        entries[entry.name] = entry
    _require_gapless(source, list(entries.values()), [*sorted(info.header_offset for info in infos), directory])
    return ZipPackage(source, entries, comment)


def _require_one_end(source: Source) -> None:
    """One end record, at the very end: what any reader finds, from wherever it looks."""
    length = min(source.length, _END.size + 0xFFFF)
    tail = source.read(source.length - length, length)
    places = [found.start() for found in re.finditer(re.escape(_END_MAGIC), tail) if _ends_there(tail, found.start())]
    if len(places) != 1 or places[0] != tail.rfind(_END_MAGIC):
        raise MalformedError(source.name, "", "not a zip file: must have one end record, at its end")


def _ends_there(tail: bytes, place: int) -> bool:
    record = tail[place : place + _END.size]
    return len(record) == _END.size and place + _END.size + int.from_bytes(record[-2:], "little") == len(tail)


def _entry(source: Source, info: zipfile.ZipInfo) -> ZipEntry:
    name = info.orig_filename
    if not name.isprintable() or name.startswith("/") or ".." in name.split("/") or "\\" in name:
        raise MalformedError(source.name, f"{name[:60]!r}", "no name for an entry")
    if info.flag_bits & _ENCRYPTED or info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise MalformedError(source.name, name, "must be stored or deflated, not encrypted")
    local = _LOCAL.read(source.read(info.header_offset, _LOCAL.size), source.name, name)
    written = source.read(info.header_offset + _LOCAL.size, local["name"])
    if local["magic"] != MAGIC or local["method"] != info.compress_type or written != _raw_name(info):
        raise MalformedError(source.name, name, "its own header says something else than the directory")
    if (
        not local["flags"] & 8
        and not info.extra
        and (local["packed"], local["size"])
        != (
            info.compress_size,
            info.file_size,
        )
    ):
        raise MalformedError(source.name, name, "its own header has other sizes than the directory")
    stored = info.compress_type == zipfile.ZIP_STORED
    if stored and info.compress_size != info.file_size:
        raise MalformedError(source.name, name, "a stored entry has one size")
    start = info.header_offset + _LOCAL.size + local["name"] + local["extra"]
    return ZipEntry(name, source.part(start, info.compress_size, name), info.file_size, stored)


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    return info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437")


def _require_gapless(source: Source, entries: list[ZipEntry], starts: list[int]) -> None:
    """Entries follow each other from the first byte to the directory; a data descriptor may stand behind each."""
    if starts[0] != 0:
        raise MalformedError(source.name, "", "bytes before the first entry")
    for entry, start in zip(entries, starts[1:], strict=True):
        if not 0 <= start - (entry.data.start - source.start + entry.data.length) <= _LONGEST_DESCRIPTOR:
            raise MalformedError(source.name, entry.name, "overlaps another entry, or has bytes behind it")
