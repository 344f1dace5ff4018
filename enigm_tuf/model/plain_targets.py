"""The targets of a big role, without an object for each of them (ADR 17).

One expression goes over text such as ``"a/b.zip":{"hashes":{"sha256":"..."},"length":1},`` and takes nothing else: no
blank, no escape, no other field, each path once and in order. Everything around the targets goes through the strict
parser. So it takes no document that the strict parser would not take; what it does not take, that one judges.
"""

from __future__ import annotations

import re
from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from operator import lt

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.strict_json import JsonObject, canonical, parse
from enigm_tuf.model.tuf import TargetFile, Targets

_OPENING = b'"targets":'
_ENTRY = re.compile(
    rb'"([^"]*+)":\{"hashes":\{(?:"sha256":"[^"]*+"(?:,"sha512":"[^"]*+")?+|"sha512":"[^"]*+")\}'
    rb',"length":(?:0|[1-9][0-9]{0,14}+)\}(?:,(?=")|(?=\}))'
)
"""A target, up to the next one or the closing brace. Numbers of 15 digits are below 2**53."""
_CONTROLS = bytes(range(32))
_MARK = "the targets"
_MARK_TEXT = b'"the targets"'


class TargetsText(Mapping[str, TargetFile]):
    """Targets that stay text: ``data[start:stop]`` is their object, as ``read_plain`` found it."""

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

    def __getitem__(self, path: str) -> TargetFile:
        match = self._find(path)
        if match is None:
            raise KeyError(path)
        return _target(match)

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and self._find(path) is not None

    def __iter__(self) -> Iterator[str]:
        view = memoryview(self._data)[self._start : self._stop]
        return (match[1].decode() for match in _ENTRY.finditer(view))

    def __len__(self) -> int:
        return self._count

    def items(self) -> ItemsView[str, TargetFile]:
        """In one pass: each of them looked for by its path would be a search through the whole text."""
        return _Items(self)

    def values(self) -> ValuesView[TargetFile]:
        """In one pass."""
        return _Values(self)

    def each(self) -> Iterator[TargetFile]:
        """In order."""
        view = memoryview(self._data)[self._start : self._stop]
        return (_target(match) for match in _ENTRY.finditer(view))

    def _find(self, path: str) -> re.Match[bytes] | None:
        """No text in the targets has a quote in it, so that nothing but a target begins like this."""
        if '"' in path or not path.isascii():
            return None
        place = self._data.find(b'"%b":{"hashes":{' % path.encode(), self._start, self._stop)
        return None if place < 0 else _ENTRY.match(self._data, place, self._stop)


class _Items(ItemsView[str, TargetFile]):
    def __init__(self, text: TargetsText) -> None:
        super().__init__(text)
        self._text = text

    def __iter__(self) -> Iterator[tuple[str, TargetFile]]:
        return ((target.path, target) for target in self._text.each())


class _Values(ValuesView[TargetFile]):
    def __init__(self, text: TargetsText) -> None:
        super().__init__(text)
        self._text = text

    def __iter__(self) -> Iterator[TargetFile]:
        return self._text.each()


def _target(match: re.Match[bytes]) -> TargetFile:
    text = b"{%b}" % match[0].rstrip(b",")
    ((path, item),) = parse(text, source="target", max_bytes=len(text)).items()
    return TargetFile(path, item["length"], item["hashes"])


class PlainTargets(Targets):
    """Targets metadata whose ``targets`` are ``text``. ``raw`` is without them, and without their name."""

    text: TargetsText

    def canonical(self) -> bytes:
        """As any other's."""
        return canonical({**self.raw, "targets": _MARK}).replace(_MARK_TEXT, self.text.text)


def read_plain(data: bytes, source: str) -> tuple[JsonObject, PlainTargets] | None:
    """The file's object, and its value; None where the targets are not plain, or something else is wrong."""
    found = _cut_out(data)
    if found is None:
        return None
    rest, text = found
    try:
        envelope = parse(rest, source=source, max_bytes=len(rest))
        signed = envelope.get("signed")
        if not isinstance(signed, dict) or signed.get("_type") != Targets.type or signed.pop("targets", None) != _MARK:
            return None
        plain = Targets.read({**signed, "targets": {}}, source)
    except MalformedError:
        return None
    common = plain.version, plain.expires, plain.spec_version, signed
    return envelope, PlainTargets(*common, text, plain.delegations, text)


def _cut_out(data: bytes) -> tuple[bytes, TargetsText] | None:
    """``data`` with the mark in place of its targets, and those. The mark stands in it once: where it stands for the
    parser, there stood the targets."""
    start = data.find(_OPENING) + len(_OPENING)
    if data[start : start + 2] != b'{"' or not _is_plain(data):
        return None
    pieces = _ENTRY.split(memoryview(data)[start + 1 :])
    gaps, paths, tail = pieces[:-1:2], pieces[1::2], pieces[-1]
    if any(gaps) or tail[:1] != b"}" or not all(map(lt, paths, paths[1:])):
        return None
    rest = data[:start] + _MARK_TEXT + tail[1:]
    stop = len(data) - len(tail) + 1
    return (rest, TargetsText(data, start, stop, len(paths))) if rest.count(_MARK_TEXT) == 1 else None


def _is_plain(data: bytes) -> bool:
    """Every quote begins or ends a text, and every text stands for itself."""
    return data.isascii() and b"\\" not in data and len(data.translate(None, _CONTROLS)) == len(data)
