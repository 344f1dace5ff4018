"""Delegations (specification 4.5): by path pattern, by hash prefix, and succinct hash bins (TAP 15)."""

from __future__ import annotations

from enigm_tuf.errors import MalformedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.lean import Iterator, Mapping
from enigm_tuf.model.strict_json import JsonObject, sha256
from enigm_tuf.model.tuf_fields import (
    NOTHING,
    Key,
    Role,
    others,
    read_integer,
    read_keys,
    read_object,
    read_quorum,
    read_text,
    read_texts,
)
from enigm_tuf.model.value import Value

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    from typing import Any


class DelegatedRole(Role):
    """One delegation. Exactly one of ``paths`` (glob patterns) and ``path_hash_prefixes`` (hex) is given."""

    name: str
    terminating: bool
    paths: tuple[str, ...] | None
    path_hash_prefixes: tuple[str, ...] | None

    def is_for(self, path: str) -> bool:
        """Patterns match segment by segment: ``*`` never crosses a ``/``."""
        if self.paths is not None:
            return any(_matches(path, pattern) for pattern in self.paths)
        digest = sha256(path.encode())
        return any(digest.startswith(prefix) for prefix in self.path_hash_prefixes or ())


class DelegatedRoles(Mapping[str, DelegatedRole]):
    """Roles by name, in order of preference. All were checked when they were read; values are made when they are asked
    for: of thousands, a device needs those of its own product."""

    __slots__ = ("_index", "_raw")

    def __init__(self, raw: Mapping[str, JsonObject]) -> None:
        self._raw = raw
        self._index: dict[str, list[tuple[int, str]]] | None = None

    def __getitem__(self, name: str) -> DelegatedRole:
        item = self._raw[name]
        paths, prefixes = item.get("paths"), item.get("path_hash_prefixes")
        return DelegatedRole(
            tuple(item["keyids"]),
            item["threshold"],
            others(item, *_NAMED) if len(item) > len(_PLAIN) else NOTHING,
            name,
            item["terminating"],
            None if paths is None else tuple(paths),
            None if prefixes is None else tuple(prefixes),
        )

    def __contains__(self, name: object) -> bool:
        return name in self._raw

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)

    def stated(self) -> Iterator[tuple[str, tuple[str, ...], int, bool, list[str]]]:
        """Of each role name, keyids, threshold, whether it terminates, and paths (none where it goes by hashes): what
        a value would say, without making one."""
        for name, item in self._raw.items():
            yield name, tuple(item["keyids"]), item["threshold"], item["terminating"], item.get("paths") or []

    def matching(self, path: str) -> Iterator[DelegatedRole]:
        """The roles that are for ``path``, in order."""
        if self._index is None:
            self._index = self._indexed()
        end, places = len(path), set(self._index.get("", ()))
        while (end := path.rfind("/", 0, end)) >= 0:
            places.update(self._index.get(path[: end + 1], ()))
        return (role for role in (self[name] for _, name in sorted(places)) if role.is_for(path))

    def _indexed(self) -> dict[str, list[tuple[int, str]]]:
        """Place and name of the roles by the folder that all their paths begin with, as far as a pattern names it."""
        index: dict[str, list[tuple[int, str]]] = {}
        for place, (name, item) in enumerate(self._raw.items()):
            for folder in {_folder(pattern) for pattern in item.get("paths") or ("",)}:
                index.setdefault(folder, []).append((place, name))
        return index


class SuccinctRoles(Role):
    """TAP 15: 2**``bit_length`` bins named ``<name_prefix>-<hex>``, chosen by the first bits of the path's SHA-256."""

    bit_length: int
    name_prefix: str

    def bin_of(self, path: str) -> str:
        first = int(sha256(path.encode())[:8], 16)
        return self._name(first >> (32 - self.bit_length))

    def has(self, name: str) -> bool:
        suffix = name.removeprefix(f"{self.name_prefix}-")
        if not suffix or not all(letter in "0123456789abcdef" for letter in suffix) or len(suffix) > 8:
            return False
        number = int(suffix, 16)
        return number < 2**self.bit_length and self._name(number) == name

    def _name(self, number: int) -> str:
        digits = len(f"{2**self.bit_length - 1:x}")
        return f"{self.name_prefix}-{number:0{digits}x}"


