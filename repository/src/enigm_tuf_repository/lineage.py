"""The newest signed version of every role: what is published, and what came back signed but is not published yet.

New metadata is built on these, since they are what the authorities remember as the last they signed.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from enigm_tuf.errors import MalformedError, MisuseError, StateError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.delegations import Delegations
from enigm_tuf.model.request import Previous
from enigm_tuf.model.strict_json import encode, parse_canonical, sha256
from enigm_tuf.model.tuf import Root, Snapshot, TargetFile, Targets, Timestamp
from enigm_tuf.model.tuf_fields import read_time
from enigm_tuf.trust.delegation_rules import manifest_role
from enigm_tuf.trust.verified import Document, Readings, read_document, read_targets
from enigm_tuf_client.targets import hashed_path, read_target
from enigm_tuf_repository.overlay import OverlayFetcher
from enigm_tuf_repository.register import Register
from enigm_tuf_repository.role_building import hashed_name
from enigm_tuf_repository.splicing import plain_file
from enigm_tuf_repository.workspace import Workspace

Signed: TypeAlias = Root | Snapshot | Targets | Timestamp
S = TypeVar("S", Root, Snapshot, Targets, Timestamp)


@dataclass(frozen=True, slots=True)
class SignedFile:
    """One metadata file as it stands in a tree. Parsed, not verified."""

    role: str
    data: bytes
    value: Signed
    signatures: Mapping[str, str]

    @property
    def version(self) -> int:
        return self.value.version

    @property
    def canonical(self) -> bytes:
        """The bytes under the signatures."""
        return self.value.canonical()

    @property
    def previous(self) -> Previous:
        """How a request refers to it."""
        return Previous(self.role, self.version, sha256(self.canonical))

    def value_as(self, kind: type[S]) -> S:
        """The value of a role whose type is known."""
        if not isinstance(self.value, kind):
            raise MalformedError(self.role, "signed._type", f"must be {kind.type}")
        return self.value


def kind_of(role: str) -> type[Signed]:
    """The type of a role's metadata."""
    kinds: dict[str, type[Signed]] = {"root": Root, "snapshot": Snapshot, "timestamp": Timestamp}
    return kinds.get(role, Targets)


def read_signed_file(data: bytes, role: str, source: str) -> SignedFile:
    """Parse a metadata file; nothing is verified here."""
    if role in GROWING:
        document = GROWING[role](data, source, LIMITS.targets_bytes, sha256(data))
    else:
        kind: Any = kind_of(role)  # mypy cannot bind the type variable to a union
        if kind is Targets:
            document = read_targets(data, source, LIMITS.targets_bytes, sha256(data))
        else:
            document = read_document(data, kind, source, LIMITS.targets_bytes)
    return SignedFile(role, data, document.value, document.signatures)


READINGS = Readings()
GROWING: Mapping[str, Callable[[bytes, str, int, str], Document[Any]]] = {
    "targets": READINGS.targets,
    "snapshot": READINGS.snapshot,
}
"""The roles that grow with every product: half a megabyte where there are a thousand. A step looks at them a dozen
times, and reads the same bytes once."""


def metadata_file(signed_bytes: bytes, signatures: Mapping[str, str], max_bytes: int = LIMITS.targets_bytes) -> bytes:
    """The file made of the bytes that were signed and hex signatures by keyid."""
    listed = [{"keyid": keyid, "sig": signature} for keyid, signature in sorted(signatures.items())]
    if len(signed_bytes) <= max_bytes and (data := plain_file(signed_bytes, listed)):
        return data
    return encode({"signatures": listed, "signed": parse_canonical(signed_bytes, source="signed", max_bytes=max_bytes)})


def read_value(signed_bytes: bytes, kind: type[S], source: str) -> S:
    """The value of bytes that somebody is asked to sign."""
    return read_document(metadata_file(signed_bytes, {}), kind, source, LIMITS.targets_bytes).value


def file_name(role: str, version: int) -> str:
    """The name in ``metadata/`` (TUF specification 6.2)."""
    return "timestamp.json" if role == "timestamp" else f"{version}.{role}.json"


class Heads(Mapping[str, SignedFile]):
    """The newest version of every role. A file is read when it is asked for: a release needs a few of thousands."""

    def __init__(self, places: Mapping[str, tuple[Path, int]], read: Mapping[str, SignedFile]) -> None:
        """``places`` gives the tree and the version of each role; ``read`` are those that were read already."""
        self._places = dict(places)
        self._read = dict(read)

    def __getitem__(self, role: str) -> SignedFile:
        """StateError where the file is gone."""
        if role not in self._read:
            self._read[role] = _read(self._places[role][0], role, self._places[role][1])
        return self._read[role]

    def __contains__(self, role: object) -> bool:
        return role in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    @property
    def versions(self) -> Mapping[str, int]:
        """By role, without reading a file but the timestamp."""
        return {role: version for role, (_, version) in self._places.items()}

    def in_force(self) -> tuple[str, ...]:
        """The roles that devices may ask for: without those of retired products, which snapshot lists for ever."""
        delegations = self._delegations()
        return tuple(role for role in self if "." not in role or (delegations and delegations.has(role)))

    def is_in_force(self, role: str) -> bool:
        """Whether there is such a role, and devices may ask for it."""
        delegations = self._delegations() if "." in role else None
        return role in self and ("." not in role or (delegations is not None and delegations.has(role)))

    def _delegations(self) -> Delegations | None:
        return self["targets"].value_as(Targets).delegations if "targets" in self else None

    def expires(self, role: str) -> datetime:
        """When a role expires: from the first bytes of its file, if it is as we write it."""
        if role not in self._read:
            tree, version = self._places[role]
            for size in _BEGINNINGS:
                if found := _EXPIRES.match(_beginning(f"{tree}/metadata/{file_name(role, version)}", size)):
                    return read_time(found[1].decode(), role, "signed.expires")
        return self[role].value.expires

    def over(self, tree: Path, versions: Mapping[str, int]) -> "Heads":
        """The same, with other versions of some roles, which lie in ``tree``."""
        places = {role: (tree, version) for role, version in versions.items()}
        return Heads(self._places | places, {role: file for role, file in self._read.items() if role not in places})

    def with_files(self, files: Mapping[str, SignedFile]) -> "Heads":
        """The same, with these in place of theirs."""
        nowhere = {role: (Path(), file.version) for role, file in files.items()}
        return Heads(self._places | nowhere, self._read | dict(files))


