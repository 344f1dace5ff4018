"""One target more in a big role, or other versions in a snapshot of many roles, without taking it apart (ADR 32).

What is new is put into the text of the old. Nothing is believed of the result: the reader of plain roles goes over all
of it, and what it does not take is built as every other role is.
"""

import re
from collections.abc import Mapping

from enigm_tuf.model.plain_snapshot import PlainSnapshot, read_plain_snapshot
from enigm_tuf.model.plain_targets import PlainTargets, read_plain
from enigm_tuf.model.plain_text import put_around
from enigm_tuf.model.strict_json import JsonObject, canonical, encode

_TARGET = re.compile(rb'[{,]"([^"]*)":\{"hashes":\{'), re.compile(rb'\},"length":[0-9]+\}')
_VERSION = re.compile(rb'[{,]"([^"]*)":\{"version":'), re.compile(rb'":\{"version":[0-9]+\}')
"""How a member begins, with its name, and how it ends."""
_WINDOW = 4_096  # bytes in which members are looked at one by one


def with_spliced(role: PlainTargets, signed: JsonObject, targets: Mapping[str, JsonObject]) -> PlainTargets | None:
    """``signed``, which is without targets, with those of ``role``, and with ``targets`` added or replaced.

    None where one of them is not plain.
    """
    text = _spliced(role.text.text, targets, *_TARGET)
    found = read_plain(_file([], put_around(signed, "targets", text)), "product role") if text else None
    return found[1] if found else None


def with_spliced_versions(
    snapshot: PlainSnapshot, signed: JsonObject, versions: Mapping[str, JsonObject]
) -> PlainSnapshot | None:
    """``signed``, which is without ``meta``, with that of ``snapshot``, and with ``versions`` added or replaced.

    None where one of them is not plain.
    """
    text = _spliced(snapshot.text.text, versions, *_VERSION)
    found = read_plain_snapshot(_file([], put_around(signed, "meta", text)), "snapshot") if text else None
    return found[1] if found else None


def plain_file(signed_bytes: bytes, signatures: list[dict[str, str]]) -> bytes | None:
    """The file of a role that is signed, if it is plain and ``signed_bytes`` its canonical form."""
    data = _file(signatures, signed_bytes)
    read = read_plain_snapshot if signed_bytes.startswith(b'{"_type":"snapshot"') else read_plain
    found = read(data, "signed")
    return data if found and found[1].canonical() == signed_bytes else None


def _file(signatures: list[dict[str, str]], signed_bytes: bytes) -> bytes:
    return b'%b,"signed":%b}' % (encode({"signatures": signatures})[:-1], signed_bytes)


def _spliced(
    text: bytes, members: Mapping[str, JsonObject], start: re.Pattern[bytes], end: re.Pattern[bytes]
) -> bytes | None:
    """``text``, an object of plain members in order, with each of ``members`` at its place, or in place of the one of
    its name."""
    for name, item in members.items():
        if not name.isascii() or '"' in name or "\\" in name:
            return None
        entry, at = canonical({name: item})[1:-1], _first_from(text, name.encode(), start)
        if text.startswith(b'"%b":' % name.encode(), at):
            found = end.search(text, at)
            text = text[:at] + entry + text[found.end() if found else at :]
        elif at == len(text) - 1:
            text = b"%b,%b}" % (text[:-1], entry)
        else:
            text = b"%b%b,%b" % (text[:at], entry, text[at:])
    return text


def _first_from(text: bytes, name: bytes, start: re.Pattern[bytes]) -> int:
    """Where the first member begins whose name does not come before ``name``; the closing brace if there is none."""
    low, high = 0, len(text) - 1
    while high - low > _WINDOW:
        middle = (low + high) // 2
        found = start.search(text, middle)
        if found is None or found.start() >= high or found[1] >= name:
            high = middle
        else:
            low = found.start()
    starts = (match.start() + 1 for match in start.finditer(text, low) if match[1] >= name)
    return next(starts, len(text) - 1)
