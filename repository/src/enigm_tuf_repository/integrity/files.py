"""One target file: every byte is read once, for all its hashes and its chunk digests."""

import hashlib

from enigm_tuf.errors import EnigmTufError, NotFoundError
from enigm_tuf.model.chunks import CHUNK_BYTES, DIGEST_BYTES, SUFFIX, chunk_count, chunk_tree
from enigm_tuf.model.payload import Chunks, read_payload_record
from enigm_tuf.model.tuf import HASH_ALGORITHMS, TargetFile
from enigm_tuf.ports import Source
from enigm_tuf_repository.integrity.damage import Findings, Kind
from enigm_tuf_repository.integrity.tree import Tree
from enigm_tuf_repository.role_building import hashed_name


def check_file(tree: Tree, target: TargetFile) -> Findings:
    """Length, hashes and, for a payload, the chunk digests beside it. Memory stays flat."""
    found, path = Findings(), f"targets/{hashed_name(target)}"
    found.count("target files")
    try:
        chunks = _signed_chunks(target)
        digests = _check_bytes(tree, target, path, chunks.size if chunks else CHUNK_BYTES, found)
    except NotFoundError:
        found.add(Kind.MISSING, path, f"{target.path} is listed, and its file is gone")
        return found
    except EnigmTufError as error:
        found.add(Kind.BYTES, path, str(error))
        return found
    found.count("bytes", target.length)
    if target.path.startswith("payloads/") and not found.damage:
        _check_chunks(tree, target, path, digests, chunks, found)
    return found


def _signed_chunks(target: TargetFile) -> Chunks | None:
    """What the release authority says of them; None where it says nothing (a manifest, or model ``manifest-only``)."""
    custom = target.unrecognized_fields.get("custom")
    return read_payload_record(custom, target.path, "custom").chunks if custom is not None else None


def _check_bytes(tree: Tree, target: TargetFile, path: str, size: int, found: Findings) -> bytes:
    """The digests of chunks of ``size`` bytes that the file has."""
    hashers = {name: hashlib.new(name) for name in {*target.hashes, "sha256"} & HASH_ALGORITHMS}
    digests, length = bytearray(), 0
    buffer = memoryview(bytearray(min(size, target.length + 1)))
    with tree.open(path, 0, target.length + 1) as source:
        while filled := _fill(source, buffer):
            length += filled
            for hasher in hashers.values():
                hasher.update(buffer[:filled])
            digests += hashers["sha256"].digest()  # which does not end it
    if length != target.length:
        found.add(
            Kind.BYTES, path, f"{'more' if length > target.length else f'{length:,}'} bytes, not {target.length:,}"
        )
        return b""
    for name, expected in target.hashes.items():
        got = hashers[name].hexdigest() if name in hashers else "unknown here"
        if got != expected:
            found.add(Kind.BYTES, path, f"{name} {got}, not {expected:.128}")
    return bytes(digests)


def _fill(source: Source, buffer: memoryview) -> int:
    """As many bytes as there are, up to a whole chunk."""
    filled = 0
    while filled < len(buffer) and (count := source.readinto(buffer[filled:])):
        filled += count
    return filled


def _check_chunks(
    tree: Tree, target: TargetFile, path: str, digests: bytes, signed: Chunks | None, found: Findings
) -> None:
    """The file beside it is what the bytes give; and that is what the release authority signed, where it did."""
    found.count("chunk files")
    if signed is not None and chunk_tree(digests, signed.size) != signed:
        found.add(Kind.CHUNKS, path, "the bytes do not hash to the chunk root of the payload record")
        return
    name, count = f"{path}{SUFFIX}", chunk_count(target.length, signed.size if signed else CHUNK_BYTES)
    try:
        if tree.fetch(name, count * DIGEST_BYTES) != digests:
            found.add(Kind.CHUNKS, name, "not the payload's chunk digests: devices start again at each cut")
    except NotFoundError:
        found.add(Kind.MISSING, name, "no chunk digests: devices start again at each cut")
    except EnigmTufError as error:
        found.add(Kind.CHUNKS, name, str(error))
