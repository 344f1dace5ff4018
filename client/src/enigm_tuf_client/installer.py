"""An installer for a pair of directories, one of which is current: the shape of an A/B slot pair."""

import contextlib
import hashlib
import os
from pathlib import Path

from enigm_tuf.durable import fsync_directory
from enigm_tuf.errors import StateError
from enigm_tuf.trust.artifact import VerifiedArtifact


class DirectorySlots:
    """Implements ``enigm_tuf.ports.Installer``: ``a/``, ``b/``, and ``current``, a link that is swapped in one step."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._link = directory / "current"

    @property
    def current(self) -> Path | None:
        """The slot in use, None before the first install."""
        return self._directory / self._link.readlink() if self._link.is_symlink() else None

    def install(self, artifact: VerifiedArtifact) -> None:
        """Fill the slot that is not in use, make it durable, then switch; StateError leaves the current slot alone."""
        current = self.current
        slot = self._directory / ("b" if current and current.name == "a" else "a")
        try:
            slot.mkdir(parents=True, exist_ok=True)
            for old in slot.iterdir():
                old.unlink()
            _copy(artifact, slot / "payload")
            (slot / "version").write_text(f"{artifact.version} {artifact.build_id}\n")
            _fsync_file(slot / "version")
            fsync_directory(slot)
            self._switch(slot.name)
        except OSError as error:
            raise StateError(f"{slot}: {error.strerror}") from error

    def _switch(self, name: str) -> None:
        new = self._directory / "current.new"
        with contextlib.suppress(FileNotFoundError):
            new.unlink()
        new.symlink_to(name)
        new.replace(self._link)
        fsync_directory(self._directory)


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
