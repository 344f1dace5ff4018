"""One target more in a big role, without taking the role apart (ADR 32).

The new target is put into the text of the old ones. Nothing is believed of the result: the reader of plain roles goes
over all of it, and what it does not take is built as every other role is.
"""

import re
from collections.abc import Mapping

from enigm_tuf.model.plain_targets import PlainTargets, read_plain
from enigm_tuf.model.strict_json import JsonObject, canonical, encode

_START = re.compile(rb'[{,]"([^"]*)":\{"hashes":\{')
_END = re.compile(rb'\},"length":[0-9]+\}')
_WINDOW = 4_096  # bytes in which targets are looked at one by one
_MARK, _MARK_TEXT = "the targets", b'"the targets"'


def with_spliced(role: PlainTargets, signed: JsonObject, targets: Mapping[str, JsonObject]) -> PlainTargets | None:
    """``signed``, which is without targets, with those of ``role``, and with ``targets`` added or replaced.

    None where one of them is not plain.
    """
    text = role.text.text
    for path, item in targets.items():
        if not path.isascii() or '"' in path or "\\" in path:
            return None
        text = _placed(text, path.encode(), canonical({path: item})[1:-1])
    whole = canonical({**signed, "targets": _MARK}).replace(_MARK_TEXT, text)
    found = read_plain(b'{"signatures":[],"signed":%b}' % whole, "product role")
    return found[1] if found else None


def plain_file(signed_bytes: bytes, signatures: list[dict[str, str]]) -> bytes | None:
    """The file of a role that is signed, if its targets are plain and ``signed_bytes`` its canonical form."""
    data = b'%b,"signed":%b}' % (encode({"signatures": signatures})[:-1], signed_bytes)
    found = read_plain(data, "signed")
    return data if found and found[1].canonical() == signed_bytes else None


def _placed(text: bytes, path: bytes, entry: bytes) -> bytes:
    """``text``, an object of plain targets in order, with ``entry`` at its place, or in place of that of its path."""
    at = _first_from(text, path)
    if text.startswith(b'"%b":' % path, at):
        end = _END.search(text, at)
        return text[:at] + entry + text[end.end() if end else at :]
    if at == len(text) - 1:
        return b"%b,%b}" % (text[:-1], entry)
    return b"%b%b,%b" % (text[:at], entry, text[at:])


def _first_from(text: bytes, path: bytes) -> int:
    """Where the first target begins whose path does not come before ``path``; the closing brace if there is none."""
    low, high = 0, len(text) - 1
    while high - low > _WINDOW:
        middle = (low + high) // 2
        found = _START.search(text, middle)
        if found is None or found.start() >= high or found[1] >= path:
            high = middle
        else:
            low = found.start()
    starts = (match.start() + 1 for match in _START.finditer(text, low) if match[1] >= path)
    return next(starts, len(text) - 1)
