"""The audit log of an authority on disk: entries in a Merkle tree, under a checkpoint that the log's key signs.

The log is a folder (``files``), its private key a file beside it, ``log.key``. Opening reads the right edge of the
tree alone; whoever asks for the entries reads all of them, and has them all compared with the checkpoint.
"""

import fcntl
import os
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from enigm_tuf.audit.checkpoints import (
    Checkpoint,
    SignedCheckpoint,
    require_consistent,
    sign_checkpoint,
    verified_checkpoint,
)
from enigm_tuf.audit.files import LogFiles, damage_refused
from enigm_tuf.audit.log import AuditEntry, EntryType, read_entry, require_later, write_entry
from enigm_tuf.audit.notes import NOTE_BYTES, Note, NoteSigner, read_signer, require_name, write_signer
from enigm_tuf.audit.proofs import InclusionProof, verified_entry
from enigm_tuf.audit.reading import Progress, entries_after, nobody_looks, verified_entries
from enigm_tuf.audit.tiles import WIDTH, TileNodes, all_tiles, bundle_of, split_bundle
from enigm_tuf.audit.tree import Edge, consistency_proof, inclusion_proof
from enigm_tuf.audit.writing import GrowingTree
from enigm_tuf.durable import fsync_directory, read_input, replace_file, write_new
from enigm_tuf.errors import MisuseError, RefusedError, StateError
from enigm_tuf.model.request import AuditHead
from enigm_tuf.ports import Clock

_KEY_FILE_BYTES = 4_096
R = TypeVar("R")


