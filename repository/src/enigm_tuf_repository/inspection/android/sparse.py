"""Sparse images of Android (``libsparse``): chunks of data, of one repeated word, and of nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.fields import Layout
from enigm_tuf_repository.inspection.limits import INSPECTION_LIMITS
from enigm_tuf_repository.inspection.source import PIECE, Source, file_source

MAGIC = 0xED26FF3A
_HEADER = Layout(
    "<",
    magic="I",
    major="H",
    minor="H",
    header="H",
    chunk_header="H",
    block="I",
    blocks="I",
    chunks="I",
    checksum="I",
)
_CHUNK = Layout("<", kind="H", _reserved="H", blocks="I", size="I")
_RAW, _FILL, _NOTHING, _CRC = 0xCAC1, 0xCAC2, 0xCAC3, 0xCAC4


@dataclass(frozen=True, slots=True)
class _Chunk:
    """``start`` and ``length`` in the whole image, ``end`` in the sparse one, in bytes; ``fill`` is repeated."""

    start: int
    length: int
    end: int
    data: Source | None
    fill: bytes

    def pieces(self) -> Iterator[bytes]:
        """What the whole image has here."""
        if self.data:
            yield from self.data.pieces()
            return
        for done in range(0, self.length, PIECE):
            yield self.fill * (min(PIECE, self.length - done) // 4)


def looks_sparse(source: Source) -> bool:
    """Begins with the magic."""
    return source.length > _HEADER.size and int.from_bytes(source.read(0, 4), "little") == MAGIC


def unsparse(source: Source, place: Path) -> Source:
    """The whole image as a file at ``place``; MalformedError names what is wrong."""
    length, chunks = _opened(source)
    with place.open("wb") as file:
        file.truncate(length)
        for chunk in chunks:
            file.seek(chunk.start)
            if chunk.data or any(chunk.fill):
                file.writelines(chunk.pieces())
    return file_source(place, source.name)


def sparse_pieces(source: Source) -> Iterator[bytes]:
    """The whole image in order, at most ``PIECE`` bytes at once; MalformedError."""
    for chunk in _opened(source)[1]:
        yield from chunk.pieces()


def sparse_length(source: Source) -> int:
    """How many bytes from the start are the sparse image; MalformedError."""
    end = 0
    for chunk in _opened(source)[1]:
        end = chunk.end
    return end


def _opened(source: Source) -> tuple[int, Iterator[_Chunk]]:
    """Length of the whole image, and its chunks."""
    header = _HEADER.read(source.read(0, _HEADER.size), source.name, "header")
    block, length = header["block"], header["block"] * header["blocks"]
    if header["major"] != 1 or not block or block % 4 or length > INSPECTION_LIMITS.partition:
        raise MalformedError(source.name, "header", f"version 1, and at most {INSPECTION_LIMITS.partition:,} bytes")
    if header["chunks"] > INSPECTION_LIMITS.sparse_chunks:
        raise MalformedError(source.name, "header", f"at most {INSPECTION_LIMITS.sparse_chunks:,} chunks")
    return length, _chunks(source, header["header"], header["chunk_header"], block, header["chunks"], length)


def _chunks(source: Source, place: int, head_size: int, block: int, count: int, whole: int) -> Iterator[_Chunk]:
    start = 0
    for index in range(count):
        head = _CHUNK.read(source.read(place, _CHUNK.size), source.name, f"chunk {index}")
        length, data_size = head["blocks"] * block, head["size"] - head_size
        sizes = {_RAW: length, _FILL: 4, _NOTHING: 0, _CRC: 4}
        if head_size < _CHUNK.size or sizes.get(head["kind"]) != data_size or start + length > whole:
            raise MalformedError(source.name, f"chunk {index}", "does not fit")
        if head["kind"] != _CRC:
            raw = source.part(place + head_size, length, f"chunk {index}") if head["kind"] == _RAW else None
            fill = source.read(place + head_size, 4) if head["kind"] == _FILL else bytes(4)
            yield _Chunk(start, length, place + head["size"], raw, fill)
            start += length
        place += head["size"]
    if start != whole:
        raise MalformedError(source.name, "", "its chunks do not make the whole image")
