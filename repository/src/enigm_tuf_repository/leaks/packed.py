"""What the scan has in hand: a file, or a member of one, and how much may still come out of it."""

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.leaks.containers import UnreadableError, unpacked


class Resumed:
    """A member whose beginning was read already."""

    def __init__(self, head: bytes, member: BinaryIO) -> None:
        self._head = head
        self._member = member

    def read(self, count: int) -> bytes:
        """Some bytes, none at the end."""
        if not self._head:
            return bytes(getattr(self._member, "read1", self._member.read)(count))
        taken, self._head = self._head[:count], self._head[count:]
        return taken


class Packed:
    """A file, or a member of one, with the bytes that may still be unpacked from all of it.

    ``is_part``: it is in pieces, so that an image which begins in it may end elsewhere.
    """

    def __init__(self, name: str, left: int, outer: "Packed | None" = None, *, is_part: bool = False) -> None:
        self.name = name
        self.left = self.most = left
        self.is_part = is_part
        self._outer = outer
        self.trouble = ""

    def inside(self, name: str) -> "Packed":
        """A member of it."""
        printable = "".join(char if char.isprintable() else "?" for char in name)
        return Packed(f"{self.name}!{printable:.200}", self.left, self._outer or self, is_part=self.is_part)

    def read(self, member: BinaryIO, count: int) -> bytes:
        """At most ``count`` bytes, fewer at the end or at ``trouble``; MalformedError where there are too many."""
        outermost, pieces = self._outer or self, []
        try:
            while count and not self.trouble and (piece := unpacked(member, count)):
                count -= len(piece)
                outermost.left -= len(piece)
                if outermost.left < 0:
                    raise MalformedError(self.name, "", f"unpacks to more than {outermost.most:,} bytes")
                pieces.append(piece)
        except UnreadableError as error:
            self.trouble = str(error)
        return b"".join(pieces)


@contextmanager
def mapped(file: BinaryIO) -> Iterator[memoryview]:
    """The bytes of a file; an empty one cannot be mapped."""
    if os.fstat(file.fileno()).st_size == 0:
        yield memoryview(b"")
        return
    with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        mapped.madvise(mmap.MADV_SEQUENTIAL)
        view = memoryview(mapped)
        try:
            yield view
        finally:
            view.release()
