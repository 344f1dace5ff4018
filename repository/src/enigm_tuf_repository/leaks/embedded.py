"""What is packed somewhere inside a file that is no archive: in the image of a file system, in a boot image, behind an
executable. Each begins with bytes that the one pass over the file finds.

A member of a zip is unpacked by the header in front of it: no directory is needed, so it may lie anywhere, and its
archive may be cut off.
"""

import bz2
import io
import lzma
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import BinaryIO, Protocol, cast

import lz4.block
import lz4.frame
import zstandard

LZ4_LEGACY = b"\x02\x21\x4c\x18"
LZ4 = b"\x04\x22\x4d\x18"
BEGINNINGS: tuple[tuple[str, bytes], ...] = (
    ("zip", rb"PK\x03\x04..[\x00-\xff]{2}[\x08\x0c\x0e\x5d\x5f]\x00"),
    ("gz", rb"\x1f\x8b\x08[\x00-\x1f]....[\x00\x02\x04][\x00-\x0d\xff]"),
    ("xz", rb"\xfd7zXZ\x00\x00[\x00\x01\x04\x0a]"),
    ("bz2", rb"BZh[1-9]1AY&SY"),
    ("zst", rb"\x28\xb5\x2f\xfd"),
    ("lzma", rb"\x5d\x00\x00[\x00-\x80][\x00-\x08](\xff{8}|.{5}\x00{3})\x00"),
    ("lz4", rb"\x04\x22\x4d\x18[\x40-\x7f]"),
    ("lz4-legacy", rb"\x02\x21\x4c\x18"),
    ("7z", rb"7z\xbc\xaf\x27\x1c\x00[\x02-\x04]"),
    ("rar", rb"Rar!\x1a\x07(\x00..\x73..\x0d\x00|\x01\x00....[\x06-\x40]\x01)"),
)
"""Kind, and the expression that finds where one begins. A zip's members that are stored need none."""
_PIECE = 2**16
_LZMA_MEMORY = 2**28  # bytes: what only looks like one may ask for any
_LEGACY_BLOCK = 8 * 2**20  # bytes that a block of the old format of lz4 unpacks to at most
_LEGACY_PACKED = _LEGACY_BLOCK + _LEGACY_BLOCK // 255 + 16  # and those that it has itself


class _Decoder(Protocol):
    """As ``bz2.BZ2Decompressor`` is."""

    eof: bool

    @property
    def needs_input(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


class _Inflate:
    """zlib's decompressor, as the others are."""

    def __init__(self, wbits: int) -> None:
        self._inner = zlib.decompressobj(wbits)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max(max_length, 0))


class Unpacked(io.RawIOBase):
    """One stream from where ``file`` stands to its own end: what lies behind it is no concern of it."""

    def __init__(self, file: BinaryIO, decoder: _Decoder) -> None:
        self._file = file
        self._decoder = decoder

    def read(self, count: int = -1) -> bytes:
        """Some bytes, none at the end; what the decoder raises, EOFError where the stream is cut off."""
        while not self._decoder.eof:
            data = self._file.read(_PIECE) if self._decoder.needs_input else b""
            is_over = self._decoder.needs_input and not data
            if piece := self._decoder.decompress(data, count):
                return piece
            if is_over:
                raise EOFError("ends too early")
        return b""


class UnpackedLegacy(io.RawIOBase):
    """The old format of lz4, which ramdisks are packed in: blocks with their lengths, and no end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._rest = b""
        self._file.read(len(LZ4_LEGACY))

    def read(self, count: int = -1) -> bytes:
        """Some bytes, none at the end; ValueError for a block that is none."""
        while not self._rest:
            head = self._file.read(4)
            length = struct.unpack("<I", head)[0] if len(head) == 4 else 0
            if not 0 < length <= _LEGACY_PACKED:
                return b""  # whatever comes next belongs to somebody else
            try:
                self._rest = lz4.block.decompress(self._file.read(length), uncompressed_size=_LEGACY_BLOCK)
            except lz4.block.LZ4BlockError as error:
                raise ValueError(str(error)) from error
        taken = self._rest if count < 0 else self._rest[:count]
        self._rest = self._rest[len(taken) :]
        return taken


class _Slice(io.RawIOBase):
    """The bytes of a view from ``at`` on."""

    def __init__(self, view: memoryview, at: int) -> None:
        self._view = view
        self._at = at

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview | bytearray", /) -> int:  # type: ignore[override]
        piece = bytes(self._view[self._at : self._at + len(buffer)])
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def opened(kind: str, view: memoryview, at: int) -> BinaryIO:
    """What is packed at ``at``; reading raises what its format raises. ValueError for a beginning that is none."""
    return _OPENERS[kind](cast("BinaryIO", io.BufferedReader(_Slice(view, at), _PIECE)))


def lz4_frames(file: BinaryIO) -> BinaryIO:
    """A whole file of lz4, of either format."""
    if file.read(4) == LZ4_LEGACY:
        file.seek(0)
        return cast("BinaryIO", UnpackedLegacy(file))
    file.seek(0)
    return cast("BinaryIO", lz4.frame.LZ4FrameFile(file))


def _zip_member(file: BinaryIO) -> BinaryIO:
    """By its local header (APPNOTE 4.3.7); ValueError for one that is encrypted or packed in an unknown way."""
    header = file.read(30)
    flags, method, names, extra = *struct.unpack_from("<HH", header, 6), *struct.unpack_from("<HH", header, 26)
    if flags & 1 or method not in _METHODS:
        raise ValueError("encrypted, or packed in a way that is not known here")
    file.read(names + extra)
    return _METHODS[method](file)


def _zst(file: BinaryIO) -> BinaryIO:
    return cast("BinaryIO", zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=False, closefd=False))


def _with(decoder: Callable[[], object]) -> Callable[[BinaryIO], BinaryIO]:
    return lambda file: cast("BinaryIO", Unpacked(file, cast("_Decoder", decoder())))


def _not_opened(file: BinaryIO) -> BinaryIO:
    del file
    raise ValueError("an archive that is not opened here")


_METHODS: Mapping[int, Callable[[BinaryIO], BinaryIO]] = {
    8: _with(lambda: _Inflate(-zlib.MAX_WBITS)),
    12: _with(bz2.BZ2Decompressor),
    93: _zst,
    95: _with(lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ)),
}
_OPENERS: Mapping[str, Callable[[BinaryIO], BinaryIO]] = {
    "zip": _zip_member,
    "gz": _with(lambda: _Inflate(16 + zlib.MAX_WBITS)),
    "xz": _with(lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ)),
    "lzma": _with(lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, _LZMA_MEMORY)),
    "bz2": _with(bz2.BZ2Decompressor),
    "zst": _zst,
    "lz4": _with(lz4.frame.LZ4FrameDecompressor),
    "7z": _not_opened,
    "rar": _not_opened,
    "lz4-legacy": lambda file: cast("BinaryIO", UnpackedLegacy(file)),
}
EMBEDDED = frozenset(_OPENERS)
