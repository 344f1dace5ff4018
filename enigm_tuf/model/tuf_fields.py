"""The fields of TUF metadata that several roles share: texts, integers, times, hashes, keys and roles."""

from __future__ import annotations

from enigm_tuf.errors import MalformedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.lean import Mapping, MappingProxyType, datetime
from enigm_tuf.model.strict_json import JsonObject
from enigm_tuf.model.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KNOWN_SCHEMES = frozenset(
    {
        ("ecdsa", "ecdsa-sha2-nistp256"),
        ("ecdsa", "ecdsa-sha2-nistp384"),
        ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"),  # keytype of older repositories, same algorithm
        ("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"),
        ("ed25519", "ed25519"),
        ("rsa", "rsassa-pss-sha256"),
        ("ml-dsa", "ml-dsa-44/1"),
        ("ml-dsa", "ml-dsa-65/1"),
        ("ml-dsa", "ml-dsa-87/1"),
    }
)
"""(keytype, scheme) that can count. Never PKCS#1 v1.5 or OpenPGP, which securesystemslib would take."""


NOTHING: Mapping[str, Any] = MappingProxyType({})


class Key(Value):
    """A public key (4.2). ``public``: hex for ed25519, PEM SubjectPublicKeyInfo for all others."""

    keyid: str
    keytype: str
    scheme: str
    public: str
    unrecognized_fields: Mapping[str, object] = NOTHING

    def to_dict(self) -> JsonObject:
        """The key object as it stands in metadata; strict clients hash the whole of it into the keyid."""
        own = {"keytype": self.keytype, "scheme": self.scheme, "keyval": {"public": self.public}}
        return {**own, **self.unrecognized_fields}


class Role(Value):
    """Who signs a role, and how many must."""

    keyids: tuple[str, ...]
    threshold: int
    unrecognized_fields: Mapping[str, object]


def member(field: str, name: str) -> str:
    """The name of a member in an error: bounded, since it comes from outside."""
    return f"{field}.{name[:60]}"


def read_object(value: object, source: str, field: str) -> JsonObject:
    if type(value) is not dict:
        raise MalformedError(source, field, _wrong("an object", value))
    return value


def read_text(value: object, source: str, field: str) -> str:
    if type(value) is not str:
        raise MalformedError(source, field, _wrong("a text", value))
    return value


def read_integer(value: object, source: str, field: str, minimum: int) -> int:
    """``true`` is no integer here, whatever Python says."""
    if type(value) is not int:
        raise MalformedError(source, field, _wrong("an integer", value))
    if not minimum <= value <= LIMITS.integer_maximum:
        raise MalformedError(source, field, f"must lie in {minimum}..{LIMITS.integer_maximum}, is {value}")
    return value


def read_texts(value: object, source: str, field: str) -> tuple[str, ...]:
    if type(value) is not list or not all(type(item) is str for item in value):
        raise MalformedError(source, field, "must be a list of texts")
    return tuple(value)


def read_time(value: object, source: str, field: str) -> datetime:
    """``2026-11-23T20:15:00Z`` and nothing else (4.2.1)."""
    text = read_text(value, source, field)
    try:
        # what is given by place: fromisoformat also takes 200000.0 and other forms of ISO 8601 for the time of day
        if len(text) == 20 and (text[4], text[7], text[10], text[13], text[16], text[19]) == tuple("--T::Z"):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise MalformedError(source, field, f"must be a time in UTC such as 2026-11-23T20:15:00Z, is {text[:40]!r}")


def read_hashes(value: object, source: str, field: str) -> Mapping[str, str]:
    hashes = read_object(value, source, field)
    if not hashes or not all(type(digest) is str for digest in hashes.values()):
        raise MalformedError(source, field, "must be an object of texts that is not empty")
    return hashes


def read_keys(value: object, source: str, field: str) -> Mapping[str, Key]:
    """The keys that can count, by keyid."""
    keys: dict[str, Key] = {}
    for keyid, item in read_object(value, source, field).items():
        place = member(field, keyid)
        raw = read_object(item, source, place)
        keytype = read_text(raw.get("keytype"), source, f"{place}.keytype")
        scheme = read_text(raw.get("scheme"), source, f"{place}.scheme")
        keyval = read_object(raw.get("keyval"), source, f"{place}.keyval")
        if (keytype, scheme) in KNOWN_SCHEMES:
            public = read_text(keyval.get("public"), source, f"{place}.keyval.public")
            keys[keyid] = Key(keyid, keytype, scheme, public, others(raw, "keytype", "scheme", "keyval"))
    return keys


def read_role(value: object, source: str, field: str) -> Role:
    raw = read_object(value, source, field)
    return Role(*read_quorum(raw, source, field))


def others(raw: JsonObject, *known: str) -> Mapping[str, object]:
    """The fields that TUF does not name: tolerated, compared, never a reason to trust."""
    return {name: item for name, item in raw.items() if name not in known} or NOTHING


def read_quorum(
    raw: JsonObject, source: str, field: str, *known: str
) -> tuple[tuple[str, ...], int, Mapping[str, object]]:
    """``keyids``, each once, ``threshold``, at least 1, and the fields beside these and ``known``."""
    keyids = read_texts(raw.get("keyids"), source, f"{field}.keyids")
    if len(set(keyids)) != len(keyids):
        raise MalformedError(source, f"{field}.keyids", "no keyid may stand twice")
    threshold = read_integer(raw.get("threshold"), source, f"{field}.threshold", 1)
    return keyids, threshold, others(raw, "keyids", "threshold", *known)


def _wrong(expected: str, value: object) -> str:
    return f"must be {expected}, is {'missing' if value is None else type(value).__name__}"
