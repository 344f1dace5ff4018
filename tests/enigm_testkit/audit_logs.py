"""What people do to an audit log behind its back: some edit files, who has its key can write all of it anew."""

import shutil
from collections.abc import Callable
from pathlib import Path

from enigm_tuf.audit.checkpoints import Checkpoint, sign_checkpoint
from enigm_tuf.audit.files import LogFiles
from enigm_tuf.audit.merkle import log_signer
from enigm_tuf.audit.notes import read_note
from enigm_tuf.audit.tiles import ENTRIES, all_tiles, pack_bundle
from enigm_tuf.audit.tree import Edge
from enigm_tuf.audit.writing import GrowingTree

Change = Callable[[list[bytes]], list[bytes]]


def log_state(path: Path) -> dict[str, bytes]:
    """Every file of a log, to see whether anything has changed."""
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def restore(path: Path, state: dict[str, bytes]) -> None:
    """The log as it was: what a backup, or somebody with the disk, can always do."""
    shutil.rmtree(path)
    for name, data in state.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)


def entries_of(path: Path) -> list[bytes]:
    return list(LogFiles(path).entries(_size(path)))


def edit_entries(path: Path, change: Change) -> None:
    """Without the key: other entries of the same number in the bundles, everything else as it was."""
    entries = change(entries_of(path))
    for tile in all_tiles(_size(path)):
        if tile.level == ENTRIES:
            first = tile.index * 256
            (path / tile.path).write_bytes(pack_bundle(entries[first : first + tile.width]))


def forge(path: Path, change: Change) -> None:
    """With the key: a log of other entries that is whole in itself."""
    entries = change(entries_of(path))
    shutil.rmtree(path)
    path.mkdir()
    write_log(path, entries)


def write_log(path: Path, entries: list[bytes]) -> None:
    """A whole log of these entries, signed with the key beside the folder."""
    signer = log_signer(path)
    tree, tiles = GrowingTree(Edge(), (), ()).grown(entries)
    checkpoint = Checkpoint(signer.name, tree.size, tree.edge.root)
    LogFiles(path).commit(tiles, sign_checkpoint(checkpoint, signer).note.data)


def _size(path: Path) -> int:
    return int(read_note((path / "checkpoint").read_bytes(), "checkpoint").text.split("\n")[1])
