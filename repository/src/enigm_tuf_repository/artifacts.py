"""Build artifacts: read once, hashed while they are copied to the staged tree."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from enigm_tuf.durable import temporary
from enigm_tuf.errors import MalformedError, MisuseError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.chunks import CHUNK_BYTES, SUFFIX, chunk_tree
from enigm_tuf.model.payload import Chunks
from enigm_tuf.model.shapes import PATH
from enigm_tuf_repository.durable import write_durably


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


def measure(path: Path) -> Artifact:
    """Read the file once; MalformedError if it is empty or too long."""
    return measure_chunks(path)[0]


def measure_chunks(path: Path) -> tuple[Artifact, bytes]:
    """The same, and its chunk digests."""
    return _measure(path.name, path, _pieces(path))


def take(source: Path, folder: Path) -> Artifact:
    """Copy ``source`` into ``folder`` under its published name, durably, and put its chunk digests beside it."""
    PATH.read(source.name, str(source), "file name")
    folder.mkdir(parents=True, exist_ok=True)
    with temporary(folder) as place:
        with Path(place).open("wb") as copy:
            artifact, digests = _measure(source.name, source, _copied(_pieces(source), copy.write))
            copy.flush()
            os.fsync(copy.fileno())
        Path(place).replace(folder / artifact.published_name)
    write_durably(folder / f"{artifact.published_name}{SUFFIX}", digests)
    return artifact


def _measure(name: str, path: Path, pieces: Iterator[bytes]) -> tuple[Artifact, bytes]:
    """Pieces are chunks. The artifact, and the digest at the end of each of them."""
    running = hashlib.sha256()
    digests = bytearray()
    length = 0
    for piece in pieces:
        running.update(piece)
        digests += running.digest()  # which does not end it
        length += len(piece)
        if length > LIMITS.payload_bytes:
            raise MalformedError(str(path), "", f"a payload has at most {LIMITS.payload_bytes:,} bytes")
    if not digests:
        raise MalformedError(str(path), "", "a payload may not be empty")
    return Artifact(name, length, {"sha256": running.hexdigest()}, chunk_tree(bytes(digests))), bytes(digests)


def _pieces(path: Path) -> Iterator[bytes]:
    if not path.is_file():
        raise MisuseError(f"{path}: no such file")
    with path.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            yield piece


def _copied(pieces: Iterator[bytes], write: Callable[[bytes], object]) -> Iterator[bytes]:
    for piece in pieces:
        write(piece)
        yield piece
