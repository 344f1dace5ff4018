"""The files of a squashfs image (4.0): inodes, directories, blocks, and the ends of files that share a block.

Inodes and directories lie in tables, packed 8 KiB at a time; each reference says which of these, and where in it.
"""

import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import lz4.block
import zstandard

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.fields import Layout
from enigm_tuf_repository.inspection.filesystems.squashfs import NO_TABLE, Squashfs
from enigm_tuf_repository.inspection.filesystems.walking import Budget, Entries, files_below
from enigm_tuf_repository.inspection.limits import INSPECTION_LIMITS
from enigm_tuf_repository.inspection.source import PIECE, Source

_PACKED = 8192  # bytes of a table that are packed at a time
_AS_IS = 0x8000  # in front of them: they are not packed
_BLOCK_AS_IS = 1 << 24  # the same in the length of a block
_NO_FRAGMENT = 0xFFFFFFFF
_FRAGMENTS = 512  # entries in one part of their table
_RECENT = 32  # parts of tables, and blocks that files share, that are kept unpacked
_MEMORY = 128 * 2**20  # bytes
_COMMON = Layout("<", kind="H", _mode="H", _ids="I", _time="I", number="I")
_KINDS: Mapping[int, Layout] = {
    1: Layout("<", block="I", _links="I", size="H", offset="H", _parent="I"),
    8: Layout("<", _links="I", size="I", block="I", _parent="I", _index="H", offset="H", _xattr="I"),
    2: Layout("<", start="I", fragment="I", offset="I", size="I"),
    9: Layout("<", start="Q", size="Q", _sparse="Q", _links="I", fragment="I", offset="I", _xattr="I"),
}
_DIRECTORIES = {1, 8}
_GROUP = Layout("<", count="I", block="I", _number="I")
_ENTRY = Layout("<", offset="H", _number="H", kind="H", length="H")
_ATTRIBUTES = Layout("<", start="Q", count="I", _unused="I", end="Q")
_FRAGMENT = Layout("<", start="Q", size="I", _unused="I")


