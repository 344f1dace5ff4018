"""Step 8: payloads, manifests, versioned metadata, and the timestamp last. Killed anywhere, it can be run again."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import groupby
from pathlib import Path

from enigm_tuf.errors import ConflictError, NotFoundError, RefusedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.chunks import SUFFIX
from enigm_tuf.model.request import RuleOutcome
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.tuf import Snapshot
from enigm_tuf_repository.gating import require_gated, require_verified
from enigm_tuf_repository.lineage import Lineage, SignedFile, file_name, read_signed_file
from enigm_tuf_repository.mirror import pull
from enigm_tuf_repository.publication import PublicationStore, Sent, unseen
from enigm_tuf_repository.records import ReleaseRecord, Step, StepEvidence, load_record, save_record
from enigm_tuf_repository.register import load_register, save_register
from enigm_tuf_repository.rules import RepositoryRule
from enigm_tuf_repository.settings import put_in_force, require_as_prepared
from enigm_tuf_repository.stores.caching import TIMESTAMP
from enigm_tuf_repository.stores.directory import DirectoryStore
from enigm_tuf_repository.waivers import require_unfrozen
from enigm_tuf_repository.workspace import Workspace

IN_THE_BUCKET_ALONE = frozenset({"payloads", "chunks", "decisions"})  # brought to the mirror when somebody needs them
AT_ONCE = 4  # files; with their parts they bound the memory

ORDER = ("payloads", "chunks", "decisions", "manifests", "payload", "manifest", "targets", "snapshot", "root")
"""What a file names is there before the file is: each kind waits for the one before it, the files of one go together.

Root is last: from then on until the new timestamp is there a device may find roles that its new root refuses.

A new kind of file needs an entry here, and one in ``staging.require_only_signed``.
"""


def publish(
    workspace: Workspace, store: PublicationStore, record_id: str, now: datetime, sent: Sent = unseen
) -> ReleaseRecord:
    """Only what was verified and gated, byte for byte, and only on top of what it was verified against."""
    record = load_record(workspace, record_id)
    digests = require_verified(workspace, record, Step.PUBLISHED)
    if record.evidence(Step.PUBLISHED) is None:
        require_gated(workspace, record, digests, now)
        require_unfrozen(workspace, record, now)
        require_as_prepared(workspace, record.id)
        files = published_paths(digests)
        require_no_strangers(workspace, digests)
        require_whole(workspace, workspace.staged(record.id), files)
        done = RuleOutcome("PUBLISHED", True, _put(workspace, store, record, files, sent))
        record = record.with_evidence(StepEvidence(Step.PUBLISHED, now, dict(digests), (done,)))
        save_record(workspace, record)
    if record.id in load_register(workspace).open:
        put_in_force(workspace, record.id)
    register = load_register(workspace).closed(record_id)
    if record.action == "retire" and record.product:
        register = register.without_product(record.product)
    save_register(workspace, register)
    return record


def _put(
    workspace: Workspace, store: PublicationStore, record: ReleaseRecord, files: Mapping[str, str], sent: Sent
) -> str:
    """Into the store, then into the mirror if there is one (cut in between, the next step pulls it); what was done."""
    tree, memory = workspace.staged(record.id), DirectoryStore(workspace.published)
    hint = f"run `enigm-repo release verify {record.id}` again, on top of what is published now"
    try:
        put_all(store, tree, files, record.base, hint, sent)
    except ConflictError:
        if not isinstance(store, DirectoryStore):
            pull(workspace.published, store, workspace.configuration().environment)
        if not _is_out(workspace, store, files):
            raise
        return f"{len(files)} files, out already under another timestamp"
    if not isinstance(store, DirectoryStore):
        small = {path: digest for path, digest in files.items() if kind_of(path) not in IN_THE_BUCKET_ALONE}
        put_all(memory, tree, small, record.base, hint)
    return f"{len(files)} files, timestamp last"


def _is_out(workspace: Workspace, store: PublicationStore, files: Mapping[str, str]) -> bool:
    """Whether another machine, or a run of ours that was cut after its last request, has published these very roles.

    The files alone do not say so, since they come before the timestamp: what is in force must be as new.
    """
    heads = Lineage(workspace.published, []).heads
    roles = {path: digest for path, digest in files.items() if path.startswith("metadata/") and path != TIMESTAMP}
    return bool(roles) and all(_is_reached(heads, store, path, digest) for path, digest in roles.items())


def _is_reached(heads: Mapping[str, SignedFile], store: PublicationStore, path: str, digest: str) -> bool:
    version, _, role = path.removeprefix("metadata/").removesuffix(".json").partition(".")
    if role not in heads or heads[role].version < int(version):
        return False
    try:
        return sha256(store.fetch(path, LIMITS.stated_targets_bytes)) == digest
    except NotFoundError:
        return False


def published_paths(digests: Mapping[str, str]) -> dict[str, str]:
    """A record's evidence, by the names that its files have when they are published."""
    return {path.removeprefix("staged/"): digest for path, digest in digests.items()}


