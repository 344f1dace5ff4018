"""vbmeta images, as avbtool lays them out, with the hash trees of veritysetup and the signatures of openssl.

Debian has no avbtool. tests/repository/vectors/avb holds images that AOSP's own made; these here can be wrong in one
thing, which is what it would not do.
"""

import hashlib
import struct
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from enigm_testkit.android.keys import SigningKey

BLOCK = 4096
_PATH = {"PATH": "/usr/sbin:/usr/bin"}
RELEASE = "enigm_testkit"


def padded(data: bytes, size: int) -> bytes:
    return data + b"\0" * (-len(data) % size)


def public_key(key: SigningKey) -> bytes:
    """AvbRSAPublicKeyHeader and two big numbers."""
    n = key.public.public_numbers().n
    bits = key.public.key_size
    n0inv = 2**32 - pow(n, -1, 2**32)
    return struct.pack(">II", bits, n0inv) + n.to_bytes(bits // 8) + pow(2, 2 * bits, n).to_bytes(bits // 8)


def descriptor(tag: int, body: bytes) -> bytes:
    body = padded(body, 8)
    return struct.pack(">QQ", tag, len(body)) + body


def property_descriptor(key: str, value: str) -> bytes:
    return descriptor(0, struct.pack(">QQ", len(key), len(value)) + f"{key}\0{value}\0".encode())


def hash_descriptor(partition: str, image: bytes, algorithm: str = "sha256", salt: bytes = b"salt" * 8) -> bytes:
    digest = hashlib.new(algorithm, salt + image).digest()
    head = struct.pack(">Q32sIIII60x", len(image), algorithm.encode(), len(partition), len(salt), len(digest), 0)
    return descriptor(2, head + partition.encode() + salt + digest)


def chain_descriptor(partition: str, location: int, key: SigningKey) -> bytes:
    raw = public_key(key)
    return descriptor(4, struct.pack(">IIII60x", location, len(partition), len(raw), 0) + partition.encode() + raw)


def with_hash_tree(image: Path, partition: str, salt: str = "5a" * 32) -> bytes:
    """Puts a tree behind the file system in ``image``; the descriptor."""
    size, tree = image.stat().st_size, image.with_suffix(".tree")
    command = ["veritysetup", "format", "--no-superblock", f"--salt={salt}", "--hash=sha256", str(image), str(tree)]
    said = subprocess.run(command, check=True, capture_output=True, text=True, env=_PATH)
    root = next(line.split()[-1] for line in said.stdout.splitlines() if line.startswith("Root hash:"))
    tree_bytes = padded(tree.read_bytes(), BLOCK)
    with image.open("ab") as file:
        file.write(tree_bytes)
    head = struct.pack(
        ">IQQQIIIQQ32sIIII60x",
        *(1, size, size, len(tree_bytes), BLOCK, BLOCK, 0, 0, 0),
        *(b"sha256", len(partition), len(salt) // 2, 32, 0),
    )
    return descriptor(1, head + partition.encode() + bytes.fromhex(salt) + bytes.fromhex(root))


@dataclass
class VbmetaFields:
    """What a vbmeta image says."""

    key: SigningKey
    descriptors: list[bytes]
    rollback_index: int = 1
    flags: int = 0
    location: int = 0
    changes: dict[str, bytes] = field(default_factory=dict)

    def image(self) -> bytes:
        """Signed. ``changes`` replaces ``signature`` or ``hash`` when all is done."""
        raw, body = public_key(self.key), b"".join(self.descriptors)
        auxiliary = padded(body + raw, 64)
        head = struct.pack(
            ">4sIIQQIQQQQQQQQQQQII48s80x",
            *(b"AVB0", 1, 0, 320, len(auxiliary), 1, 0, 32, 32, 256),
            *(len(body), len(raw), 0, 0, 0, len(body)),
            *(self.rollback_index, self.flags, self.location, RELEASE.encode()),
        )
        digest = self.changes.get("hash", hashlib.sha256(head + auxiliary).digest())
        signature = self.changes.get("signature", self.key.sign(head + auxiliary))
        return padded(head + padded(digest + signature, 64) + auxiliary, BLOCK)


def add_footer(image: bytes, partition_size: int, vbmeta: bytes) -> bytes:
    """A partition with its own vbmeta behind the data, and the footer that names it."""
    start = len(padded(image, BLOCK))
    footer = struct.pack(">4sIIQQQ28x", b"AVBf", 1, 0, len(image), start, len(vbmeta))
    whole = padded(image, BLOCK) + vbmeta
    return whole + b"\0" * (partition_size - len(whole) - len(footer)) + footer
