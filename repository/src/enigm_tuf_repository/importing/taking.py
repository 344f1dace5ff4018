"""Targets of a foreign repository into a build's folder: verified while they are copied, and there whole or not at all.

No key and no signature comes along. What was signed there stands in ``origin.json``, as evidence for those who sign
here: a statement that nobody signed, to be read by people.
"""

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from enigm_tuf.durable import fsync_directory, require_new
from enigm_tuf.errors import MalformedError, MisuseError, NotFoundError, RefusedError, StateError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.manifest import payload_path
from enigm_tuf.model.shapes import NAME, PATH, VERSION, Time
from enigm_tuf.model.statement import STATEMENT_TYPE
from enigm_tuf.model.strict_json import JsonObject, encode
from enigm_tuf.model.tuf import HASH_ALGORITHMS, TargetFile, Targets
from enigm_tuf.trust.delegation import search
from enigm_tuf.trust.threshold import spki_sha256
from enigm_tuf.trust.tuf_rules import TufRule
from enigm_tuf.trust.verified import Verified
from enigm_tuf_client.address import require_inside
from enigm_tuf_client.download import Digests, Wanted, download
from enigm_tuf_client.targets import hashed_path
from enigm_tuf_client.workflow import TufWorkflow
from enigm_tuf_repository.durable import write_durably
from enigm_tuf_repository.importing.foreign import ForeignTree
from enigm_tuf_repository.rules import RepositoryRule
from enigm_tuf_repository.settings import Settings

PREDICATE_TYPE = "https://enigm-tuf.dev/import/v1"
ORIGIN, DESCRIPTION = "origin.json", "release.toml"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the targets become: payloads of one version, on one channel of one product."""

    product: str
    channel: str
    version: str

    def require(self, paths: Sequence[str]) -> None:
        """MalformedError for a name that we would not publish; MisuseError for a path that leads astray."""
        NAME.read(self.product, "argument", "--product")
        NAME.read(self.channel, "argument", "--channel")
        VERSION.read(self.version, "argument", "--version")
        names = [_name(path) for path in paths]
        for path, name in zip(paths, names, strict=True):
            require_inside(path)
            PATH.read(payload_path(self.product, self.version, name), "argument", f"the name of {path!r}")
        if reserved := {ORIGIN, DESCRIPTION} & set(names):
            raise MisuseError(f"{reserved.pop()}: a payload cannot have this name here")
        if len(set(names)) != len(names):
            raise MisuseError("no file name may stand twice in one release")


@dataclass(frozen=True, slots=True)
class Taken:
    """One file: the target that it was, the role that lists it, and what its bytes are."""

    name: str
    path: str
    role: str
    listing: Verified[Targets]
    digests: Digests


def require_keys_apart(tree: ForeignTree, settings: Settings) -> None:
    """IMPORT-KEYS: metadata names no repository, so what a shared key signs there could be served as ours."""
    foreign = {spki_sha256(key): keyid for keyid, key in tree.keys().items()}
    for purpose, records in settings.records().items():
        for record in records:
            if record.spki_sha256 in foreign:
                keyid = foreign[record.spki_sha256]
                roles = ", ".join(tree.users().get(keyid, [])) or "no role in force"
                raise RefusedError(
                    RepositoryRule.IMPORT_KEYS,
                    f"{purpose} key {record.keyid[:16]}",
                    expected="a key that signs for this repository alone",
                    got=f"one that signs {roles} in {tree.source.name}",
                    hint="make and enrol a new key: what it signs there could be served as ours",
                )


def take_targets(tree: ForeignTree, paths: Sequence[str], wish: Wish, folder: Path) -> tuple[Taken, ...]:
    """Make ``folder`` with the targets, ``release.toml`` to be filled in, and ``origin.json``."""
    wish.require(paths)
    require_new(folder)
    listed = [_listed(tree.workflow, path) for path in paths]
    place = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        taken = tuple(_copy(tree, role, listing, target, place) for role, listing, target in listed)
        write_durably(place / ORIGIN, encode(_origin(tree, taken)))
        write_durably(place / DESCRIPTION, _description(tree, wish, taken).encode())
        fsync_directory(place)
        place.chmod(0o777 & ~_umask())
        place.rename(folder)
        fsync_directory(folder.parent)
    except OSError as error:
        raise StateError(f"{folder}: {error.strerror}") from error
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return taken


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _listed(workflow: TufWorkflow, path: str) -> tuple[str, Verified[Targets], TargetFile]:
    """As a client finds it (5.6.7), with the role that lists it; RefusedError TARGET-MISSING."""
    target, steps = workflow.target(path), search(path)
    if not {"sha256", "sha512"} & target.hashes.keys():
        expected, got = "a SHA-256 or SHA-512", ", ".join(target.hashes)
        raise RefusedError(TufRule.TARGET_HASH, path, expected=expected, got=got)
    if target.length > LIMITS.payload_bytes:
        raise MalformedError(path, "length", f"a payload has at most {LIMITS.payload_bytes:,} bytes")
    lineage = next(steps)
    while path not in (listing := workflow.trusted.targets[lineage]).value.targets:
        lineage = steps.send(listing)
    return lineage[-1], listing, target


def _copy(tree: ForeignTree, role: str, listing: Verified[Targets], target: TargetFile, place: Path) -> Taken:
    """RefusedError TARGET-HASH, TransportError; NotFoundError where the file is in none of its places."""
    known = {name: digest for name, digest in target.hashes.items() if name in HASH_ALGORITHMS}
    missing: NotFoundError | None = None
    for path in _places(tree, target):
        try:
            wanted = Wanted(path, target.length, known)
            digests = download([tree.source.fetcher], wanted, place / _name(target.path))
        except NotFoundError as error:
            missing = missing or error
        else:
            return Taken(_name(target.path), target.path, role, listing, digests)
    raise missing or NotFoundError(f"{target.path}: no such file")


def _places(tree: ForeignTree, target: TargetFile) -> list[str]:
    """Names that tools give a target's file: with consistent snapshots a hash is in front of it (5.7.3)."""
    names = [hashed_path(target.path, digest) for digest in target.hashes.values()]
    names = [*names, target.path] if tree.root.consistent_snapshot else [target.path]
    return [tree.source.below(tree.source.targets, name) for name in names]


