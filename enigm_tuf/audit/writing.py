"""The right edge of a log's tree in memory: which files change when entries are added. Pure but for reading tiles."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from enigm_tuf.audit.checkpoints import Checkpoint
from enigm_tuf.audit.rules import AuditRule
from enigm_tuf.audit.tiles import (
    ENTRIES,
    WIDTH,
    Tile,
    TileNodes,
    edge_tiles,
    pack_bundle,
    split_bundle,
    split_tile,
)
from enigm_tuf.audit.tree import Edge, edge, full_hash, leaf_hash
from enigm_tuf.errors import RefusedError


class Tiles(Protocol):
    """Where tiles are read from."""

    def tile(self, tile: Tile) -> bytes: ...


@dataclass(frozen=True, slots=True)
class GrowingTree:
    """``bundle`` are the entries, ``levels`` the hashes, that lie in the partial tiles at the edge."""

    edge: Edge
    bundle: tuple[bytes, ...]
    levels: tuple[tuple[bytes, ...], ...]

    @property
    def size(self) -> int:
        return self.edge.size

    @classmethod
    def read(cls, checkpoint: Checkpoint, files: Tiles) -> "GrowingTree":
        """RefusedError LOG-TREE unless the edge's tiles and entries are those that the checkpoint is over."""
        size = checkpoint.size
        tree = edge(size, TileNodes(size, files.tile))
        bundle: tuple[bytes, ...] = ()
        levels: list[tuple[bytes, ...]] = [() for _ in range((size.bit_length() + 7) // 8)]
        for tile in edge_tiles(size):
            if tile.level == ENTRIES:
                bundle = tuple(split_bundle(files.tile(tile), tile))
            else:
                levels[tile.level] = tuple(split_tile(files.tile(tile), tile))
        leaves = tuple(leaf_hash(entry) for entry in bundle)
        if tree.root != checkpoint.root or (bundle and leaves != levels[0]):
            got = f"root {tree.root.hex()}" if leaves == (levels or [()])[0] else "other entries at its end"
            raise RefusedError(AuditRule.LOG_TREE, checkpoint.origin, expected=f"{checkpoint}", got=got)
        return cls(tree, bundle, tuple(levels))

    def grown(self, entries: Sequence[bytes]) -> "tuple[GrowingTree, dict[Tile, bytes]]":
        """The tree with these entries added, and every file that is new for it."""
        tree, bundle, levels = self.edge, list(self.bundle), [list(level) for level in self.levels]
        files: dict[Tile, bytes] = {}
        for entry in entries:
            leaf = leaf_hash(entry)
            bundle.append(entry)
            if len(bundle) == WIDTH:
                files[Tile(ENTRIES, tree.size // WIDTH)] = pack_bundle(bundle)
                bundle = []
            _push(levels, leaf, tree.size, files)
            tree = tree.add(leaf)
        for tile in set(edge_tiles(tree.size)) - set(edge_tiles(self.size)):
            data = pack_bundle(bundle) if tile.level == ENTRIES else b"".join(levels[tile.level])
            files[tile] = data
        return GrowingTree(tree, tuple(bundle), tuple(tuple(level) for level in levels)), files


def _push(levels: list[list[bytes]], node: bytes, place: int, files: dict[Tile, bytes]) -> None:
    """Put leaf ``place`` into its tile, and the hash of every tile that becomes full into the level above."""
    for level in range(9):
        if level == len(levels):
            levels.append([])
        levels[level].append(node)
        if len(levels[level]) < WIDTH:
            return
        place //= WIDTH
        files[Tile(level, place)] = b"".join(levels[level])
        node = full_hash(levels[level])
        levels[level] = []
