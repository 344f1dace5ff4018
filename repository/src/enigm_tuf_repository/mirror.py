"""The repository's own memory when its tree is published in a bucket: a mirror of all but the payloads' bytes.

``published/`` follows the bucket like a device does: it takes nothing that is not signed, and nothing older than
what it holds. So every step reads ``published/``, wherever the tree is served from; and where it was lost, or on
a second machine, the first root and one command make it again.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from enigm_tuf.errors import MalformedError, MisuseError, NotFoundError, RefusedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.chunks import DIGEST_BYTES, SUFFIX, chunk_count, read_digests
from enigm_tuf.model.keys import Environment
from enigm_tuf.model.manifest import ManifestPayload, read_manifest
from enigm_tuf.model.payload import read_payload_record
from enigm_tuf.model.tuf import TargetFile, Targets
from enigm_tuf.ports import Channel, DeviceState, Fetcher, Source
from enigm_tuf.trust.authority_admission import AuthorityAdmission
from enigm_tuf.trust.delegation_rules import manifest_role, payload_role
from enigm_tuf.trust.metadata import admit_root, trust_root
from enigm_tuf_client.download import Wanted, download
from enigm_tuf_client.targets import read_target
from enigm_tuf_client.workflow import TufWorkflow
from enigm_tuf_repository.artifacts import measure_chunks
from enigm_tuf_repository.devices import FreshStore, load_product_roles
from enigm_tuf_repository.lineage import Lineage, SignedFile, file_name, read_signed_file, root_chain
from enigm_tuf_repository.publication import Held, unseen
from enigm_tuf_repository.role_building import hashed_name
from enigm_tuf_repository.rules import RepositoryRule
from enigm_tuf_repository.stores.caching import TIMESTAMP
from enigm_tuf_repository.stores.directory import DirectoryStore

_EVER = datetime.min.replace(tzinfo=UTC)  # expired metadata can be mirrored: somebody has to renew it


class _NoClock:
    def now(self) -> None:
        """Expiry is not asked here."""


class _Seen:
    """A fetcher that notes what was fetched: the workflow raises before it goes on from what it does not trust."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self.files: dict[str, bytes] = {}

    def channel(self) -> Channel:
        return self._fetcher.channel()

    def fetch(self, path: str, max_bytes: int) -> bytes:
        self.files[path] = self._fetcher.fetch(path, max_bytes)
        return self.files[path]

    def open(self, path: str, start: int, stop: int) -> AbstractContextManager[Source]:
        return self._fetcher.open(path, start, stop)


class Followed(Protocol):
    """What is followed: an ``enigm_tuf.ports.Fetcher`` that can also say that there is nothing."""

    def read(self, path: str) -> Held | None:
        """A small file, whole; None where there is none."""
        ...

    def channel(self) -> Channel:
        """How it is reached; nothing rests on it."""
        ...

    def fetch(self, path: str, max_bytes: int) -> bytes:
        """The whole file; NotFoundError, TransportError (also when it is longer than ``max_bytes``)."""
        ...

    def open(self, path: str, start: int, stop: int) -> AbstractContextManager[Source]:
        """Bytes ``start`` to ``stop`` (excluded) of the file, never more; NotFoundError, TransportError."""
        ...


def pull(
    published: Path, remote: Followed, environment: Environment, first_root: bytes | None = None
) -> tuple[str, ...]:
    """Bring the mirror to what the bucket holds; the paths that are new here. Two small requests if there are none.

    RefusedError STORE-MIRROR, or by any rule of a device; then nothing in the mirror has changed. ``first_root`` is
    what a new mirror starts from, handed over by people; MisuseError where it is needed.
    """
    memory, seen = DirectoryStore(published), _Seen(remote)
    roots = root_chain(published) or _handed_over(remote, first_root)
    if not roots:
        return ()
    mine, there = memory.read(TIMESTAMP), remote.read(TIMESTAMP)
    _require_no_other(remote, mine, there)
    if len(roots) == 1:
        seen.files[f"metadata/{file_name('root', 1)}"] = roots[0]
    if there is None or (mine is not None and there.data == mine.data):
        _newer_roots(seen, roots[-1], environment)
    else:
        _newer_metadata(seen, published, roots[-1], environment)
    new = {path: data for path, data in seen.files.items() if not (published / path).is_file() or path == TIMESTAMP}
    if new:
        _keep(memory, new, mine)
    return tuple(new)


def _handed_over(remote: Followed, first_root: bytes | None) -> list[bytes]:
    """The root that a new mirror starts from; none where nothing is published yet."""
    if first_root is not None:
        root = read_signed_file(first_root, "root", "the first root")
        if root.version != 1:
            raise MalformedError("the first root", "signed.version", f"must be 1, is {root.version}")
        return [first_root]
    if remote.read(f"metadata/{file_name('root', 1)}") is not None:
        hint = "run `enigm-repo store pull --root FILE` with the first root, as devices are shipped with it"
        raise MisuseError("there is a tree in the store, and no mirror of it here", hint=hint)
    return []


