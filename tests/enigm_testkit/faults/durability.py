"""What a log of calls proves about a power cut: data durable before it is named, names durable before they are used.

Strict POSIX is the model: an fsync of a file covers its data, an fsync of a directory covers the names in it, and
nothing else is durable. Names in one and the same directory are taken to become durable in order.
"""

import enum
from collections.abc import Iterable
from pathlib import PurePath

from enigm_testkit.faults.calls import WRITES, Call

_STATE = "store/state.json"
_NAMING = frozenset({"rename", "link", "symlink"})
_CHANGING = _NAMING | {"unlink", "rmdir", "mkdir"}
_FILLING = WRITES | {"ftruncate", "fallocate"}


class Rule(enum.Enum):
    """What a log may break."""

    DATA = "data is durable before it is named"
    BELOW = "what lies below a folder is durable before something there is swapped to it"
    SWAP = "a swapped link is durable before anything beside it changes"
    ACT = "a state is durable before anything outside the store is changed by it"
    END = "what was named is durable at the end"
    FOLDER = "a folder that was made is durable at the end"


class Disk:
    """What is not durable yet, call after call. ``broken`` collects what was wrong: the rule and a sentence."""

    def __init__(self) -> None:
        self.broken: list[tuple[Rule, str]] = []
        self._data: dict[int, str] = {}  # inode -> path, of files with data in no fsync
        self._names: dict[str, str] = {}  # path -> kind of the call, of names in no fsync of their directory

    @property
    def pending(self) -> str:
        """What is not durable now: with the same and the same files, a next run does the same."""
        return f"{sorted(self._names.items())} {sorted(self._data.values())}"

    def see(self, calls: Iterable[Call]) -> None:
        """The runs of one log in turn, whole. Nothing is asked of the end of one that was killed at a spoiled call."""
        killed = True
        for call in calls:
            if call.kind == "run" and not killed:
                self._end()
            killed = call.spoiled
            if call.done:
                self._see(call)
        if not killed:
            self._end()

    def _end(self) -> None:
        """A command gave its answer: all that it named, or found named, has to be durable."""
        for path, kind in self._names.items():
            if kind in {"mkdir", "swap", *_NAMING}:
                self._broke(
                    Rule.FOLDER if kind == "mkdir" else Rule.END, f"{kind} of {path} is in no fsync of /{_folder(path)}"
                )

    def _see(self, call: Call) -> None:
        if call.kind in _FILLING | _CHANGING and _STATE in self._names and not call.real.startswith("store/"):
            self._broke(Rule.ACT, f"{call.kind} of {call.path} before an fsync of store/ for {_STATE}")
        if call.kind in _FILLING:
            self._data[call.inode] = call.real
        elif call.kind in {"fsync", "fdatasync"}:
            self._data.pop(call.inode, None)
            self._names = {path: kind for path, kind in self._names.items() if _folder(path) != call.real}
        elif call.kind in _CHANGING or call.created:
            self._changed(call)

    def _changed(self, call: Call) -> None:
        """A name came or went."""
        for path, kind in self._names.items():
            if kind == "swap" and _is_below(call.real, _folder(path)):
                self._broke(Rule.SWAP, f"{call.kind} of {call.path} before an fsync of {_folder(path)}/ for {path}")
        was = self._names.pop(call.real, None) if call.kind != "link" else None
        if call.kind in {"unlink", "rmdir"}:
            self._data.pop(call.inode, None)
        elif call.kind in {"rename", "link"}:
            self._named(call)
            self._names[call.real_other] = "swap" if was == "symlink" else call.kind
        else:
            self._names[call.real] = call.kind

    def _named(self, call: Call) -> None:
        if call.inode in self._data:
            self._broke(Rule.DATA, f"{call.kind} to {call.other}")
        folder = _folder(call.real_other)
        for path in self._data.values():
            if _is_below(path, folder) and not path.endswith(".tmp"):
                self._broke(Rule.BELOW, f"{call.kind} to {call.other} before an fsync of {path}")
        for path, kind in self._names.items():
            if _is_below(path, folder) and (kind in _NAMING or not path.endswith(".tmp")):
                self._broke(Rule.BELOW, f"{call.kind} to {call.other} before an fsync of {_folder(path)}/ for {path}")

    def _broke(self, rule: Rule, sentence: str) -> None:
        self.broken.append((rule, sentence))


def _folder(path: str) -> str:
    """The directory of ``path`` below the device, empty for the device itself."""
    parent = str(PurePath(path).parent)
    return "" if parent == "." else parent


def _is_below(path: str, folder: str) -> bool:
    """In a folder that lies in ``folder``: names in ``folder`` itself become durable in order."""
    return bool(folder) and _folder(path).startswith(f"{folder}/")
