"""An installer for a pair of directories, one of which is current: the shape of an A/B slot pair."""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from enigm_tuf.durable import StrPath, fsync_directory
from enigm_tuf.errors import StateError
from enigm_tuf.trust.artifact import VerifiedArtifact


class DirectorySlots:
    """Implements ``enigm_tuf.ports.Installer``: ``a/``, ``b/``, and ``current``, a link that is swapped in one step."""

    def __init__(self, directory: StrPath) -> None:
        self._directory = Path(directory)
        self._link = self._directory / "current"

    @property
    def current(self) -> Path | None:
        """The slot in use, None before the first install."""
        return self._directory / self._link.readlink() if self._link.is_symlink() else None

    @property
    def _other(self) -> Path:
        """The slot that is not in use."""
        current = self.current
        return self._directory / ("b" if current and current.name == "a" else "a")

    def place(self, sha256: str) -> Path:
        """``<sha256>`` in the slot that is not in use; what else lies there goes, since it needs the space."""
        with self._alone() as slot:
            _clear(slot, keep={sha256, f"{sha256}.part"})
            return slot / sha256

    def install(self, artifact: VerifiedArtifact) -> None:
        """Fill the slot that is not in use, make it durable, then switch; StateError leaves the current slot alone.

        A payload that was fetched to its place() is in the slot already, durable, and is only given its name.
        """
        file = Path(artifact.file)
        with self._alone() as slot:
            in_place = file.parent.resolve() == slot.resolve()
            _clear(slot, keep={file.name} if in_place else set())
            if in_place:
                file.replace(slot / "payload")
            else:
                _copy(artifact, slot / "payload")
            (slot / "version").write_text(f"{artifact.version} {artifact.build_id}\n")
            _fsync_file(slot / "version")
            fsync_directory(slot)
            self._switch(slot.name)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[Path]:
        """The slot that is not in use, and stays so: one process at a time chooses, clears or switches; StateError."""
        slot = self._directory
        try:
            self._directory.mkdir(exist_ok=True)
            descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                slot = self._other
                self._make(slot)
                yield slot
            finally:
                os.close(descriptor)
        except BlockingIOError as error:
            hint = "wait until it is done, then run it again"
            raise StateError("another process is updating this device", hint=hint) from error
        except OSError as error:
            raise StateError(f"{slot}: {error.strerror}") from error

    def _make(self, slot: Path) -> None:
        """The folder; its name and what a killed process left in it and in those above it are durable."""
        slot.mkdir(exist_ok=True)
        for folder in (self._directory.parent, self._directory, slot):
            fsync_directory(folder)

    def _switch(self, name: str) -> None:
        new = self._directory / "current.new"
        with contextlib.suppress(FileNotFoundError):
            new.unlink()
        new.symlink_to(name)
        new.replace(self._link)
        fsync_directory(self._directory)


def _clear(slot: Path, keep: set[str]) -> None:
    for old in slot.iterdir():
        if old.name not in keep:
            old.unlink()


def _copy(artifact: VerifiedArtifact, destination: Path) -> None:
    """Hashes what it writes: the file may have been swapped since it was verified."""
    hasher = hashlib.sha256()
    with Path(artifact.file).open("rb") as reader, destination.open("wb") as writer:
        while piece := reader.read(1 << 20):
            hasher.update(piece)
            writer.write(piece)
        writer.flush()
        os.fsync(writer.fileno())
    if hasher.hexdigest() != artifact.hashes["sha256"]:
        raise StateError(f"{artifact.file}: changed after it was verified; the current slot is as it was")


def _fsync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