def _origin(tree: ForeignTree, taken: Sequence[Taken]) -> JsonObject:
    """An in-toto statement: which files, and by whose signatures they were listed where."""
    said = [
        {
            "target": item.path,
            "role": item.role,
            "version": item.listing.value.version,
            "signers": sorted(item.listing.signers),
        }
        for item in taken
    ]
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": item.name, "digest": dict(item.digests.hashes)} for item in taken],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "source": tree.source.name,
            "root": {"version": tree.root.version, "sha256": tree.trusted.root.sha256},
            "verified": Time().write(tree.trusted.now),
            "targets": said,
        },
    }


def _description(tree: ForeignTree, wish: Wish, taken: Sequence[Taken]) -> str:
    """What is known is written; what only people know is a comment, and ``release prepare`` asks for it."""
    files = ", ".join(f'{{file = "{item.name}", type = "full-ota"}}' for item in taken)
    return f"""# Taken from another repository, and verified there: see {ORIGIN}. Fill in what is commented out.
product = "{wish.product}"
channel = "{wish.channel}"
version = "{wish.version}"
payloads = [{files}]
provenance = ["{ORIGIN}"]
release_notes = ""
minimum_client = "0.1.0"
mandatory = false
rollout = {{start = "{Time().write(tree.trusted.now)}", stages = [{{after_hours = 0, percent = 100}}], cohorts = [], \
halted = false}}
# build_id = "BUILD.{wish.version}"
# security_patch_level = "2026-11-05"
# rollback_index = 1
# hardware_ids = ["{wish.product}-a"]
"""
