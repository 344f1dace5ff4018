"""Images that hold files in a form of their own: of file systems, sparse ones, and the payloads of updates.

Each begins with bytes that the one pass over a file finds, so it may lie anywhere: in a disk image, in another one.
These bytes are long enough to be no accident. An image that cannot be looked into is none that is clean.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, cast

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.android.payload import read_payload
from enigm_tuf_repository.inspection.android.payload_images import image_pieces, is_whole
from enigm_tuf_repository.inspection.android.sparse import sparse_length, sparse_pieces
from enigm_tuf_repository.inspection.filesystems.erofs import SUPERBLOCK, read_erofs
from enigm_tuf_repository.inspection.filesystems.ext4 import SUPERBLOCK as EXT4_SUPERBLOCK
from enigm_tuf_repository.inspection.filesystems.ext4 import read_ext4
from enigm_tuf_repository.inspection.filesystems.squashfs import read_squashfs
from enigm_tuf_repository.inspection.filesystems.squashfs_files import SquashfsFiles
from enigm_tuf_repository.inspection.source import Source
from enigm_tuf_repository.leaks.containers import Member, UnreadableError

_F2FS_FEATURES, _F2FS_COMPRESSION = 1024 + 2180, 0x2000
Files = Iterator[tuple[str, Iterator[bytes]]]
IMAGE_BEGINNINGS: tuple[tuple[str, bytes], ...] = (
    ("erofs", rb"\xe2\xe1\xf5\xe0.{6}\x00\x00[\x09-\x10][\x00-\x10].{6}\x00{4}"),
    ("squashfs", rb"hsqs.{16}[\x01-\x06]\x00.{6}\x04\x00\x00\x00"),
    ("sparse", rb"\x3a\xff\x26\xed\x01\x00[\x00-\x03]\x00\x1c\x00\x0c\x00"),
    ("payload", rb"CrAU\x00{7}\x02\x00{4}"),
    ("ext4", rb"\x53\xef[\x00-\x07]\x00[\x01-\x03]\x00\x00\x00.{8}[\x00-\x04]\x00{3}\x01\x00{3}.{10}\x00\x00"),
    ("f2fs", rb"\x10\x20\xf5\xf2\x01\x00.\x00[\x09-\x0c]\x00{3}[\x00-\x03]\x00{3}[\x0c-\x0e]\x00{3}"),
    ("btrfs", rb"\x00\x00\x01\x00{5}.{8}_BHRfS_M"),
    ("ubi", rb"UBI#\x01\x00{3}.{8}\x00\x00.{2}\x00\x00"),
    ("ubifs", rb"\x31\x18\x10\x06.{12}\x00\x10\x00\x00\x06\x00\x00\x00"),
    ("jffs2", rb"\x85\x19\x03\x20\x0c\x00\x00\x00\xb1\xb0\x1e\xe4"),
    ("cramfs", rb"\x45\x3d\xcd\x28.{12}Compressed ROMFS"),
)
"""Kind, and the expression that finds where one begins; in a file system, its superblock.

None has a long run of zeros in it: Hyperscan is thirty times slower where there are only zeros.
"""


@dataclass(frozen=True, slots=True)
class Closed:
    """An image that could not be looked into, or not into all of it. ``digest`` is the SHA-256 of its bytes."""

    place: str
    reason: str
    digest: str


@dataclass(frozen=True, slots=True)
class Opened:
    """``length`` bytes are the image, 0 where only some of its files are looked into by themselves.

    ``missing`` says what only devices have: such an image is read in pieces. ``pieces``: where the parts of files begin
    and end that do not lie in one, known when all files were read.
    """

    length: int
    files: Files
    missing: str = ""
    pieces: Sequence[tuple[int, int]] = ()

    def members(self) -> Iterator[Member]:
        """Every file; UnreadableError, from reading too."""
        try:
            for name, pieces in self.files:
                yield name, cast("BinaryIO", _Pieces(pieces))
        except MalformedError as error:
            raise UnreadableError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Image:
    """``before`` bytes lie before what was found. ``open`` raises MalformedError.

    ``packs``: what cannot be looked into is nowhere else to be seen. ``is_read``: ``open`` can do anything but refuse.
    """

    before: int
    open: Callable[[Source], Opened]
    packs: bool = True
    is_read: bool = True


class _Pieces:
    """Bytes that come in pieces, as a file to be read once."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, count: int) -> bytes:
        """Some bytes, none at the end; UnreadableError."""
        try:
            while not self._rest:
                self._rest = next(self._pieces)
        except StopIteration:
            return b""
        except MalformedError as error:
            raise UnreadableError(str(error)) from error
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken


def _erofs(source: Source) -> Opened:
    image = read_erofs(source)
    return Opened(image.length, ((path.lstrip("/"), pieces) for path, pieces in image.files()))


def _squashfs(source: Source) -> Opened:
    image = read_squashfs(source)
    inside = SquashfsFiles(source, image)
    members = chain(inside.files(), inside.tables())
    return Opened(image.used, ((path.lstrip("/"), pieces) for path, pieces in members))


def _sparse(source: Source) -> Opened:
    return Opened(sparse_length(source), iter([("(sparse)", sparse_pieces(source))]))


def _payload(source: Source) -> Opened:
    payload = read_payload(source)
    files = ((item.name, image_pieces(payload, item)) for item in payload.partitions if is_whole(item))
    changed = [item.name for item in payload.partitions if not is_whole(item)]
    missing = f"only changes to what devices have: {', '.join(changed)}" if changed else ""
    ends = [item.offset + item.length for partition in payload.partitions for item in partition.operations]
    return Opened(source.length - payload.blobs.length + max(ends, default=0), files, missing)


def _ext4(source: Source) -> Opened:
    """The files that do not lie in one piece: the others were seen."""
    image = read_ext4(source)
    files = ((path.lstrip("/"), pieces) for path, pieces in image.scattered_files())
    return Opened(0, files, pieces=image.scattered)


def _f2fs(source: Source) -> Opened:
    if int.from_bytes(source.read(_F2FS_FEATURES, 4), "little") & _F2FS_COMPRESSION:
        raise MalformedError(source.name, "", "f2fs with compressed files is not looked into")
    return Opened(0, iter(()))


def _unread(before: int, name: str) -> Image:
    def refuse(source: Source) -> Opened:
        raise MalformedError(source.name, "", f"{name} is not looked into, and it packs its files")

    return Image(before, refuse, is_read=False)


IMAGES: Mapping[str, Image] = {
    "erofs": Image(SUPERBLOCK, _erofs),
    "squashfs": Image(0, _squashfs),
    "sparse": Image(0, _sparse),
    "payload": Image(0, _payload),
    "ext4": Image(EXT4_SUPERBLOCK + 56, _ext4, packs=False),
    "f2fs": Image(1024, _f2fs),
    "btrfs": _unread(0x10030, "btrfs"),
    "ubi": _unread(0, "UBI"),
    "ubifs": _unread(0, "UBIFS"),
    "jffs2": _unread(0, "JFFS2"),
    "cramfs": _unread(0, "cramfs"),
}
