"""Chunk hashes of a payload: an RFC 6962 Merkle tree, so that a device can verify while it streams."""

import hashlib

from enigm_tuf.model.payload import Chunks

CHUNK_BYTES = 2**20


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
