"""Makes of a killed device what a power cut would have left: undoes all that no fsync made durable."""

import enum
import shutil
from collections.abc import Sequence
from pathlib import Path, PurePath

from enigm_testkit.faults.calls import WRITES, Call


class Cut(enum.Enum):
    """The two ends of what a file system may leave; both are harsher than ext4 and f2fs."""

    DATA_LOST = "every name is there, no data that is in no fsync"
    ALL_LOST = "neither names nor data that are in no fsync"


class Killed:
    """A device whose command was killed after ``calls``; ``grave`` is what the shim kept of what they destroyed."""

    def __init__(self, device: Path, grave: Path, calls: Sequence[Call]) -> None:
        self._device = device
        self._grave = grave
        self._calls = calls

    def left_by(self, cut: Cut, copy: Path) -> None:
        """Make ``copy`` what is left of the device."""
        shutil.copytree(self._device, copy, symlinks=True)
        self._lose_data(copy)
        if cut is Cut.ALL_LOST:
            for call in reversed(_not_durable(self._calls)):
                self._undo(copy, call)

    def _lose_data(self, copy: Path) -> None:
        """Bytes in no fsync are zeros, or cut off where nothing after them is durable."""
        ranges: dict[int, list[tuple[int, int]]] = {}
        durable: dict[int, int] = {}
        end: dict[int, int] = {}
        for call in (call for call in self._calls if call.done):
            if call.kind in WRITES:
                ranges.setdefault(call.inode, []).append((call.offset, call.result))
                end[call.inode] = max(end.get(call.inode, 0), call.offset + call.result)
            elif call.kind in {"fsync", "fdatasync"}:
                ranges.pop(call.inode, None)
                durable[call.inode] = end.get(call.inode, 0)
        for file in (file for file in self._device.rglob("*") if file.is_file() and not file.is_symlink()):
            if lost := ranges.get(file.stat().st_ino):
                _blank(copy / file.relative_to(self._device), lost, durable.get(file.stat().st_ino, 0))

    def _undo(self, device: Path, call: Call) -> None:
        here, new, kept = device / call.real, device / call.real_other, self._grave / str(call.serial)
        if call.kind == "rename":
            new.rename(here)
            here = new
        elif call.kind == "mkdir":
            shutil.rmtree(here)
        elif call.kind != "unlink":
            (new if call.kind == "link" else here).unlink()
        if kept.exists() or kept.is_symlink():
            shutil.copy2(kept, here, follow_symlinks=False)


def _blank(file: Path, lost: Sequence[tuple[int, int]], durable: int) -> None:
    with file.open("r+b") as opened:
        for offset, length in lost:
            opened.seek(offset)
            opened.write(bytes(length))
        if all(offset >= durable for offset, _ in lost):
            opened.truncate(durable)


def _not_durable(calls: Sequence[Call]) -> list[Call]:
    """The changes of names that come after the last fsync of their directory."""
    found: list[Call] = []
    for call in (call for call in calls if call.done):
        if call.kind == "fsync":
            found = [other for other in found if _folder(other) != call.real]
        elif call.created or call.kind in {"mkdir", "symlink", "link", "rename", "unlink"}:
            found.append(call)
    return found


def _folder(call: Call) -> str:
    """The directory whose fsync makes the change durable, below the device; empty for the device itself."""
    parent = str(PurePath(call.real_other if call.kind in {"rename", "link"} else call.real).parent)
    return "" if parent == "." else parent
