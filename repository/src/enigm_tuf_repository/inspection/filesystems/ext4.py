"""Single files out of an ext4 image, read only: superblock, group descriptors, inodes, extents, linear directories.

A directory with an index is a linear directory too, to a reader that does not know the index. Refused: what a kernel
of today would not write for an image (block maps, encryption, compression, big allocation, journals to be replayed).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import Any

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.fields import Layout
from enigm_tuf_repository.inspection.filesystems.walking import DIRECTORY, REGULAR, Entries, file_at, files_below
from enigm_tuf_repository.inspection.limits import INSPECTION_LIMITS
from enigm_tuf_repository.inspection.source import PIECE, Source

MAGIC = 0xEF53
SUPERBLOCK = 1024  # bytes from the start
_SUPER = Layout(
    "<",
    inodes="I",
    blocks="I",
    _skipped="12s",
    first_block="I",
    log_block="I",
    log_cluster="I",
    blocks_per_group="I",
    _clusters="I",
    inodes_per_group="I",
    _times="12s",
    magic="H",
    _states="30s",
    inode_size="H",
    _group="H",
    compatible="I",
    incompatible="I",
    read_only="I",
    uuid="16s",
    label="16s",
    _mounted="64s",
    _more="54s",
    descriptor_size="H",
)
_FILETYPE, _EXTENTS, _64BIT, _FLEX = 0x2, 0x40, 0x80, 0x200
_EA_INODE, _CSUM_SEED, _LARGEDIR, _INLINE, _CASEFOLD = 0x400, 0x2000, 0x4000, 0x8000, 0x20000
_READABLE = _FILETYPE | _EXTENTS | _64BIT | _FLEX | _EA_INODE | _CSUM_SEED | _LARGEDIR | _INLINE | _CASEFOLD
_BIGALLOC = 0x200  # among the features that forbid writing
_INODE = Layout(
    "<",
    mode="H",
    uid="H",
    size="I",
    _times="24s",
    flags="I",
    _version="I",
    blocks="60s",
    _generation="8s",
    size_high="I",
)
_EXTENT_HEAD = Layout("<", magic="H", entries="H", most="H", depth="H", generation="I")
_EXTENT = Layout("<", block="I", length="H", high="H", low="I")
_INDEX = Layout("<", block="I", low="I", high="H", unused="H")
_ENTRY = Layout("<", inode="I", length="H", name="B", kind="B")
_ROOT = 2
_USES_EXTENTS, _INLINE_DATA, _ENCRYPTED = 0x80000, 0x10000000, 0x800
_DEEPEST = 5  # levels of an extent tree


@dataclass(frozen=True, slots=True)
class Ext4:
    """An image; ``block`` in bytes. ``label`` as mke2fs -L gave it.

    ``scattered`` gets where each piece of the scattered files begins and ends, in bytes.
    """

    source: Source
    block: int
    inode_size: int
    inodes: int
    inodes_per_group: int
    descriptor_size: int
    first_block: int
    label: str
    uuid: str
    scattered: list[tuple[int, int]] = field(default_factory=list)

    def read(self, path: str, maximum: int = INSPECTION_LIMITS.small_file) -> bytes | None:
        """The regular file at ``path``; None where there is none. MalformedError where it is a link, or longer."""
        inode = file_at(path, _ROOT, self._inode, self._entries, self.source.name)
        return None if inode is None else self._contents(inode, maximum, path)

    def scattered_files(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Path and bytes, in pieces, of each regular file that lies in several places; MalformedError from either."""
        return files_below(_ROOT, self._look, self.source.name)

    def _look(self, number: int) -> tuple[Entries, Iterator[bytes] | None]:
        inode = self._inode(number)
        kind = inode["mode"] >> 12
        if kind == REGULAR and inode["size"] > self.block and not inode["flags"] & _INLINE_DATA:
            if not inode["flags"] & _USES_EXTENTS:
                raise MalformedError(self.source.name, f"inode {number}", "has a block map; only extents are read")
            extents = list(islice(self._extents(inode["blocks"], set()), INSPECTION_LIMITS.extents + 1))
            follow = [one[0] + one[1] == two[0] and one[2] + one[1] == two[2] for one, two in pairwise(extents)]
            if all(follow):
                return (), None
            self.scattered.extend((place * self.block, (place + count) * self.block) for _, count, place in extents)
            return (), self._pieces(extents, inode["size"], number)
        return self._entries(inode) if kind == DIRECTORY else (), None

    def _pieces(self, extents: list[tuple[int, int, int]], size: int, number: int) -> Iterator[bytes]:
        """Holes are zeros."""
        end = 0
        for logical, length, physical in extents:
            start, stop = logical * self.block, min((logical + length) * self.block, size)
            if not end <= start <= stop or len(extents) > INSPECTION_LIMITS.extents:
                raise MalformedError(self.source.name, f"inode {number}", "its extents are in no order, or too many")
            yield from (bytes(min(PIECE, start - done)) for done in range(end, start, PIECE))
            yield from self.source.pieces(physical * self.block, stop - start)
            end = stop

    def _inode(self, number: int) -> dict[str, Any]:
        if not 0 < number <= self.inodes:
            raise MalformedError(self.source.name, f"inode {number}", "there is no such inode")
        group, index = divmod(number - 1, self.inodes_per_group)
        place = (self.first_block + 1) * self.block + group * self.descriptor_size
        descriptor = self.source.read(place, self.descriptor_size)
        table = int.from_bytes(descriptor[8:12], "little")
        if self.descriptor_size >= 64:
            table |= int.from_bytes(descriptor[0x28:0x2C], "little") << 32
        raw = self.source.read(table * self.block + index * self.inode_size, self.inode_size)
        inode = _INODE.read(raw, self.source.name, f"inode {number}")
        if inode["flags"] & _ENCRYPTED:
            raise MalformedError(self.source.name, f"inode {number}", "is encrypted")
        return inode | {"size": inode["size"] | inode["size_high"] << 32, "number": number, "raw": raw}

    def _contents(self, inode: dict[str, Any], maximum: int, field: str) -> bytes:
        size = inode["size"]
        if size > maximum:
            raise MalformedError(self.source.name, field, f"at most {maximum:,} bytes, has {size:,}")
        if inode["flags"] & _INLINE_DATA:
            return self._inline(inode, field)
        if not inode["flags"] & _USES_EXTENTS:
            raise MalformedError(self.source.name, field, "has a block map; only extents are read")
        data = bytearray(-(-size // self.block) * self.block)
        for count, (logical, length, physical) in enumerate(self._extents(inode["blocks"], set())):
            if count >= INSPECTION_LIMITS.extents or (logical + length) * self.block > len(data):
                raise MalformedError(self.source.name, field, "an extent reaches beyond the end of the file")
            data[logical * self.block : (logical + length) * self.block] = self.source.read(
                physical * self.block, length * self.block
            )
        return bytes(data[:size])

    def _inline(self, inode: dict[str, Any], field: str) -> bytes:
        """In the inode's own block area; what is longer goes on in an attribute, which is not read."""
        if inode["size"] > len(inode["blocks"]):
            raise MalformedError(self.source.name, field, "inline data beyond the inode cannot be read")
        return bytes(inode["blocks"][: inode["size"]])

    def _extents(self, node: bytes, seen: set[int], deepest: int = _DEEPEST) -> Iterator[tuple[int, int, int]]:
        """Logical block, number of blocks, physical block. Extents that were never written read as zeros.

        ``seen`` are the blocks of the tree: each has one place in it.
        """
        head = _EXTENT_HEAD.read(node, self.source.name, "extents")
        room = (len(node) - _EXTENT_HEAD.size) // _EXTENT.size
        if head["magic"] != 0xF30A or head["depth"] > deepest or head["entries"] > room:
            raise MalformedError(self.source.name, "extents", "not an extent tree")
        for index in range(head["entries"]):
            raw = node[_EXTENT_HEAD.size + index * _EXTENT.size :]
            if head["depth"]:
                entry = _INDEX.read(raw, self.source.name, "extents")
                place = entry["low"] | entry["high"] << 32
                if place in seen:
                    raise MalformedError(self.source.name, "extents", "a block stands twice in the tree")
                seen.add(place)
                yield from self._extents(self.source.read(place * self.block, self.block), seen, head["depth"] - 1)
                continue
            entry = _EXTENT.read(raw, self.source.name, "extents")
            if entry["length"] <= 0x8000:  # above: allocated, never written
                yield entry["block"], entry["length"], entry["low"] | entry["high"] << 32

    def _entries(self, inode: dict[str, Any]) -> Iterator[tuple[bytes, int]]:
        """Names and inode numbers of a directory."""
        data = self._contents(inode, INSPECTION_LIMITS.directory, f"directory {inode['number']}")
        if inode["flags"] & _INLINE_DATA:
            data, block = data[4:], len(data) - 4  # the number of the parent stands first
        else:
            block = self.block
        for start in range(0, len(data), max(block, 1)):
            yield from self._block_entries(data[start : start + block])

    def _block_entries(self, data: bytes) -> Iterator[tuple[bytes, int]]:
        place = 0
        while place + _ENTRY.size <= len(data):
            entry = _ENTRY.read(data[place:], self.source.name, "directory")
            length = entry["length"] or 65536
            if length < _ENTRY.size or length % 4 or place + length > len(data) or entry["name"] > length - _ENTRY.size:
                raise MalformedError(self.source.name, "directory", "an entry does not fit")
            if entry["inode"]:
                yield data[place + _ENTRY.size :][: entry["name"]], entry["inode"]
            place += length


def looks_like_ext4(source: Source) -> bool:
    """Has the magic of its superblock."""
    place = SUPERBLOCK + 56
    return source.length > place + 2 and int.from_bytes(source.read(place, 2), "little") == MAGIC


def read_ext4(source: Source) -> Ext4:
    """MalformedError names what is wrong, or what is not read."""
    head = _SUPER.read(source.read(SUPERBLOCK, min(_SUPER.size, source.length - SUPERBLOCK)), source.name, "superblock")
    unknown = head["incompatible"] & ~_READABLE
    if unknown or head["read_only"] & _BIGALLOC:
        raise MalformedError(source.name, "superblock", f"features that are not read: {unknown:#x}")
    block = 1024 << head["log_block"] if head["log_block"] <= 6 else 0
    inode_size = head["inode_size"]
    if not block or head["first_block"] != (block == 1024) or not head["inodes_per_group"]:
        raise MalformedError(source.name, "superblock", "block size or groups are none")
    if inode_size not in {128, 256, 512, 1024, 2048, 4096} or inode_size > block:
        raise MalformedError(source.name, "superblock", f"no size of an inode: {inode_size}")
    wide = head["incompatible"] & _64BIT
    if wide and not 64 <= head["descriptor_size"] <= 1024:
        raise MalformedError(source.name, "superblock", "group descriptors of no size")
    return Ext4(
        source=source,
        block=block,
        inode_size=inode_size,
        inodes=head["inodes"],
        inodes_per_group=head["inodes_per_group"],
        descriptor_size=head["descriptor_size"] if wide else 32,
        first_block=head["first_block"],
        label=head["label"].split(b"\0")[0].decode("ascii", "replace"),
        uuid=head["uuid"].hex(),
    )
