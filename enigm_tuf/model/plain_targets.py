"""The targets of a big role as text; see ``plain_text``."""

from __future__ import annotations

import re
from collections.abc import ItemsView, Iterator, Mapping, ValuesView

from enigm_tuf.model.plain_text import ENDED, Members, put_around, read_around
from enigm_tuf.model.strict_json import JsonObject, parse
from enigm_tuf.model.tuf import TargetFile, Targets

_ENTRY = re.compile(
    rb'"([^"]*+)":\{"hashes":\{(?:"sha256":"[^"]*+"(?:,"sha512":"[^"]*+")?+|"sha512":"[^"]*+")\}'
    rb',"length":(?:0|[1-9][0-9]{0,14}+)\}' + ENDED
)
"""A target. Numbers of 15 digits are below 2**53."""


class TargetsText(Members, Mapping[str, TargetFile]):
    """Targets that stay text."""

    __slots__ = ()

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
        return put_around(self.raw, "targets", self.text.text)


def read_plain(data: bytes, source: str) -> tuple[JsonObject, PlainTargets] | None:
    """The file's object, and its value; None where the targets are not plain, or something else is wrong."""
    found = read_around(data, source, Targets, "targets", _ENTRY, TargetsText)
    if found is None:
        return None
    envelope, value, text = found
    common = value.version, value.expires, value.spec_version, envelope["signed"]
    return envelope, PlainTargets(*common, text, value.delegations, text)
