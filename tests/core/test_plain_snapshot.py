"""A snapshot of many roles is read as text, and nothing about it is judged otherwise than by the strict parser."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enigm_testkit.authorities import Cast, make_snapshot, make_timestamp
from enigm_testkit.clauses import refused, sealed, timestamped
from enigm_testkit.quick_reading import PIECES, agreed, edited, every_file_is_a_big_one
from enigm_tuf.errors import MalformedError
from enigm_tuf.model.plain_snapshot import MetaText, PlainSnapshot, read_plain_snapshot
from enigm_tuf.model.strict_json import canonical, encode, sha256
from enigm_tuf.model.tuf import MetaFile, Snapshot
from enigm_tuf.policy.reading import read_signed
from enigm_tuf.trust.metadata import admit_snapshot
from enigm_tuf.trust.verified import read_document, read_snapshot

THREE: dict[str, Any] = {
    "a.json": {"version": 1},
    "b.payload.json": {"version": 17},
    "targets.json": {"version": 999_999_999_999_999},
}


def body(meta: object = THREE, **more: object) -> dict[str, Any]:
    common = {"_type": "snapshot", "expires": "2027-11-23T20:00:00Z", "spec_version": "1.0.31", "version": 3}
    return {**common, "meta": meta, **more}


def file(meta: object = THREE, **more: object) -> bytes:
    """As everybody writes it who leaves out blanks."""
    return encode({"signatures": [{"keyid": "k", "sig": "00"}], "signed": body(meta, **more)})


@pytest.fixture(autouse=True, scope="module")
def every_snapshot_is_a_big_one() -> Iterator[None]:
    with every_file_is_a_big_one():
        yield


def text(data: bytes) -> bool:
    """Whether it is read as text. Either way, what comes of it is what comes of the strict parser."""
    ours = agreed(
        lambda: read_snapshot(data, "f", len(data), sha256(data)),
        lambda: read_document(data, Snapshot, "f", len(data)),
        "meta",
    )
    return isinstance(ours, PlainSnapshot)


def test_plain_versions_stay_text() -> None:
    found = read_plain_snapshot(file(), "f")
    assert found
    meta = found[1].meta
    assert isinstance(meta, MetaText)
    assert text(file())
    assert meta["b.payload.json"] == MetaFile(17)
    assert "a" not in meta
    with pytest.raises(KeyError):
        meta["a"]


@pytest.mark.parametrize("more", [{"x-enigm-tuf": {"issued": "now"}}, {"x-more": [1, {"meta": {}}]}, {"z": ""}])
def test_what_stands_beside_them_is_read_as_ever(more: dict[str, object]) -> None:
    assert text(file(**more))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"a.json":', b'"a.json": '),
        (b"a.json", b"a\\/.json"),
        (b"a.json", b"a\n.json"),
        (b"a.json", "ä.json".encode()),
        (b"a.json", b"b.payload.json"),
        (b"a.json", b"z"),
        (b'"version":17', b'"version":17,"length":1'),
        (b'"version":17', b'"length":1,"version":17'),
        (b'"version":17', b'"version":017'),
        (b'"version":17', b'"version":0'),
        (b'"version":17', b'"version":-1'),
        (b'"version":17', b'"version":1.5'),
        (b'"version":17', b'"version":1234567890123456'),
        (b'"version":17', b'"version":12345678901234567'),
        (b'"version":17', b'"version":"17"'),
        (b'"version":17', b'"version":true'),
        (b'{"version":17}', b"{}"),
        (b'{"version":17}', b"17"),
        (b"17},", b"17}"),
        (b"17},", b"17},,"),
        (b'999}},"spec', b'999},},"spec'),
        (b'"version":3', b'"version":"the members"'),
        (b'"_type":"snapshot"', b'"_type":"snapshot","a":{"meta":{"x":1}}'),
        (b'"meta":{', b'"x":{"meta":{'),
        (b'"version":3', b'"meta":{},"version":3'),
        (b'"_type":"snapshot"', b'"_type":"targets"'),
        (b'"spec_version":"1', b'"spec_version":"2'),
        (b"}}", b"}"),
    ],
)
def test_what_is_not_plain_is_left_to_the_strict_parser(old: bytes, new: bytes) -> None:
    """Each differs in one thing from what stays text."""
    changed = file().replace(old, new, 1)
    assert changed != file()
    assert not text(changed)


def test_no_roles_and_cut_off_files_are_left_to_the_strict_parser() -> None:
    assert not text(file({}))
    assert not any(text(file()[:end]) for end in range(len(file())))


def test_the_size_is_looked_at_before_the_roles() -> None:
    data = file()
    with pytest.raises(MalformedError, match="at most"):
        read_snapshot(data, "f", len(data) - 1, sha256(data))


MORE = [b'"meta":', b'"meta":{"', b'"the members"', b'"version":1', b'"a.json":', b"}}}", b'":{"']


@given(
    meta=st.dictionaries(
        st.text(st.sampled_from("ab/:,{}[]0- " * 4 + '"\\\n\x7fä'), max_size=4),
        st.fixed_dictionaries({"version": st.integers(0, 10**16)}),
        max_size=5,
    ),
    edits=st.lists(
        st.tuples(st.integers(0, 2000), st.integers(0, 9), st.sampled_from([b"", *PIECES, *MORE])), max_size=3
    ),
)
@settings(max_examples=600, deadline=None)
def test_whatever_is_read_as_text_says_what_the_strict_parser_says(
    meta: dict[str, Any], edits: list[tuple[int, int, bytes]]
) -> None:
    text(edited(file(meta), edits))


@pytest.mark.rule("SIGNATURE-THRESHOLD", "accept")
def test_a_big_snapshot_is_verified_over_its_canonical_form() -> None:
    """The file has a blank that the canonical form has not."""
    cast, snapshot = Cast(), make_snapshot({"targets": 1, "phone.payload": 7})
    data = sealed(snapshot.to_dict(), cast.manifest).replace(b'"spec_version":', b'"spec_version": ')
    admitted = admit_snapshot(timestamped(cast, make_timestamp(snapshot.version)), data).snapshot
    assert admitted
    assert isinstance(admitted.value, PlainSnapshot)
    assert admitted.value.meta["phone.payload.json"] == MetaFile(7)


@pytest.mark.rule("SIGNATURE-THRESHOLD", "reject")
def test_a_big_snapshot_with_one_version_changed_is_refused() -> None:
    cast, snapshot = Cast(), make_snapshot({"targets": 1, "phone.payload": 7})
    data = sealed(snapshot.to_dict(), cast.manifest).replace(b'"version":7}', b'"version":8}')
    state = timestamped(cast, make_timestamp(snapshot.version))
    refused("SIGNATURE-THRESHOLD", lambda: admit_snapshot(state, data))


def test_an_authority_reads_the_bytes_under_a_signature_as_text_only_if_they_are_canonical() -> None:
    data = canonical(body())
    assert isinstance(read_signed(data, "f"), PlainSnapshot)
    assert type(read_signed(canonical(body({})), "f")) is Snapshot
    with pytest.raises(MalformedError, match="in canonical form"):
        read_signed(data.replace(b'"spec_version"', b' "spec_version"'), "f")
    with pytest.raises(MalformedError):
        read_signed(data[:-1] + b'},"more":{}', "f")
    with pytest.raises(MalformedError, match="the same key twice"):
        read_signed(data.replace(b'"version":3', b'"version":3,"version":3'), "f")
