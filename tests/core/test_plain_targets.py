"""A big role is read as text, and nothing about it is judged otherwise than by the strict parser."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enigm_testkit.authorities import Cast, keyids, make_targets, signed
from enigm_testkit.clauses import refused, sealed, snapshotted
from enigm_testkit.quick_reading import PIECES, agreed, edited, every_file_is_a_big_one
from enigm_tuf.errors import EnigmTufError, MalformedError
from enigm_tuf.model.plain_targets import PlainTargets, TargetsText, read_plain
from enigm_tuf.model.strict_json import encode, sha256
from enigm_tuf.model.tuf import TargetFile, Targets
from enigm_tuf.trust.metadata import admit_targets
from enigm_tuf.trust.verified import read_document, read_targets

SHA256, SHA512 = "a" * 64, "b" * 128
THREE: dict[str, Any] = {
    "a/1.zip": {"hashes": {"sha256": SHA256, "sha512": SHA512}, "length": 0},
    "a/2.zip": {"hashes": {"sha256": SHA256}, "length": 17},
    "b.zip": {"hashes": {"sha512": SHA512}, "length": 999_999_999_999_999},
}


def file(targets: object = THREE, **more: object) -> bytes:
    """As everybody writes it who leaves out blanks."""
    common = {"_type": "targets", "expires": "2027-11-23T20:00:00Z", "spec_version": "1.0.31", "version": 3}
    body = {**common, "targets": targets, **more}
    return encode({"signatures": [{"keyid": "k", "sig": "00"}], "signed": body})


@pytest.fixture(autouse=True, scope="module")
def every_role_is_a_big_one() -> Iterator[None]:
    with every_file_is_a_big_one():
        yield


def text(data: bytes) -> bool:
    """Whether it is read as text. Either way, what comes of it is what comes of the strict parser."""
    ours = agreed(
        lambda: read_targets(data, "f", len(data), sha256(data)),
        lambda: read_document(data, Targets, "f", len(data)),
        "targets",
        "delegations",
    )
    return isinstance(ours, PlainTargets)


def test_plain_targets_stay_text() -> None:
    found = read_plain(file(), "f")
    assert found
    targets = found[1].targets
    assert isinstance(targets, TargetsText)
    assert text(file())
    assert targets["a/2.zip"] == TargetFile("a/2.zip", 17, {"sha256": SHA256})


@pytest.mark.parametrize(
    "more", [{"delegations": {"keys": {}, "roles": []}}, {"x-more": [1, {"targets": {}}]}, {"z": ""}]
)
def test_what_stands_beside_them_is_read_as_ever(more: dict[str, object]) -> None:
    assert text(file(**more))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"a/1.zip":', b'"a/1.zip": '),
        (b"a/1.zip", b"a\\/1.zip"),
        (b"a/1.zip", b"a\n1.zip"),
        (b"a/1.zip", "ä/1.zip".encode()),
        (b"a/1.zip", b"a/2.zip"),
        (b"a/1.zip", b"z"),
        (b'"length":17', b'"length":17,"custom":{}'),
        (b'"length":17', b'"length":017'),
        (b'"length":17', b'"length":-1'),
        (b'"length":17', b'"length":1.5'),
        (b'"length":17', b'"length":1234567890123456'),
        (b'"length":17', b'"length":"17"'),
        (b'{"sha256":"' + SHA256.encode() + b'"},"length":17', b'{},"length":17'),
        (b'{"sha256":"' + SHA256.encode() + b'"},"length":17', b'{"sha256":17},"length":17'),
        (b'"sha512"', b'"sha3_512"'),
        (b"17},", b"17}"),
        (b"17},", b"17},,"),
        (b'999}},"ver', b'999},},"ver'),
        (b'"version":3', b'"version":"the members"'),
        (b'"_type":"targets"', b'"_type":"targets","a":{"targets":{"x":1}}'),
        (b'"targets":{', b'"x":{"targets":{'),
        (b'"version":3', b'"targets":{},"version":3'),
        (b'"_type":"targets"', b'"_type":"snapshot"'),
        (b'"spec_version":"1', b'"spec_version":"2'),
        (b"}}", b"}"),
    ],
)
def test_what_is_not_plain_is_left_to_the_strict_parser(old: bytes, new: bytes) -> None:
    """Each differs in one thing from what stays text."""
    changed = file().replace(old, new, 1)
    assert changed != file()
    assert not text(changed)


def test_no_targets_and_cut_off_files_are_left_to_the_strict_parser() -> None:
    assert not text(file({}))
    assert not any(text(file()[:end]) for end in range(len(file())))


def test_the_size_is_looked_at_before_the_targets() -> None:
    data = file()
    with pytest.raises(MalformedError, match="at most"):
        read_targets(data, "f", len(data) - 1, sha256(data))


MORE = [
    b'"targets":',
    b'"targets":{"',
    b'"the members"',
    b'"hashes":{',
    b'"length":1',
    b'"a/1.zip":',
    b"}}}",
    b'":{"',
]


@given(
    targets=st.dictionaries(
        st.text(st.sampled_from("ab/:,{}[]0- " * 4 + '"\\\n\x7fä'), max_size=4),
        st.fixed_dictionaries(
            {
                "hashes": st.sampled_from([{"sha256": SHA256}, {"sha256": ":{", "sha512": ","}, {"sha512": ""}]),
                "length": st.integers(0, 10**16),
            }
        ),
        max_size=5,
    ),
    edits=st.lists(
        st.tuples(st.integers(0, 2000), st.integers(0, 9), st.sampled_from([b"", *PIECES, *MORE])), max_size=3
    ),
)
@settings(max_examples=2_000, deadline=None)
def test_whatever_is_read_as_text_says_what_the_strict_parser_says(
    targets: dict[str, Any], edits: list[tuple[int, int, bytes]]
) -> None:
    text(edited(file(targets), edits))


@given(st.lists(st.text(max_size=6), min_size=1, unique=True), st.text(max_size=6))
def test_a_target_is_found_by_its_whole_path_and_by_nothing_else(paths: list[str], other: str) -> None:
    targets = {path: {"hashes": {"sha256": ":{", "sha512": ","}, "length": at} for at, path in enumerate(paths)}
    found = read_plain(file(targets), "f")
    if found is None:
        return
    assert all(found[1].targets[path].length == at for at, path in enumerate(paths))
    assert (other in found[1].targets) == (other in paths)


@pytest.mark.parametrize(
    "path", ['a/1.zip":{"hashes":{"sha256":"x"},"length":1},"b.zip', "", ":", ",", "hashes", "?", "\ud800"]
)
def test_a_path_that_is_not_there_is_not_found(path: str) -> None:
    found = read_plain(file({"?x": THREE["b.zip"], **THREE}), "f")
    assert found
    assert path not in found[1].targets
    with pytest.raises(KeyError):
        found[1].targets[path]


@pytest.mark.rule("SIGNATURE-THRESHOLD", "accept")
def test_a_big_role_is_verified_over_its_canonical_form() -> None:
    """The file has a blank that the canonical form has not."""
    cast = Cast()
    body = make_targets(cast).to_dict() | {"targets": THREE}
    data = sealed(body, cast.manifest).replace(b'"version":1', b'"version": 1')
    admitted = admit_targets(snapshotted(cast), ("targets",), data).targets[("targets",)]
    assert len(admitted.signers) == len(keyids(cast.manifest))
    assert admitted.value.targets["b.zip"].length == 999_999_999_999_999


@pytest.mark.rule("SIGNATURE-THRESHOLD", "reject")
def test_a_big_role_with_one_target_changed_is_refused() -> None:
    cast = Cast()
    data = sealed(make_targets(cast).to_dict() | {"targets": THREE}, cast.manifest).replace(b":17}", b":18}")
    refused("SIGNATURE-THRESHOLD", lambda: admit_targets(snapshotted(cast), ("targets",), data))


def test_a_big_role_that_is_cut_off_is_refused_as_any_other() -> None:
    cast = Cast()
    data = signed(make_targets(cast), cast.manifest)
    with pytest.raises(EnigmTufError, match="is the file cut off"):
        admit_targets(snapshotted(cast), ("targets",), data[:-1])


def test_the_file_of_these_tests_is_what_json_says_it_is() -> None:
    assert json.loads(file())["signed"]["targets"] == THREE