class Delegations(Value):
    """``roles`` by name in order of preference, or ``succinct_roles``: exactly one of them."""

    keys: Mapping[str, Key]
    roles: DelegatedRoles | None
    succinct_roles: SuccinctRoles | None

    @classmethod
    def read(cls, value: object, source: str, field: str) -> Delegations:
        """MalformedError names the field."""
        raw = read_object(value, source, field)
        keys = read_keys(raw.get("keys"), source, f"{field}.keys")
        roles, succinct = raw.get("roles"), raw.get("succinct_roles")
        if (roles is None) == (succinct is None):
            raise MalformedError(source, field, "must have either roles or succinct_roles")
        if roles is None:
            return cls(keys, None, _read_succinct(succinct, source, f"{field}.succinct_roles"))
        if type(roles) is not list:
            raise MalformedError(source, f"{field}.roles", "must be a list")
        found: dict[str, JsonObject] = {}
        for index, item in enumerate(roles):
            if not _is_plain(item):
                _require_delegated(item, source, f"{field}.roles[{index}]")
            if item["name"] in found:
                raise MalformedError(source, f"{field}.roles[{index}].name", "no role may stand twice")
            found[item["name"]] = item
        return cls(keys, DelegatedRoles(found), None)

    def role(self, name: str) -> DelegatedRole | SuccinctRoles | None:
        """Who signs the delegated role ``name``; None if it is not delegated here."""
        if self.roles is not None:
            return self.roles.get(name)
        return self.succinct_roles if self.succinct_roles and self.succinct_roles.has(name) else None

    def has(self, name: str) -> bool:
        """Whether the role ``name`` is delegated here."""
        return name in self.roles if self.roles is not None else self.role(name) is not None

    def roles_for(self, path: str) -> Iterator[tuple[str, bool]]:
        """Names of the roles that may list ``path``, in order, each with whether it is terminating."""
        if self.roles is not None:
            return ((role.name, role.terminating) for role in self.roles.matching(path))
        return iter([(self.succinct_roles.bin_of(path), True)] if self.succinct_roles else [])


_NAMED = ("keyids", "threshold", "name", "terminating", "paths", "path_hash_prefixes")
_NOT_DELEGATED = frozenset({"", "root", "targets", "snapshot", "timestamp"})


def _is_plain(item: Any) -> bool:
    """Whether it is a delegation by paths in which nothing is wrong, as nearly all are: told in a fraction of the time.

    What it does not take, ``_require_delegated`` judges, which takes all that this takes.
    """
    if type(item) is not dict or not item.keys() >= _PLAIN or "path_hash_prefixes" in item:
        return False
    name, keyids, threshold, paths = item["name"], item["keyids"], item["threshold"], item["paths"]
    return (
        type(name) is str
        and name not in _NOT_DELEGATED
        and type(item["terminating"]) is bool
        and type(threshold) is int
        and 1 <= threshold <= LIMITS.integer_maximum
        and type(keyids) is list
        and type(paths) is list
        and {*map(type, keyids), *map(type, paths)} <= _TEXTS
        and len(set(keyids)) == len(keyids)
    )


_PLAIN = frozenset({"name", "keyids", "threshold", "terminating", "paths"})
_TEXTS = frozenset({str})


def _require_delegated(value: object, source: str, field: str) -> None:
    """MalformedError where ``value`` is no delegation."""
    raw = read_object(value, source, field)
    if read_text(raw.get("name"), source, f"{field}.name") in _NOT_DELEGATED:
        raise MalformedError(source, f"{field}.name", "must not be empty, nor a top-level role")
    if type(raw.get("terminating")) is not bool:
        raise MalformedError(source, f"{field}.terminating", "must be true or false")
    paths, prefixes = raw.get("paths"), raw.get("path_hash_prefixes")
    if (paths is None) == (prefixes is None):
        raise MalformedError(source, field, "must have either paths or path_hash_prefixes")
    read_quorum(raw, source, field)
    if paths is not None:
        read_texts(paths, source, f"{field}.paths")
    else:
        read_texts(prefixes, source, f"{field}.path_hash_prefixes")


def _read_succinct(value: object, source: str, field: str) -> SuccinctRoles:
    raw: JsonObject = read_object(value, source, field)
    bits = read_integer(raw.get("bit_length"), source, f"{field}.bit_length", 1)
    if bits > 32:
        raise MalformedError(source, f"{field}.bit_length", f"must lie in 1..32, is {bits}")
    return SuccinctRoles(
        *read_quorum(raw, source, field, "bit_length", "name_prefix"),
        bits,
        read_text(raw.get("name_prefix"), source, f"{field}.name_prefix"),
    )


def _folder(pattern: str) -> str:
    """The folders that a pattern begins with and names letter by letter: a path that it is for begins with them."""
    literal = pattern
    for letter in "*?[":
        literal = literal.partition(letter)[0]
    return literal[: literal.rfind("/") + 1]


def _matches(path: str, pattern: str) -> bool:
    parts, globs = path.split("/"), pattern.split("/")
    return len(parts) == len(globs) and all(_fits(part, glob) for part, glob in zip(parts, globs, strict=True))


def _fits(part: str, glob: str) -> bool:
    """``fnmatchcase``, which imports ``re``, where the glob is more than a text or ``*``."""
    if glob == "*" or not any(letter in glob for letter in "*?["):
        return glob in {"*", part}
    from fnmatch import fnmatchcase

    return fnmatchcase(part, glob)