class MerkleLog:
    """Implements AuditLog. Made by ``open_log`` alone, which holds the folder's lock."""

    def __init__(self, files: LogFiles, signer: NoteSigner, clock: Clock) -> None:
        self._files = files
        self._signer = signer
        self._clock = clock
        self._signed = verified_checkpoint(files.checkpoint(), signer.log, str(files.path))
        self._tree = GrowingTree.read(self._signed.checkpoint, files)
        self._last = _last_entry(self._signed.checkpoint.size, files)
        self._known: list[AuditEntry] | None = None
        self._failed = False

    @property
    def signed(self) -> SignedCheckpoint:
        """The newest checkpoint, with the cosignatures that it has."""
        return self._signed

    @property
    def signer(self) -> NoteSigner:
        """The log's key, which is the authority's witness key too."""
        return self._signer

    def append(self, kind: EntryType, body: Mapping[str, Any]) -> AuditEntry:
        """See AuditLog."""
        (entry,) = self.extend([(kind, body)])
        return entry

    def extend(self, bodies: Iterable[tuple[EntryType, Mapping[str, Any]]]) -> tuple[AuditEntry, ...]:
        """See AuditLog. After a StateError this log takes no more: open it again, to see what is on disk."""
        if self._failed:
            raise StateError(f"{self._files.path}: an entry could not be written", hint="open the log again")
        entries, lines = self._made(bodies)
        tree, tiles = self._tree.grown(lines)
        signed = sign_checkpoint(Checkpoint(self._signer.name, tree.size, tree.edge.root), self._signer)
        try:
            self._files.commit(tiles, signed.note.data)
        except StateError as error:
            self._failed = True
            raise StateError(f"nothing was logged: {error}", hint=error.hint) from error
        self._files.tidy(self._tree.size, tree.size)
        self._tree, self._signed, self._last = tree, signed, entries[-1]
        if self._known is not None:
            self._known.extend(entries)
        return entries

    def entries(self) -> Iterator[AuditEntry]:
        """See AuditLog. The first call reads the whole log and compares it with the checkpoint."""
        if self._known is None:
            with damage_refused(self._files.path):
                self._known = list(verified_entries(self._files, self._signed.checkpoint))
        return iter(tuple(self._known))

    def entries_after(self, number: int) -> Iterator[AuditEntry]:
        """The entries that follow entry ``number``, read anew, and no more of the log than is needed for that.

        RefusedError LOG-TREE before the first, unless they lead to the root of the checkpoint.
        """
        with damage_refused(self._files.path):
            yield from entries_after(self._files, self._signed.checkpoint, number)

    def proof(self, sequence: int, checkpoint: SignedCheckpoint) -> InclusionProof:
        """See AuditLog. Reads the tiles on the entry's path, and its bundle."""
        index, size = sequence - 1, checkpoint.checkpoint.size
        tile = bundle_of(index, self._tree.size)
        with damage_refused(self._files.path):
            entry = split_bundle(self._files.tile(tile), tile)[index % WIDTH]
            path = inclusion_proof(index, size, self._nodes())
        proof = InclusionProof(entry, index, path, checkpoint.note.data)
        verified_entry(proof, self._signer.log, f"{self._files.path}, entry {sequence}")
        return proof

    def covering(self, sequence: int) -> SignedCheckpoint:
        """See AuditLog."""
        cosigned = self.cosigned
        return cosigned if cosigned and cosigned.checkpoint.size >= sequence else self._signed

    def consistency(self, since: int) -> tuple[bytes, ...]:
        """That the log as it was with ``since`` entries begins the one of today."""
        with damage_refused(self._files.path):
            return consistency_proof(since, self._tree.size, self._nodes())

    @property
    def cosigned(self) -> SignedCheckpoint | None:
        """The newest checkpoint that a witness has given back."""
        place = _cosigned_file(self._files.path)
        if not place.exists():
            return None
        return verified_checkpoint(read_input(place, NOTE_BYTES), self._signer.log, str(place))

    def keep_cosigned(self, signed: SignedCheckpoint) -> None:
        """Keep what a witness has given back, with the cosignatures that were there of the same checkpoint.

        RefusedError LOG-CONSISTENT if this log does not begin with it.
        """
        old = signed.checkpoint
        self._require_begins_with(old, "the cosigned checkpoint")
        before, lines = self.cosigned, signed.note.signatures
        if before and before.checkpoint == old:
            lines = tuple(dict.fromkeys((*before.note.signatures, *lines)))
        replace_file(_cosigned_file(self._files.path), Note(signed.note.text, lines).data)

    def require_cosigned(self) -> None:
        """RefusedError LOG-CONSISTENT unless this log begins with what a witness has given back: it was put back."""
        if cosigned := self.cosigned:
            self._require_begins_with(cosigned.checkpoint, str(_cosigned_file(self._files.path)))

    def _require_begins_with(self, old: Checkpoint, source: str) -> None:
        steps = self.consistency(old.size) if old.size <= self._tree.size else ()
        require_consistent(old, self._signed.checkpoint, steps, source)

    def _nodes(self) -> TileNodes:
        return TileNodes(self._tree.size, self._files.tile)

    def head(self) -> AuditHead:
        """See AuditLog."""
        return _head(self._signed.checkpoint)

    def _made(
        self, bodies: Iterable[tuple[EntryType, Mapping[str, Any]]]
    ) -> tuple[tuple[AuditEntry, ...], list[bytes]]:
        """The entries as they will be read, and their bytes."""
        now, before, source = self._clock.now().replace(microsecond=0), self._last, str(self._files.path)
        entries, lines = list[AuditEntry](), list[bytes]()
        for number, (kind, body) in enumerate(bodies, self._tree.size + 1):
            line = write_entry(AuditEntry(number, now, kind, dict(body)))
            before, last = read_entry(line, number, source), before
            require_later(last, before, source)
            entries.append(before)
            lines.append(line)
        if not entries:
            raise MisuseError(f"{source}: nothing to log")
        return tuple(entries), lines


def create_log(path: Path, place: str, name: str | None = None) -> None:
    """An empty log with a new key. ``place`` ends its origin, such as ``staging/release``; ``name`` begins it.

    Without a name the origin begins with a digest of the key, so that no two logs share one. MisuseError if there is
    a log already.
    """
    private = Ed25519PrivateKey.generate()
    name = name or f"audit-{sha256(private.public_key().public_bytes_raw()).hexdigest()[:16]}"
    signer = NoteSigner(f"{name}/{place}", private)
    require_name(signer.name, "--log-name", "")
    try:
        path.mkdir()
    except FileExistsError as error:
        raise MisuseError(f"{path}: there is an audit log already") from error
    write_new(_key_file(path), write_signer(signer).encode(), 0o600)
    empty = Checkpoint(signer.name, 0, Edge().root)
    LogFiles(path).commit({}, sign_checkpoint(empty, signer).note.data)
    fsync_directory(path.parent)


