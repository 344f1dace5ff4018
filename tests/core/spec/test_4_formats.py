"""Document formats (TUF 1.0.34, 4)."""

import json
from functools import partial
from typing import Any

import pytest

from enigm_testkit.authorities import NOW, Cast, make_root, make_timestamp, signed
from enigm_testkit.clauses import refused, rooted, sealed, snapshotted
from enigm_testkit.plain import PlainTuf
from enigm_tuf.errors import MalformedError
from enigm_tuf.model.strict_json import canonical, encode, parse
from enigm_tuf.trust.metadata import (
    TrustedMetadata,
    admit_root,
    admit_snapshot,
    admit_targets,
    admit_timestamp,
    trust_root,
)


def root_with(field: str, value: Any) -> bytes:
    """A root signed over exactly what it says."""
    cast = Cast()
    signed = make_root(cast).to_dict()
    place = signed["roles"]["targets"] if field in {"threshold", "keyids"} else signed
    place[field] = value
    made = [signer.sign(canonical(signed)) for signer in cast.root]
    return encode({"signed": signed, "signatures": [{"keyid": one.keyid, "sig": one.signature} for one in made]})


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("version", 1, True),
        ("threshold", 1, True),
        ("consistent_snapshot", True, 1),
        ("expires", "2027-11-23T20:00:00Z", 20271123),
    ],
)
def test_a_field_of_another_type_is_malformed(field: str, good: Any, bad: Any) -> None:
    assert trust_root(root_with(field, good), NOW, PlainTuf()).root.value.version == 1
    with pytest.raises(MalformedError, match=rf"{field}: must be"):
        trust_root(root_with(field, bad), NOW, PlainTuf())


def with_signatures(signatures: Any) -> bytes:
    """A timestamp with right contents."""
    envelope = parse(signed(make_timestamp(), []), source="timestamp")
    return encode(envelope | {"signatures": signatures} if signatures is not None else {"signed": envelope["signed"]})


def right(cast: Cast) -> dict[str, str]:
    one: dict[str, str] = parse(signed(make_timestamp(), cast.timestamp), source="timestamp")["signatures"][0]
    return one


@pytest.mark.parametrize(
    "bad",
    [
        None,
        {},
        "x",
        1,
        ["x"],
        [1],
        [None],
        [[]],
        [{}],
        [{"keyid": "x"}],
        [{"sig": "x"}],
        [{"keyid": 1, "sig": "x"}],
        [{"keyid": "x", "sig": 1}],
        [{"keyid": "x", "sig": None}],
    ],
)
def test_a_list_of_signatures_that_is_none_is_malformed(cast: Cast, bad: Any) -> None:
    """4.2: also where a right signature stands beside the wrong one."""
    assert admit_timestamp(rooted(cast), with_signatures([right(cast)])).timestamp
    beside = [right(cast), *bad] if isinstance(bad, list) else bad
    for signatures in (bad, beside):
        with pytest.raises(MalformedError, match="signatures"):
            admit_timestamp(rooted(cast), with_signatures(signatures))


def test_signatures_of_strangers_neither_count_nor_disturb(cast: Cast) -> None:
    """4.2, 5.4.2: nor does an empty list say anything."""
    stranger = {"keyid": "0" * 64, "sig": "not hex at all"}
    assert admit_timestamp(rooted(cast), with_signatures([stranger, right(cast) | {"more": 1}])).timestamp
    for signatures in ([], [stranger]):
        refused("SIGNATURE-THRESHOLD", lambda signatures=signatures: admit(cast, signatures))  # type: ignore[misc]


def admit(cast: Cast, signatures: Any) -> TrustedMetadata:
    return admit_timestamp(rooted(cast), with_signatures(signatures))


def test_a_right_signature_under_another_keyid_does_not_count(cast: Cast) -> None:
    """4.2: the keyid says whose it is."""
    other = right(cast) | {"keyid": cast.manifest[0].public_key.keyid}
    refused("SIGNATURE-THRESHOLD", lambda: admit(cast, [other]))


