"""What a snapshot says of thousands of roles, as text; see ``plain_text``."""

from __future__ import annotations

import re
from collections.abc import ItemsView, Iterator, KeysView, Mapping

from enigm_tuf.model.plain_text import ENDED, Members, put_around, read_around
from enigm_tuf.model.strict_json import JsonObject
from enigm_tuf.model.tuf import MetaFile, Snapshot, file_of_version

_VERSION = rb'"([^"]*+)":\{"version":[1-9][0-9]{0,14}+\}' + ENDED
_ENTRY = re.compile(_VERSION)
"""A role's file and its version alone. Numbers of 15 digits are below 2**53."""
_READ = re.compile(_VERSION.replace(b"[1-9][0-9]{0,14}+", b"([0-9]+)"))


class MetaText(Members, Mapping[str, MetaFile]):
    """Versions that stay text until somebody asks for one: then all of them are read."""

    __slots__ = ("_read",)
    _read: dict[str, MetaFile]

    def __getitem__(self, name: str) -> MetaFile:
        return self._all()[name]

    def __contains__(self, name: object) -> bool:
        return name in self._all()

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def keys(self) -> KeysView[str]:
        """Those of a dict, and so is what follows: rules go over thousands of them."""
        return self._all().keys()

    def items(self) -> ItemsView[str, MetaFile]:
        return self._all().items()

    def __eq__(self, other: object) -> bool:
        return self._all() == (other._all() if isinstance(other, MetaText) else other)

    __hash__ = None  # type: ignore[assignment] # as every mapping's

    def _all(self) -> dict[str, MetaFile]:
        if not hasattr(self, "_read"):
            listed = _READ.findall(memoryview(self._data)[self._start : self._stop])
            made = {version: file_of_version(int(version)) for version in {version for _, version in listed}}
            self._read = {name.decode(): made[version] for name, version in listed}
        return self._read


class PlainSnapshot(Snapshot):
    """Snapshot metadata whose ``meta`` is ``text``. ``raw`` is without it, and without its name."""

    text: MetaText

    def canonical(self) -> bytes:
        """As any other's."""
        return put_around(self.raw, "meta", self.text.text)


def read_plain_snapshot(data: bytes, source: str) -> tuple[JsonObject, PlainSnapshot] | None:
    """The file's object, and its value; None where more than versions is stated, or something else is wrong."""
    found = read_around(data, source, Snapshot, "meta", _ENTRY, MetaText)
    if found is None:
        return None
    envelope, value, text = found
    return envelope, PlainSnapshot(value.version, value.expires, value.spec_version, envelope["signed"], text, text)
