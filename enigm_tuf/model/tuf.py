"""TUF metadata as values (specification 4.2 to 4.6), read strictly from parsed JSON.

Unknown fields are tolerated, and stand under the signatures, since those are over the original bytes. Keys of a
type or scheme that can never count are left out, so that a root with a key of tomorrow does not stop today's client.
"""

from __future__ import annotations

from enigm_tuf.errors import MalformedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.delegations import Delegations, SuccinctRoles
from enigm_tuf.model.lean import Iterator, Mapping, datetime
from enigm_tuf.model.strict_json import JsonObject, canonical, sha256
from enigm_tuf.model.tuf_fields import (
    NOTHING,
    Key,
    Role,
    member,
    others,
    read_hashes,
    read_integer,
    read_keys,
    read_object,
    read_role,
    read_text,
    read_time,
)
from enigm_tuf.model.value import Value

TOP_LEVEL = ("root", "targets", "snapshot", "timestamp")
HASH_ALGORITHMS = frozenset({"sha224", "sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512"})

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self


class MetaFile(Value):
    """What snapshot or timestamp says about a metadata file: version, and optionally length in bytes and hex hashes."""

    version: int
    length: int | None = None
    hashes: Mapping[str, str] | None = None
    unrecognized_fields: Mapping[str, object] = NOTHING


class TargetFile(Value):
    """A target: length in bytes, hex hashes by algorithm name; ``custom`` is among the unrecognized fields."""

    path: str
    length: int
    hashes: Mapping[str, str]
    unrecognized_fields: Mapping[str, object] = NOTHING


class Signed(Value):
    """What every role's metadata has. ``raw`` is the signed object, as it was parsed."""

    version: int
    expires: datetime
    spec_version: str
    raw: JsonObject

    type = ""
    named = frozenset({"_type", "version", "expires", "spec_version"})

    @classmethod
    def read(cls, signed: JsonObject, source: str) -> Self:
        """From the ``signed`` object of a file; MalformedError names the field."""
        raise NotImplementedError

    def canonical(self) -> bytes:
        """The bytes under the signatures."""
        return canonical(self.raw)

    @property
    def unrecognized_fields(self) -> Mapping[str, object]:
        """What TUF does not name; in root the extension of the authorities."""
        return others(self.raw, *self.named)

    def is_expired(self, now: datetime) -> bool:
        """5.3.10, 5.4.4, 5.5.6, 5.6.5: expired at that very second."""
        return now >= self.expires


class Root(Signed):
    """Root metadata (4.3)."""

    consistent_snapshot: bool
    keys: Mapping[str, Key]
    roles: Mapping[str, Role]

    type = "root"
    named = Signed.named | {"consistent_snapshot", "keys", "roles"}

    @classmethod
    def read(cls, signed: JsonObject, source: str) -> Self:
        """4.3; MalformedError names the field."""
        common = _common(signed, source)
        keys = read_keys(signed.get("keys"), source, "signed.keys")
        raw_roles = read_object(signed.get("roles"), source, "signed.roles")
        if set(raw_roles) != set(TOP_LEVEL):
            raise MalformedError(source, "signed.roles", f"must be exactly {', '.join(TOP_LEVEL)}")
        roles = {name: read_role(item, source, f"signed.roles.{name}") for name, item in raw_roles.items()}
        consistent = signed.get("consistent_snapshot", False)
        if type(consistent) is not bool:
            raise MalformedError(source, "signed.consistent_snapshot", "must be true or false")
        return cls(*common, consistent, keys, roles)

    def get_delegated_role(self, name: str) -> Role | None:
        return self.roles.get(name)


class Timestamp(Signed):
    """Timestamp metadata (4.6)."""

    snapshot_meta: MetaFile

    type = "timestamp"
    named = Signed.named | {"meta"}

    @classmethod
    def read(cls, signed: JsonObject, source: str) -> Self:
        """4.6; MalformedError names the field."""
        common = _common(signed, source)
        meta = read_object(signed.get("meta"), source, "signed.meta")
        place = member("signed.meta", "snapshot.json")
        return cls(*common, _meta_file(meta.get("snapshot.json"), source, place))


class Snapshot(Signed):
    """Snapshot metadata (4.4): ``meta`` by file name, such as ``targets.json``."""

    meta: Mapping[str, MetaFile]

    type = "snapshot"
    named = Signed.named | {"meta"}

    @classmethod
    def read(cls, signed: JsonObject, source: str) -> Self:
        """4.4; MalformedError names the field."""
        common = _common(signed, source)
        meta = read_object(signed.get("meta"), source, "signed.meta")
        files = {
            name: _version_alone(item) or _meta_file(item, source, member("signed.meta", name))
            for name, item in meta.items()
        }
        return cls(*common, files)


