"""What is in force in a tree: admitted step by step as a device would, but for the time (TUF specification 5.3 to 5.6).

Expired metadata is no damage: ``status`` tells what is due, and a tree that slept is still whole.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from enigm_tuf.errors import EnigmTufError, NotFoundError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.keys import Environment
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.tuf import Root
from enigm_tuf.trust.authority_admission import AuthorityAdmission
from enigm_tuf.trust.metadata import (
    TrustedMetadata,
    admit_root,
    admit_snapshot,
    admit_targets,
    admit_timestamp,
    current_timestamp,
    trust_root,
)
from enigm_tuf_repository.integrity.damage import Findings, Kind
from enigm_tuf_repository.integrity.tree import Tree
from enigm_tuf_repository.lineage import file_name
from enigm_tuf_repository.stores.caching import TIMESTAMP

_EVER = datetime.min.replace(tzinfo=UTC)


def metadata_path(role: str, version: int) -> str:
    """Where a role's version lies in a tree."""
    return f"metadata/{file_name(role, version)}"


def admit_root_chain(
    tree: Tree, environment: Environment, first: str | None, found: Findings
) -> tuple[TrustedMetadata | None, list[Root]]:
    """The newest root, and every one up to it; None where the first is not there or is refused.

    ``first`` is the SHA-256 of the root that devices were shipped with, where it is known: the tree's must be that.
    """
    path = metadata_path("root", 1)
    try:
        data = tree.fetch(path, LIMITS.root_bytes)
        state = trust_root(data, _EVER, AuthorityAdmission(environment))
    except EnigmTufError as error:
        found.add(Kind.MISSING if isinstance(error, NotFoundError) else Kind.REFUSED, path, str(error))
        return None, []
    if first is not None and first != sha256(data):
        found.add(Kind.REFUSED, path, f"SHA-256 {sha256(data)}: not the root that devices were shipped with")
        return None, []
    roots = [state.root.value]
    for path, data in _later_roots(tree, found):
        try:
            state = admit_root(state, data)
        except EnigmTufError as error:
            found.add(Kind.REFUSED, path, str(error))
            break
        roots.append(state.root.value)
    found.count("roots", len(roots))
    return state, roots


def _later_roots(tree: Tree, found: Findings) -> Iterator[tuple[str, bytes]]:
    for version in range(2, LIMITS.root_rotations + 2):
        path = metadata_path("root", version)
        try:
            data = tree.fetch(path, LIMITS.root_bytes)
        except NotFoundError:
            return
        except EnigmTufError as error:
            found.add(Kind.REFUSED, path, str(error))
            return
        yield path, data


def admit_heads(tree: Tree, state: TrustedMetadata, found: Findings) -> TrustedMetadata | None:
    """Timestamp, snapshot and targets; None where one of them is not there or is refused, or nothing is published."""
    path = TIMESTAMP
    try:
        state = admit_timestamp(state, tree.fetch(path, LIMITS.timestamp_bytes))
        path = metadata_path("snapshot", current_timestamp(state).snapshot_meta.version)
        state = admit_snapshot(state, tree.fetch(path, LIMITS.snapshot_bytes))
        path = metadata_path("targets", version_of(state, "targets"))
        state = admit_targets(state, ("targets",), tree.fetch(path, LIMITS.targets_bytes))
    except EnigmTufError as error:
        found.add(Kind.MISSING if isinstance(error, NotFoundError) else Kind.REFUSED, path, str(error))
        return None
    found.count("roles in force", 3)
    return state


def version_of(state: TrustedMetadata, role: str) -> int:
    """The version that the snapshot names; 0 where it names none."""
    meta = state.snapshot.value.meta.get(f"{role}.json") if state.snapshot else None
    return meta.version if meta else 0
