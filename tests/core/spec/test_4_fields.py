"""Every field of every role, wrong in one thing (TUF 1.0.34, 4.3 to 4.6)."""

from typing import Any

import pytest
from tuf.api.metadata import (
    MetaFile,
    TargetFile,
)

from enigm_testkit.authorities import Cast, make_root, make_snapshot, make_targets, make_timestamp
from enigm_tuf.errors import MalformedError
from enigm_tuf.model import tuf

GONE = object()
KINDS: dict[str, type[tuf.Signed]] = {
    "root": tuf.Root,
    "timestamp": tuf.Timestamp,
    "snapshot": tuf.Snapshot,
    "targets": tuf.Targets,
}


def good(role: str) -> dict[str, Any]:
    """What tuf.api writes, with every optional field."""
    cast = Cast()
    snapshot, timestamp = make_snapshot({"targets": 1}), make_timestamp()
    timestamp.snapshot_meta = MetaFile.from_data(1, b"snapshot", ["sha256"])
    targets = make_targets(cast)
    targets.targets = {"f": TargetFile.from_data("f", b"target")}
    values = {"root": make_root(cast), "timestamp": timestamp, "snapshot": snapshot, "targets": targets}
    written: dict[str, Any] = values[role].to_dict()
    return written


def changed(role: str, place: str, value: Any) -> dict[str, Any]:
    """``place`` names members from the outside in, with dots for ``.``; ``*`` is the first one."""
    body = good(role)
    inner: Any = body
    *outer, last = place.split("/")
    for name in outer:
        inner = inner[0] if isinstance(inner, list) else inner[next(iter(inner)) if name == "*" else name]
    if value is GONE:
        del inner[last]
    else:
        inner[last] = value
    return body


NO_INTEGERS = [True, False, 1.0, "1", None, [], {}, -1, 2**53]
NO_POSITIVES = [*NO_INTEGERS, 0, GONE]
NO_TEXTS = [1, True, None, [], {}, GONE]
NO_OBJECTS = [1, "x", [], None, True, GONE]
NO_HASHES = [{}, [], "x", 1, {"sha256": 1}, {"sha256": None}, {"sha256": ["x"]}]
STRICT: list[tuple[str, str, list[Any]]] = [
    *[(role, "version", NO_POSITIVES) for role in KINDS],
    *[
        (role, "spec_version", [*NO_TEXTS, "", "1", "2.0.0", "0.9.0", "1.0.0.0", "1.x", "1.0.-1", "01.0", " 1.0"])
        for role in KINDS
    ],
    *[(role, "expires", NO_TEXTS) for role in KINDS],
    ("root", "consistent_snapshot", [0, 1, "true", [], None]),
    ("root", "keys", NO_OBJECTS),
    ("root", "keys/*", NO_OBJECTS[:-1]),
    ("root", "keys/*/keytype", NO_TEXTS),
    ("root", "keys/*/scheme", NO_TEXTS),
    ("root", "keys/*/keyval", NO_OBJECTS),
    ("root", "keys/*/keyval/public", NO_TEXTS),
    ("root", "roles", NO_OBJECTS),
    *[("root", f"roles/{role}", NO_OBJECTS) for role in KINDS],
    ("root", "roles/mirrors", [{"keyids": [], "threshold": 1}]),
    ("root", "roles/root/threshold", NO_POSITIVES),
    ("root", "roles/root/keyids", ["x", {}, None, [1], ["x", "x"], GONE]),
    ("timestamp", "meta", [*NO_OBJECTS, {}]),
    ("timestamp", "meta/snapshot.json", NO_OBJECTS),
    ("timestamp", "meta/snapshot.json/version", NO_POSITIVES),
    ("timestamp", "meta/snapshot.json/length", [value for value in NO_INTEGERS if value is not None]),
    ("timestamp", "meta/snapshot.json/hashes", NO_HASHES),
    ("snapshot", "meta", NO_OBJECTS),
    ("snapshot", "meta/targets.json", NO_OBJECTS[:-1]),
    ("snapshot", "meta/targets.json/version", NO_POSITIVES),
    ("targets", "targets", NO_OBJECTS),
    ("targets", "targets/f", NO_OBJECTS[:-1]),
    ("targets", "targets/f/length", [*NO_INTEGERS[:-1], GONE]),
    ("targets", "targets/f/hashes", [*NO_HASHES, None, GONE]),
    ("targets", "delegations", [1, "x", [], True]),
    ("targets", "delegations/keys", NO_OBJECTS),
    ("targets", "delegations/roles", [1, "x", {}, None, GONE]),
    ("targets", "delegations/succinct_roles", [{"keyids": [], "threshold": 1, "bit_length": 1, "name_prefix": "x"}]),
    ("targets", "delegations/roles/0/name", [*NO_TEXTS, "", *KINDS, "phone.payload"]),
    ("targets", "delegations/roles/0/terminating", [0, 1, "true", None, GONE]),
    ("targets", "delegations/roles/0/threshold", NO_POSITIVES),
    ("targets", "delegations/roles/0/keyids", ["x", None, [1], ["x", "x"], GONE]),
    ("targets", "delegations/roles/0/paths", ["x", {}, None, [1], [None], GONE]),
    ("targets", "delegations/roles/0/path_hash_prefixes", [[], ["00"]]),
]


