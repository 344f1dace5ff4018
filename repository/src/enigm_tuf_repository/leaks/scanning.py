"""The scan itself: one pass over all bytes, then into every container, and into the containers in it.

A file is mapped, not copied, and scanned by all cores. What is inside a container is unpacked into memory, or into a
file without a name.
"""

import hashlib
import os
import struct
import tempfile
from bisect import bisect_right
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO, cast

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.source import Source
from enigm_tuf_repository.leaks.anchors import LONGEST, anchors_in
from enigm_tuf_repository.leaks.candidates import WINDOW, Candidate, around, candidate, yubihsm_wrap
from enigm_tuf_repository.leaks.containers import HEAD, Container, UnreadableError, container_of
from enigm_tuf_repository.leaks.embedded import EMBEDDED, opened
from enigm_tuf_repository.leaks.images import IMAGES, Closed, Image, Opened
from enigm_tuf_repository.leaks.packed import Packed, Resumed, mapped

DEEPEST = 12  # containers in containers: eight from an update package to an archive in an APK in an APEX
LARGEST = 64 * 2**30  # bytes that one file may unpack to, all levels together: as large as the largest artifact
_HOPELESS = 100  # files of an image that cannot be read: no more are tried
_IN_MEMORY = 8 * 2**20  # bytes of one member
_YUBIHSM = ".yhw"  # how yubihsm-setup names a dump: nothing inside shows what it is
_PIECE = 4 * 2**20  # bytes that one thread scans at a time
_DOUBTFUL = 64 * 2**10  # bytes: what breaks off before them was nothing packed, or nothing much
_BEFORE = 8 * 2**10  # bytes before an anchor that a key in JSON may begin in


@dataclass(frozen=True, slots=True)
class Found:
    """A private key: where (``path!member!member``, and the byte in it), and what it is."""

    place: str
    offset: int
    candidate: Candidate


