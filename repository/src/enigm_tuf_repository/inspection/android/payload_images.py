"""Partition images out of a full payload: what a device would have on its disk after the update."""

import bz2
import hashlib
import lzma
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.android.payload import Extent, Operation, PartitionUpdate, Payload
from enigm_tuf_repository.inspection.limits import INSPECTION_LIMITS
from enigm_tuf_repository.inspection.source import Source, bytes_source, file_source

REPLACE, REPLACE_BZ, ZERO, DISCARD, REPLACE_XZ = 0, 1, 6, 7, 8
_WHOLE = {REPLACE, REPLACE_BZ, ZERO, DISCARD, REPLACE_XZ}
_IN_MEMORY = 16 * 2**20  # bytes of a partition that is rebuilt without a file: vbmeta has 64 KiB


def is_whole(partition: PartitionUpdate) -> bool:
    """Its image is in the payload, without anything from the device."""
    return all(operation.type in _WHOLE for operation in partition.operations)


def small_image(payload: Payload, name: str) -> Source | None:
    """A small partition's image in memory; None where the payload does not bring it whole."""
    partition = next((item for item in payload.partitions if item.name == name), None)
    if partition is None or not is_whole(partition) or partition.size > _IN_MEMORY:
        return None
    image = bytearray(partition.size)
    for operation in partition.operations:
        data, place = _unpacked(payload, partition, operation), 0
        for start, length in _places(payload, partition, operation):
            image[start : start + length] = data[place : place + length].ljust(length, b"\0")
            place += length
    _require_hash(payload, partition, hashlib.sha256(image).digest())
    return bytes_source(bytes(image), f"{payload.source.name}: {name}")


def extract_image(payload: Payload, partition: PartitionUpdate, folder: Path, moved: Callable[[int], None]) -> Source:
    """The image as a sparse file in ``folder``; MalformedError where it is not the one that the manifest names.

    ``moved`` hears of each number of bytes that was written. A hash tree or FEC that devices compute by themselves is
    left zero, and then the whole image has no hash that could be compared: verity's root digest says more.
    """
    place = folder / f"{partition.name}.img"
    with place.open("wb") as file:
        file.truncate(partition.size)
        for operation in partition.operations:
            _apply(payload, partition, operation, file)
            moved(sum(extent.blocks for extent in operation.target) * payload.block_size)
    image = file_source(place, f"{payload.source.name}: {partition.name}")
    if not (partition.hash_tree or partition.fec):
        hasher = hashlib.sha256()
        for piece in image.pieces():
            hasher.update(piece)
        _require_hash(payload, partition, hasher.digest())
    return image


def _apply(payload: Payload, partition: PartitionUpdate, operation: Operation, file: BinaryIO) -> None:
    if operation.type in {ZERO, DISCARD}:
        return  # the file is sparse: what nobody wrote is zero
    data, place = _unpacked(payload, partition, operation), 0
    for start, length in _places(payload, partition, operation):
        os.pwrite(file.fileno(), data[place : place + length], start)
        place += length


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
    if operation.type in {ZERO, DISCARD}:
        return b""
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
    if kind == REPLACE:
        data, ended = blob, True
    else:
        decompressor: bz2.BZ2Decompressor | lzma.LZMADecompressor = (
            bz2.BZ2Decompressor() if kind == REPLACE_BZ else lzma.LZMADecompressor(lzma.FORMAT_XZ, _XZ_MEMORY)
        )
        try:
            data = decompressor.decompress(blob, room + 1)
            ended = decompressor.eof and not decompressor.unused_data
        except (OSError, lzma.LZMAError, EOFError, ValueError) as error:
            raise MalformedError(name, "operations", f"a blob cannot be unpacked: {error}") from error
    if not ended or len(data) > room:
        raise MalformedError(name, "operations", "a blob does not fill its extents exactly")
    return data


_XZ_MEMORY = 128 * 2**20  # bytes: a 64 MiB dictionary


def _require_hash(payload: Payload, partition: PartitionUpdate, digest: bytes) -> None:
    if digest != partition.sha256:
        rule = f"its image has SHA-256 {digest.hex()}, new_partition_info says {partition.sha256.hex()}"
        raise MalformedError(payload.source.name, partition.name, rule)
