"""Our reading against python-tuf's, on documents that nobody chose. Differences are listed with their reasons."""

import copy
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tuf.api import metadata as oracle

from enigm_testkit.authorities import (
    Cast,
    make_root,
    make_snapshot,
    make_targets,
    make_timestamp,
)
from enigm_tuf.errors import MalformedError
from enigm_tuf.model import tuf
from enigm_tuf.model.tuf_fields import KNOWN_SCHEMES, Key

KINDS: dict[str, tuple[type[tuf.Signed], type[oracle.Signed]]] = {
    "root": (tuf.Root, oracle.Root),
    "timestamp": (tuf.Timestamp, oracle.Timestamp),
    "snapshot": (tuf.Snapshot, oracle.Snapshot),
    "targets": (tuf.Targets, oracle.Targets),
}
STRICTER = {
    r"must be an integer, is bool$": "a boolean is no integer, whatever Python says",
    r"signed\.targets\..* must have a length and hashes$": "the same, of a target's length",
    r"signed\.(version|spec_version): .* is missing$": "null is not the number or text that 4.3 demands",
    r"(consistent_snapshot|terminating): must be true or false$": 'the text "false" would count as true',
    r"(keyids|paths|path_hash_prefixes): must be a list of texts$": "a text would count as a list of its letters",
    r"roles\[\d\]\.name: must be a text, is (bool|int)$": "a number names no file",
    r"delegations\.roles: must be a list$": "an empty object has no order of appearance",
    r"signed\.expires: must be a time": "4.2.1 has one shape; strptime takes 2027-1-3, and digits of any script",
    r"signed\.spec_version: must be 1\.x\.y": "str.isdigit takes digits above the line, which make no number",
}
"""What we refuse and python-tuf takes, by our message."""
LOOSER = {
    r"^ValueError: Unsupported public key": "a key of tomorrow stops nobody: it never counts",
    r"^AttributeError: 'NoneType' object has no attribute 'pop'$": "delegations that are null delegate nothing",
}
"""What we take and python-tuf refuses, by its message."""


def whole(role: str) -> dict[str, Any]:
    """A document with every field that TUF names."""
    cast = Cast()
    timestamp, targets = make_timestamp(), make_targets(cast)
    timestamp.snapshot_meta = oracle.MetaFile.from_data(1, b"snapshot", ["sha256", "sha512"])
    targets.targets = {"a/b": oracle.TargetFile.from_data("a/b", b"target")}
    snapshot = make_snapshot({"targets": 1, "a": 2})
    snapshot.meta["a.json"].length = 7
    values = {"root": make_root(cast), "timestamp": timestamp, "snapshot": snapshot, "targets": targets}
    body: dict[str, Any] = values[role].to_dict()
    body.pop("x-enigm-tuf", None)
    return body


WHOLE = {role: whole(role) for role in KINDS}
BINS = copy.deepcopy(WHOLE["targets"])
BINS["delegations"] = {
    "keys": BINS["delegations"]["keys"],
    "succinct_roles": {
        "keyids": list(BINS["delegations"]["keys"])[:2],
        "threshold": 1,
        "bit_length": 4,
        "name_prefix": "b",
    },
}
WORDS = st.sampled_from(
    [
        "",
        "root",
        "targets",
        "snapshot.json",
        "1.0",
        "2.0.0",
        "1",
        "1.0.x",
        "ed25519",
        "ecdsa",
        "rsa",
        "ml-dsa",
        "ecdsa-sha2-nistp256",
        "ml-dsa-65/1",
        "*",
        "2027-11-23T20:00:00Z",
        "2027-11-23T20:00Z",
        "2027-1-3T20:00:00Z",
    ]
)
SIMPLE = st.none() | st.booleans() | st.integers(-2, 40) | st.just(2**53 - 1) | WORDS | st.text(max_size=3)
VALUES = SIMPLE | st.lists(SIMPLE, max_size=2) | st.dictionaries(WORDS, SIMPLE, max_size=2)


