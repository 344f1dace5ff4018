"""Partition images out of a full payload: what a device would have on its disk after the update."""

import bz2
import hashlib
import lzma
import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import zstandard

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.android.payload import Extent, Operation, PartitionUpdate, Payload
from enigm_tuf_repository.inspection.limits import INSPECTION_LIMITS
from enigm_tuf_repository.inspection.source import PIECE, Source, bytes_source, file_source

REPLACE, REPLACE_BZ, ZERO, DISCARD, REPLACE_XZ, REPLACE_ZSTD = 0, 1, 6, 7, 8, 14
_WHOLE = {REPLACE, REPLACE_BZ, ZERO, DISCARD, REPLACE_XZ, REPLACE_ZSTD}
_IN_MEMORY = 16 * 2**20  # bytes of a partition that is rebuilt without a file: vbmeta has 64 KiB


def is_whole(partition: PartitionUpdate) -> bool:
    """Its image is in the payload, without anything from the device."""
    return all(operation.type in _WHOLE for operation in partition.operations)


def small_image(payload: Payload, name: str) -> Source | None:
    """A small partition's image in memory; None where the payload does not bring it whole."""
    partition = next((item for item in payload.partitions if item.name == name), None)
    if partition is None or not is_whole(partition) or partition.size > _IN_MEMORY:
        return None
    image = b"".join(image_pieces(payload, partition))
    _require_hash(payload, partition, hashlib.sha256(image).digest())
    return bytes_source(image, f"{payload.source.name}: {partition.name}")


def extract_image(payload: Payload, partition: PartitionUpdate, folder: Path, moved: Callable[[int], None]) -> Source:
    """The image as a sparse file in ``folder``; MalformedError where it is not the one that the manifest names.

    ``moved`` hears of each number of bytes that was written. A hash tree or FEC that devices compute by themselves is
    left zero, and then the whole image has no hash that could be compared: verity's root digest says more.
    """
    place = folder / f"{partition.name}.img"
    with place.open("wb") as file:
        file.truncate(partition.size)
        for piece in image_pieces(payload, partition):
            if any(piece):
                file.write(piece)
            else:
                file.seek(len(piece), os.SEEK_CUR)
            moved(len(piece))
    image = file_source(place, f"{payload.source.name}: {partition.name}")
    if not (partition.hash_tree or partition.fec):
        hasher = hashlib.sha256()
        for piece in image.pieces():
            hasher.update(piece)
        _require_hash(payload, partition, hasher.digest())
    return image


def image_pieces(payload: Payload, partition: PartitionUpdate) -> Iterator[bytes]:
    """The image in order, zeros where nothing is written; MalformedError. No hash is compared yet."""
    parts, end = _parts(payload, partition), 0
    latest, data = None, b""
    for start, length, place, operation in parts:
        if start < end:
            raise MalformedError(payload.source.name, partition.name, f"byte {start:,} is written twice")
        yield from _zeros(start - end)
        if operation is not latest:
            latest, data = operation, _unpacked(payload, partition, operation)
        yield data[place : place + length].ljust(length, b"\0")
        end = start + length
    yield from _zeros(partition.size - end)


def _parts(payload: Payload, partition: PartitionUpdate) -> list[tuple[int, int, int, Operation]]:
    """Offset and length of each extent that has bytes, and where these are in what the operation unpacks to."""
    parts = []
    for operation in partition.operations:
        place = 0
        for start, length in _places(payload, partition, operation):
            if operation.type not in {ZERO, DISCARD}:
                parts.append((start, length, place, operation))
            place += length
    return sorted(parts, key=lambda part: part[0])


def _zeros(count: int) -> Iterator[bytes]:
    return (bytes(min(PIECE, count - done)) for done in range(0, count, PIECE))


def _places(payload: Payload, partition: PartitionUpdate, operation: Operation) -> list[tuple[int, int]]:
    """Offset and length in bytes of each extent; the partition's last block may be a short one."""
    size = payload.block_size
    return [(extent.start * size, _length(extent, size, partition.size)) for extent in operation.target]


def _length(extent: Extent, block_size: int, partition_size: int) -> int:
    return min(extent.blocks * block_size, partition_size - extent.start * block_size)


def _unpacked(payload: Payload, partition: PartitionUpdate, operation: Operation) -> bytes:
    """What the operation writes, never more than its extents hold."""
    name = f"{payload.source.name}: {partition.name}"
    room = sum(extent.blocks for extent in operation.target) * payload.block_size
    if operation.type not in _WHOLE:
        raise MalformedError(name, "operations", f"type {operation.type} needs what is on the device")
    if room > INSPECTION_LIMITS.operation or operation.length > INSPECTION_LIMITS.operation:
        raise MalformedError(name, "operations", f"one writes at most {INSPECTION_LIMITS.operation:,} bytes")
    blob = payload.blobs.read(operation.offset, operation.length)
    if operation.offset + operation.length > payload.signed_blobs:
        raise MalformedError(name, "operations", "takes bytes that are not signed")
    if hashlib.sha256(blob).digest() != operation.sha256:
        raise MalformedError(name, "operations", "data_sha256_hash is that of other bytes")
    return _decompressed(blob, operation.type, room, name)


def _decompressed(blob: bytes, kind: int, room: int, name: str) -> bytes:
    try:
        data = _UNPACKERS[kind](blob, room)
    except (OSError, lzma.LZMAError, zstandard.ZstdError, EOFError, ValueError) as error:
        raise MalformedError(name, "operations", f"a blob cannot be unpacked: {error}") from error
    if data is None or len(data) > room:
        raise MalformedError(name, "operations", "a blob does not fill its extents exactly")
    return data


def _by(
    decompressor: Callable[[], bz2.BZ2Decompressor | lzma.LZMADecompressor], blob: bytes, room: int
) -> bytes | None:
    """At most one byte more than there is room for; None where the stream does not end with the blob."""
    unpacking = decompressor()
    data = unpacking.decompress(blob, room + 1)
    return data if unpacking.eof and not unpacking.unused_data else None


def _unzstd(blob: bytes, room: int) -> bytes | None:
    if zstandard.frame_content_size(blob) > room:  # where it says so, that much would be allocated
        return None
    return zstandard.ZstdDecompressor(max_window_size=_MEMORY).decompress(blob, room, allow_extra_data=False)


_MEMORY = 128 * 2**20  # bytes: a 64 MiB dictionary of XZ
_UNPACKERS: Mapping[int, Callable[[bytes, int], bytes | None]] = {
    REPLACE: lambda blob, _: blob,
    REPLACE_BZ: partial(_by, bz2.BZ2Decompressor),
    REPLACE_XZ: partial(_by, partial(lzma.LZMADecompressor, lzma.FORMAT_XZ, _MEMORY)),
    REPLACE_ZSTD: _unzstd,
}


def _require_hash(payload: Payload, partition: PartitionUpdate, digest: bytes) -> None:
    if digest != partition.sha256:
        rule = f"its image has SHA-256 {digest.hex()}, new_partition_info says {partition.sha256.hex()}"
        raise MalformedError(payload.source.name, partition.name, rule)
