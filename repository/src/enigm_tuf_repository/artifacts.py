"""Build artifacts: read once, hashed while they are copied to the staged tree."""

import hashlib
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from enigm_tuf.durable import temporary
from enigm_tuf.errors import MalformedError, MisuseError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.chunks import CHUNK_BYTES, SUFFIX, chunk_tree
from enigm_tuf.model.payload import Chunks
from enigm_tuf.model.shapes import PATH
from enigm_tuf.model.tuf import HASH_ALGORITHMS
from enigm_tuf_repository.durable import write_durably

_SHA256 = ("sha256",)


@dataclass(frozen=True, slots=True)
class Artifact:
    """What one pass over a file tells."""

    name: str
    length: int
    hashes: dict[str, str]
    chunks: Chunks

    @property
    def published_name(self) -> str:
        """The file name of consistent snapshots (TUF specification 6.2)."""
        return f"{self.hashes['sha256']}.{self.name}"


def measure(path: Path, algorithms: Collection[str] = _SHA256) -> Artifact:
    """Read the file once, for all ``algorithms``; MalformedError if it is empty or too long.

    SHA-256 is always among them, and an algorithm that is unknown here never.
    """
    return measure_chunks(path, algorithms)[0]


def measure_chunks(path: Path, algorithms: Collection[str] = _SHA256) -> tuple[Artifact, bytes]:
    """The same, and its chunk digests."""
    return _measure(path, algorithms, len)


def take(source: Path, folder: Path, algorithms: Collection[str] = _SHA256) -> Artifact:
    """Copy ``source`` into ``folder`` under its published name, durably, and put its chunk digests beside it."""
    PATH.read(source.name, str(source), "file name")
    folder.mkdir(parents=True, exist_ok=True)
    with temporary(folder) as place:
        with Path(place).open("wb") as copy:
            artifact, digests = _measure(source, algorithms, copy.write)
            copy.flush()
            os.fsync(copy.fileno())
        Path(place).replace(folder / artifact.published_name)
    write_durably(folder / f"{artifact.published_name}{SUFFIX}", digests)
    return artifact


def _measure(path: Path, algorithms: Collection[str], also: Callable[[memoryview], object]) -> tuple[Artifact, bytes]:
    """The artifact, and the digest at the end of each chunk. ``also`` is given every piece, and does not keep it."""
    running = hashlib.sha256()
    others = {name: hashlib.new(name) for name in algorithms if name in HASH_ALGORITHMS and name != "sha256"}
    digests = bytearray()
    length = 0
    for piece in _pieces(path):
        for hasher in (running, *others.values()):
            hasher.update(piece)
        also(piece)
        length += len(piece)
        if length % CHUNK_BYTES == 0:
            digests += running.digest()  # which does not end it
        if length > LIMITS.payload_bytes:
            raise MalformedError(str(path), "", f"a payload has at most {LIMITS.payload_bytes:,} bytes")
    if length % CHUNK_BYTES:
        digests += running.digest()
    if not digests:
        raise MalformedError(str(path), "", "a payload may not be empty")
    hashes = {"sha256": running.hexdigest()} | {name: hasher.hexdigest() for name, hasher in others.items()}
    return Artifact(path.name, length, hashes, chunk_tree(bytes(digests))), bytes(digests)


def _pieces(path: Path) -> Iterator[memoryview]:
    """The same memory each time: fresh memory costs a fifth of the time, for the system clears every page of it. No
    piece crosses the end of a chunk. They are small enough to stay in a core's cache for all that look at them."""
    if not path.is_file():
        raise MisuseError(f"{path}: no such file")
    memory, left = memoryview(bytearray(_PIECE)), CHUNK_BYTES
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(memory[: min(_PIECE, left)]):
            yield memory[:count]
            left = left - count or CHUNK_BYTES


_PIECE = 2**17
