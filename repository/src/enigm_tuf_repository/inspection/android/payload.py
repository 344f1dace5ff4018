"""``payload.bin``: header, DeltaArchiveManifest, signatures (update_engine, ``update_metadata.proto``).

magic "CrAU", u64 version, u64 manifest size, u32 metadata signature size (all big-endian), manifest, metadata
signature, data blobs, payload signature. Both signatures are messages ``Signatures``.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.certificates import PublicKey
from enigm_tuf_repository.inspection.cms import verify_digest
from enigm_tuf_repository.inspection.fields import Layout
from enigm_tuf_repository.inspection.limits import INSPECTION_LIMITS
from enigm_tuf_repository.inspection.protobuf import Message
from enigm_tuf_repository.inspection.source import Source

MAGIC = b"CrAU"
MAJOR = 2  # the only one with A/B on Android
_HEADER = Layout(">", magic="4s", version="Q", manifest="Q", signature="I")
_KNOWN_FIELDS = {3, 4, 5, 12, 13, 14, 15, 16, 17, 18}
_BLOCK_SIZES = (4096, 16384, 65536)


@dataclass(frozen=True, slots=True)
class Extent:
    """Blocks of a partition: the first, and how many."""

    start: int
    blocks: int


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of a partition's update. ``offset`` is in the data blobs; ``sha256`` of the blob, or empty."""

    type: int
    offset: int
    length: int
    target: tuple[Extent, ...]
    sha256: bytes


@dataclass(frozen=True, slots=True)
class PartitionUpdate:
    """What happens to one partition. ``size`` in bytes and ``sha256`` are of the new image.

    ``hash_tree`` and ``fec`` are the extents that the device computes by itself; None where it does not.
    """

    name: str
    size: int
    sha256: bytes
    delta: bool
    operations: tuple[Operation, ...]
    hash_tree: Extent | None
    fec: Extent | None


@dataclass(frozen=True, slots=True)
class Payload:
    """``metadata_size`` counts header and manifest; ``timestamp`` is max_timestamp, in seconds since 1970."""

    source: Source
    metadata_size: int
    metadata_signature_size: int
    block_size: int
    minor_version: int
    timestamp: int
    partial: bool
    security_patch_level: str
    partitions: tuple[PartitionUpdate, ...]
    blobs: Source
    signed_blobs: int
    unknown_fields: tuple[int, ...]

    @property
    def delta(self) -> bool:
        """Some partition is made from what the device has."""
        return any(partition.delta for partition in self.partitions)

    def metadata_sha256(self) -> bytes:
        """Over header and manifest."""
        return hashlib.sha256(self.source.read(0, self.metadata_size)).digest()

    def verify(self, key: PublicKey) -> None:
        """MalformedError unless ``key`` made one of the metadata signatures and one of the payload signatures."""
        start, size = self.metadata_size, self.metadata_signature_size
        name = f"{self.source.name}: metadata signature"
        _verify_any(self.source.read(start, size), key, self.metadata_sha256(), name)
        hasher = hashlib.sha256()
        for piece in self._signed_pieces():
            hasher.update(piece)
        size = self.blobs.length - self.signed_blobs
        name = f"{self.source.name}: payload signature"
        _verify_any(self.blobs.read(self.signed_blobs, size), key, hasher.digest(), name)

    def _signed_pieces(self) -> Iterator[bytes]:
        yield from self.source.pieces(0, self.metadata_size)
        yield from self.blobs.pieces(0, self.signed_blobs)


def read_payload(source: Source) -> Payload:
    """MalformedError names the field."""
    header = _HEADER.read(source.read(0, min(source.length, _HEADER.size)), source.name, "header")
    if header["magic"] != MAGIC or header["version"] != MAJOR:
        raise MalformedError(source.name, "header", f"must be CrAU, version {MAJOR}")
    for field, maximum in (
        ("manifest", INSPECTION_LIMITS.payload_manifest),
        ("signature", INSPECTION_LIMITS.payload_signature),
    ):
        if header[field] > maximum:
            raise MalformedError(source.name, f"header.{field}", f"at most {maximum:,} bytes, says {header[field]:,}")
    metadata_size = _HEADER.size + header["manifest"]
    start = metadata_size + header["signature"]
    if start > source.length:
        raise MalformedError(source.name, "header", "manifest and signature reach beyond the end")
    manifest = Message(source.read(_HEADER.size, header["manifest"]), f"{source.name}: manifest")
    blobs = source.part(start, source.length - start, "data")
    return _payload(source, manifest, blobs, metadata_size, header["signature"])


