"""The superblock of a squashfs image (4.0): how long it is, how it is packed, when it was made."""

from dataclasses import dataclass

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.fields import Layout
from enigm_tuf_repository.inspection.source import Source

MAGIC = 0x73717368
COMPRESSIONS = {1: "gzip", 2: "lzma", 3: "lzo", 4: "xz", 5: "lz4", 6: "zstd"}
NO_TABLE = 2**64 - 1
_SUPER = Layout(
    "<",
    magic="I",
    inodes="I",
    made="I",
    block="I",
    fragments="I",
    compression="H",
    log_block="H",
    flags="H",
    ids="H",
    major="H",
    minor="H",
    root="Q",
    used="Q",
    _id_table="Q",
    attributes="Q",
    inode_table="Q",
    directory_table="Q",
    fragment_table="Q",
)


@dataclass(frozen=True, slots=True)
class Squashfs:
    """``used`` bytes from the start are the image; ``made`` in seconds since 1970. Tables begin at bytes of it;
    ``attributes`` is ``NO_TABLE`` where no file has any."""

    used: int
    inodes: int
    block: int
    compression: str
    made: int
    root: int
    fragments: int
    inode_table: int
    directory_table: int
    fragment_table: int
    attributes: int


def looks_like_squashfs(source: Source) -> bool:
    """Begins with the magic."""
    return source.length > _SUPER.size and int.from_bytes(source.read(0, 4), "little") == MAGIC


def read_squashfs(source: Source) -> Squashfs:
    """MalformedError names the field."""
    head = _SUPER.read(source.read(0, min(source.length, _SUPER.size)), source.name, "superblock")
    is_size = 12 <= head["log_block"] <= 20 and head["block"] == 1 << head["log_block"]
    if (head["major"], head["minor"]) != (4, 0) or not is_size:
        raise MalformedError(source.name, "superblock", "must be version 4.0 with one block size, 4 KiB to 1 MiB")
    if head["compression"] not in COMPRESSIONS or not _SUPER.size < head["used"] <= source.length:
        raise MalformedError(source.name, "superblock", "is cut off, or packed in no known way")
    same = ("used", "inodes", "block", "made", "root", "fragments")
    tables = ("inode_table", "directory_table", "fragment_table", "attributes")
    return Squashfs(compression=COMPRESSIONS[head["compression"]], **{name: head[name] for name in (*same, *tables)})
