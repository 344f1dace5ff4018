"""What EROFS packs clusters with, by the numbers that the image gives. The index knows how long each cluster is."""

import lzma
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress

import lz4.block
import zstandard

from enigm_tuf.errors import MalformedError

LONGEST = 12 * 2**20  # bytes that one cluster unpacks to, at most: Z_EROFS_PCLUSTER_MAX_DSIZE
_LAST_LITERALS = 16  # a block of LZ4 ends with at most twelve bytes as they are, which may be zeros


def unpack(codec: int, data: bytes, length: int, is_part: bool, source: str) -> bytes:
    """``length`` bytes, which is all that ``data`` holds, or its first ``is_part``; MalformedError."""
    if codec not in _CODECS:
        raise MalformedError(source, "", f"a cluster is packed in a way that is not read: {codec}")
    try:
        unpacked = _CODECS[codec](data, length, is_part)
    except (lz4.block.LZ4BlockError, lzma.LZMAError, zlib.error, zstandard.ZstdError, ValueError, IndexError) as error:
        raise MalformedError(source, "", f"a cluster cannot be unpacked: {error}") from error
    if len(unpacked) < length:
        raise MalformedError(source, "", f"a cluster unpacks to {len(unpacked):,} bytes, the index says {length:,}")
    return unpacked[:length]


def _lz4(data: bytes, length: int, is_part: bool) -> bytes:
    """Zeros fill up the block before the data; in the form for old kernels, behind it, and it may hold more."""
    room = min(255 * len(data), LONGEST)
    if data[:1] == b"\0":
        return _lz4_block(data.lstrip(b"\0"), room if is_part else length)
    with suppress(lz4.block.LZ4BlockError):
        return _lz4_block(data, room)
    kept = len(data.rstrip(b"\0"))
    for end in range(kept, min(kept + _LAST_LITERALS, len(data))):
        try:
            return _lz4_block(data[:end], room)
        except lz4.block.LZ4BlockError:
            continue
    raise ValueError("no block of LZ4")


def _lz4_block(data: bytes, room: int) -> bytes:
    return bytes(lz4.block.decompress(data, uncompressed_size=room))


def _lzma(data: bytes, length: int, is_part: bool) -> bytes:
    """ "MicroLZMA": no header, and instead of the first byte, always zero, the properties with all bits turned over."""
    del is_part
    packed = data.lstrip(b"\0")
    properties, literal = divmod(packed[0] ^ 0xFF, 9)
    own = {"lc": literal, "lp": properties % 5, "pb": properties // 5, "dict_size": max(length, 4096)}
    decompressor = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA1, **own}])
    return decompressor.decompress(b"\0" + packed[1:], length)


def _deflate(data: bytes, length: int, is_part: bool) -> bytes:
    del is_part
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data.lstrip(b"\0"), length)


def _zstd(data: bytes, length: int, is_part: bool) -> bytes:
    del is_part
    with zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(data.lstrip(b"\0")) as reader:
        return bytes(reader.read(length))


_CODECS: Mapping[int, Callable[[bytes, int, bool], bytes]] = {0: _lz4, 1: _lzma, 2: _deflate, 3: _zstd}