@pytest.mark.parametrize(
    ("role", "place", "value"), [(role, place, value) for role, place, values in STRICT for value in values]
)
def test_a_document_that_is_wrong_in_one_field_is_malformed(role: str, place: str, value: Any) -> None:
    """4.3 to 4.6: and nothing else than MalformedError is raised, which names a field."""
    assert KINDS[role].read(good(role), "f").version == 1
    with pytest.raises(MalformedError, match=r"^f: signed\."):
        KINDS[role].read(changed(role, place, value), "f")


@pytest.mark.parametrize(
    ("role", "place"),
    [
        *[(role, "x-ours") for role in KINDS],
        ("root", "keys/*/x-ours"),
        ("root", "keys/*/keyval/x-ours"),
        ("root", "roles/root/x-ours"),
        ("timestamp", "meta/x-ours.json"),
        ("timestamp", "meta/snapshot.json/x-ours"),
        ("snapshot", "meta/targets.json/x-ours"),
        ("targets", "targets/f/custom"),
        ("targets", "delegations/x-ours"),
        ("targets", "delegations/roles/0/x-ours"),
    ],
)
@pytest.mark.parametrize("value", [None, True, "x", 1, [], {"deep": [1]}])
def test_a_field_that_nobody_knows_is_tolerated(role: str, place: str, value: Any) -> None:
    """4: implementers may add what they like."""
    assert KINDS[role].read(changed(role, place, value), "f").version == 1


@pytest.mark.parametrize(
    ("role", "place", "value"),
    [
        ("root", "consistent_snapshot", GONE),
        ("timestamp", "meta/snapshot.json/length", GONE),
        ("timestamp", "meta/snapshot.json/hashes", GONE),
        ("timestamp", "meta/snapshot.json/length", 0),
        ("snapshot", "meta", {}),
        ("targets", "targets", {}),
        ("targets", "targets/f/length", 0),
        ("targets", "targets/", {"length": 1, "hashes": {"x": ""}}),
        ("targets", "delegations", GONE),
        ("targets", "delegations/roles", []),
        ("targets", "delegations/roles/0/paths", []),
        ("targets", "delegations/roles/0/keyids", []),
        *[(role, "spec_version", text) for role in KINDS for text in ("1.0", "1.0.0", "1.0.34", "1.99.0")],
        *[(role, "version", 2**53 - 1) for role in KINDS],
    ],
)
def test_what_is_empty_absent_or_at_its_bound_is_no_error_where_the_format_allows_it(
    role: str, place: str, value: Any
) -> None:
    """4.3 to 4.6."""
    assert KINDS[role].read(changed(role, place, value), "f").type == role
