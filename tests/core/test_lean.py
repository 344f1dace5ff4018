"""What stands for costly parts of the standard library says the same as they do."""

import json
import re
import sys
from enum import StrEnum
from fnmatch import fnmatchcase
from types import ModuleType
from typing import NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enigm_tuf.errors import MalformedError
from enigm_tuf.model import delegations, lean, manifest, shapes
from enigm_tuf.model.shapes import LINE, WORD, Text
from enigm_tuf.model.strict_json import parse
from enigm_tuf.trust.gate_report import Control, Verdict
from enigm_tuf.trust.rules import AuthorityRule


def matched_without_re(*modules: ModuleType) -> dict[str, Text]:
    found = {name: value for module in modules for name, value in vars(module).items() if isinstance(value, Text)}
    return {name: text for name, text in found.items() if text.matches}


TEXTS = matched_without_re(shapes, manifest)
ALPHABET = st.text(st.sampled_from("abfgzAFZ0129-_./:TZ \t\n\r\x00\x1f\x7f\x85\xa0é٣²\u2028\ud800"), max_size=24)


def both(text: Text, value: str) -> bool:
    """What the pattern says, which is what ``matches`` must say."""
    expected = re.fullmatch(text.pattern, value) is not None
    assert text.matches
    assert text.matches(value) is expected, (text.meaning, value)
    return expected


def test_every_pattern_of_a_check_is_among_them() -> None:
    assert set(TEXTS) == {
        "BUILD_ID",
        "LINE",
        "NAME",
        "PATCH_LEVEL",
        "PATH",
        "SHA256",
        "SHA512",
        "TIME_TEXT",
        "VERSION",
        "WORD",
    }


@pytest.mark.parametrize("name", TEXTS)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_text_is_taken_exactly_if_its_pattern_matches(name: str, data: st.DataObject) -> None:
    text = TEXTS[name]
    good = data.draw(st.from_regex(text.pattern, fullmatch=True))
    assert both(text, good)
    at, size = data.draw(st.integers(0, len(good))), data.draw(st.integers(0, 3))
    both(text, good[:at] + data.draw(ALPHABET) + good[at + size :])
    both(text, data.draw(ALPHABET))


@pytest.mark.parametrize("name", TEXTS)
def test_each_letter_in_each_place_is_judged_as_by_the_pattern(name: str) -> None:
    goods = {
        "BUILD_ID": ["B", "AB", "A" * 127, "A" * 128],
        "LINE": ["", "a"],
        "NAME": ["p", "ph", "p" * 62, "p" * 63],
        "PATCH_LEVEL": ["2026-11-05"],
        "PATH": ["a", "a/b", "ab/cd"],
        "SHA256": ["a" * 63, "a" * 64],
        "SHA512": ["a" * 127, "a" * 128],
        "TIME_TEXT": ["2026-11-23T20:15:00Z"],
        "VERSION": ["1", "10", "1.0", "1.2.3.4", "123456789"],
        "WORD": ["a", "ab"],
    }
    for good in goods[name]:
        for place in {0, 1, len(good) // 2, len(good) - 1, len(good)} | set(range(min(len(good), 20))):
            for letter in "abfgzAFZ0123456789-_./:T \n\x00\x7f\x85\xa0é٣":
                both(TEXTS[name], good[:place] + letter + good[place + 1 :])
                both(TEXTS[name], good[:place] + letter + good[place:])


def test_blanks_and_controls_are_those_of_the_patterns_in_all_of_unicode() -> None:
    letters = "".join(map(chr, range(sys.maxunicode + 1)))
    assert WORD.matches
    assert LINE.matches
    assert set(re.findall(r"\s", letters)) == {letter for letter in letters if not WORD.matches(letter)}
    assert set(re.findall(r"[\x00-\x1f\x7f]", letters)) == {letter for letter in letters if not LINE.matches(letter)}


@given(st.text("ab*?[]!-.\n", max_size=6), st.text("ab*?[]!-.\n", max_size=6))
@settings(max_examples=1_000)
def test_a_glob_matches_as_fnmatch_has_it(part: str, glob: str) -> None:
    assert delegations._fits(part, glob) is fnmatchcase(part, glob)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
PIECES = ["{", "}", "[", "]", ",", ":", '"', "\\", " ", "\n", "\f", "0", "-", "1.", "e5", "true", "nul", "NaN", "\\u12"]


@given(VALUES, st.lists(st.tuples(st.integers(0, 200), st.integers(0, 3), st.sampled_from(["", *PIECES])), max_size=2))
@settings(max_examples=1_000, deadline=None)
def test_json_is_what_the_standard_library_says_it_is(value: object, edits: list[tuple[int, int, str]]) -> None:
    """But for what strict JSON refuses beyond that."""
    text = json.dumps(value, ensure_ascii=False)
    for place, size, piece in edits:
        at = place % (len(text) + 1)
        text = text[:at] + piece + text[at + size :]
    try:
        mine: object = parse(text.encode(errors="surrogatepass"), source="f")
    except MalformedError:
        with pytest.raises((ValueError, TypeError)):
            strictly(text)
    else:
        assert mine == strictly(text)


def strictly(text: str) -> object:
    """The standard library, with the rules of strict JSON put on top; ValueError, TypeError."""

    def refuse(what: str) -> NoReturn:
        raise ValueError(what)

    def number(digits: str) -> int:
        return int(digits) if abs(int(digits)) < 2**53 else refuse(digits)

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len(dict(pairs)) < len(pairs):
            refuse("twice")
        return dict(pairs)

    value = json.loads(text, parse_float=refuse, parse_constant=refuse, parse_int=number, object_pairs_hook=once)
    json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair
    return value if isinstance(value, dict) else refuse("no object")


class Colour(lean.StrEnum):
    """In order."""

    RED = "red"
    GREEN = "dark-green"


class Oracle(StrEnum):
    """The same of the standard library's."""

    RED = "red"
    GREEN = "dark-green"


def test_a_closed_list_of_texts_does_what_enum_does() -> None:
    assert [str(member) for member in Colour] == [str(member) for member in Oracle]
    assert (len(Colour), Colour.RED.name, Colour.GREEN.value) == (2, "RED", "dark-green")
    assert Colour("dark-green") is Colour.GREEN
    assert isinstance(Colour.RED, Colour)
    assert f"{Colour.GREEN}" == json.loads(json.dumps(Colour.GREEN)) == "dark-green"
    assert {Colour.RED: 1}["red"] == 1  # type: ignore[index]
    assert Colour.RED in Colour
    assert Verdict.PASS not in Colour
    with pytest.raises(ValueError, match="'blue' is not a valid Colour"):
        Colour("blue")
    with pytest.raises(AttributeError, match="frozen"):
        Colour.RED = "blue"  # type: ignore[misc]


def test_the_rules_and_controls_are_such_lists() -> None:
    assert len(set(Control)) == len(Control) == 15
    assert list(Verdict) == ["pass", "refuse", "not-checked"]
    assert AuthorityRule.TEST_KEY.demand == "no well-known test key is in force"
    assert AuthorityRule("TEST-KEY") is AuthorityRule.TEST_KEY  # type: ignore[call-arg]
