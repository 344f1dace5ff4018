"""Thousands of delegations are looked at quickly, and none is judged otherwise than if it stood alone."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tuf.api.metadata import DelegatedRole

from enigm_testkit.authorities import (
    NOW,
    Cast,
    make_root,
    make_snapshot,
    make_targets,
    make_timestamp,
    product_role,
    product_roles,
    signed,
)
from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf.model import delegations
from enigm_tuf.model.delegations import Delegations
from enigm_tuf.model.tuf import MetaFile, Snapshot
from enigm_tuf.trust.authority_admission import AuthorityAdmission
from enigm_tuf.trust.metadata import admit_snapshot, admit_targets, admit_timestamp, trust_root

ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, False, 0, 1, 2, -1, 2**53 - 1, 2**53, "", "a", "root", [], ["a"], ["a", "b"], ["a", "a"], [1], {}]
)
FIELDS = ("name", "keyids", "threshold", "terminating", "paths", "path_hash_prefixes", "x-ours")
PLAIN = {"name": "a", "keyids": ["k"], "threshold": 1, "terminating": True, "paths": ["a/*"]}


@settings(max_examples=600)
@given(changes=st.dictionaries(st.sampled_from(FIELDS), ODD, max_size=3), gone=st.sets(st.sampled_from(FIELDS[:5])))
def test_what_is_taken_quickly_would_be_taken_slowly(changes: dict[str, Any], gone: set[str]) -> None:
    item = {name: value for name, value in (PLAIN | changes).items() if name in changes or name not in gone}
    if delegations._is_plain(item):
        delegations._require_delegated(item, "targets", "roles[0]")  # raises nothing


@pytest.mark.parametrize("item", [None, 1, "a", [], ["name"]])
def test_what_is_no_object_is_not_taken_quickly(item: object) -> None:
    assert not delegations._is_plain(item)
    with pytest.raises(MalformedError):
        Delegations.read({"keys": {}, "roles": [item]}, "targets", "delegations")


def test_values_hold_all_that_stands_in_the_file() -> None:
    item = PLAIN | {"keyids": ["k", "l"], "threshold": 2, "x-ours": 7}
    read = Delegations.read({"keys": {}, "roles": [PLAIN | {"name": "b"}, item]}, "targets", "delegations")
    assert read.roles is not None
    assert list(read.roles) == ["b", "a"]
    role = read.roles["a"]
    assert (role.name, role.keyids, role.threshold, role.terminating) == ("a", ("k", "l"), 2, True)
    assert (role.paths, role.path_hash_prefixes, dict(role.unrecognized_fields)) == (("a/*",), None, {"x-ours": 7})
    assert read.roles == dict(read.roles)
    assert "c" not in read.roles


SEGMENT = st.sampled_from(["a", "b", "*", "?", "[ab]", "a*", "[", "", "**", "a[", "ä"])
PATTERNS = st.lists(st.lists(SEGMENT, min_size=1, max_size=3).map("/".join), max_size=2)
PATHS = st.lists(st.sampled_from(["a", "b", "ab", "", "*", "[", "a[", "ä"]), min_size=1, max_size=3).map("/".join)


@settings(max_examples=600)
@given(patterns=st.lists(PATTERNS, max_size=6), path=PATHS)
def test_the_index_finds_the_roles_that_a_look_at_each_would_find_in_order(
    patterns: list[list[str]], path: str
) -> None:
    listed = [PLAIN | {"name": str(number), "paths": each} for number, each in enumerate(patterns)]
    listed.append({**{key: PLAIN[key] for key in ("keyids", "threshold", "terminating")}, "name": "hashed"})
    listed[-1]["path_hash_prefixes"] = [""]
    read = Delegations.read({"keys": {}, "roles": listed}, "targets", "delegations")
    assert read.roles is not None
    each = [(role.name, role.terminating) for role in read.roles.values() if role.is_for(path)]
    assert list(read.roles_for(path)) == each
    assert each[-1] == ("hashed", True)


def refused(cast: Cast, *roles: DelegatedRole) -> str:
    """The rule that refuses these beside those of product ``phone``, which are asked first."""
    targets = make_targets(cast, product_roles(cast) | {role.name: role for role in roles})
    state = trust_root(signed(make_root(cast), cast.root), NOW, AuthorityAdmission("staging"))
    state = admit_timestamp(state, signed(make_timestamp(), cast.timestamp))
    state = admit_snapshot(state, signed(make_snapshot({"targets": 1}), cast.manifest))
    with pytest.raises(RefusedError, match=roles[-1].name) as caught:
        admit_targets(state, ("targets",), signed(targets, cast.manifest))
    return caught.value.rule


def test_keys_that_passed_for_one_role_are_asked_again_for_another_kind_of_role() -> None:
    cast = Cast()
    manifest = product_role("tablet.manifest", ["manifests/tablet/*"], cast.payload, 2)
    assert refused(cast, manifest) == "AUTHORITY-ROLES"
    payload = product_role("tablet.payload", ["payloads/tablet/*/*"], cast.manifest, 1)
    assert refused(cast, payload) == "PAYLOAD-PINNED"


@pytest.mark.parametrize(("threshold", "rule"), [(1, "PAYLOAD-PINNED"), (3, "THRESHOLD-DISTINCT")])
def test_keys_that_passed_with_one_threshold_are_asked_again_with_another(threshold: int, rule: str) -> None:
    cast = Cast()
    good = product_role("tablet.payload", ["payloads/tablet/*/*"], cast.payload, 2)
    bad = product_role("watch.payload", ["payloads/watch/*/*"], cast.payload, threshold)
    assert refused(cast, good, bad) == rule


def test_keys_are_asked_although_as_many_others_passed_for_that_kind_of_role() -> None:
    cast = Cast()
    bad = product_role("watch.payload", ["payloads/watch/*/*"], [cast.payload[0], cast.manifest[0]], 2)
    assert refused(cast, bad) == "PAYLOAD-PINNED"


def test_the_paths_of_each_role_are_asked_whatever_its_keys() -> None:
    cast = Cast()
    bad = product_role("watch.payload", ["payloads/phone/*/*"], cast.payload, 2)
    assert refused(cast, bad) == "AUTHORITY-ROLES"


@pytest.mark.parametrize("version", [0, -1, 2**53, True, "1", None])
def test_a_version_alone_is_an_integer_from_1_on(version: object) -> None:
    signed = {"spec_version": "1.0.31", "version": 1, "expires": "2027-11-23T20:00:00Z"}
    with pytest.raises(MalformedError, match=r"signed\.meta\.a\.json"):
        Snapshot.read({**signed, "meta": {"b.json": {"version": 1}, "a.json": {"version": version}}}, "snapshot")


def test_versions_alone_are_told_apart_however_many_there_are() -> None:
    signed = {"spec_version": "1.0.31", "version": 1, "expires": "2027-11-23T20:00:00Z"}
    meta = {f"{number}.json": {"version": number} for number in range(1, 3_000)}
    meta["more.json"] = {"version": 7, "length": 1}
    read = Snapshot.read({**signed, "meta": meta}, "snapshot")
    assert all(read.meta[f"{number}.json"] == MetaFile(number) for number in range(1, 3_000))
    assert read.meta["more.json"] == MetaFile(7, 1)
