"""The part of a big document that stays text, without an object for each of its members (ADR 17).

One expression goes over text such as ``"a/b.zip":{"hashes":{"sha256":"..."},"length":1},`` and takes nothing else: no
blank, no escape, no other field, each name once and in order. Everything around it goes through the strict parser. So
it takes no document that the strict parser would not take; what it does not take, that one judges.
"""

from __future__ import annotations

import re
from operator import lt
from typing import TypeVar

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.strict_json import JsonObject, canonical, parse
from enigm_tuf.model.tuf import Signed

ENDED = rb"(?:,(?=\")|(?=\}))"
"""How a member ends: before the next one, or before the closing brace."""
_CONTROLS = bytes(range(32))
_MARK = "the members"
_MARK_TEXT = b'"the members"'


class Members:
    """``data[start:stop]`` is an object of ``count`` members, as ``read_around`` found it."""

    __slots__ = ("_count", "_data", "_start", "_stop")

    def __init__(self, data: bytes, start: int, stop: int, count: int) -> None:
        self._data = data
        self._start = start
        self._stop = stop
        self._count = count

    @property
    def text(self) -> bytes:
        """The object, which is its own canonical form."""
        return self._data[self._start : self._stop]

    def __len__(self) -> int:
        return self._count


S = TypeVar("S", bound=Signed)
M = TypeVar("M", bound=Members)


def read_around(
    data: bytes, source: str, kind: type[S], name: str, member: re.Pattern[bytes], made: type[M]
) -> tuple[JsonObject, S, M] | None:
    """The file's object and its value, both without what ``signed`` holds under ``name``, and that.

    None where it is not plain, or something else is wrong. ``member`` has one group, its name.
    """
    found = _cut_out(data, b'"%b":' % name.encode(), member)
    if found is None:
        return None
    rest, place = found
    try:
        envelope = parse(rest, source=source, max_bytes=len(rest))
        signed = envelope.get("signed")
        if not isinstance(signed, dict) or signed.get("_type") != kind.type or signed.pop(name, None) != _MARK:
            return None
        return envelope, kind.read({**signed, name: {}}, source), made(data, *place)
    except MalformedError:
        return None


def put_around(signed: JsonObject, name: str, text: bytes) -> bytes:
    """The canonical form of ``signed`` with the object ``text`` under ``name``."""
    return canonical({**signed, name: _MARK}).replace(_MARK_TEXT, text)


def _cut_out(data: bytes, opening: bytes, member: re.Pattern[bytes]) -> tuple[bytes, tuple[int, int, int]] | None:
    """``data`` with the mark in place of the members, and where those are. The mark stands in it once: where it
    stands for the parser, there stood the members."""
    start = data.find(opening) + len(opening)
    if data[start : start + 2] != b'{"' or not _is_plain(data):
        return None
    pieces = member.split(memoryview(data)[start + 1 :])
    gaps, names, tail = pieces[:-1:2], pieces[1::2], pieces[-1]
    if any(gaps) or tail[:1] != b"}" or not all(map(lt, names, names[1:])):
        return None
    rest = data[:start] + _MARK_TEXT + tail[1:]
    stop = len(data) - len(tail) + 1
    return (rest, (start, stop, len(names))) if rest.count(_MARK_TEXT) == 1 else None


def _is_plain(data: bytes) -> bool:
    """Every quote begins or ends a text, and every text stands for itself."""
    return data.isascii() and b"\\" not in data and len(data.translate(None, _CONTROLS)) == len(data)
