"""Strict JSON, shapes and words: what is refused before anything else looks at a document."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enigm_tuf.errors import MalformedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.shapes import (
    PATH,
    VERSION,
    Boolean,
    Choice,
    Integer,
    Optional,
    Record,
    Sequence,
    Table,
    Text,
    Time,
    version_key,
)
from enigm_tuf.model.strict_json import canonical, encode, parse, parse_canonical
from enigm_tuf.model.words import last_words, words


def test_a_plain_object_is_read() -> None:
    assert parse(b'{"a": [1, "x", true, null]}', source="f") == {"a": [1, "x", True, None]}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'{"a": 1', "is the file cut off"),
        (b"", "is the file cut off"),
        (b'{"a": 1, "a": 2}', "the same key twice"),
        (b'{"a": {"b": 1, "b": 1}}', "the same key twice"),
        (b'{"a": NaN}', "no NaN"),
        (b'{"a": Infinity}', "no Infinity"),
        (b'{"a": -Infinity}', "no -Infinity"),
        (b'{"a": 1.5}', "no fractions"),
        (b'{"a": 1e3}', "no fractions or exponents"),
        (b'{"a": 9007199254740992}', "integers lie within"),
        (b'{"a": -9007199254740992}', "integers lie within"),
        (b'{"a": ' + b"9" * 5000 + b"}", "integers lie within"),
        (b"[1]", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
        (b'{"a": "\xff"}', "must be UTF-8"),
        (b'{"a": "\\ud800"}', "half of a surrogate pair"),
        (b'{"\\udfff": 1}', "half of a surrogate pair"),
        (b'{"a": ' + b"[{" * 16 + b"1" + b"}]" * 16 + b"}", "nested at most 32 deep"),
        (b'{"a": "line\nbreak"}', "Invalid control character"),
        (b'{"a": ' + b"[" * 32 + b"]" * 32 + b"}", "nested at most 32 deep"),
        (b"[" * 1_000_000, "nested at most 32 deep"),
    ],
)
def test_what_is_not_strict_json_is_named_in_one_line(data: bytes, says: str) -> None:
    with pytest.raises(MalformedError, match=re.escape(says)) as caught:
        parse(data, source="file.json")
    assert str(caught.value).startswith("file.json")
    assert "\n" not in str(caught.value)


def test_brackets_inside_texts_are_no_nesting() -> None:
    assert parse(b'{"a": "' + b"[" * 100 + b'\\"' + b"{" * 100 + b'"}', source="f")["a"].count("[") == 100


@pytest.mark.parametrize(("size", "allowed"), [(100, True), (101, False)])
def test_the_size_is_looked_at_before_anything_is_parsed(size: int, allowed: bool) -> None:
    data = b'{"a":"' + b"x" * (size - 8) + b'"}'
    if allowed:
        assert parse(data, source="f", max_bytes=100)
    else:
        with pytest.raises(MalformedError, match="at most 100 bytes, this has 101"):
            parse(data, source="f", max_bytes=100)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-LIMITS.integer_maximum, LIMITS.integer_maximum) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=8), JSON, max_size=4))
def test_what_we_encode_reads_back_the_same_and_has_one_form(value: dict[str, object]) -> None:
    data = encode(value)
    assert parse(data, source="f") == value
    assert encode(parse(data, source="f")) == data


@given(st.dictionaries(st.text(max_size=8), JSON, max_size=4))
def test_canonical_bytes_read_back_the_same(value: dict[str, object]) -> None:
    assert parse_canonical(canonical(value), source="f") == value


@pytest.mark.parametrize("data", [b'{"b":1,"a":2}', b'{"a": 1}', b'{"a":1}\n', b'{"a":"\\u0041"}'])
def test_bytes_that_are_not_the_canonical_form_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedError, match="canonical form"):
        parse_canonical(data, source="f")


@pytest.mark.parametrize(
    ("shape", "good", "bad"),
    [
        (Integer(1, 9), [1, 9], [0, 10, True, "1", None, []]),
        (Boolean(), [True, False], [0, 1, "true", None]),
        (Text(r"[a-z]+", "letters", 3), ["abc"], ["", "ABC", "abcd", "a\n", 1, None]),
        (Choice(("a", "b")), ["a"], ["c", "", None, 1, ["a"]]),
        (Time(), ["2026-11-23T20:15:00Z"], ["2026-11-23", "2026-13-01T00:00:00Z", "2026-11-23T20:15:00+00:00", 1]),
        (Sequence(Integer(), 1, 2, unique=True), [[1], [1, 2]], [[], [1, 2, 3], [1, 1], [True], "12", {}]),
        (Table(Text(r"[a-z]", "a letter"), Integer(), 1), [{"a": 1}], [{}, {"ab": 1}, {"a": "1"}, []]),
        (VERSION, ["1", "1.2.3.4", "2026.11.1"], ["", "01", "1.", "1.2.3.4.5", "1.-2", "v1"]),
        (PATH, ["a", "a/b.c", "payloads/phone/1.2/x.zip"], ["", "/a", "../a", "a/../b", "a//b", "a/", ".a", "a\\b"]),
    ],
)
def test_a_shape_takes_what_it_says_and_nothing_else(shape: object, good: list[object], bad: list[object]) -> None:
    for value in good:
        assert shape.write(shape.read(value, "f", "x")) == value  # type: ignore[attr-defined]
    for value in bad:
        with pytest.raises(MalformedError):
            shape.read(value, "f", "x")  # type: ignore[attr-defined]


def test_a_record_names_the_field_that_is_wrong() -> None:
    record: Record[dict[str, object]] = Record(dict, 1, name=Text(), inner=Optional(Record(dict, n=Integer(0, 5))))
    assert record.read({"schema": 1, "name": "x"}, "f") == {"name": "x", "inner": None}
    with pytest.raises(MalformedError, match=r"f: inner\.n: must lie in 0\.\.5, is 6"):
        record.read({"schema": 1, "name": "x", "inner": {"n": 6}}, "f")
    with pytest.raises(MalformedError, match="f: name: missing field"):
        record.read({"schema": 1}, "f")


@pytest.mark.parametrize(("older", "newer"), [("1", "2"), ("1.9", "1.10"), ("1", "1.0.0.1"), ("2026.1", "2026.11")])
def test_versions_are_ordered_by_their_numbers(older: str, newer: str) -> None:
    assert version_key(older) < version_key(newer)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("7f000001", "lusab babad"),
        ("3f54dcc1", "gutih tugad"),
        ("3f760723", "gutuk bisog"),
        ("8c62c18d", "mudof sakat"),
    ],
)
def test_words_are_those_of_the_published_vectors(address: str, expected: str) -> None:
    """arXiv:0901.4016, section 4: IP addresses as proquints."""
    assert " ".join(words(address)) == expected


def test_the_last_words_are_sixty_four_bits() -> None:
    assert last_words("0" * 48 + "7f0000013f54dcc1") == "lusab babad gutih tugad"
