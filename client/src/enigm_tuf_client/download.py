"""Target files: streamed once, hashed while writing, named only when they are right."""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from enigm_tuf.durable import fsync_directory
from enigm_tuf.errors import RefusedError, StateError
from enigm_tuf.model.tuf import TargetFile, matches
from enigm_tuf.ports import Fetcher, Source
from enigm_tuf.trust.tuf_rules import TufRule

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Digests:
    """What the bytes are: their number, and hex digests by TUF algorithm name."""

    length: int
    hashes: dict[str, str]


def hashed_path(path: str, digest: str) -> str:
    """Consistent snapshots put a hash in front of the file name (TUF specification 5.7.3)."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/{digest}.{name}" if folder else f"{digest}.{name}"


def read_target(fetcher: Fetcher, path: str, target: TargetFile) -> bytes:
    """A small target, whole and verified; RefusedError TARGET-HASH."""
    data = fetcher.fetch(path, target.length)
    if wrong := matches(data, target.length, target.hashes):
        raise RefusedError(
            TufRule.TARGET_HASH, target.path, expected="the length and hashes that are signed", got=wrong
        )
    return data


def download(
    fetcher: Fetcher,
    path: str,
    length: int,
    hashes: Mapping[str, str],
    destination: Path,
    progress: Progress | None = None,
) -> Digests:
    """Write ``path`` to ``destination`` if, and only if, it has the given length and hashes; RefusedError TARGET-HASH.

    Memory stays flat. The bytes go to ``<destination>.part`` and are durable before they get their name.
    """
    part = destination.with_name(f"{destination.name}.part")
    try:
        with part.open("wb") as file:
            with fetcher.open(path, 0, length + 1) as source:
                digests = _digest(_written(_arriving(source), file.write, length, progress), hashes)
            _require_equal(path, length, hashes, digests)
            file.flush()
            os.fsync(file.fileno())
        part.replace(destination)
        fsync_directory(destination.parent)
    except OSError as error:
        raise StateError(f"{part}: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return digests


def digest_file(file: Path, max_bytes: int, algorithms: Iterable[str] = ("sha256", "sha512")) -> Digests:
    """Hash a local file; stops one piece after ``max_bytes``, since a longer file is wrong already."""
    try:
        with file.open("rb") as opened:
            return _digest(_pieces(opened.read, max_bytes), algorithms)
    except OSError as error:
        raise StateError(f"{file}: {error.strerror}") from error


def _pieces(read: Callable[[int], bytes], max_bytes: int) -> Iterator[bytes]:
    done = 0
    while done <= max_bytes and (piece := read(_CHUNK)):
        done += len(piece)
        yield piece


def _arriving(source: Source) -> Iterator[bytes]:
    buffer = memoryview(bytearray(_CHUNK))
    while count := source.readinto(buffer):
        yield bytes(buffer[:count])


def _written(
    pieces: Iterable[bytes], write: Callable[[bytes], int], length: int, progress: Progress | None
) -> Iterator[bytes]:
    done = 0
    for piece in pieces:
        write(piece)
        done += len(piece)
        if progress:
            progress(done, length)
        yield piece


def _digest(pieces: Iterable[bytes], algorithms: Iterable[str]) -> Digests:
    hashers = {name: hashlib.new(name) for name in algorithms}
    length = 0
    for piece in pieces:
        length += len(piece)
        for hasher in hashers.values():
            hasher.update(piece)
    return Digests(length, {name: hasher.hexdigest() for name, hasher in hashers.items()})


def _require_equal(path: str, length: int, hashes: Mapping[str, str], got: Digests) -> None:
    for name, expected, value in (
        ("length", str(length), str(got.length)),
        *((algorithm, digest, got.hashes[algorithm]) for algorithm, digest in hashes.items()),
    ):
        if value != expected:
            raise RefusedError(TufRule.TARGET_HASH, f"{path}, {name}", expected=expected, got=value)
