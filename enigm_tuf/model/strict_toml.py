"""Strict TOML: the one way in for every file that a person writes.

Refused: more bytes than the cap, bytes that are not UTF-8, what is not TOML, nesting that the parser cannot follow,
integers beyond 2**53 - 1 either side. Times and fractions parse; no shape of ours takes them.
"""

import tomllib
from typing import Any

from enigm_tuf.errors import MalformedError
from enigm_tuf.limits import LIMITS


def parse_toml(data: bytes, source: str) -> dict[str, Any]:
    """The table that ``data`` holds, or MalformedError."""
    if len(data) > LIMITS.document_bytes:
        raise MalformedError(source, "", f"at most {LIMITS.document_bytes:,} bytes, this has {len(data):,}")
    try:
        value = tomllib.loads(data.decode("utf-8"))
    except ValueError as error:  # not UTF-8, not TOML, or an integer of more digits than Python reads
        raise MalformedError(source, "", f"not TOML: {error}") from error
    except RecursionError as error:
        raise MalformedError(source, "", "nested too deep") from error
    _refuse_huge_integers(value, source)
    return value


def _refuse_huge_integers(value: object, source: str) -> None:
    """Nobody could even print them: Python turns no integer of more than 4,300 digits into text."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, int) and abs(item) > LIMITS.integer_maximum:
            raise MalformedError(source, "", f"integers lie within +-{LIMITS.integer_maximum}")