def _beginning(path: str, size: int) -> bytes:
    """The first bytes of a file, empty if there is none; without what thousands of ``Path`` and ``open`` cost."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    try:
        return os.read(file, size)
    finally:
        os.close(file)


_BEGINNINGS = (1_024, 16_384)  # bytes: the signatures of two keys fit, and then those of many
_EXPIRES = re.compile(
    rb'\{"signatures":\[[^\]]*\],"signed":\{"_type":"targets","expires":"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z)","spec_version"'
)


class Lineage:
    """Looks through the staged trees of open records, newest first, and then through ``published``."""

    def __init__(self, published: Path, staged: Sequence[Path]) -> None:
        self._trees = (*reversed(staged), published)
        self._heads = _published_heads(published)
        for tree in staged:
            self._heads = self._heads.over(tree, _staged_versions(tree, self._heads.versions))

    @property
    def heads(self) -> Heads:
        return self._heads

    def head(self, role: str) -> SignedFile | None:
        """The newest signed version of ``role``; None if it was never signed."""
        return self._heads.get(role)

    def value(self, role: str, kind: type[S]) -> S | None:
        """The newest signed value of ``role``; None if it was never signed."""
        return self._heads[role].value_as(kind) if role in self._heads else None

    def delegates(self, product: str) -> bool:
        """Whether ``targets`` names the product: it was added, and is not retired."""
        targets = self.value("targets", Targets)
        return targets is not None and targets.get_delegated_role(manifest_role(product)) is not None

    def require(self, role: str, kind: type[S]) -> S:
        """The same; MisuseError where ``role`` was never signed."""
        value = self.value(role, kind)
        if value is None:
            raise MisuseError(f"there is no signed {role} metadata yet")
        return value

    def target_file(self, path: str, digest: str) -> Path:
        """Where a target's file lies; StateError where it is in no tree."""
        name = f"targets/{hashed_path(path, digest)}"
        for tree in self._trees:
            if (tree / name).is_file():
                return tree / name
        raise StateError(f"{name}: the repository offers it, but it is gone")

    def roots(self) -> list[bytes]:
        """The signed roots, from version 1 to the newest."""
        return root_chain(*self._trees)

    def target(self, target: TargetFile) -> bytes:
        """The bytes of a small target that is signed already; RefusedError TARGET-HASH, NotFoundError."""
        return read_target(OverlayFetcher(self._trees), f"targets/{hashed_name(target)}", target)


def lineage_of(workspace: Workspace, register: Register, *, without: str = "") -> Lineage:
    """The lineage of a workspace; ``without`` leaves one record's own staged files out."""
    return Lineage(workspace.published, [workspace.staged(item) for item in register.open if item != without])


def require_delegated(lineage: Lineage, product: str) -> None:
    """MisuseError for a product whose end is signed."""
    if not lineage.delegates(product):
        raise MisuseError(f"product {product} is retired", hint=f"`enigm-repo product add {product}` brings it back")


def root_chain(*trees: Path) -> list[bytes]:
    """The roots in ``metadata/`` of the trees, from version 1 to the newest."""
    chain: list[bytes] = []
    while True:
        name = file_name("root", len(chain) + 1)
        found = next((tree / "metadata" / name for tree in trees if (tree / "metadata" / name).is_file()), None)
        if found is None:
            return chain
        chain.append(found.read_bytes())


def _published_heads(tree: Path) -> Heads:
    """As timestamp and snapshot say: the tree keeps every version for ever, so it is never listed."""
    versions: dict[str, int] = {}
    read: dict[str, SignedFile] = {}
    if chain := root_chain(tree):
        versions["root"] = len(chain)
    if (tree / "metadata" / "timestamp.json").is_file():
        timestamp = read["timestamp"] = _read(tree, "timestamp", 0)
        versions["timestamp"] = timestamp.version
        versions |= _meta(timestamp)
        snapshot = read["snapshot"] = _read(tree, "snapshot", versions["snapshot"])
        versions |= _meta(snapshot)
    return Heads({role: (tree, version) for role, version in versions.items()}, read)


def _staged_versions(tree: Path, before: Mapping[str, int]) -> dict[str, int]:
    """Of the files in a staged tree that are newer than ``before``; a candidate timestamp is nobody's head."""
    versions: dict[str, int] = {}
    for path in sorted((tree / "metadata").glob("*.json")):
        version, _, role = path.stem.partition(".")
        if version.isdecimal() and before.get(role, 0) < int(version):
            versions[role] = int(version)
    return versions


def _read(tree: Path, role: str, version: int) -> SignedFile:
    path = tree / "metadata" / file_name(role, version)
    try:
        return read_signed_file(path.read_bytes(), role, str(path))
    except FileNotFoundError as error:
        raise StateError(f"{path}: the repository names it, but it is gone") from error


def _meta(file: SignedFile) -> dict[str, int]:
    if file.role == "timestamp":
        return {"snapshot": file.value_as(Timestamp).snapshot_meta.version}
    return {name.removesuffix(".json"): item.version for name, item in file.value_as(Snapshot).meta.items()}