class TargetFiles(Mapping[str, TargetFile]):
    """The targets of a role. All were checked when the role was read; values are made when they are asked for."""

    __slots__ = ("_raw",)

    def __init__(self, raw: Mapping[str, JsonObject]) -> None:
        self._raw = raw

    def __getitem__(self, path: str) -> TargetFile:
        item = self._raw[path]
        return TargetFile(path, item["length"], item["hashes"], others(item, "length", "hashes"))

    def __contains__(self, path: object) -> bool:
        return path in self._raw

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)


class Targets(Signed):
    """Targets metadata (4.5), top-level or delegated."""

    targets: Mapping[str, TargetFile]
    delegations: Delegations | None

    type = "targets"
    named = Signed.named | {"targets", "delegations"}

    @classmethod
    def read(cls, signed: JsonObject, source: str) -> Self:
        """4.5; MalformedError names the field."""
        common = _common(signed, source)
        targets = read_object(signed.get("targets"), source, "signed.targets")
        for path, item in targets.items():
            if (
                type(item) is not dict
                or type(item.get("length")) is not int
                or item["length"] < 0
                or type(item.get("hashes")) is not dict
                or not item["hashes"]
            ):
                raise MalformedError(source, member("signed.targets", path), "must have a length and hashes")
            for digest in item["hashes"].values():
                if type(digest) is not str:
                    read_hashes(item["hashes"], source, member("signed.targets", path) + ".hashes")
        delegations = signed.get("delegations")
        return cls(
            *common,
            TargetFiles(targets),
            None if delegations is None else Delegations.read(delegations, source, "signed.delegations"),
        )

    def get_delegated_role(self, name: str) -> Role | SuccinctRoles | None:
        return self.delegations.role(name) if self.delegations else None


def matches(data: bytes, length: int | None, hashes: Mapping[str, str] | None, known: str | None = None) -> str | None:
    """None if ``data`` has the length and every hash that are given, else what is wrong, in words.

    ``known`` is the SHA-256 of ``data``, where that was computed already.
    """
    if length is not None and len(data) != length:
        return f"{len(data)} bytes, not {length}"
    for algorithm, expected in (hashes or {}).items():
        if algorithm not in HASH_ALGORITHMS:
            return f"hash algorithm {algorithm!r:.40}, which is unknown here"
        got = known if known and algorithm == "sha256" else _digest(algorithm, data)
        if got != expected:
            return f"{algorithm} {got}, not {expected:.128}"
    return None


def _digest(algorithm: str, data: bytes) -> str:
    if algorithm == "sha256":
        return sha256(data)
    from hashlib import new

    return new(algorithm, data).hexdigest()


def _common(signed: JsonObject, source: str) -> tuple[int, datetime, str, JsonObject]:
    spec_version = read_text(signed.get("spec_version"), source, "signed.spec_version")
    parts = spec_version.split(".")
    if len(parts) not in {2, 3} or not all(part.isdecimal() for part in parts) or parts[0] != "1":
        raise MalformedError(source, "signed.spec_version", f"must be 1.x.y, is {spec_version[:20]!r}")
    version = read_integer(signed.get("version"), source, "signed.version", 1)
    expires = read_time(signed.get("expires"), source, "signed.expires")
    return version, expires, spec_version, signed


def _version_alone(item: object) -> MetaFile | None:
    """What is said of most files; None where it is more than a version."""
    if type(item) is not dict or len(item) != 1:
        return None
    version = item.get("version")
    if type(version) is not int or not 1 <= version <= LIMITS.integer_maximum:
        return None
    return file_of_version(version)


def file_of_version(version: int) -> MetaFile:
    """The one value for all files of this version of which nothing else is stated."""
    made = _OF_VERSION.get(version)
    if made is None:
        if len(_OF_VERSION) >= _KEPT_VERSIONS:
            _OF_VERSION.clear()
        made = _OF_VERSION[version] = MetaFile(version)
    return made


_OF_VERSION: dict[int, MetaFile] = {}
_KEPT_VERSIONS = 1_024


def _meta_file(value: object, source: str, field: str) -> MetaFile:
    item = read_object(value, source, field)
    version = read_integer(item.get("version"), source, f"{field}.version", 1)
    length, hashes = item.get("length"), item.get("hashes")
    return MetaFile(
        version,
        None if length is None else read_integer(length, source, f"{field}.length", 0),
        None if hashes is None else read_hashes(hashes, source, f"{field}.hashes"),
        others(item, "version", "length", "hashes"),
    )
