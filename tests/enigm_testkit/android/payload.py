"""payload.bin, its manifest encoded by protoc and signed by openssl."""

import bz2
import hashlib
import lzma
import struct
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import zstandard

from enigm_testkit.android.keys import SigningKey

HERE = Path(__file__).parent
BLOCK = 4096
REPLACE, REPLACE_BZ, SOURCE_COPY, ZERO, REPLACE_XZ, REPLACE_ZSTD = 0, 1, 4, 6, 8, 14
PACKERS: dict[int, Callable[[bytes], bytes]] = {
    REPLACE: bytes,
    REPLACE_BZ: bz2.compress,
    REPLACE_XZ: lzma.compress,
    REPLACE_ZSTD: zstandard.compress,
}
_QUICK = 4 << 20  # bytes: larger images are not packed, which would take minutes
_STEP = 512  # blocks that one operation writes at most
_SIGNATURE = 256  # bytes of an RSA signature of 2048 bits


@dataclass(frozen=True)
class PayloadFields:
    """What goes into a payload. ``before`` makes a delta that copies everything from images of these digests."""

    images: Mapping[str, bytes]
    timestamp: int
    security_patch_level: str
    before: Mapping[str, bytes] | None = None
    block_size: int = BLOCK


def encoded(proto: str, message: str, text: str) -> bytes:
    """A message in protobuf's text format, encoded by protoc."""
    command = ["protoc", f"--encode=enigm_testkit.{message}", f"--proto_path={HERE}", str(HERE / proto)]
    return subprocess.run(command, input=text.encode(), check=True, capture_output=True).stdout


def raw(data: bytes) -> str:
    """Bytes in protobuf's text format."""
    return '"' + "".join(f"\\{byte:03o}" for byte in data) + '"'


def make_payload(fields: PayloadFields, key: SigningKey) -> bytes:
    """Header, manifest, metadata signature, blobs, payload signature."""
    blobs, partitions = bytearray(), []
    for name, image in fields.images.items():
        operations = _copied(image) if fields.before else _replaced(image, blobs)
        old = _info("old_partition_info", fields.before[name]) if fields.before else ""
        new = _info("new_partition_info", image)
        partitions.append(f'partitions {{ partition_name: "{name}" {old} {new} {operations} }}')
    text = (
        f"block_size: {fields.block_size} minor_version: {8 if fields.before else 0} max_timestamp: {fields.timestamp} "
        f'security_patch_level: "{fields.security_patch_level}" {" ".join(partitions)} '
        f"signatures_offset: {len(blobs)} signatures_size: {len(signatures(b''.ljust(_SIGNATURE)))}"
    )
    manifest = encoded("update_metadata.proto", "DeltaArchiveManifest", text)
    size = len(signatures(b"".ljust(_SIGNATURE)))
    head = struct.pack(">4sQQI", b"CrAU", 2, len(manifest), size) + manifest
    return head + signatures(key.sign(head)) + blobs + signatures(key.sign(head + bytes(blobs)))


def signatures(signature: bytes) -> bytes:
    """The message Signatures with one of them."""
    text = f"signatures {{ data: {raw(signature)} unpadded_signature_size: {len(signature)} }}"
    return encoded("update_metadata.proto", "Signatures", text)


def _info(field: str, image: bytes) -> str:
    return f"{field} {{ size: {len(image)} hash: {raw(hashlib.sha256(image).digest())} }}"


def _copied(image: bytes) -> str:
    extent = f"{{ start_block: 0 num_blocks: {len(image) // BLOCK} }}"
    return f"operations {{ type: {SOURCE_COPY} src_extents {extent} dst_extents {extent} }}"


def _replaced(image: bytes, blobs: bytearray) -> str:
    """A quarter of the image in each way of packing, and zeros where there are only zeros."""
    blocks = len(image) // BLOCK
    step = min(max(1, blocks // 4), _STEP)
    operations = []
    for index, start in enumerate(range(0, blocks, step)):
        piece = image[start * BLOCK : (start + step) * BLOCK]
        extent = f"dst_extents {{ start_block: {start} num_blocks: {len(piece) // BLOCK} }}"
        if not any(piece):
            operations.append(f"operations {{ type: {ZERO} {extent} }}")
            continue
        kind = (REPLACE, REPLACE_BZ, REPLACE_XZ, REPLACE_ZSTD)[index % 4] if len(image) < _QUICK else REPLACE
        blob = PACKERS[kind](piece)
        digest = raw(hashlib.sha256(blob).digest())
        place = f"data_offset: {len(blobs)} data_length: {len(blob)} data_sha256_hash: {digest}"
        operations.append(f"operations {{ type: {kind} {place} {extent} }}")
        blobs += blob
    return " ".join(operations)
