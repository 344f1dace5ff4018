"""The artifacts of a record for gates: each inspected once, images taken out of packages once, whoever asks first."""

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from enigm_tuf.errors import MalformedError, MisuseError
from enigm_tuf.model.chunks import SUFFIX, chunk_tree
from enigm_tuf.model.manifest import Release, read_manifest
from enigm_tuf.model.payload import PayloadRecord, read_payload_record
from enigm_tuf.model.tuf import TargetFile
from enigm_tuf_repository.configuration import ArtifactRules
from enigm_tuf_repository.gates.image_sets import ImageSet, image_sets
from enigm_tuf_repository.inspection.inspector import Inspection
from enigm_tuf_repository.inspection.plugins import inspect
from enigm_tuf_repository.inspection.source import Source, file_source
from enigm_tuf_repository.records import ReleaseRecord
from enigm_tuf_repository.role_building import payload_record
from enigm_tuf_repository.staging import new_targets, offered_payloads, staged_path
from enigm_tuf_repository.workspace import Workspace

ANDROID = frozenset({"android-ota", "android-images", "vbmeta", "boot-image"})
"""Kinds that only Android has."""
T = TypeVar("T")
Moved = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class StagedArtifact:
    """``path`` is the target's, ``staged`` the file's in the record.

    ``record`` is what the HSM signed of it, or in model ``manifest-only`` what the manifest says.
    """

    path: str
    staged: str
    source: Source
    record: PayloadRecord

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.path.rpartition("/")[2]


@dataclass
class StagedArtifacts:
    """Everything is read when it is first asked for. ``clear`` takes away what was put on the disk."""

    workspace: Workspace
    release_record: ReleaseRecord
    _made: dict[str, object] = field(default_factory=dict)
    _locks: dict[str, threading.Lock] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def all(self) -> tuple[StagedArtifact, ...]:
        """The payloads that the record brings; none for a root or a product."""
        return self._once("all", lambda: tuple(self._payloads()))

    def inspection(self, artifact: StagedArtifact) -> Inspection:
        """What it is; MalformedError."""
        return self._once(f"inspection {artifact.path}", lambda: inspect(artifact.source))

    def of_kind(self, *kinds: str) -> Iterator[tuple[StagedArtifact, Inspection]]:
        """The artifacts of these kinds."""
        for artifact in self.all():
            inspection = self.inspection(artifact)
            if inspection.kind in kinds:
                yield artifact, inspection

    def kinds(self) -> frozenset[str]:
        """Of all artifacts."""
        return frozenset(self.inspection(artifact).kind for artifact in self.all())

    def images(self, moved: Moved) -> tuple[ImageSet, ...]:
        """The partitions' images, out of packages too; ``moved`` hears of bytes that were written for that."""
        found = [(artifact.name, artifact.source, self.inspection(artifact)) for artifact in self.all()]
        return self._once("images", lambda: image_sets(found, self._folder(), moved))

    def release(self) -> Release:
        """The record's release as the manifest has it; MisuseError where the record brings none."""
        return self._once("release", self._release)

    def rules(self) -> ArtifactRules:
        """Those of repository.toml for the record's product."""
        return self.workspace.configuration().artifact_rules(self.release_record.product or "")

    def clear(self) -> None:
        """Remove the images; they are made again when somebody asks."""
        with self._lock:
            self._made.pop("images", None)
        shutil.rmtree(self._folder_path(), ignore_errors=True)

    def _once(self, key: str, make: Callable[[], T]) -> T:
        """What ``make`` gave the first time. Who comes meanwhile waits; an error is raised for everybody."""
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._made:
                try:
                    self._made[key] = make()
                except MalformedError as error:
                    self._made[key] = error
            made = self._made[key]
        if isinstance(made, MalformedError):
            raise MalformedError(made.source, made.field, made.rule, hint=made.hint)
        return made  # type: ignore[return-value] # it is what make() gave under this key

    def _payloads(self) -> Iterator[StagedArtifact]:
        for target in new_targets(self.workspace, self.release_record):
            if target.path.startswith("payloads/"):
                record = read_payload_record(target.unrecognized_fields.get("custom"), target.path, "custom")
                source = file_source(self._file(target), target.path.rpartition("/")[2])
                yield StagedArtifact(target.path, staged_path(target), source, record)
        for target in offered_payloads(self.workspace, self.release_record):
            source = file_source(self._file(target), target.path.rpartition("/")[2])
            yield StagedArtifact(target.path, staged_path(target), source, self._record_of_manifest(target))

    def _record_of_manifest(self, target: TargetFile) -> PayloadRecord:
        """Model ``manifest-only``: nobody but the manifest says what it is."""
        release, file = self.release(), self._file(target)
        payload = next(item for item in release.payloads if item.path == target.path)
        chunks = chunk_tree(file.with_name(f"{file.name}{SUFFIX}").read_bytes())
        return payload_record(self.release_record.product or "", release, payload, chunks)

    def _release(self) -> Release:
        for target in new_targets(self.workspace, self.release_record):
            if target.path.startswith("manifests/"):
                return read_manifest(self._file(target).read_bytes(), target.path).releases[0]
        raise MisuseError(f"{self.release_record.id} brings no release")

    def _file(self, target: TargetFile) -> Path:
        return self.workspace.record(self.release_record.id) / staged_path(target)

    def _folder_path(self) -> Path:
        return self.workspace.record(self.release_record.id) / "images"

    def _folder(self) -> Path:
        shutil.rmtree(self._folder_path(), ignore_errors=True)
        self._folder_path().mkdir()
        return self._folder_path()
