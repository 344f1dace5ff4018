"""The digests of AVB's two hash descriptors, worked out from the image (dm-verity format 1, as the kernel has it)."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeAlias

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.avb.descriptors import HashDescriptor, HashtreeDescriptor
from enigm_tuf_repository.inspection.limits import INSPECTION_LIMITS
from enigm_tuf_repository.inspection.source import PIECE, Source


class Digest(Protocol):
    """What hashlib's objects of all kinds have."""

    @property
    def digest_size(self) -> int: ...
    def update(self, data: bytes | memoryview, /) -> None: ...
    def digest(self) -> bytes: ...
    def copy(self) -> "Digest": ...


Hasher: TypeAlias = Callable[[bytes], Digest]
_BLOCKS = (4096, 16384, 65536)
_ALGORITHMS: dict[str, Hasher] = {
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
    "blake2b-256": lambda data: hashlib.blake2b(data, digest_size=32),
}


def image_digest(descriptor: HashDescriptor, image: Source, moved: Callable[[int], None]) -> bytes:
    """Over salt and image. MalformedError where the image is shorter or empty, or the hash is a weak one."""
    if not descriptor.image_size:
        raise MalformedError(image.name, "image_size", "covers nothing")
    hasher = _hasher(descriptor.algorithm, image.name)(descriptor.salt)
    for piece in image.pieces(0, descriptor.image_size):
        hasher.update(piece)
        moved(len(piece))
    return hasher.digest()


def tree_root(
    descriptor: HashtreeDescriptor, image: Source, moved: Callable[[int], None], *, tree_by_device: bool = False
) -> bytes:
    """The root digest; MalformedError also where the tree that devices will read from the image is another.

    ``tree_by_device``: the device writes the tree itself while it updates, and the image has none.
    """
    tree, root = hash_tree(descriptor, image, moved)
    if tree_by_device:
        return root
    if (descriptor.tree_offset, descriptor.tree_size) == (0, 0):
        raise MalformedError(image.name, "hash tree", "must be in the image")
    if descriptor.tree_size != len(tree) or image.read(descriptor.tree_offset, descriptor.tree_size) != tree:
        raise MalformedError(image.name, "hash tree", "is not that of the data")
    return root


def hash_tree(descriptor: HashtreeDescriptor, image: Source, moved: Callable[[int], None]) -> tuple[bytes, bytes]:
    """All levels, the one nearest to the root first, and the root digest."""
    block = descriptor.hash_block
    if descriptor.data_block != block or block not in _BLOCKS:
        raise MalformedError(image.name, "hash tree", f"blocks of {_BLOCKS[0]}, {_BLOCKS[1]} or {_BLOCKS[2]} bytes")
    if not descriptor.image_size or descriptor.image_size % block:
        raise MalformedError(image.name, "hash tree", "the data must be whole blocks")
    if descriptor.image_size // block * 64 > INSPECTION_LIMITS.hash_tree:
        raise MalformedError(image.name, "hash tree", f"at most {INSPECTION_LIMITS.hash_tree:,} bytes")
    salted = _hasher(descriptor.algorithm, image.name)(descriptor.salt)
    width = 1 << (salted.digest_size - 1).bit_length()
    level = b"".join(_digests(salted, width, block, image.pieces(0, descriptor.image_size), moved))
    levels = []
    while len(level) > width:
        level += b"\0" * (-len(level) % block)
        levels.append(level)
        level = b"".join(_digests(salted, width, block, [level], lambda _: None))
    return b"".join(reversed(levels)), level[: salted.digest_size]


def _digests(
    salted: Digest,
    width: int,
    block: int,
    pieces: Iterable[bytes],
    moved: Callable[[int], None],
) -> Iterator[bytes]:
    """The digest of each block, filled up to ``width``. Pieces are whole blocks: PIECE is a multiple of each size."""
    for piece in pieces:
        view = memoryview(piece)
        for start in range(0, len(piece), block):
            hasher = salted.copy()
            hasher.update(view[start : start + block])
            yield hasher.digest().ljust(width, b"\0")
        moved(len(piece))


def _hasher(algorithm: str, source: str) -> Hasher:
    if algorithm not in _ALGORITHMS:
        raise MalformedError(source, "hash_algorithm", f"must be {', '.join(_ALGORITHMS)}, is {algorithm or 'none'}")
    return _ALGORITHMS[algorithm]


assert all(PIECE % block == 0 for block in _BLOCKS)  # noqa: S101 - a fact about two constants
