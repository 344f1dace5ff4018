"""Reading a whole log: first all of it is compared with its checkpoint, then its entries are parsed, one by one.

Both read the files, so that a log of a million entries need not fit into memory. What the first reading has compared
is remembered by one hash for each bundle: a file that is exchanged between the two is refused.
"""

from collections.abc import Callable, Collection, Iterator
from hashlib import sha256
from itertools import islice
from typing import TypeAlias

from enigm_tuf.audit.checkpoints import Checkpoint
from enigm_tuf.audit.files import LogFiles
from enigm_tuf.audit.log import AuditEntry, EntryType, read_entry, require_later
from enigm_tuf.audit.parsing import parsed
from enigm_tuf.audit.rules import AuditRule
from enigm_tuf.audit.tiles import ENTRIES, WIDTH, Tile, TileNodes, bundles, edge_tiles, split_bundle
from enigm_tuf.audit.tree import Edge, edge, leaf_hash
from enigm_tuf.audit.writing import GrowingTree
from enigm_tuf.errors import RefusedError

Progress: TypeAlias = Callable[[str, int, int], None]
"""What is done with the entries, with how many, and of how many; called once for each bundle."""


def nobody_looks(what: str, done: int, size: int) -> None:
    """The progress of which nothing is shown."""


def verified_entries(
    files: LogFiles, checkpoint: Checkpoint, without: Collection[EntryType] = (), progress: Progress = nobody_looks
) -> Iterator[AuditEntry]:
    """Every entry; before the first one RefusedError LOG-TREE unless the checkpoint is over exactly these.

    Those of the types ``without`` may come with an empty body. RefusedError LOG-FORM, LOG-TIME at the entry that is
    wrong; MalformedError if a bundle is torn.
    """
    before = None
    for entry in parsed(files, checkpoint.size, _compared(files, checkpoint, progress), without):
        require_later(before, entry, str(files.path))
        before = entry
        if entry.sequence % WIDTH == 0:
            progress("read", entry.sequence, checkpoint.size)
        yield entry


def entries_after(files: LogFiles, checkpoint: Checkpoint, number: int) -> Iterator[AuditEntry]:
    """The entries that follow entry ``number``, from the bundle on that holds it.

    The full nodes before that bundle are taken from tiles: together with the entries, which are hashed, they make the
    checkpoint's root or it is RefusedError LOG-TREE, before the first entry. RefusedError LOG-FORM, LOG-TIME.
    """
    if not number:
        yield from verified_entries(files, checkpoint)
        return
    size, first, source = checkpoint.size, (number - 1) // WIDTH, str(files.path)
    tree, lines, before = edge(first * WIDTH, TileNodes(size, files.tile)), list[bytes](), None
    for tile in islice(bundles(size), first, None):
        lines += split_bundle(files.tile(tile), tile)
    for line in lines:
        tree = tree.add(leaf_hash(line))
    if tree.root != checkpoint.root:
        raise RefusedError(AuditRule.LOG_TREE, source, expected=f"{checkpoint}", got=f"root {tree.root.hex()}")
    for place, line in enumerate(lines, first * WIDTH + 1):
        entry = read_entry(line, place, source)
        require_later(before, entry, source)
        before = entry
        if place > number:
            yield entry


def _compared(files: LogFiles, checkpoint: Checkpoint, progress: Progress) -> list[bytes]:
    """The SHA-256 of every bundle, after the tree over the entries was built anew: every tile, and its root."""
    size, tree, digests = checkpoint.size, GrowingTree(Edge(), (), ()), list[bytes]()
    last = edge_tiles(size)
    for bundle in bundles(size):
        data = files.tile(bundle)
        digests.append(sha256(data).digest())
        tree, made = tree.grown(split_bundle(data, bundle))
        for tile, hashes in made.items():
            kept = tile.width == WIDTH or tile in last
            if kept and tile.level != ENTRIES and files.tile(tile) != hashes:
                _refuse(files, tile, "the hashes of the entries below it")
        progress("compared", bundle.index * WIDTH + bundle.width, size)
    if tree.edge.root != checkpoint.root:
        got = f"root {tree.edge.root.hex()}"
        raise RefusedError(AuditRule.LOG_TREE, str(files.path), expected=f"{checkpoint}", got=got)
    return digests


def _refuse(files: LogFiles, tile: Tile, expected: str) -> None:
    raise RefusedError(AuditRule.LOG_TREE, str(files.path / tile.path), expected=expected, got="something else")