@dataclass
class Scan:
    """What one run found. ``unread`` are containers that could not be looked into, with the reason, ``closed`` images.

    ``folder`` is where large members are unpacked, by default where the system has its temporary files.
    """

    found: list[Found] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    closed: list[Closed] = field(default_factory=list)
    files: int = 0
    scanned: int = 0
    moved: Callable[[int], None] = lambda _: None
    folder: Path | None = None

    def path(self, path: Path, name: str | None = None) -> None:
        """A file; MalformedError where what is in it is too deep or too large to be looked into."""
        with path.open("rb") as file:
            self._file(Packed(name or str(path), LARGEST), file, 0)

    def data(self, data: bytes, name: str) -> None:
        """Bytes that are here already; MalformedError."""
        self._content(Packed(name, LARGEST), BytesIO(data), memoryview(data), 0)

    def stream(self, stream: BinaryIO, name: str) -> None:
        """Everything that can still be read of a stream; MalformedError."""
        self._member(Packed(name, LARGEST), stream, 0)

    def _member(self, packed: Packed, member: BinaryIO, depth: int) -> None:
        """Small ones stay in memory. What was read before it turned out to be broken is scanned all the same."""
        data = packed.read(member, _IN_MEMORY + 1)
        if len(data) <= _IN_MEMORY:
            self._content(packed, BytesIO(data), memoryview(data), depth)
        else:
            with tempfile.TemporaryFile(dir=self.folder) as copy:
                while data:
                    if any(data):
                        copy.write(data)
                    else:
                        copy.seek(len(data), os.SEEK_CUR)
                    data = packed.read(member, _IN_MEMORY)
                copy.truncate()
                copy.flush()
                self._file(packed, copy, depth)
        if packed.trouble:
            self.unread.append(f"{packed.name}: {packed.trouble}")

    def _file(self, packed: Packed, file: BinaryIO, depth: int) -> None:
        with mapped(file) as view:
            self._content(packed, file, view, depth)

    def _content(self, packed: Packed, file: BinaryIO, view: memoryview, depth: int) -> None:
        before = len(self.found)
        packed_here = self._bytes(packed.name, view)
        if packed.name.lower().endswith(_YUBIHSM) and (wrap := yubihsm_wrap(bytes(view[:WINDOW]))):
            self.found.append(Found(packed.name, 0, wrap))
        container, outside = container_of(bytes(view[:HEAD])), len(self.found)
        is_read = container is not None and self._container(container, packed, file, depth)
        inner = outside if is_read else len(self.found)
        if container and is_read:
            first, end = container.extent(file)
            packed_here = [(at, kind) for at, kind in packed_here if not first <= at < end]
        self._embedded(packed_here, packed, view, depth)
        self.found[inner:] = _each_once(self.found[inner:])
        inside = {name for item in self.found[outside:] for name in item.candidate.names}
        kept = [item for item in self.found[before:outside] if not inside & item.candidate.names]
        self.found[before:outside] = kept  # what is stored as it is was found twice, or its middle without its head

    def _container(self, container: Container, packed: Packed, file: BinaryIO, depth: int) -> bool:
        """All members of an archive; False where it is broken."""
        if depth == DEEPEST:
            raise MalformedError(packed.name, "", f"containers in containers, more than {DEEPEST} deep")
        file.seek(0)
        try:
            for name, member in container.members(file):
                self._member(packed.inside(name), member, depth + 1)
        except UnreadableError as error:
            self.unread.append(f"{packed.name}: {error}")
            return False
        return True

    def _embedded(self, hits: list[tuple[int, str]], packed: Packed, view: memoryview, depth: int) -> None:
        """What may be packed inside. Bytes that only look like it give nothing, or break off at once.

        What lies in an image that was looked into is a part of its files. In another one, no image is whole, and none
        that begins in a piece of a file.
        """
        seen, unseen, is_part, told, pieces = 0, 0, packed.is_part, set[str](), list[tuple[int, int]]()
        for at, kind in hits:
            if at < seen:
                continue
            packed.is_part = is_part or at < unseen or _lies_in(pieces, at)
            if kind in IMAGES:
                if not IMAGES[kind].is_read and kind in told:
                    continue  # one of many headers of one image
                told.add(kind)
                end, is_seen = self._image(at, kind, packed, view, depth, pieces)
                seen, unseen = (max(seen, end), unseen) if is_seen else (seen, max(unseen, end))
                continue
            inner = packed.inside(f"({kind} at {at})")
            try:
                member = opened(kind, view, at)
            except ValueError as error:
                self.unread.append(f"{inner.name}: {error}")
                continue
            except struct.error:
                continue  # cut off in its header
            head = inner.read(member, _DOUBTFUL)
            if head and depth == DEEPEST:
                raise MalformedError(packed.name, "", f"containers in containers, more than {DEEPEST} deep")
            if inner.trouble:
                self._content(inner, BytesIO(head), memoryview(head), depth + 1)
            elif head:
                self._member(inner, cast("BinaryIO", Resumed(head, member)), depth + 1)

    def _image(
        self, at: int, kind: str, packed: Packed, view: memoryview, depth: int, pieces: list[tuple[int, int]]
    ) -> tuple[int, bool]:
        """All files of an image. Where it ends, 0 where nobody knows, and whether all of it was seen.

        ``pieces`` gets where its files lie that do not lie in one piece.
        """
        start = at - IMAGES[kind].before
        if start < 0:
            return 0, False
        if depth == DEEPEST:
            raise MalformedError(packed.name, "", f"containers in containers, more than {DEEPEST} deep")
        outer = packed.inside(f"({kind} at {start})") if start else packed
        try:
            image = IMAGES[kind].open(Source(outer.name, view, start, len(view) - start))
        except MalformedError as error:
            self._close(outer, str(error), view[start:], IMAGES[kind])
            return len(view) if IMAGES[kind].packs else 0, False
        if trouble := self._files(image, outer, depth):
            self._close(outer, trouble, view[start : start + image.length], IMAGES[kind])
        elif image.missing:
            self.unread.append(f"{outer.name}: {image.missing}")
        pieces += [(start + first, start + end) for first, end in image.pieces]
        pieces.sort()
        return start + image.length, not (trouble or image.missing)

    def _files(self, image: Opened, outer: Packed, depth: int) -> str:
        """What stopped the first file that could not be read to its end, or the image itself."""
        troubles = list[str]()
        try:
            for name, member in image.members():
                inner = outer.inside(name)
                self._member(inner, member, depth + 1)
                troubles += [inner.trouble] if inner.trouble else []
                if len(troubles) == _HOPELESS:
                    break
        except UnreadableError as error:
            troubles.append(str(error))
        return troubles[0] if troubles else ""

    def _close(self, outer: Packed, trouble: str, view: memoryview, image: Image) -> None:
        """Told only, where all was seen as it lies there, or where the image never was whole: in a delta."""
        trouble = trouble.removeprefix(f"{outer.name}: ")
        if outer.is_part or not image.packs:
            self.unread.append(f"{outer.name}: {trouble}")
        else:
            self.closed.append(Closed(outer.name, trouble, hashlib.sha256(view).hexdigest()))

    def _bytes(self, name: str, view: memoryview) -> list[tuple[int, str]]:
        """Scan for keys; where something packed seems to begin."""
        self.files += 1
        self.scanned += len(view)
        starts = range(0, len(view), _PIECE)
        if len(starts) <= 1:
            hits = [hits_in(view, start) for start in starts]
        else:
            with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
                hits = list(pool.map(lambda start: hits_in(view, start), starts))
        end, packed = 0, list[tuple[int, str]]()
        for at, kind in (hit for piece in hits for hit in piece):
            if kind in EMBEDDED or kind in IMAGES:
                packed.append((at, kind))
                continue
            if at < end:
                continue  # inside a key that was found: the base64 of a PEM, the DER in a PKCS#12
            if found := _look(view, at, kind):
                start, seen = found
                self.found.append(Found(name, start, seen))
                end = start + seen.length
        self.moved(len(view))
        return packed


def _lies_in(pieces: list[tuple[int, int]], at: int) -> bool:
    """Of sorted pieces."""
    before = bisect_right(pieces, at, key=itemgetter(0))
    return before > 0 and at < pieces[before - 1][1]


def _each_once(found: list[Found]) -> list[Found]:
    """Each key where it was found first: a stream may hold another one as it is."""
    digests = [item.candidate.digest for item in found]
    return [item for at, item in enumerate(found) if digests.index(item.candidate.digest) == at]


def hits_in(view: memoryview, start: int) -> list[tuple[int, str]]:
    """The anchors that begin in the piece from ``start`` on, by their place in ``view``."""
    piece = view[start : start + _PIECE + LONGEST]
    return [(start + at, kind) for at, kind in anchors_in(piece) if at < _PIECE]


def _look(view: memoryview, at: int, kind: str) -> tuple[int, Candidate] | None:
    """Where a key begins, and what it is; None where the anchor was nothing."""
    window = bytes(view[at : at + WINDOW])
    if before := around(kind, bytes(view[max(0, at - _BEFORE) : at]), window):
        return at - before[0], before[1]
    found = candidate(kind, window)
    return (at, found) if found else None


def files_below(path: Path) -> Iterable[Path]:
    """The regular files in a directory, in order, without following links; or the file itself."""
    if not path.is_dir():
        return [path]
    return sorted(item for item in path.rglob("*") if item.is_file() and not item.is_symlink())
