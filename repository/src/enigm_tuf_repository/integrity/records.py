"""The records against the tree: what was published is there, as it was, and the repository's own books are right."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from enigm_tuf.errors import EnigmTufError, NotFoundError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.chunks import SUFFIX
from enigm_tuf.model.strict_json import sha256
from enigm_tuf_repository.integrity.damage import Findings, Kind
from enigm_tuf_repository.integrity.tree import Tree, is_there
from enigm_tuf_repository.publishing import published_paths
from enigm_tuf_repository.records import ReleaseRecord, Step, load_record
from enigm_tuf_repository.register import load_register
from enigm_tuf_repository.stores.caching import TIMESTAMP
from enigm_tuf_repository.workspace import Workspace


def check_records(workspace: Workspace, tree: Tree, pruned: frozenset[str], found: Findings) -> None:
    """Every published record's files; a target's bytes were judged by its name already. No file is named twice."""
    known = {item.path for item in found.damage}
    for record in _records(workspace, found):
        step = record.evidence(Step.PUBLISHED)
        if step is None:
            continue
        found.count("records")
        for path, digest in published_paths(step.digests).items():
            if path != TIMESTAMP and path not in pruned and path not in known:
                _check_one(tree, record.id, path, digest, found)


def under_way(workspace: Workspace) -> Mapping[str, str]:
    """SHA-256 by path of what open records bring: a publication that is at work, or was cut, leaves some of it."""
    files: dict[str, str] = {}
    for record_id in load_register(workspace).open:
        try:
            step = load_record(workspace, record_id).evidence(Step.VERIFIED)
        except EnigmTufError:
            continue  # said by check_records
        files |= published_paths(step.digests) if step else {}
    return files


def first_root_of(workspace: Workspace) -> str | None:
    """SHA-256 of the first root as its record has it; None where this machine never made it."""
    try:
        step = load_record(workspace, "root-1").evidence(Step.PUBLISHED)
    except EnigmTufError:
        return None
    return step.digests.get("staged/metadata/1.root.json") if step else None


def _records(workspace: Workspace, found: Findings) -> Iterator[ReleaseRecord]:
    folder = workspace.record("")
    closed = set(load_register(workspace).open)
    for place in sorted(folder.iterdir()) if folder.is_dir() else ():
        if (record := _load(workspace, place, found)) is None:
            continue
        closed.discard(record.id)
        yield record
    for record_id in sorted(closed):
        found.add(
            Kind.RECORD, f"records/{record_id}", "register.json says that it is open, and there is no record.json"
        )


def _load(workspace: Workspace, place: Path, found: Findings) -> ReleaseRecord | None:
    """None where it is not one, or is damaged."""
    if not (place / "record.json").is_file():
        return None
    try:
        return load_record(workspace, place.name)
    except EnigmTufError as error:
        found.add(Kind.RECORD, f"records/{place.name}/record.json", str(error))
        return None


def _check_one(tree: Tree, record_id: str, path: str, digest: str, found: Findings) -> None:
    name = path.rpartition("/")[2]
    try:
        if path.startswith("targets/") and not path.endswith(SUFFIX):
            if not is_there(tree, path):
                found.add(Kind.MISSING, path, f"{record_id} published it, and it is gone")
            elif not name.startswith(f"{digest}."):
                found.add(Kind.RECORD, path, f"{record_id} published other bytes under this name")
        elif (got := sha256(tree.fetch(path, LIMITS.stated_targets_bytes))) != digest:
            found.add(Kind.RECORD, path, f"SHA-256 {got}, and {record_id} published {digest}")
    except NotFoundError:
        found.add(Kind.MISSING, path, f"{record_id} published it, and it is gone")
    except EnigmTufError as error:
        found.add(Kind.RECORD, path, str(error))
