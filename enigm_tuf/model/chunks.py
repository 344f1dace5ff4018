"""Chunk digests of a payload: a device catches a wrong byte within one chunk, and hashes each byte once (ADR 17).

The digest of a chunk is the SHA-256 of the payload from its first byte to the end of that chunk: one running hash gives
them all, and the last is that of the whole payload. They travel beside the payload in ``<payload file>.chunks``, 32
bytes each, in order; the payload record holds the root of an RFC 6962 Merkle tree over them. Whoever withholds or
forges the file makes a device slower, never wrong.
"""

import hashlib
from collections.abc import Iterable

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.payload import Chunks

CHUNK_BYTES = 2**20
DIGEST_BYTES = 32
SUFFIX = ".chunks"


def chunk_tree(digests: bytes, size: int = CHUNK_BYTES) -> Chunks:
    """The root over the digests of chunks of ``size`` bytes, of which there is at least one."""
    return Chunks(size, merkle_root(map(leaf, _each(digests))).hex())


def leaf(data: bytes) -> bytes:
    """The hash of one leaf (RFC 6962 section 2.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def merkle_root(leaves: Iterable[bytes]) -> bytes:
    """RFC 6962 section 2.1. Trees of one size are joined as soon as there are two: memory stays flat."""
    trees: list[tuple[int, bytes]] = []
    for node in leaves:
        size = 1
        while trees and trees[-1][0] == size:
            size, node = 2 * size, _joined(trees.pop()[1], node)
        trees.append((size, node))
    root = trees.pop()[1]
    while trees:
        root = _joined(trees.pop()[1], root)
    return root


def chunk_count(length: int, size: int) -> int:
    """How many chunks a payload of ``length`` bytes has."""
    return -(-length // size)


def digest_at(digests: bytes, index: int) -> bytes:
    """The digest of chunk ``index``; -1 is the last."""
    return digests[index * DIGEST_BYTES :][:DIGEST_BYTES]


def read_digests(data: bytes, length: int, chunks: Chunks, source: str) -> bytes:
    """``data``, if it is the digests of a payload of ``length`` bytes, proved by the signed root; MalformedError."""
    count = chunk_count(length, chunks.size)
    if len(data) != count * DIGEST_BYTES:
        raise MalformedError(source, "", f"must have {count} digests of {DIGEST_BYTES} bytes")
    if chunk_tree(data, chunks.size) != chunks:
        raise MalformedError(source, "", "must hash to the chunk root of the payload record")
    return data


def _each(digests: bytes) -> Iterable[bytes]:
    return (digests[place : place + DIGEST_BYTES] for place in range(0, len(digests), DIGEST_BYTES))


def _joined(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