def put_all(
    store: PublicationStore,
    tree: Path,
    files: Mapping[str, str],
    base: str | None,
    hint: str,
    sent: Sent = unseen,
) -> None:
    """Files below ``tree``, by their SHA-256, on top of the timestamp with the SHA-256 ``base`` (None: there is none).

    ConflictError, with ``hint``, where another timestamp is there.
    """
    candidate = files.get(TIMESTAMP)
    with store.session():
        before = store.read(TIMESTAMP)
        there = sha256(before.data) if before else None
        if there not in {base, candidate}:
            raise ConflictError("something else was published since it was verified", hint=hint)
        for paths in in_order(files):
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(lambda path: store.create(path, tree / path, files[path], sent), paths))
        if candidate and there != candidate:
            store.replace(TIMESTAMP, (tree / TIMESTAMP).read_bytes(), before)


def in_order(paths: Iterable[str]) -> Iterator[Sequence[str]]:
    """The paths of each kind in ORDER, without the timestamp."""
    ordered = sorted((path for path in paths if path != TIMESTAMP), key=lambda path: (_place(path), path))
    for _, group in groupby(ordered, kind_of):
        yield tuple(group)


def _place(path: str) -> int:
    if (kind := kind_of(path)) not in ORDER:
        expected = "a file of a kind that is published"
        raise RefusedError(RepositoryRule.PUBLISHED_TREE, path, expected=expected, got="something else")
    return ORDER.index(kind)


def kind_of(path: str) -> str:
    """``payloads``, their ``chunks``, ``manifests``, what kind of role a metadata file is of; else the folder."""
    tree, _, name = path.partition("/")
    if tree == "metadata":
        return name.removesuffix(".json").rpartition(".")[2]
    if tree != "targets":
        return tree
    return "chunks" if name.endswith(SUFFIX) else name.partition("/")[0]


def require_whole(workspace: Workspace, tree: Path, files: Mapping[str, str]) -> None:
    """TREE-WHOLE: what was signed on top of another record is not published before it.

    Roles of a product that was retired before this tree was a mirror were never here, and nobody asks for them.
    """
    there = str(workspace.published)
    missing = {
        role: path
        for role, path in _named(tree, files)
        if path not in files and not os.path.isfile(f"{there}/{path}")  # noqa: PTH113 - of thousands
    }
    if not missing:
        return
    for role in Lineage(workspace.published, [tree]).heads.in_force():
        if role in missing:
            hint = "publish the record that brings it first: `enigm-repo status` lists the open ones"
            raise RefusedError(RepositoryRule.TREE_WHOLE, missing[role], expected="published", got="no file", hint=hint)


def _named(tree: Path, files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Every role that a new snapshot names, and its path."""
    for path in files:
        if kind_of(path) == "snapshot":
            snapshot = read_signed_file((tree / path).read_bytes(), "snapshot", path).value_as(Snapshot)
            for name, meta in snapshot.meta.items():
                role = name.removesuffix(".json")
                yield role, f"metadata/{file_name(role, meta.version)}"


def require_no_strangers(workspace: Workspace, digests: Mapping[str, str]) -> None:
    """PUBLISHED-TREE: ``metadata/`` holds versions that were published, those of this record, and nothing else."""
    folder = workspace.published / "metadata"
    names = os.listdir(folder) if folder.is_dir() else ()  # noqa: PTH208 - three files of every release there ever was
    ours = {path.removeprefix("staged/metadata/") for path in digests}
    require_known(names, Lineage(workspace.published, []).heads.versions, ours, "published")


def require_known(names: Iterable[str], heads: Mapping[str, int], ours: Collection[str], where: str) -> None:
    """PUBLISHED-TREE on the names in ``metadata/``: the first one that is no version up to its role's head."""
    newest = {f"{role}.json": version for role, version in heads.items() if role != "timestamp"}
    strangers = [name for name in names if not _is_known(name, newest) and name not in ours and name != _TIMESTAMP]
    if strangers:
        expected = "published versions of the roles in force, and nothing else"
        place = f"{where}/metadata/{min(strangers)}"
        raise RefusedError(RepositoryRule.PUBLISHED_TREE, place, expected=expected, got="an extra file")


_TIMESTAMP = "timestamp.json"


def _is_known(name: str, newest: Mapping[str, int]) -> bool:
    """Whether it is a version from 1 up to ``newest``, which is by what follows it, written as it is published."""
    version, _, rest = name.partition(".")
    highest = newest.get(rest)
    return (
        highest is not None
        and version.isdecimal()
        and version.isascii()
        and version[0] != "0"
        and len(version) < 20
        and int(version) <= highest
    )