def _require_no_other(remote: Followed, mine: Held | None, there: Held | None) -> None:
    """STORE-MIRROR: a timestamp that was published here is there, or a newer one is."""
    if mine is None or (there is not None and there.data == mine.data):
        return
    before = read_signed_file(mine.data, "timestamp", "published/timestamp.json").version
    found = read_signed_file(there.data, "timestamp", "the store's timestamp.json").version if there else None
    if found is None or found <= before:
        raise RefusedError(
            RepositoryRule.STORE_MIRROR,
            f"{getattr(remote, 'url', 'the store')}, timestamp",
            expected=f"version {before} as it was published, or a newer one",
            got="none" if found is None else f"another version {found}",
            hint="a bucket that is new is filled by `enigm-repo store push`; one that was set back, by its owner",
        )


def _newer_roots(seen: _Seen, root: bytes, environment: Environment) -> None:
    """A root needs no timestamp to be in force."""
    state = trust_root(root, _EVER, AuthorityAdmission(environment))
    for _ in range(LIMITS.root_rotations):
        path = f"metadata/{file_name('root', state.root.value.version + 1)}"
        try:
            state = admit_root(state, seen.fetch(path, LIMITS.root_bytes))
        except NotFoundError:
            return


def _newer_metadata(seen: _Seen, published: Path, root: bytes, environment: Environment) -> None:
    """Everything in force, by the device's workflow on top of what the mirror holds."""
    heads = Lineage(published, []).heads
    held = {role: heads[role].data for role in heads.in_force()} | {"root": root}
    workflow = TufWorkflow(FreshStore(DeviceState(metadata=held)), seen, _NoClock(), AuthorityAdmission(environment))
    workflow.refresh()
    for product in _changed_products(workflow, heads):
        load_product_roles(workflow, product)
        role = workflow.trusted.targets["targets", manifest_role(product)].value
        for target in role.targets.values():
            if not (published / "targets" / hashed_name(target)).is_file():
                read_target(seen, f"targets/{hashed_name(target)}", target)


def _changed_products(workflow: TufWorkflow, heads: Mapping[str, SignedFile]) -> Iterator[str]:
    """Those of whose roles the snapshot names another version than the mirror has."""
    snapshot, targets = workflow.trusted.snapshot, workflow.trusted.targets["targets",].value
    roles = targets.delegations.roles if targets.delegations else None
    versions = (
        {name.removesuffix(".json"): item.version for name, item in snapshot.value.meta.items()} if snapshot else {}
    )
    changed = [role for role in roles or () if role not in heads or heads[role].version != versions.get(role)]
    yield from dict.fromkeys(role.rpartition(".")[0] for role in changed)


def _keep(memory: DirectoryStore, new: dict[str, bytes], mine: Held | None) -> None:
    """In the order of publication: a cut leaves a mirror that is behind, never one that is torn."""
    with memory.session():
        for path, data in new.items():
            if path != TIMESTAMP:
                memory.keep(path, data)
        if TIMESTAMP in new and (mine is None or mine.data != new[TIMESTAMP]):
            memory.replace(TIMESTAMP, new[TIMESTAMP], mine)


def bring(published: Path, remote: Fetcher | None, target: TargetFile) -> None:
    """A payload's chunk digests, and then its bytes, into the mirror if they are not there; verified.

    Where no payload record signs the digests (model ``manifest-only``), they are those of the verified bytes.
    """
    path = f"targets/{hashed_name(target)}"
    if remote is None or (published / path).is_file():
        return
    digests = _chunk_digests(remote, target, f"{path}{SUFFIX}")
    memory = DirectoryStore(published)
    with memory.session(), tempfile.TemporaryDirectory(dir=published / ".incoming") as folder:
        place = Path(folder) / "payload"
        download([remote], Wanted(path, target.length, target.hashes), place)
        memory.keep(f"{path}{SUFFIX}", measure_chunks(place)[1] if digests is None else digests)
        memory.create(path, place, target.hashes["sha256"], unseen)


def _chunk_digests(remote: Fetcher, target: TargetFile, name: str) -> bytes | None:
    custom = target.unrecognized_fields.get("custom")
    if custom is None:
        return None
    chunks = read_payload_record(custom, target.path, "custom").chunks
    data = remote.fetch(name, chunk_count(target.length, chunks.size) * DIGEST_BYTES)
    return read_digests(data, target.length, chunks, name)


def payload_target(lineage: Lineage, product: str, payload: ManifestPayload) -> TargetFile:
    """As the payload role lists it, with its record; where there is no such role (``manifest-only``) without one."""
    role = lineage.value(payload_role(product), Targets)
    plain = TargetFile(payload.path, payload.length, dict(payload.hashes))
    return role.targets[payload.path] if role else plain


def bring_newest(published: Path, remote: Fetcher) -> int:
    """The payloads of the newest release of every channel, as a gate that compares with them wants; how many."""
    lineage, count = Lineage(published, []), 0
    for role in [role for role in lineage.heads.in_force() if role.endswith(".manifest")]:
        for target in lineage.require(role, Targets).targets.values():
            for release in read_manifest(lineage.target(target), target.path).releases[:1]:
                for payload in release.payloads:
                    bring(published, remote, payload_target(lineage, role.removesuffix(".manifest"), payload))
                    count += 1
    return count
