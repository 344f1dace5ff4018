"""Whose key it is: enrolled keys of a repository, and keys that everybody has."""

from collections.abc import Iterator, Mapping

from enigm_tuf.model.keys import read_key_record
from enigm_tuf.model.tuf import Root, Targets
from enigm_tuf.trust.root_rules import view_root
from enigm_tuf.trust.test_keys import known_test_key
from enigm_tuf.trust.threshold import spki_sha256
from enigm_tuf_repository.lineage import Lineage
from enigm_tuf_repository.workspace import Workspace


def enrolled_keys(workspace: Workspace) -> Mapping[str, str]:
    """What is known of each key by SHA-256 of its SPKI: in root, in a delegation, in ``keys/``."""
    return dict(_in_force(workspace)) | dict(_records(workspace))


def owner_of(digest: str, enrolled: Mapping[str, str]) -> str | None:
    """In words; None for a key that nobody here knows."""
    known = known_test_key(digest)
    return enrolled.get(digest) or (f"{known}, which everybody has" if known else None)


def _in_force(workspace: Workspace) -> Iterator[tuple[str, str]]:
    lineage = Lineage(workspace.published, [])
    root, targets = lineage.value("root", Root), lineage.value("targets", Targets)
    if targets and targets.delegations:
        for key in targets.delegations.keys.values():
            yield spki_sha256(key), f"a key of targets' delegations, {key.keyid[:16]}"
    if root:
        view = view_root(root)
        for keyid, digest in view.spki.items():
            info = view.extension.keyinfo[keyid]
            yield digest, f"a key in force in root {view.version}, of {info.custodian}, {info.environment}"


def _records(workspace: Workspace) -> Iterator[tuple[str, str]]:
    for path in sorted(workspace.keys.glob("*.key.json")):
        record = read_key_record(path.read_bytes(), str(path))
        yield record.spki_sha256, f"{path.name}: {record.purpose} key of {record.custodian}, {record.environment}"