@dataclass(slots=True)
class SquashfsFiles:
    """Reads ``image`` out of ``source``."""

    source: Source
    image: Squashfs
    _recent: dict[int, bytes] = field(default_factory=dict)
    _budget: Budget = field(default_factory=Budget)

    def files(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Path and bytes, in pieces, of each regular file, once; MalformedError from either."""
        return files_below(self.image.root, self._look, self.source.name)

    def tables(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """What lies packed beside the files: where symbolic links lead to, and extended attributes; MalformedError."""
        yield "(inodes)", self._parts(self.image.inode_table, self.image.directory_table)
        if self.image.attributes != NO_TABLE:
            head = self.source.read(self.image.attributes, _ATTRIBUTES.size)
            table = _ATTRIBUTES.read(head, self.source.name, "attributes")
            yield "(attributes)", self._parts(table["start"], table["end"])

    def _parts(self, place: int, end: int) -> Iterator[bytes]:
        while place < end:
            data, place = self.part(place)
            yield data

    def _look(self, reference: int) -> tuple[Entries, Iterator[bytes] | None]:
        place, offset = self.image.inode_table + (reference >> 16), reference & 0xFFFF
        table = self._table(place, offset)
        kind = _COMMON.read(table.take(_COMMON.size), self.source.name, "inode")["kind"]
        if kind not in _KINDS:
            return (), None
        inode = _KINDS[kind].read(table.take(_KINDS[kind].size), self.source.name, "inode")
        return (self._entries(inode), None) if kind in _DIRECTORIES else ((), self._pieces(inode, table))

    def _entries(self, inode: dict[str, Any]) -> Entries:
        """In groups whose inodes lie in one part of the table. Three bytes of the size stand for "." and ".."."""
        left = inode["size"] - 3
        if left > INSPECTION_LIMITS.directory:
            raise MalformedError(self.source.name, "directory", f"at most {INSPECTION_LIMITS.directory:,} bytes")
        table = self._table(self.image.directory_table + inode["block"], inode["offset"])
        while left > 0:
            group = _GROUP.read(table.take(_GROUP.size), self.source.name, "directory")
            left -= _GROUP.size
            for _ in range(group["count"] + 1):
                entry = _ENTRY.read(table.take(_ENTRY.size), self.source.name, "directory")
                left -= _ENTRY.size + entry["length"] + 1
                if left < 0:
                    raise MalformedError(self.source.name, "directory", "its entries do not fit")
                yield table.take(entry["length"] + 1), group["block"] << 16 | entry["offset"]

    def _pieces(self, inode: dict[str, Any], table: "_Table") -> Iterator[bytes]:
        size, block, place = inode["size"], self.image.block, inode["start"]
        if size > INSPECTION_LIMITS.partition:
            raise MalformedError(self.source.name, "inode", f"a file of {size:,} bytes")
        tail = size % block if inode["fragment"] != _NO_FRAGMENT else 0
        lengths = table.take(-(-(size - tail) // block) * 4)
        for start in range(0, size - tail, block):
            packed, expected = int.from_bytes(lengths[start // block * 4 :][:4], "little"), min(block, size - start)
            yield self._block(place, packed, expected) if packed else bytes(expected)
            place += packed & ~_BLOCK_AS_IS
        if tail:
            shared = self._fragment(inode["fragment"])
            if inode["offset"] + tail > len(shared):
                raise MalformedError(self.source.name, "fragment", "shorter than the end of a file in it")
            yield shared[inode["offset"] : inode["offset"] + tail]

    def _block(self, place: int, packed: int, expected: int) -> bytes:
        data = self._unpacked(place, packed & ~_BLOCK_AS_IS, bool(packed & _BLOCK_AS_IS), self.image.block)
        if len(data) != expected:
            raise MalformedError(
                self.source.name, f"byte {place:,}", f"a block of {len(data):,} bytes, not {expected:,}"
            )
        return data

    def _fragment(self, number: int) -> bytes:
        if number >= self.image.fragments:
            raise MalformedError(self.source.name, "fragment", f"there is no {number}")
        part, index = divmod(number, _FRAGMENTS)
        pointer = int.from_bytes(self.source.read(self.image.fragment_table + part * 8, 8), "little")
        entry = _FRAGMENT.read(self._table(pointer, index * _FRAGMENT.size).take(_FRAGMENT.size), self.source.name)
        size = entry["size"]
        return self._kept(
            entry["start"],
            lambda: self._unpacked(entry["start"], size & ~_BLOCK_AS_IS, bool(size & _BLOCK_AS_IS), self.image.block),
        )

    def _table(self, place: int, offset: int) -> "_Table":
        return _Table(self, place, offset)

    def part(self, place: int) -> tuple[bytes, int]:
        """What the part of a table at ``place`` unpacks to, and where the next one is."""
        head = int.from_bytes(self.source.read(place, 2), "little")
        size = head & ~_AS_IS
        return self._kept(
            place, lambda: self._unpacked(place + 2, size, bool(head & _AS_IS), _PACKED)
        ), place + 2 + size

    def _kept(self, place: int, unpack: Callable[[], bytes]) -> bytes:
        if place not in self._recent:
            if len(self._recent) >= _RECENT:
                self._recent.pop(next(iter(self._recent)))
            self._recent[place] = unpack()
        return self._recent[place]

    def _unpacked(self, place: int, size: int, is_as_it_is: bool, most: int) -> bytes:
        if size > PIECE + _PACKED:
            raise MalformedError(self.source.name, f"byte {place:,}", f"a packed block of {size:,} bytes")
        self._budget.spend(size + most, self.source.name)
        data = self.source.read(place, size)
        try:
            data = data if is_as_it_is else _UNPACKERS[self.image.compression](data, most)
        except KeyError as error:
            raise MalformedError(self.source.name, "", f"{self.image.compression} is not unpacked here") from error
        except (zlib.error, lzma.LZMAError, lz4.block.LZ4BlockError, zstandard.ZstdError, EOFError) as error:
            raise MalformedError(self.source.name, f"byte {place:,}", f"cannot be unpacked: {error}") from error
        if not 0 < len(data) <= most:
            raise MalformedError(self.source.name, f"byte {place:,}", f"must unpack to 1 to {most:,} bytes")
        return data


class _Table:
    """A table from one byte of it on, over the borders of its parts."""

    def __init__(self, files: SquashfsFiles, place: int, offset: int) -> None:
        self._files = files
        data, self._next = files.part(place)
        self._rest = data[offset:]

    def take(self, count: int) -> bytes:
        """The next bytes, exactly; MalformedError."""
        pieces = [self._rest[:count]]
        while (missing := count - sum(map(len, pieces))) > 0:
            self._rest, self._next = self._files.part(self._next)
            pieces.append(self._rest[:missing])
        self._rest = self._rest[len(pieces[-1]) :]
        return b"".join(pieces)


def _unlzma(form: int) -> Callable[[bytes, int], bytes]:
    return lambda data, most: lzma.LZMADecompressor(form, _MEMORY).decompress(data, most + 1)


def _unzstd(data: bytes, most: int) -> bytes:
    if zstandard.frame_content_size(data) > most:  # where it says so, that much would be allocated
        return b""
    return zstandard.ZstdDecompressor(max_window_size=_MEMORY).decompress(data, most)


_UNPACKERS: Mapping[str, Callable[[bytes, int], bytes]] = {
    "gzip": lambda data, most: zlib.decompressobj().decompress(data, most + 1),
    "lzma": _unlzma(lzma.FORMAT_ALONE),
    "xz": _unlzma(lzma.FORMAT_XZ),
    "lz4": lambda data, most: bytes(lz4.block.decompress(data, uncompressed_size=most)),
    "zstd": _unzstd,
}
