"""One regular file by its path, or every one once, whatever directories say: loops end, and so do trees and work."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.limits import INSPECTION_LIMITS

Inode = dict[str, Any]
Entries = Iterable[tuple[bytes, int]]
DIRECTORY, REGULAR = 0x4, 0x8  # what ``mode`` says in its highest bits
_LONGEST_PATH = 4096  # characters
_ALL_PATHS = 2**26  # characters of paths, all together: of ten thousand files some half a million


class Budget:
    """What may be unpacked of one image: a small one can make a reader unpack the same bytes for ever."""

    def __init__(self) -> None:
        self._left = INSPECTION_LIMITS.unpacked

    def spend(self, count: int, source: str) -> None:
        """MalformedError where that is too much."""
        self._left -= count
        if self._left < 0:
            raise MalformedError(source, "", f"unpacks more than {INSPECTION_LIMITS.unpacked:,} bytes")


def file_at(
    path: str, root: int, inode_of: Callable[[int], Inode], entries_of: Callable[[Inode], Entries], source: str
) -> Inode | None:
    """The regular file; None where there is none. MalformedError where it is a link, or its name stands twice."""
    inode = inode_of(root)
    for name in path.strip("/").split("/"):
        if inode["mode"] >> 12 != DIRECTORY:
            return None
        numbers = [number for found, number in entries_of(inode) if found == name.encode()]
        if not numbers:
            return None
        if len(numbers) > 1:
            raise MalformedError(source, path, f"{name} stands twice in its directory")
        inode = inode_of(numbers[0])
    if inode["mode"] >> 12 != REGULAR:
        raise MalformedError(source, path, "must be a regular file")
    return inode


def files_below(
    root: int, look: Callable[[int], tuple[Entries, Iterator[bytes] | None]], source: str
) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Path and bytes, in pieces, of all that can be reached from the inode ``root``; MalformedError from either.

    ``look`` gives the entries of a directory, or the bytes of a regular file.
    """
    seen, todo, names, letters = {root}, [("", root)], 0, 0
    while todo:
        path, number = todo.pop()
        entries, pieces = look(number)
        if pieces is not None:
            yield path, pieces
        for name, child in entries:
            names += 1
            if child not in seen and name not in {b".", b".."}:
                todo.append((f"{path}/{name.decode('utf-8', 'replace')}", child))
                seen.add(child)
                letters += len(path) + len(name)
            if names > INSPECTION_LIMITS.files or letters > _ALL_PATHS or len(path) > _LONGEST_PATH:
                raise MalformedError(source, path[:60], "too many files, or too deep")
