"""Images that hold files in a form of their own: of file systems, sparse ones, and the payloads of updates.

Each begins with bytes that the one pass over a file finds, so it may lie anywhere: in a disk image, in another one.
These bytes are long enough to be no accident. An image that cannot be looked into is none that is clean.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, cast

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.android.payload import read_payload
from enigm_tuf_repository.inspection.android.payload_images import image_pieces, is_whole
from enigm_tuf_repository.inspection.android.sparse import sparse_length, sparse_pieces
from enigm_tuf_repository.inspection.filesystems.erofs import SUPERBLOCK, read_erofs
from enigm_tuf_repository.inspection.filesystems.squashfs import read_squashfs
from enigm_tuf_repository.inspection.filesystems.squashfs_files import SquashfsFiles
from enigm_tuf_repository.inspection.source import Source
from enigm_tuf_repository.leaks.containers import Member, UnreadableError

Files = Iterator[tuple[str, Iterator[bytes]]]
IMAGE_BEGINNINGS: tuple[tuple[str, bytes], ...] = (
    ("erofs", rb"\xe2\xe1\xf5\xe0.{6}\x00\x00[\x09-\x10][\x00-\x10].{6}\x00{4}"),
    ("squashfs", rb"hsqs.{16}[\x01-\x06]\x00.{6}\x04\x00\x00\x00"),
    ("sparse", rb"\x3a\xff\x26\xed\x01\x00[\x00-\x03]\x00\x1c\x00\x0c\x00"),
    ("payload", rb"CrAU\x00{7}\x02\x00{4}"),
)
"""Kind, and the expression that finds where one begins; in a file system, its superblock."""


@dataclass(frozen=True, slots=True)
class Closed:
    """An image that could not be looked into, or not into all of it. ``digest`` is the SHA-256 of its bytes."""

    place: str
    reason: str
    digest: str


@dataclass(frozen=True, slots=True)
class Opened:
    """``length`` bytes are the image. ``missing`` says what only devices have: such an image is read in pieces."""

    length: int
    files: Files
    missing: str = ""

    def members(self) -> Iterator[Member]:
        """Every file; UnreadableError, from reading too."""
        try:
            for name, pieces in self.files:
                yield name, cast("BinaryIO", _Pieces(pieces))
        except MalformedError as error:
            raise UnreadableError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Image:
    """``before`` bytes lie before what was found. ``open`` raises MalformedError."""

    before: int
    open: Callable[[Source], Opened]


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


IMAGES: Mapping[str, Image] = {
    "erofs": Image(SUPERBLOCK, _erofs),
    "squashfs": Image(0, _squashfs),
    "sparse": Image(0, _sparse),
    "payload": Image(0, _payload),
}
