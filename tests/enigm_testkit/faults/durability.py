"""What a log of calls proves about a power cut: data durable before it is named, names durable before they are used.

Strict POSIX is the model: an fsync of a file covers its data, an fsync of a directory covers the names in it, and
nothing else is durable. Names in one and the same directory are taken to become durable in order.
"""

from collections.abc import Iterable
from pathlib import PurePath

from enigm_testkit.faults.calls import WRITES, Call

_NAMING = frozenset({"rename", "link", "mkdir", "symlink"})


class Disk:
    """What is not durable yet, call after call. ``broken`` collects the sentences about what was wrong."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self._data: dict[int, str] = {}  # inode -> path, of files with data in no fsync
        self._names: dict[str, str] = {}  # path -> kind of the call, of names in no fsync of their directory

    def see(self, calls: Iterable[Call]) -> None:
        for call in calls:
            if call.done:
                self._see(call)

    def end(self) -> None:
        """A command said that it is done: all that it named has to be durable."""
        for path, kind in self._names.items():
            if kind in _NAMING:
                self.broken.append(f"at the end, {kind} of {path} is in no fsync of {_folder(path)}/")

    def _see(self, call: Call) -> None:
        if (
            call.kind in WRITES
            or call.kind in {"ftruncate", "fallocate"}
            or (call.kind == "open" and call.bytes and call.inode)
        ):
            self._data[call.inode] = call.real
        elif call.kind in {"fsync", "fdatasync"}:
            self._data.pop(call.inode, None)
            self._names = {path: kind for path, kind in self._names.items() if _folder(path) != call.real}
        elif call.kind in {"unlink", "rmdir"}:
            self._names.pop(call.real, None)
        elif call.kind in {"rename", "link"}:
            self._named(call)
        if (call.kind == "open" and call.created) or call.kind in {"mkdir", "symlink"}:
            self._names[call.real] = call.kind

    def _named(self, call: Call) -> None:
        was = self._names.pop(call.real, None) if call.kind == "rename" else None
        if call.inode in self._data:
            self.broken.append(f"{call.kind} to {call.other}: its data is in no fsync")
        folder = _folder(call.real_other)
        if was == "symlink":
            self._swapped(call, folder)
        for path, kind in self._names.items():
            if kind in _NAMING and kind != "mkdir" and _folder(path) != folder:
                self.broken.append(f"{call.kind} to {call.other} before an fsync of {_folder(path)}/ for {path}")
        self._names[call.real_other] = call.kind

    def _swapped(self, call: Call, folder: str) -> None:
        """All that the link may point to lies beside it."""
        for path in self._data.values():
            if path.startswith(f"{folder}/"):
                self.broken.append(f"{call.other} swapped before an fsync of {path}")
        for path in self._names:
            if path.startswith(f"{folder}/") and _folder(path) != folder:
                self.broken.append(f"{call.other} swapped before an fsync of {_folder(path)}/ for {path}")


def _folder(path: str) -> str:
    """The directory of ``path`` below the device, empty for the device itself."""
    parent = str(PurePath(path).parent)
    return "" if parent == "." else parent