@st.composite
def broken(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A whole document in which up to three fields were changed, taken away or added."""
    role = draw(st.sampled_from(list(KINDS)))
    body = copy.deepcopy(draw(st.sampled_from([WHOLE["targets"], BINS]) if role == "targets" else st.just(WHOLE[role])))
    for _ in range(draw(st.integers(0, 3))):
        inner: Any = body
        while True:
            if not isinstance(inner, dict | list) or not inner:
                break
            place = draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else list(range(len(inner)))))
            if isinstance(inner[place], dict | list) and inner[place] and draw(st.integers(0, 4)):
                inner = inner[place]
                continue
            if place == "_type":
                break
            match draw(st.sampled_from(["change", "change", "take", "add"])):
                case "change":
                    inner[place] = draw(VALUES)
                case "take":
                    del inner[place]
                case _ if isinstance(inner, dict):
                    inner[draw(WORDS)] = draw(VALUES)
                case _:
                    inner.append(draw(VALUES))
            break
    return role, body


def ours(role: str, body: dict[str, Any]) -> tuf.Signed | str:
    try:
        return KINDS[role][0].read(copy.deepcopy(body), "f")
    except MalformedError as error:
        return str(error)


def theirs(role: str, body: dict[str, Any]) -> oracle.Signed | str:
    """Whatever python-tuf raises while it reads is a refusal to it."""
    try:
        return KINDS[role][1].from_dict(copy.deepcopy(body))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return f"{type(error).__name__}: {error}"


def reviewed(differences: dict[str, str], message: str) -> bool:
    return any(re.search(pattern, message) for pattern in differences)


@settings(max_examples=1500)
@given(broken())
def test_we_read_what_python_tuf_reads_but_for_reviewed_differences(document: tuple[str, dict[str, Any]]) -> None:
    """4.3 to 4.6. Where both read it, both understand the same."""
    role, body = document
    mine, other = ours(role, body), theirs(role, body)
    if isinstance(mine, str) and isinstance(other, str):
        return
    if isinstance(mine, str):
        assert reviewed(STRICTER, mine)
    elif isinstance(other, str):
        assert reviewed(LOOSER, other)
    else:
        assert (mine.version, mine.expires, mine.spec_version) == (other.version, other.expires, other.spec_version)
        assert understood(mine) == understood(other)


@pytest.mark.parametrize(
    ("role", "change", "differences"),
    [
        ("root", {"version": True}, STRICTER),
        ("root", {"version": None}, STRICTER),
        ("root", {"consistent_snapshot": "false"}, STRICTER),
        ("root", {"spec_version": "1.\u00b2"}, STRICTER),
        ("targets", {"expires": "2027-1-3T20:00:00Z"}, STRICTER),
        ("targets", {"targets": {"f": {"length": True, "hashes": {"sha256": ""}}}}, STRICTER),
        ("targets", {"delegations": {"keys": {}, "roles": {}}}, STRICTER),
        (
            "targets",
            {"delegations": {"keys": {}, "roles": [WHOLE["targets"]["delegations"]["roles"][0] | {"name": 1}]}},
            STRICTER,
        ),
        (
            "targets",
            {"delegations": {"keys": {}, "succinct_roles": BINS["delegations"]["succinct_roles"] | {"keyids": "ab"}}},
            STRICTER,
        ),
        ("targets", {"delegations": None}, LOOSER),
        ("root", {"keys": {"k": {"keytype": "new", "scheme": "new", "keyval": {"public": ""}}}}, LOOSER),
    ],
)
def test_every_reviewed_difference_is_one(role: str, change: dict[str, Any], differences: dict[str, str]) -> None:
    """A difference that is gone leaves the list."""
    mine, other = ours(role, WHOLE[role] | change), theirs(role, WHOLE[role] | change)
    refusal, taken = (mine, other) if differences is STRICTER else (other, mine)
    assert isinstance(refusal, str)
    assert reviewed(differences, refusal)
    assert not isinstance(taken, str)


def understood(value: Any) -> Any:
    """What either implementation made of a document, in common terms; keys are those that ours knows."""
    if isinstance(value, tuf.Root | oracle.Root):
        roles = {name: quorum(role) for name, role in value.roles.items()}
        return roles, bool(value.consistent_snapshot), keys(value.keys)
    if isinstance(value, tuf.Timestamp | oracle.Timestamp):
        return meta(value.snapshot_meta)
    if isinstance(value, tuf.Snapshot | oracle.Snapshot):
        return {name: meta(item) for name, item in value.meta.items()}
    targets = {path: (item.length, item.hashes) for path, item in value.targets.items()}
    if value.delegations is None:
        return targets, None
    given = value.delegations
    named = None if given.roles is None else [delegated(role) for role in given.roles.values()]
    bins = given.succinct_roles
    return targets, keys(given.keys), named, bins and (quorum(bins), bins.bit_length, bins.name_prefix)


def quorum(role: Any) -> Any:
    return list(role.keyids), role.threshold


def delegated(role: Any) -> Any:
    patterns = [None if given is None else list(given) for given in (role.paths, role.path_hash_prefixes)]
    return role.name, quorum(role), role.terminating, patterns


def keys(given: Any) -> Any:
    pairs = {keyid: (key.keytype, key.scheme) for keyid, key in given.items()}
    return {keyid: (pair, public(given[keyid])) for keyid, pair in pairs.items() if pair in KNOWN_SCHEMES}


def public(key: Any) -> Any:
    return key.public if isinstance(key, Key) else key.keyval["public"]


def meta(item: Any) -> Any:
    return item.version, item.length, item.hashes
