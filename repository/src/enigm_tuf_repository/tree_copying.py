"""``mirror``: a published tree copied into a directory, verified while it is copied, and never to something older.

The copy follows its source as a device does: metadata first into a memory of its own, ``.mirror`` in the directory;
then the payloads that are offered, manifests and metadata, the timestamp last. Whoever serves the directory
serves the old tree or the new one, whole. Killed anywhere, it can be run again.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from enigm_tuf.errors import NotFoundError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.manifest import read_manifest
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.tuf import Root, TargetFile, Targets
from enigm_tuf.ports import Channel, Fetcher, Source
from enigm_tuf.trust.root_rules import view_root
from enigm_tuf_repository.decision_copying import bring_decisions
from enigm_tuf_repository.durable import file_sha256
from enigm_tuf_repository.lineage import Lineage, read_signed_file
from enigm_tuf_repository.locking import exclusive
from enigm_tuf_repository.mirror import bring, payload_target, pull
from enigm_tuf_repository.publication import Held
from enigm_tuf_repository.publishing import put_all
from enigm_tuf_repository.stores.caching import TIMESTAMP
from enigm_tuf_repository.stores.directory import DirectoryStore

MEMORY = ".mirror"


@dataclass(frozen=True, slots=True)
class Copied:
    """``metadata`` are the paths that are new; ``payloads`` how many were looked at, ``timestamp`` the version.

    ``decided`` is how many records have brought their decisions.
    """

    metadata: tuple[str, ...]
    payloads: int
    timestamp: int | None
    decided: int


@dataclass(frozen=True, slots=True)
class _ReadOnly:
    """A fetcher in the place of a store that is followed."""

    fetcher: Fetcher
    url: str

    def channel(self) -> Channel:
        return self.fetcher.channel()

    def fetch(self, path: str, max_bytes: int) -> bytes:
        return self.fetcher.fetch(path, max_bytes)

    def open(self, path: str, start: int, stop: int) -> AbstractContextManager[Source]:
        return self.fetcher.open(path, start, stop)

    def read(self, path: str) -> Held | None:
        try:
            return Held(self.fetcher.fetch(path, LIMITS.document_bytes), {})
        except NotFoundError:
            return None


def copy_tree(source: Fetcher, url: str, directory: Path, first_root: bytes, *, decisions: bool = False) -> Copied:
    """Bring ``directory`` to what ``source`` holds. RefusedError by any rule of a device: then nothing was changed.

    ``decisions``: then those of both authorities too, and the metadata that they are about, back to the first.
    """
    environment = view_root(read_signed_file(first_root, "root", "the first root").value_as(Root)).extension.environment
    memory = directory / MEMORY
    memory.mkdir(parents=True, exist_ok=True)
    with exclusive(memory, "mirror"):
        pull(memory, _ReadOnly(source, url), environment, first_root)
        lineage, count = Lineage(memory, []), 0
        for target in _offered(lineage):
            bring(directory, source, target)
            count += 1
        files = {path: file_sha256(memory / path) for path in _files(memory)}
        new = {path: digest for path, digest in files.items() if path == TIMESTAMP or not (directory / path).is_file()}
        there = DirectoryStore(directory).read(TIMESTAMP)
        hint = "somebody else writes into this directory: a mirror must be alone in it"
        put_all(DirectoryStore(directory), memory, new, sha256(there.data) if there else None, hint)
        decided = bring_decisions(directory, memory, source) if decisions else 0
    timestamp = lineage.head("timestamp")
    return Copied(
        tuple(path for path in sorted(new) if path != TIMESTAMP),
        count,
        timestamp.version if timestamp else None,
        decided,
    )


def _offered(lineage: Lineage) -> Iterator[TargetFile]:
    """The payloads of every release that a manifest in force offers."""
    for role in [role for role in lineage.heads.in_force() if role.endswith(".manifest")]:
        for target in lineage.require(role, Targets).targets.values():
            for release in read_manifest(lineage.target(target), target.path).releases:
                for payload in release.payloads:
                    yield payload_target(lineage, role.removesuffix(".manifest"), payload)


def _files(memory: Path) -> Iterator[str]:
    for top in ("metadata", "targets"):
        yield from (str(path.relative_to(memory)) for path in (memory / top).rglob("*") if path.is_file())
