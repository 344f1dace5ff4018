"""Payloads: received once, hashed while they are written, named only when they are right.

A cut costs nothing but the chunk it fell into: what lies on the disk is taken up again as far as its chunks verify.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from enigm_tuf.errors import MalformedError, NotFoundError, RefusedError, StateError, TransportError
from enigm_tuf.model.chunks import LEAF_BYTES, SUFFIX, chunk_count, read_leaves
from enigm_tuf.model.payload import Chunks
from enigm_tuf.model.tuf import HASH_ALGORITHMS
from enigm_tuf.model.value import Value
from enigm_tuf.ports import Fetcher
from enigm_tuf.trust.tuf_rules import TufRule
from enigm_tuf_client.part import ALIGNMENT, PartFile
from enigm_tuf_client.pipeline import BUFFER_BYTES, ChunkHashes, Pipeline, WholeHash

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all, in the thread that called download()."""


class Digests(Value):
    """What the bytes are: their number, and hex digests by TUF algorithm name."""

    length: int
    hashes: dict[str, str]


class Wanted(Value):
    """A payload: its path below the fetcher's base, length in bytes, hex hashes, and its chunks where known."""

    path: str
    length: int
    hashes: Mapping[str, str]
    chunks: Chunks | None = None


def download(
    mirrors: Sequence[Fetcher], wanted: Wanted, destination: Path, progress: Progress | None = None
) -> Digests:
    """Write the payload to ``destination`` if, and only if, it has the wanted length and hashes.

    Each mirror is tried in turn, and goes on where the one before it stopped; the error is that of the last.
    RefusedError TARGET-HASH or CHUNK-HASH, TransportError, StateError. Memory stays flat.
    """
    _require_known_hashes(wanted)
    leaves = _leaves(mirrors, wanted)
    try:
        part = PartFile(destination, wanted.length)
        try:
            digests = _from_any(mirrors, wanted, leaves, part, progress or _silent)
            part.finish()
        finally:
            part.close()
    except OSError as error:
        raise StateError(f"{destination}: {error.strerror}") from error
    return digests


def _from_any(
    mirrors: Sequence[Fetcher], wanted: Wanted, leaves: list[bytes] | None, part: PartFile, progress: Progress
) -> Digests:
    failure: TransportError | RefusedError = TransportError("there is no mirror to fetch from")
    for index, mirror in enumerate(mirrors):
        attempt = _Attempt(wanted, leaves, part)
        try:
            if leaves is not None and (index or not part.is_new):
                attempt.take_up()
            return attempt.run(mirror, progress)
        except (TransportError, RefusedError) as error:
            failure = error
    if leaves is None or not (isinstance(failure, TransportError) or failure.rule == TufRule.CHUNK_HASH):
        part.remove()  # nothing in it is known to be right
    raise failure


class _Attempt:
    """One mirror's turn, from the last verified chunk on."""

    def __init__(self, wanted: Wanted, leaves: list[bytes] | None, part: PartFile) -> None:
        self._wanted = wanted
        self._leaves = leaves
        self._part = part
        self._hashes = {algorithm: WholeHash(algorithm) for algorithm in wanted.hashes}
        self._start = 0

    def take_up(self) -> None:
        """Hash what is on the disk, as far as whole chunks verify."""
        chunks, leaves = self._wanted.chunks, self._leaves
        if chunks is None or leaves is None:
            return
        memory = memoryview(bytearray(chunks.size))
        for index, count in enumerate(self._part.pieces(memory)):
            size = min(chunks.size, self._wanted.length - self._start)
            if count < size or hashlib.sha256(b"\x00" + memory[:size]).digest() != leaves[index]:
                return
            for hasher in self._hashes.values():
                hasher.take(memory, size, self._start)
            self._start += size
            if self._start == self._wanted.length:
                return

    def run(self, mirror: Fetcher, progress: Progress) -> Digests:
        """Receive the rest; RefusedError, TransportError."""
        wanted = self._wanted
        takers = [*(hasher.take for hasher in self._hashes.values()), self._part.write]
        if wanted.chunks and self._leaves is not None:
            size = wanted.chunks.size
            takers.append(ChunkHashes(self._leaves, size, wanted.length, wanted.path, self._start).take)
        if self._start % ALIGNMENT:
            self._part.buffer_from_now_on()
        done = self._start
        if done < wanted.length:
            with mirror.open(wanted.path, done, wanted.length) as source:
                done = Pipeline(takers).run(source, done, wanted.length, lambda at: progress(at, wanted.length))
        digests = Digests(done, {name: hasher.hexdigest() for name, hasher in self._hashes.items()})
        _require_equal(wanted, digests)
        return digests


def _require_known_hashes(wanted: Wanted) -> None:
    """Before anything is written."""
    for algorithm in wanted.hashes:
        if algorithm not in HASH_ALGORITHMS:
            subject = f"{wanted.path}, hash algorithm"
            raise RefusedError(TufRule.TARGET_HASH, subject, expected="one that is known here", got=algorithm)


def _leaves(mirrors: Iterable[Fetcher], wanted: Wanted) -> list[bytes] | None:
    """The chunk hashes, proved by the signed root; None where no mirror has them right: the whole hash decides."""
    if wanted.chunks is None:
        return None
    size = chunk_count(wanted.length, wanted.chunks.size) * LEAF_BYTES
    for mirror in mirrors:
        try:
            name = f"{wanted.path}{SUFFIX}"
            return read_leaves(mirror.fetch(name, size), wanted.length, wanted.chunks, name)
        except (NotFoundError, TransportError, MalformedError):
            continue
    return None


def digest_file(file: Path, max_bytes: int, algorithms: Iterable[str] = ("sha256",)) -> Digests:
    """Hash a local file; stops one piece after ``max_bytes``, since a longer file is wrong already."""
    hashers = {name: hashlib.new(name) for name in algorithms}
    memory, length = memoryview(bytearray(BUFFER_BYTES)), 0
    try:
        with file.open("rb", buffering=0) as opened:
            while length <= max_bytes and (count := opened.readinto(memory)):
                length += count
                for hasher in hashers.values():
                    hasher.update(memory[:count])
    except OSError as error:
        raise StateError(f"{file}: {error.strerror}") from error
    return Digests(length, {name: hasher.hexdigest() for name, hasher in hashers.items()})


def _require_equal(wanted: Wanted, got: Digests) -> None:
    for name, expected, value in (
        ("length", str(wanted.length), str(got.length)),
        *((algorithm, digest, got.hashes[algorithm]) for algorithm, digest in wanted.hashes.items()),
    ):
        if value != expected:
            raise RefusedError(TufRule.TARGET_HASH, f"{wanted.path}, {name}", expected=expected, got=value)


def _silent(done: int, total: int) -> None:
    """Nobody looks."""