def _payload(source: Source, manifest: Message, blobs: Source, metadata_size: int, signature_size: int) -> Payload:
    block_size = manifest.integer(3, 4096)
    if block_size not in _BLOCK_SIZES:
        raise MalformedError(manifest.source, "block_size", f"must be one of {_BLOCK_SIZES}, is {block_size}")
    partitions = tuple(_partition(message, block_size) for message in manifest.messages(13))
    names = [partition.name for partition in partitions]
    if not partitions or len(set(names)) != len(names) or len(names) > INSPECTION_LIMITS.partitions:
        limit = INSPECTION_LIMITS.partitions
        raise MalformedError(manifest.source, "partitions", f"must be 1 to {limit}, each once")
    return Payload(
        source=source,
        metadata_size=metadata_size,
        metadata_signature_size=signature_size,
        block_size=block_size,
        minor_version=manifest.integer(12),
        timestamp=manifest.signed(14),
        partial=manifest.boolean(16),
        security_patch_level=manifest.text(18),
        partitions=partitions,
        blobs=blobs,
        signed_blobs=_signed_blobs(manifest, blobs),
        unknown_fields=tuple(manifest.unknown(_KNOWN_FIELDS)),
    )


def _signed_blobs(manifest: Message, blobs: Source) -> int:
    """Where the payload signature starts; it is all that is behind. Without one, all blobs."""
    offset, size = manifest.integer(4, blobs.length), manifest.integer(5)
    if size > INSPECTION_LIMITS.payload_signature or offset + size != blobs.length:
        raise MalformedError(manifest.source, "signatures_offset", "the signature must be all that follows the blobs")
    return offset


def _partition(message: Message, block_size: int) -> PartitionUpdate:
    name = message.text(1)
    if not name or len(name) > 64 or not name.replace("_", "").replace("-", "").isalnum() or not name.isascii():
        raise MalformedError(message.source, message.path, f"no name of a partition: {name[:60]!r}")
    old, new = message.message(6), message.message(7)
    if new is None or len(new.raw(2)) != 32 or not 0 < new.integer(1) <= INSPECTION_LIMITS.partition:
        raise MalformedError(message.source, f"{name}.new_partition_info", "needs a size and a SHA-256")
    operations = tuple(_operation(item) for item in message.messages(8))
    partition = PartitionUpdate(
        name=name,
        size=new.integer(1),
        sha256=new.raw(2),
        delta=old is not None and bool(old.raw(2)),
        operations=operations,
        hash_tree=_optional_extent(message.message(11)),
        fec=_optional_extent(message.message(15)),
    )
    _require_inside(partition, block_size, message.source)
    return partition


def _operation(message: Message) -> Operation:
    return Operation(
        type=message.integer(1),
        offset=message.integer(2),
        length=message.integer(3),
        target=tuple(_extent(item) for item in message.messages(6)),
        sha256=message.raw(8),
    )


def _optional_extent(message: Message | None) -> Extent | None:
    return _extent(message) if message and message.integer(2) else None


def _extent(message: Message) -> Extent:
    return Extent(message.integer(1), message.integer(2))


def _require_inside(partition: PartitionUpdate, block_size: int, source: str) -> None:
    """Every extent lies in the partition, and no operation writes more than we hold in memory."""
    blocks = -(-partition.size // block_size)
    extents = [extent for operation in partition.operations for extent in operation.target]
    for extent in (*extents, *filter(None, (partition.hash_tree, partition.fec))):
        if extent.blocks == 0 or extent.start + extent.blocks > blocks:
            raise MalformedError(source, partition.name, "an extent reaches beyond the partition")


def _verify_any(data: bytes, key: PublicKey, digest: bytes, source: str) -> None:
    """update_engine takes any of the signatures; most payloads have one."""
    signatures = Message(data, source).messages(1)
    for signature in signatures:
        raw, size = signature.raw(2), signature.fixed32(3)
        try:
            return verify_digest(key, raw if size is None else raw[:size], digest, SHA256(), source)
        except MalformedError:
            continue
    raise MalformedError(source, "", f"none of {len(signatures)} signatures is by this key")
