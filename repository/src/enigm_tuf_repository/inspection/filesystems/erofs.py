"""Single files out of an EROFS image: superblock, inodes, directories, data that is not compressed.

Directories never are compressed, and small files seldom: mkfs.erofs keeps what does not get a block shorter as it is.
A file that is compressed is refused by name, since nothing that cannot be read has been looked at.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.fields import Layout
from enigm_tuf_repository.inspection.limits import INSPECTION_LIMITS
from enigm_tuf_repository.inspection.source import Source

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
)
_COMPACT = Layout("<", format="H", xattrs="H", mode="H", links="H", size="I", _reserved="I", place="I", _rest="12s")
_EXTENDED = Layout("<", format="H", xattrs="H", mode="H", _reserved="H", size="Q", place="I", _rest="44s")
_ENTRY = Layout("<", inode="Q", name="H", kind="B", _reserved="B")
_PLAIN, _INLINE = 0, 2
_DIRECTORY, _REGULAR = 0x4, 0x8
_SLOT = 32  # bytes: inode numbers count these


@dataclass(frozen=True, slots=True)
class Erofs:
    """An image; ``block`` in bytes, ``meta`` where the inodes start."""

    source: Source
    block: int
    meta: int
    root: int
    label: str
    uuid: str

    def read(self, path: str, maximum: int = INSPECTION_LIMITS.small_file) -> bytes | None:
        """The regular file at ``path``; None where there is none. MalformedError where it is compressed, or longer."""
        inode = self._inode(self.root)
        for name in path.strip("/").split("/"):
            if inode["mode"] >> 12 != _DIRECTORY:
                return None
            numbers = [number for found, number in self._entries(inode) if found == name.encode()]
            if not numbers:
                return None
            if len(numbers) > 1:
                raise MalformedError(self.source.name, path, f"{name} stands twice in its directory")
            inode = self._inode(numbers[0])
        if inode["mode"] >> 12 != _REGULAR:
            raise MalformedError(self.source.name, path, "must be a regular file")
        return self._contents(inode, maximum, path)

    def _inode(self, number: int) -> dict[str, Any]:
        place = self.meta + number * _SLOT
        layout = _EXTENDED if self.source.read(place, 1)[0] & 1 else _COMPACT
        inode = layout.read(self.source.read(place, layout.size), self.source.name, f"inode {number}")
        xattrs = 12 + (inode["xattrs"] - 1) * 4 if inode["xattrs"] else 0
        return inode | {"data_layout": inode["format"] >> 1 & 7, "tail": place + layout.size + xattrs, "number": number}

    def _contents(self, inode: dict[str, Any], maximum: int, field: str) -> bytes:
        size, layout = inode["size"], inode["data_layout"]
        if size > maximum:
            raise MalformedError(self.source.name, field, f"at most {maximum:,} bytes, has {size:,}")
        if layout not in {_PLAIN, _INLINE}:
            raise MalformedError(self.source.name, field, "is compressed or in chunks, and cannot be read")
        tail = size % self.block if layout == _INLINE else 0
        start = inode["place"] * self.block
        whole = self.source.read(start, size - tail) if size > tail else b""
        return whole + (self.source.read(inode["tail"], tail) if tail else b"")

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
    label = head["label"].split(b"\0")[0].decode("ascii", "replace")
    return Erofs(source, block, head["meta_block"] * block, head["root"], label, head["uuid"].hex())
