"""Files out of an EROFS image: superblock, inodes, directories, and the data, as it is, in chunks, or compressed.

What mkfs.erofs makes only when it is asked to is refused: addresses of 48 bits, compressed inodes, several devices.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter
from typing import Any

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.fields import Layout
from enigm_tuf_repository.inspection.filesystems.erofs_clusters import (
    AS_IS,
    FRAGMENT,
    HOLE,
    TURNED,
    Extent,
    chunks_of,
    extents_of,
)
from enigm_tuf_repository.inspection.filesystems.erofs_codecs import unpack
from enigm_tuf_repository.inspection.filesystems.walking import (
    DIRECTORY,
    REGULAR,
    Budget,
    Entries,
    file_at,
    files_below,
)
from enigm_tuf_repository.inspection.limits import INSPECTION_LIMITS
from enigm_tuf_repository.inspection.source import PIECE, Source

MAGIC = 0xE0F5E1E2
SUPERBLOCK = 1024  # bytes from the start
_SUPER = Layout(
    "<",
    magic="I",
    checksum="I",
    compatible="I",
    log_block="B",
    extensions="B",
    root="H",
    inodes="Q",
    _time="12s",
    blocks="I",
    meta_block="I",
    xattr_block="I",
    uuid="16s",
    label="16s",
    incompatible="I",
    _algorithms="H",
    devices="H",
    _device_slots="H",
    directory_block="B",
    _prefixes="5s",
    packed="Q",
)
_FRAGMENTS = 0x20
_READABLE = 0x7F  # features that a reader must know: all up to the prefixes of attributes
_COMPACT = Layout("<", format="H", xattrs="H", mode="H", links="H", size="I", _reserved="I", place="I", _rest="12s")
_EXTENDED = Layout("<", format="H", xattrs="H", mode="H", _reserved="H", size="Q", place="I", _rest="44s")
_ENTRY = Layout("<", inode="Q", name="H", kind="B", _reserved="B")
_PLAIN, _FULL, _INLINE, _CLUSTERS, _CHUNKS = range(5)
_RECENT = 8  # clusters of the packed file that are kept unpacked
_SLOT = 32  # bytes: inode numbers count these


@dataclass(frozen=True, slots=True)
class Erofs:
    """An image; ``block`` and ``length`` in bytes, ``meta`` where the inodes start, ``packed`` holds files' ends."""

    source: Source
    block: int
    length: int
    meta: int
    root: int
    packed: int
    label: str
    uuid: str
    _recent: dict[int, bytes] = field(default_factory=dict)
    _packed_extents: list[Extent] = field(default_factory=list)
    _budget: Budget = field(default_factory=Budget)

    def read(self, path: str, maximum: int = INSPECTION_LIMITS.small_file) -> bytes | None:
        """The regular file at ``path``; None where there is none. MalformedError where it is longer."""
        inode = file_at(path, self.root, self._inode, self._entries, self.source.name)
        return None if inode is None else self._contents(inode, maximum, path)

    def files(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Path and bytes, in pieces, of each regular file, once; MalformedError from either."""
        return files_below(self.root, self._look, self.source.name)

    def _look(self, number: int) -> tuple[Entries, Iterator[bytes] | None]:
        inode = self._inode(number)
        kind = inode["mode"] >> 12
        entries = self._entries(inode) if kind == DIRECTORY else ()
        return entries, self._pieces(inode, 0, inode["size"]) if kind == REGULAR else None

    def _inode(self, number: int) -> dict[str, Any]:
        place = self.meta + number * _SLOT
        layout = _EXTENDED if self.source.read(place, 1)[0] & 1 else _COMPACT
        inode = layout.read(self.source.read(place, layout.size), self.source.name, f"inode {number}")
        xattrs = 12 + (inode["xattrs"] - 1) * 4 if inode["xattrs"] else 0
        return inode | {"data_layout": inode["format"] >> 1 & 7, "tail": place + layout.size + xattrs, "number": number}

    def _contents(self, inode: dict[str, Any], maximum: int, field: str) -> bytes:
        if inode["size"] > maximum:
            raise MalformedError(self.source.name, field, f"at most {maximum:,} bytes, has {inode['size']:,}")
        return b"".join(self._pieces(inode, 0, inode["size"]))

    def _pieces(self, inode: dict[str, Any], start: int, end: int) -> Iterator[bytes]:
        """These bytes of a file, in order."""
        is_packed = inode["number"] == self.packed
        for extent in self._extents(inode, start):
            low, high = max(start, extent.start), min(end, extent.start + extent.length)
            if extent.start >= end:
                return
            if low >= high:
                continue
            if extent.codec == FRAGMENT:
                if is_packed or not self.packed:
                    raise MalformedError(self.source.name, "fragments", "in no packed file")
                place = extent.place + low - extent.start
                yield from self._pieces(self._inode(self.packed), place, place + high - low)
            elif extent.codec in {AS_IS, HOLE}:
                for at in range(low, high, PIECE):
                    count, place = min(PIECE, high - at), extent.place + at - extent.start
                    yield self.source.read(place, count) if extent.codec == AS_IS else bytes(count)
            else:
                cluster = self._recent.get(extent.start) if is_packed else None
                cluster = cluster or self._cluster(extent)
                if is_packed:
                    self._keep(extent.start, cluster)
                yield cluster[low - extent.start : high - extent.start]

    def _keep(self, start: int, cluster: bytes) -> None:
        if len(self._recent) >= _RECENT and start not in self._recent:
            self._recent.pop(next(iter(self._recent)))
        self._recent[start] = cluster

    def _cluster(self, extent: Extent) -> bytes:
        self._budget.spend(extent.packed + extent.length, self.source.name)
        data = self.source.read(extent.place, extent.packed)
        if extent.codec != TURNED:
            return unpack(extent.codec, data, extent.length, extent.is_part, self.source.name)
        skip = extent.start % self.block
        return (data[skip:] + data[:skip])[: extent.length]

    def _extents(self, inode: dict[str, Any], start: int) -> Iterable[Extent]:
        """Where the bytes of a file lie, from ``start`` on at the latest, in order."""
        size, layout, tail = inode["size"], inode["data_layout"], inode["tail"]
        if size > INSPECTION_LIMITS.partition:
            raise MalformedError(self.source.name, f"inode {inode['number']}", f"a file of {size:,} bytes")
        if layout in {_PLAIN, _INLINE}:
            inline = size % self.block if layout == _INLINE else 0
            place, whole = inode["place"] * self.block, size - inline
            return (Extent(0, whole, place, whole, AS_IS), Extent(whole, inline, tail, inline, AS_IS))
        if layout == _CHUNKS:
            return chunks_of(self.source, self.block, tail, size, inode["place"])
        if layout not in {_FULL, _CLUSTERS}:
            raise MalformedError(self.source.name, f"inode {inode['number']}", "its data lies in no known way")
        if inode["number"] != self.packed:
            return extents_of(self.source, self.block, tail, size, layout == _FULL)
        if not self._packed_extents:
            self._packed_extents.extend(extents_of(self.source, self.block, tail, size, layout == _FULL))
        first = bisect_right(self._packed_extents, start, key=attrgetter("start"))
        return islice(self._packed_extents, max(first - 1, 0), None)

    def _entries(self, inode: dict[str, Any]) -> Iterator[tuple[bytes, int]]:
        data = self._contents(inode, INSPECTION_LIMITS.directory, f"directory {inode['number']}")
        for start in range(0, len(data), self.block):
            yield from self._block_entries(data[start : start + self.block])

    def _block_entries(self, data: bytes) -> Iterator[tuple[bytes, int]]:
        """Fixed parts first, names behind them; the first name says how many there are."""
        first = _ENTRY.read(data, self.source.name, "directory")["name"]
        if not first or first % _ENTRY.size or first > len(data):
            raise MalformedError(self.source.name, "directory", "its entries do not fit")
        entries = [_ENTRY.read(data[place:], self.source.name, "directory") for place in range(0, first, _ENTRY.size)]
        ends = [entry["name"] for entry in entries[1:]] + [len(data)]
        for entry, end in zip(entries, ends, strict=True):
            if not first <= entry["name"] <= end <= len(data):
                raise MalformedError(self.source.name, "directory", "a name does not fit")
            yield data[entry["name"] : end].rstrip(b"\0"), entry["inode"]


def looks_like_erofs(source: Source) -> bool:
    """Has the magic of its superblock."""
    return source.length >= SUPERBLOCK + 4 and int.from_bytes(source.read(SUPERBLOCK, 4), "little") == MAGIC


def read_erofs(source: Source) -> Erofs:
    """MalformedError names what is wrong."""
    head = _SUPER.read(source.read(SUPERBLOCK, min(_SUPER.size, source.length - SUPERBLOCK)), source.name, "superblock")
    if not 9 <= head["log_block"] <= 16:
        raise MalformedError(source.name, "superblock", f"no size of a block: 2 to the {head['log_block']}")
    block = 1 << head["log_block"]
    if head["incompatible"] & ~_READABLE or head["devices"] or head["directory_block"]:
        unknown = head["incompatible"] & ~_READABLE
        raise MalformedError(source.name, "superblock", f"features that are not read: {unknown:#x}, or more devices")
    if head["blocks"] * block > source.length:
        raise MalformedError(source.name, "superblock", f"is cut off: must have {head['blocks'] * block:,} bytes")
    label = head["label"].split(b"\0")[0].decode("ascii", "replace")
    return Erofs(
        source=source,
        block=block,
        length=head["blocks"] * block,
        meta=head["meta_block"] * block,
        root=head["root"],
        packed=head["packed"] if head["incompatible"] & _FRAGMENTS else 0,
        label=label,
        uuid=head["uuid"].hex(),
    )
