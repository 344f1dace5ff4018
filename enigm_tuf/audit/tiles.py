"""Where the hashes and the entries of a log lie: C2SP tlog-tiles. Pure: paths and bytes, no files.

A tile of level L holds up to 256 nodes of tree level 8 * L, 32 bytes each; an entry bundle up to 256 entries, each
after its length in two bytes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from enigm_tuf.audit.tree import HASH_BYTES, full_hash
from enigm_tuf.errors import MalformedError

WIDTH = 256
_HEIGHT = 8
ENTRIES = -1
"""The level of entry bundles in ``Tile``; their path says ``entries``."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One file: ``width`` hashes of tile level ``level``, or as many entries; fewer than 256 only at the right edge."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Relative to the log, such as ``tile/0/x001/234.p/5``."""
        digits = f"{self.index % 1000:03d}"
        rest = self.index // 1000
        while rest:
            digits = f"x{rest % 1000:03d}/{digits}"
            rest //= 1000
        partial = f".p/{self.width}" if self.width < WIDTH else ""
        return f"tile/{'entries' if self.level == ENTRIES else self.level}/{digits}{partial}"


def edge_tiles(size: int) -> tuple[Tile, ...]:
    """The partial tiles of a tree, its entry bundle first; none where every tile is full."""
    found = [_edge(ENTRIES, size)] if size % WIDTH else []
    level = 0
    while nodes := size >> level * _HEIGHT:
        if nodes % WIDTH:
            found.append(_edge(level, nodes))
        level += 1
    return tuple(found)


def all_tiles(size: int) -> Iterator[Tile]:
    """Every tile and bundle of a tree, bundles first, each level from left to right."""
    yield from bundles(size)
    level = 0
    while nodes := size >> level * _HEIGHT:
        yield from _level(level, nodes)
        level += 1


def bundles(size: int) -> Iterator[Tile]:
    """Every entry bundle of a log, oldest first."""
    yield from _level(ENTRIES, size)


def bundle_of(index: int, size: int) -> Tile:
    """The bundle that holds entry ``index`` in a log of ``size``."""
    number = index // WIDTH
    return Tile(ENTRIES, number, min(WIDTH, size - number * WIDTH))


class TileNodes:
    """The full nodes of a tree of ``size`` leaves, read from tiles that ``fetch`` gives whole; see ``tree.Nodes``."""

    def __init__(self, size: int, fetch: Callable[[Tile], bytes]) -> None:
        self._size = size
        self._fetch = lru_cache(maxsize=256)(fetch)

    def __call__(self, level: int, index: int) -> bytes:
        """MalformedError if a tile has another length than its path says."""
        height, inner = divmod(level, _HEIGHT)
        first, count = index << inner, 1 << inner
        number = first // WIDTH
        tile = Tile(height, number, min(WIDTH, (self._size >> level - inner) - number * WIDTH))
        hashes = split_tile(self._fetch(tile), tile)
        at = first % WIDTH
        return full_hash(hashes[at : at + count])


def split_tile(data: bytes, tile: Tile) -> list[bytes]:
    """The hashes in a tile; MalformedError unless there are as many as its path says."""
    if len(data) != tile.width * HASH_BYTES:
        raise MalformedError(tile.path, "", f"a tile of {tile.width} hashes has {tile.width * HASH_BYTES:,} bytes")
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def pack_bundle(entries: Sequence[bytes]) -> bytes:
    """An entry bundle; each entry has at most 65,535 bytes."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def split_bundle(data: bytes, tile: Tile) -> list[bytes]:
    """The entries of a bundle; MalformedError unless they are whole and as many as its path says."""
    entries: list[bytes] = []
    at = 0
    while at < len(data):
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        entries.append(data[start:at])
    if at != len(data) or len(entries) != tile.width:
        raise MalformedError(tile.path, "", f"a bundle of {tile.width} whole entries, each after its length")
    return entries


def _edge(level: int, nodes: int) -> Tile:
    return Tile(level, nodes // WIDTH, nodes % WIDTH)


def _level(level: int, nodes: int) -> Iterator[Tile]:
    for index in range(nodes // WIDTH):
        yield Tile(level, index)
    if nodes % WIDTH:
        yield _edge(level, nodes)