@contextmanager
def open_log(path: Path, clock: Clock) -> Iterator[MerkleLog]:
    """The log, locked, for as long as the block lasts. Its right edge is compared with the checkpoint.

    StateError if another process holds it or a file is missing; RefusedError LOG-CHECKPOINT, LOG-TREE.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise StateError(f"{path}: there is no audit log", hint="an authority without its log signs nothing") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateError(f"{path}: another process uses this authority", hint="wait until it is done") from error
        with damage_refused(path):
            log = MerkleLog(LogFiles(path), log_signer(path), clock)
        yield log
    finally:
        os.close(descriptor)


def log_signer(path: Path) -> NoteSigner:
    """The private key of the log in ``path``."""
    key = _key_file(path)
    return read_signer(read_input(key, _KEY_FILE_BYTES).decode("ascii", "replace").strip(), str(key))


def read_log(path: Path) -> list[AuditEntry]:
    """All entries of a log that nobody needs to hold, compared with its checkpoint."""
    return read_whole(path, list)[1]


def verify(path: Path, expect: AuditHead | None) -> AuditHead:
    """Read the whole log, and see whether it begins with ``expect``, a head noted earlier; returns the head.

    RefusedError: LOG-CHECKPOINT, LOG-FORM, LOG-TIME, LOG-TREE, LOG-CONSISTENT.
    """
    head, _ = read_whole(path, _let_go)
    if expect is not None:
        noted = Checkpoint(head.origin, expect.entries, bytes.fromhex(expect.sha256))
        require_begins_with(path, noted, f"{path}, its first {expect.entries} entries")
    return _head(head)


def copy_log(path: Path, to: Path) -> int:
    """Tiles, bundles and checkpoint into the empty folder ``to``, after all was compared; how many entries."""
    files, copy = LogFiles(path), LogFiles(to)
    note = files.checkpoint()
    head, _ = read_whole(path, _let_go)
    signed = verified_checkpoint(note, log_signer(path).log, str(path))
    if signed.checkpoint != head:
        raise StateError(f"{path}: somebody has appended meanwhile", hint="run it again")
    copy.commit({tile: files.tile(tile) for tile in all_tiles(head.size)}, note)
    return head.size


def require_begins_with(path: Path, old: Checkpoint, source: str) -> None:
    """RefusedError LOG-CONSISTENT unless the log begins with all entries of a checkpoint that was kept elsewhere."""
    head = verified_checkpoint(LogFiles(path).checkpoint(), log_signer(path).log, str(path)).checkpoint
    with damage_refused(path):
        nodes = TileNodes(head.size, LogFiles(path).tile)
        steps = consistency_proof(old.size, head.size, nodes) if old.size <= head.size else ()
    require_consistent(old, head, steps, source)


def read_whole(
    path: Path,
    take: Callable[[Iterator[AuditEntry]], R],
    without: Collection[EntryType] = (),
    progress: Progress = nobody_looks,
) -> tuple[Checkpoint, R]:
    """The log's checkpoint, and what ``take`` makes of all its entries; no more of them is in memory than it keeps.

    Entries of the types ``without`` may come with an empty body; a long log is then read by every processor.

    ``take`` is asked again, from the start, where somebody has appended meanwhile.
    """
    files = LogFiles(path)
    while True:
        note = files.checkpoint()
        try:
            with damage_refused(path):
                head = verified_checkpoint(note, log_signer(path).log, str(path)).checkpoint
                return head, take(verified_entries(files, head, without, progress))
        except RefusedError:
            if files.checkpoint() == note:
                raise


def _last_entry(size: int, files: LogFiles) -> AuditEntry | None:
    """For the time of the next one; MalformedError if the bundle is torn."""
    if not size:
        return None
    tile = bundle_of(size - 1, size)
    return read_entry(split_bundle(files.tile(tile), tile)[-1], size, str(files.path))


def _let_go(entries: Iterator[AuditEntry]) -> None:
    """Parse them all, keep none."""
    deque(entries, maxlen=0)


def _head(checkpoint: Checkpoint) -> AuditHead:
    return AuditHead(checkpoint.size, checkpoint.root.hex())


def _cosigned_file(path: Path) -> Path:
    return path.with_name("cosigned.checkpoint")


def _key_file(path: Path) -> Path:
    return path.with_name("log.key")
