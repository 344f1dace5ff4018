"""What is inside archives and compressed files, by their content and never by their name."""

import bz2
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, BinaryIO, cast

import zstandard

from enigm_tuf_repository.leaks.embedded import LZ4, LZ4_LEGACY, lz4_frames

HEAD = 512  # bytes by which a container is recognised
Member = tuple[str, BinaryIO]
"""The name inside, and its bytes, to be read before the next one is asked for."""
_UNREADABLE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    lzma.LZMAError,
    zstandard.ZstdError,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,  # an encrypted member of a zip, a fault in lz4
    NotImplementedError,
    ValueError,
)


class UnreadableError(Exception):
    """A container that is broken, encrypted, or packed in a way that is not known here."""


@dataclass(frozen=True, slots=True)
class Container:
    """``members`` raises UnreadableError."""

    kind: str
    open: Callable[[BinaryIO], Iterator[Member]]

    def members(self, file: BinaryIO) -> Iterator[Member]:
        """Every member that has bytes."""
        try:
            yield from self.open(file)
        except _UNREADABLE as error:
            raise UnreadableError(f"{self.kind}: {error}") from error

    def extent(self, file: BinaryIO) -> tuple[int, int]:
        """From which byte on its members lie, and to which; of a stream the first byte alone, for only its decoder
        knows where it ends. What is packed outside is no member. The container was read before."""
        file.seek(0)
        if self.kind == "zip":
            with zipfile.ZipFile(file) as archive:
                return min((entry.header_offset for entry in archive.infolist()), default=0), archive.start_dir
        if self.kind == "tar":
            with tarfile.open(fileobj=file, mode="r:") as members:
                members.getmembers()
                return 0, members.offset
        return 0, 1


def unpacked(member: BinaryIO, count: int) -> bytes:
    """Some bytes of a member, at most ``count``, none at the end: all that come before a fault; UnreadableError."""
    try:
        return bytes(getattr(member, "read1", member.read)(count))
    except _UNREADABLE as error:
        raise UnreadableError(str(error)) from error


def container_of(head: bytes) -> Container | None:
    """What a file that begins with ``head`` is; None for anything else."""
    if head[257:262] == b"ustar":
        return Container("tar", _tar)
    return next((Container(kind, opened) for magic, (kind, opened) in _MAGIC.items() if head.startswith(magic)), None)


def _zip(file: BinaryIO) -> Iterator[Member]:
    with zipfile.ZipFile(file) as archive:
        for entry in archive.infolist():
            if not entry.is_dir():
                with archive.open(entry) as opened:
                    yield entry.filename, cast("BinaryIO", opened)


def _tar(file: BinaryIO) -> Iterator[Member]:
    with tarfile.open(fileobj=file, mode="r:") as archive:
        for entry in archive:
            opened = archive.extractfile(entry) if entry.isreg() else None
            if opened is not None:
                yield entry.name, cast("BinaryIO", opened)


def _unpacked(kind: str, unpack: Callable[[BinaryIO], IO[bytes]]) -> Callable[[BinaryIO], Iterator[Member]]:
    def members(file: BinaryIO) -> Iterator[Member]:
        with unpack(file) as opened:
            yield f"({kind})", cast("BinaryIO", opened)

    return members


def _zstd(file: BinaryIO) -> IO[bytes]:
    return cast("IO[bytes]", zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True, closefd=False))


_MAGIC: Mapping[bytes, tuple[str, Callable[[BinaryIO], Iterator[Member]]]] = {
    b"PK\x03\x04": ("zip", _zip),
    b"\x1f\x8b": ("gz", _unpacked("gz", lambda file: cast("IO[bytes]", gzip.GzipFile(fileobj=file)))),
    b"\xfd7zXZ\x00": ("xz", _unpacked("xz", lzma.LZMAFile)),
    b"BZh": ("bz2", _unpacked("bz2", bz2.BZ2File)),
    b"\x28\xb5\x2f\xfd": ("zst", _unpacked("zst", _zstd)),
    LZ4: ("lz4", _unpacked("lz4", lz4_frames)),
    LZ4_LEGACY: ("lz4", _unpacked("lz4", lz4_frames)),
}
