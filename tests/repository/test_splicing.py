"""What is put into the text of a big role or snapshot gives what building it anew would give, byte for byte."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enigm_tuf.model.plain_snapshot import PlainSnapshot
from enigm_tuf.model.plain_targets import PlainTargets, read_plain
from enigm_tuf.model.strict_json import canonical, encode, sha256
from enigm_tuf.model.tuf import Snapshot, TargetFile, Targets
from enigm_tuf.trust.verified import Readings, read_document
from enigm_tuf_repository import splicing
from enigm_tuf_repository.lineage import metadata_file
from enigm_tuf_repository.role_building import target_object, with_targets, with_versions

EXPIRES = datetime(2027, 11, 23, 20, tzinfo=UTC)
PATHS = st.lists(
    st.sampled_from(["a", "b", "length", "hashes", "targets", "{", "}", ",", ":", "[", "]", "0", "sha256", " ", "~"]),
    min_size=1,
    max_size=5,
).map("".join)
HASHES = st.dictionaries(st.sampled_from(["sha256", "sha512"]), st.sampled_from(["00", "ff" * 32]), min_size=1)
PLAIN = st.dictionaries(PATHS, st.tuples(st.integers(0, 10**15 - 1), HASHES), min_size=1, max_size=30)
ODD = st.dictionaries(
    st.sampled_from(["ä", 'q"', "b\\", "n\n", "a"]), st.tuples(st.integers(0, 10**15), HASHES), max_size=2
)


def files(listed: dict[str, Any]) -> dict[str, TargetFile]:
    return {path: TargetFile(path, length, hashes) for path, (length, hashes) in listed.items()}


def role(listed: dict[str, Any]) -> PlainTargets:
    """As it is read from a file."""
    targets = {path: target_object(target) for path, target in files(listed).items()}
    signed = {"_type": "targets", "expires": "2027-01-01T00:00:00Z", "spec_version": "1.0.31", "version": 7}
    found = read_plain(encode({"signatures": [], "signed": {**signed, "targets": targets}}), "role")
    assert found
    return found[1]


def built(before: PlainTargets, new: dict[str, TargetFile], without: set[str]) -> Targets:
    """The slow way."""
    kept = {target.path: target_object(target) for target in before.targets.values() if target.path not in without}
    whole = kept | {path: target_object(target) for path, target in new.items()}
    signed = {"_type": "targets", "spec_version": "1.0.33", "version": before.version + 1}
    return Targets.read({**signed, "expires": "2027-11-23T20:00:00Z", "targets": whole}, "role")


@pytest.mark.parametrize("window", [1, 64, 4_096])
@settings(max_examples=150)
@given(listed=PLAIN, new=PLAIN, odd=ODD, without=st.sets(PATHS, max_size=1))
def test_a_spliced_role_is_the_role_built_anew(
    window: int, listed: dict[str, Any], new: dict[str, Any], odd: dict[str, Any], without: set[str]
) -> None:
    before, added = role(listed), files(new | odd)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splicing, "_WINDOW", window)
        made = with_targets(before, added, EXPIRES, without)
    expected = built(before, added, without)
    assert made.canonical() == expected.canonical()
    assert (made.version, made.expires, dict(made.targets)) == (8, EXPIRES, dict(expected.targets))


def test_a_plain_target_more_leaves_the_role_text() -> None:
    before = role({f"{number:03}": (number, {"sha256": "00"}) for number in range(200)})
    made = with_targets(before, files({"1005": (1, {"sha256": "ff"})}), EXPIRES)
    assert isinstance(made, PlainTargets)
    assert list(made.targets) == sorted([*before.targets, "1005"])
    with_custom = TargetFile("x", 1, {"sha256": "ff"}, {"custom": {"a": 1}})
    assert not isinstance(with_targets(before, {"x": with_custom}, EXPIRES), PlainTargets)


@settings(max_examples=150)
@given(listed=PLAIN | ODD, signatures=st.dictionaries(st.sampled_from(["k", "l"]), st.sampled_from(["00", "ff"])))
def test_a_file_put_together_is_the_file_encoded(listed: dict[str, Any], signatures: dict[str, str]) -> None:
    targets = {path: target_object(target) for path, target in files(listed).items()}
    signed = {"_type": "targets", "expires": "2027-01-01T00:00:00Z", "spec_version": "1.0.31", "targets": targets}
    data = canonical({**signed, "version": 7})
    each = [{"keyid": keyid, "sig": signature} for keyid, signature in sorted(signatures.items())]
    assert metadata_file(data, signatures) == encode({"signatures": each, "signed": {**signed, "version": 7}})


@pytest.mark.parametrize("change", [(b'"version":7', b'"version": 7'), (b"}", b'},"x":1'), (b"7}", b'7,"a":1}')])
def test_bytes_that_are_no_canonical_form_make_no_plain_file(change: tuple[bytes, bytes]) -> None:
    data = canonical(
        {**role({"a": (1, {"sha256": "00"})}).raw, "targets": {"a": {"hashes": {"sha256": "00"}, "length": 1}}}
    )
    assert splicing.plain_file(data, [])
    assert splicing.plain_file(data.replace(*change), []) is None


NAMES = PATHS | st.sampled_from(["version", 'q"', "b\\", "ä", "n\n"])
VERSIONS = st.dictionaries(NAMES, st.integers(1, 10**15), min_size=1, max_size=30)


@pytest.mark.parametrize("window", [1, 64, 4_096])
@settings(max_examples=150)
@given(listed=VERSIONS, new=VERSIONS)
def test_a_spliced_snapshot_is_the_snapshot_built_anew(
    window: int, listed: dict[str, int], new: dict[str, int]
) -> None:
    meta = {f"{name}.json": {"version": version} for name, version in listed.items()}
    signed = {"_type": "snapshot", "expires": "2027-01-01T00:00:00Z", "spec_version": "1.0.31", "version": 7}
    data = encode({"signatures": [], "signed": {**signed, "meta": meta}})
    strict = read_document(data, Snapshot, "snapshot", len(data)).value
    expected = with_versions(strict, new, EXPIRES, EXPIRES)
    before = Readings().snapshot(data, "snapshot", len(data), sha256(data)).value
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splicing, "_WINDOW", window)
        made = with_versions(before, new, EXPIRES, EXPIRES)
    assert made.canonical() == expected.canonical()
    assert (made.version, made.expires, dict(made.meta)) == (8, EXPIRES, dict(expected.meta))
    each = [{"keyid": "k", "sig": "00"}]
    whole = {"signatures": each, "signed": expected.raw}
    assert metadata_file(made.canonical(), {"k": "00"}) == encode(whole)


def test_a_version_more_leaves_the_snapshot_text() -> None:
    meta = {f"{number:03}.json": {"version": number} for number in range(1, 200)}
    signed = {"_type": "snapshot", "expires": "2027-01-01T00:00:00Z", "spec_version": "1.0.31", "version": 7}
    data = encode({"signatures": [], "signed": {**signed, "meta": meta}})
    before = Readings().snapshot(data, "snapshot", len(data), sha256(data)).value
    made = with_versions(before, {"100": 1_000, "targets": 2}, EXPIRES, EXPIRES)
    assert isinstance(made, PlainSnapshot)
    assert made.meta["100.json"].version == 1_000
    assert list(made.meta) == [*before.meta, "targets.json"]
    assert not isinstance(with_versions(before, {"ä": 1}, EXPIRES, EXPIRES), PlainSnapshot)


def test_all_targets_of_a_role_are_listed_in_one_pass() -> None:
    before = role({f"{number:03}": (number, {"sha256": "00"}) for number in range(200)})
    each = [before.targets[path] for path in before.targets]
    assert list(before.targets.values()) == each
    assert list(before.targets.items()) == [(target.path, target) for target in each]
    assert len(before.targets.items()) == len(before.targets.values()) == 200
    assert ("007", each[7]) in before.targets.items()
