"""Every regular file of a file system once, whatever its directories say: loops end, and so do trees and work."""

from collections.abc import Callable, Iterable, Iterator

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.limits import INSPECTION_LIMITS

Entries = Iterable[tuple[bytes, int]]
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
