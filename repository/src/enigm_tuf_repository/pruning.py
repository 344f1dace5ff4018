"""``prune``: takes away what no device can ask for any more. Never a root, and never what the snapshot in force needs.

A device looks for every root, and else for what timestamp and snapshot name, for the manifests that those list, and for
the payloads that those offer. What was in force within the ``grace`` stays too: a device may be in the middle of it.
The paths are written down before they go: ``verify`` knows that they are gone on purpose.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from enigm_tuf.durable import fsync_directory
from enigm_tuf.errors import MisuseError, StateError
from enigm_tuf.model.chunks import SUFFIX
from enigm_tuf.model.manifest import read_manifest
from enigm_tuf.model.shapes import PATH, Record, Sequence
from enigm_tuf.model.strict_json import encode, parse
from enigm_tuf.model.tuf import Snapshot, TargetFile, Targets
from enigm_tuf_client.targets import hashed_path
from enigm_tuf_repository.durable import write_durably
from enigm_tuf_repository.lineage import Lineage, SignedFile, file_name, read_signed_file
from enigm_tuf_repository.role_building import hashed_name
from enigm_tuf_repository.workspace import Workspace

_PRUNED: Record[tuple[str, ...]] = Record(lambda paths: paths, 1, paths=Sequence(PATH, maximum=100_000_000))


@dataclass(frozen=True, slots=True)
class Prunable:
    """A file of the tree that nobody needs: its path in ``published``, and its bytes."""

    path: str
    bytes: int


def find_prunable(workspace: Workspace, grace: timedelta, now: datetime) -> tuple[Prunable, ...]:
    """By path. MisuseError for a repository that is published in a store, or not at all."""
    if workspace.store_settings() is not None:
        hint = "a publisher has no right to delete there, and the mirror here has no payloads: nothing is worth it"
        raise MisuseError("only a tree in a directory is pruned, and this one is in a store", hint=hint)
    lineage = Lineage(workspace.published, [])
    if lineage.head("snapshot") is None:
        raise MisuseError("nothing is published yet that has a past")
    needed = _Needed(workspace.published, lineage)
    for version in _snapshots_since(workspace.published, lineage, now - grace):
        needed.add_snapshot(version)
    needed.add_delegations_of_retired()
    found = [*_old_metadata(needed), *_old_targets(needed)]
    return tuple(Prunable(path, (workspace.published / path).stat().st_size) for path in sorted(found))


def prune(workspace: Workspace, prunable: tuple[Prunable, ...]) -> None:
    """Write down what goes, then take it away. Killed anywhere, it can be run again."""
    paths = [item.path for item in prunable]
    if not paths:
        return
    every = sorted(pruned_paths(workspace) | set(paths))
    write_durably(_journal(workspace), encode({"schema": 1, "paths": every}))
    folders = set()
    for path in paths:
        (workspace.published / path).unlink(missing_ok=True)
        folders.add((workspace.published / path).parent)
    for folder in folders:
        fsync_directory(folder)


def pruned_paths(workspace: Workspace) -> frozenset[str]:
    """What was taken away on purpose."""
    path = _journal(workspace)
    if not path.is_file():
        return frozenset()
    document = parse(path.read_bytes(), source=str(path), max_bytes=2**32)
    return frozenset(_PRUNED.read(document, str(path)))


def _journal(workspace: Workspace) -> Path:
    return workspace.path / "pruned.json"


def _snapshots_since(published: Path, lineage: Lineage, moment: datetime) -> Iterator[int]:
    """The versions that were in force then or later, as far as they are still there: the newest first."""
    for version in range(lineage.require("snapshot", Snapshot).version, 0, -1):
        path = published / "metadata" / file_name("snapshot", version)
        if not path.is_file():
            return
        yield version
        if datetime.fromtimestamp(path.stat().st_mtime, UTC) <= moment:
            return


class _Needed:
    """Names below ``metadata/`` and ``targets/`` (without those of chunk digests) that stay."""

    def __init__(self, published: Path, lineage: Lineage) -> None:
        self.published = published
        self.lineage = lineage
        self.metadata: set[str] = set()
        self.targets: set[str] = set()
        self._offered: set[tuple[str, int]] = set()
        self._read_targets: dict[int, Targets] = {}

    def add_snapshot(self, version: int) -> None:
        snapshot = self._read("snapshot", version).value_as(Snapshot)
        self.metadata.add(file_name("snapshot", version))
        targets = self._targets(snapshot.meta["targets.json"].version)
        for name, meta in snapshot.meta.items():
            role = name.removesuffix(".json")
            file = file_name(role, meta.version)
            is_offered = role.endswith(".manifest") and targets.get_delegated_role(role) is not None
            if is_offered and (role, meta.version) not in self._offered:
                self._offered.add((role, meta.version))
                self._add_manifests(self._read(role, meta.version).value_as(Targets))
            self.metadata.add(file)

    def add_delegations_of_retired(self) -> None:
        """The newest ``targets`` that says who could sign each role that is out of force, so that it can be judged."""
        heads = self.lineage.heads
        retired = set(heads) - set(heads.in_force())
        for version in range(heads["targets"].version, 0, -1):
            path = self.published / "metadata" / file_name("targets", version)
            if not retired or not path.is_file():
                return
            targets = self._targets(version)
            if found := {role for role in retired if targets.get_delegated_role(role) is not None}:
                self.metadata.add(path.name)
                retired -= found

    def _add_manifests(self, role: Targets) -> None:
        for target in role.targets.values():
            name = hashed_name(target)
            if name not in self.targets:
                self.targets.add(name)
                self.targets.update(_payloads_of(self, target))

    def _targets(self, version: int) -> Targets:
        if version not in self._read_targets:
            self._read_targets = {version: self._read("targets", version).value_as(Targets)}
        return self._read_targets[version]

    def _read(self, role: str, version: int) -> SignedFile:
        """StateError where it is gone: then nobody can say what is needed."""
        path = self.published / "metadata" / file_name(role, version)
        try:
            return read_signed_file(path.read_bytes(), role, str(path))
        except FileNotFoundError as error:
            raise StateError(f"{path}: it is gone", hint="run `enigm-repo verify` before anything is pruned") from error


def _old_metadata(needed: _Needed) -> Iterator[str]:
    """Versions below the head of every role but root. Whatever else lies there is not ours to take away."""
    heads = needed.lineage.heads
    for path in (needed.published / "metadata").iterdir():
        version, _, role = path.name.removesuffix(".json").partition(".")
        if role == "root" or role not in heads or not version.isdecimal() or path.name in needed.metadata:
            continue
        if 0 < int(version) < heads[role].version and path.name == file_name(role, int(version)):
            yield f"metadata/{path.name}"


def _old_targets(needed: _Needed) -> Iterator[str]:
    """What some version of a product role listed, and nothing needs. Files that nobody listed are for ``verify``."""
    targets = needed.published / "targets"
    listed = {name for name in _ever_listed(needed) if name not in needed.targets}
    for name in listed:
        for file in (name, f"{name}{SUFFIX}") if name.startswith("payloads/") else (name,):
            if (targets / file).is_file():
                yield f"targets/{file}"


def _ever_listed(needed: _Needed) -> Iterator[str]:
    for path in (needed.published / "metadata").iterdir():
        version, _, role = path.name.removesuffix(".json").partition(".")
        if version.isdecimal() and role.endswith((".manifest", ".payload")) and role in needed.lineage.heads:
            file = read_signed_file(path.read_bytes(), role, str(path))
            for target in file.value_as(Targets).targets.values():
                yield hashed_name(target)
                if role.endswith(".manifest") and (needed.published / "targets" / hashed_name(target)).is_file():
                    yield from _payloads_of(needed, target)


def _payloads_of(needed: _Needed, target: TargetFile) -> Iterator[str]:
    """What a manifest offers; in model ``manifest-only`` nothing else lists it."""
    for release in read_manifest(needed.lineage.target(target), target.path).releases:
        for payload in release.payloads:
            yield hashed_path(payload.path, payload.hashes["sha256"])