@pytest.mark.parametrize("value", [1, "x", [], None])
def test_a_file_without_a_signed_object_is_malformed(cast: Cast, value: Any) -> None:
    """4.2."""
    with pytest.raises(MalformedError, match="signed"):
        admit_timestamp(rooted(cast), encode({"signed": value, "signatures": []}))


@pytest.mark.parametrize("kind", [1, None, "", "Timestamp", "snapshot", ["timestamp"]])
def test_a_type_that_is_not_asked_for_is_refused(cast: Cast, kind: Any) -> None:
    """4.6, _type."""
    body = make_timestamp().to_dict()
    assert admit_timestamp(rooted(cast), sealed(body, cast.timestamp)).timestamp
    refused("METADATA-TYPE", lambda: admit_timestamp(rooted(cast), sealed(body | {"_type": kind}, cast.timestamp)))


@pytest.mark.parametrize("place", ["signed", "meta", "snapshot.json"])
def test_a_field_that_nobody_knows_stands_under_the_signature(cast: Cast, place: str) -> None:
    """4: it must be included when signatures are verified; added later it breaks them."""
    body = make_timestamp().to_dict()
    inner = {"signed": body, "meta": body["meta"], "snapshot.json": body["meta"]["snapshot.json"]}[place]
    before = sealed(body, cast.timestamp)
    inner["x-ours"] = {"z": [1, "\u00e4\n"], "a": None}
    state = rooted(cast)
    assert admit_timestamp(state, sealed(body, cast.timestamp)).timestamp
    late = parse(before, source="timestamp") | {"signed": body}
    refused("SIGNATURE-THRESHOLD", lambda: admit_timestamp(state, encode(late)))


def test_the_layout_of_the_file_is_not_signed(cast: Cast) -> None:
    """4.2: signatures are over the canonical form."""
    envelope = parse(with_signatures([right(cast)]), source="timestamp")
    pretty = json.dumps(dict(reversed(envelope.items())), indent=3).encode() + b"\n\n"
    assert admit_timestamp(rooted(cast), pretty).timestamp


@pytest.mark.parametrize(
    "expires",
    [
        "2027-11-23T20:00:00z",
        "2027-11-23 20:00:00Z",
        "2027-11-23T20:00:00",
        "2027-11-23T20:00:00+00:00",
        "2027-11-23T20:00:00.0Z",
        "2027-11-23T200000.0Z",
        "2027-11-23T20:00,00Z",
        "2027-11-23T20000000Z",
        "2027-11-23T20:00Z",
        "2027-11-23",
        "2027-W47-2T20:00:00Z",
        "2027-02-29T20:00:00Z",
        "2027-11-23T24:00:00Z",
        "2027-11-23T20:00:60Z",
        "0000-11-23T20:00:00Z",
        "2027-11-23T20:00:0\u0660Z",
        "",
        "Z",
        "never",
        "99999-1-1T0:0:0Z",
    ],
)
def test_expires_has_one_shape(cast: Cast, expires: str) -> None:
    """4.2.1: date-time of ISO 8601 in UTC to the second."""
    body = make_timestamp().to_dict()
    assert admit_timestamp(rooted(cast), sealed(body | {"expires": "2027-11-23T20:00:00Z"}, cast.timestamp)).timestamp
    with pytest.raises(MalformedError, match="expires: must be a time"):
        admit_timestamp(rooted(cast), sealed(body | {"expires": expires}, cast.timestamp))


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"null", b"{", b"\x00", b"\xff\xfe{}"])
def test_a_file_that_says_nothing_is_malformed(cast: Cast, data: bytes) -> None:
    """4.2: zero bytes among them; for every role alike."""
    state = snapshotted(cast)
    for step in (trust_root_now, partial(admit_root, state), partial(admit_timestamp, state)):
        with pytest.raises(MalformedError):
            step(data)
    with pytest.raises(MalformedError):
        admit_snapshot(state, data)
    with pytest.raises(MalformedError):
        admit_targets(state, ("targets",), data)


def trust_root_now(data: bytes) -> TrustedMetadata:
    return trust_root(data, NOW, PlainTuf())
