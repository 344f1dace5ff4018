"""Chunk hashes of a payload: an RFC 6962 Merkle tree, so that a device catches a wrong byte within one chunk.

The leaves travel beside the payload in ``<payload file>.chunks``, 32 bytes each, in order; the payload record holds
their root. Whoever withholds or forges the file makes a device slower, never wrong.
"""

import hashlib

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.payload import Chunks

CHUNK_BYTES = 2**20
LEAF_BYTES = 32
SUFFIX = ".chunks"


def leaf(chunk: bytes) -> bytes:
    """The leaf of one chunk (RFC 6962 section 2.1)."""
    return hashlib.sha256(b"\x00" + chunk).digest()


def chunk_tree(leaves: list[bytes]) -> Chunks:
    """The root over ``leaves``, of which there is at least one."""
    return Chunks(CHUNK_BYTES, merkle_root(leaves).hex())


def merkle_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1: split at the largest power of two below the number of leaves."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + merkle_root(leaves[:split]) + merkle_root(leaves[split:])).digest()


def chunk_count(length: int, size: int) -> int:
    """How many chunks a payload of ``length`` bytes has."""
    return -(-length // size)


def read_leaves(data: bytes, length: int, chunks: Chunks, source: str) -> list[bytes]:
    """The leaves of a payload of ``length`` bytes, proved by the signed root; MalformedError."""
    count = chunk_count(length, chunks.size)
    if len(data) != count * LEAF_BYTES:
        raise MalformedError(source, "", f"must have {count} hashes of {LEAF_BYTES} bytes")
    leaves = [data[place : place + LEAF_BYTES] for place in range(0, len(data), LEAF_BYTES)]
    if merkle_root(leaves).hex() != chunks.root:
        raise MalformedError(source, "", "must hash to the chunk root of the payload record")
    return leaves
