"""Strict TOML: what would make the parser itself fail is one clear refusal."""

import pytest

from enigm_tuf.errors import MalformedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.strict_toml import parse_toml


def test_the_largest_integer_is_read() -> None:
    assert parse_toml(b"a = [9007199254740991, -9007199254740991]", "file") == {"a": [2**53 - 1, 1 - 2**53]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a = " + "[" * 5_000, "nested too deep"),
        ("a = " + "{b = " * 5_000, "nested too deep"),
        ("a = " + "9" * 5_000, "not TOML: Exceeds the limit"),
        ("a = [{b = 0x" + "f" * 5_000 + "}]", "integers lie within"),
        ("a = 9007199254740992", "integers lie within"),
        ("a = -9007199254740992", "integers lie within"),
        ("a = '\ud800'", "not TOML: 'utf-8' codec"),
        ("#" * (LIMITS.document_bytes + 1), "at most 1,000,000 bytes"),
    ],
)
def test_what_the_parser_cannot_hold_is_refused(text: str, told: str) -> None:
    with pytest.raises(MalformedError, match=told):
        parse_toml(text.encode("utf-8", "surrogatepass"), "file")
