"""Payloads: received once, hashed while they are written, named only when they are right.

A cut costs nothing but the chunk it fell into: what lies on the disk is taken up again as far as its chunks verify.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from enigm_tuf.errors import MalformedError, NotFoundError, RefusedError, StateError, TransportError
from enigm_tuf.model.chunks import DIGEST_BYTES, SUFFIX, chunk_count, digest_at, read_digests
from enigm_tuf.model.payload import Chunks
from enigm_tuf.model.tuf import HASH_ALGORITHMS
from enigm_tuf.model.value import Value
from enigm_tuf.ports import Fetcher
from enigm_tuf.trust.tuf_rules import TufRule
from enigm_tuf_client.part import ALIGNMENT, PartFile
from enigm_tuf_client.pipeline import BUFFER_BYTES, ChunkedHash, Pipeline, WholeHash

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
    digests = _digests(mirrors, wanted)
    try:
        part = PartFile(destination, wanted.length)
        try:
            got = _from_any(mirrors, wanted, digests, part, progress or _silent)
            part.finish()
        finally:
            part.close()
    except OSError as error:
        raise StateError(f"{destination}: {error.strerror}") from error
    return got


def _from_any(
    mirrors: Sequence[Fetcher], wanted: Wanted, digests: bytes | None, part: PartFile, progress: Progress
) -> Digests:
    failure: TransportError | RefusedError = TransportError("there is no mirror to fetch from")
    for index, mirror in enumerate(mirrors):
        attempt = _Attempt(wanted, digests, part)
        try:
            if index or not part.is_new:
                attempt.take_up()
            return attempt.run(mirror, progress)
        except (TransportError, RefusedError) as error:
            failure = error
    if digests is None or not (isinstance(failure, TransportError) or failure.rule == TufRule.CHUNK_HASH):
        part.remove()  # nothing in it is known to be right
    raise failure


class _Attempt:
    """One mirror's turn, from the last verified chunk on."""

    def __init__(self, wanted: Wanted, digests: bytes | None, part: PartFile) -> None:
        self._wanted = wanted
        self._part = part
        self._hashes: dict[str, WholeHash | ChunkedHash] = {name: WholeHash(name) for name in wanted.hashes}
        if wanted.chunks and digests is not None:
            self._hashes["sha256"] = ChunkedHash(digests, wanted.chunks.size, wanted.length, wanted.path)
        self._start = 0

    def take_up(self) -> None:
        """Hash what is on the disk, as far as whole chunks verify."""
        chunked, chunks = self._hashes.get("sha256"), self._wanted.chunks
        if chunks is None or not isinstance(chunked, ChunkedHash):
            return
        memory = memoryview(bytearray(chunks.size))
        others = [hasher for hasher in self._hashes.values() if hasher is not chunked]
        for count in self._part.pieces(memory):
            chunk = memory[: self._wanted.length - self._start]
            if count < len(chunk) or not chunked.take_up(chunk):
                return
            for hasher in others:
                hasher.take(chunk, len(chunk), self._start)
            self._start += len(chunk)
            if self._start == self._wanted.length:
                return

    def run(self, mirror: Fetcher, progress: Progress) -> Digests:
        """Receive the rest; RefusedError, TransportError."""
        wanted = self._wanted
        takers = [*(hasher.take for hasher in self._hashes.values()), self._part.write]
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


def _digests(mirrors: Iterable[Fetcher], wanted: Wanted) -> bytes | None:
    """The chunk digests, proved by the signed root; None where no mirror has them right: the whole hash decides.

    RefusedError CHUNK-HASH where what was signed contradicts itself.
    """
    if wanted.chunks is None:
        return None
    size = chunk_count(wanted.length, wanted.chunks.size) * DIGEST_BYTES
    for mirror in mirrors:
        try:
            name = f"{wanted.path}{SUFFIX}"
            digests = read_digests(mirror.fetch(name, size), wanted.length, wanted.chunks, name)
        except (NotFoundError, TransportError, MalformedError):
            continue
        _require_agreed(wanted, digests)
        return digests
    return None


def _require_agreed(wanted: Wanted, digests: bytes) -> None:
    """The last digest is of the whole payload: it must be the one that both authorities agreed on."""
    expected, got = wanted.hashes.get("sha256", "a SHA-256"), digest_at(digests, -1).hex()
    if got != expected:
        raise RefusedError(TufRule.CHUNK_HASH, f"{wanted.path}, its last chunk digest", expected=expected, got=got)


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
