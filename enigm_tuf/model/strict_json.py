"""Strict JSON: the one way in for every document, ours and TUF's, before anything else looks at it.

Refused: more bytes than the cap, bytes that are not UTF-8, duplicate keys, NaN and infinities, floats,
integers beyond 2**53 - 1 either side, nesting deeper than the cap, a top level that is not an object.
"""

from __future__ import annotations

import gc
from _json import make_scanner

from enigm_tuf.errors import MalformedError
from enigm_tuf.limits import LIMITS

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    import re
    from hashlib import sha256 as _own_sha256
    from json import JSONEncoder
    from typing import Any, NoReturn, TypeAlias

    JsonObject: TypeAlias = dict[str, Any]
else:
    JsonObject = dict
    try:
        from _sha256 import sha256 as _own_sha256
    except ImportError:  # Python 3.12 and newer
        from _sha2 import sha256 as _own_sha256


def parse(data: bytes, *, source: str, max_bytes: int = LIMITS.document_bytes) -> JsonObject:
    """Return the object that ``data`` holds, or raise MalformedError naming ``source`` and the rule."""
    return _parse(data, source, max_bytes, _Reading(source, strict=True))


def parse_encoded(data: bytes, *, source: str, max_bytes: int = LIMITS.document_bytes) -> JsonObject:
    """The object whose one encoding (``encode``) ``data`` is, byte for byte; MalformedError otherwise.

    A key that stands twice is not looked for: what is read has it once, and is encoded shorter.
    """
    value = _parse(data, source, max_bytes, _ReadingEncoded(source, strict=True))
    if encode(value) != data:
        raise MalformedError(source, "", "must be in the one encoding, byte for byte")
    return value


def parse_canonical(data: bytes, *, source: str, max_bytes: int = LIMITS.document_bytes) -> JsonObject:
    """The object whose canonical form ``data`` is, byte for byte; MalformedError otherwise.

    Canonical JSON leaves control characters in texts as they are (the line ends of PEM), which JSON forbids.
    """
    value = _parse(data, source, max_bytes, _Reading(source, strict=False))
    if canonical(value) != data:
        raise MalformedError(source, "", "must be in canonical form, byte for byte")
    return value


def _parse(data: bytes, source: str, max_bytes: int, reading: _Reading) -> JsonObject:
    if len(data) > max_bytes:
        raise MalformedError(source, "", f"at most {max_bytes:,} bytes, this has {len(data):,}")
    try:
        _refuse_depth(data, source)
        with _NoCollection():
            value = _decoded(data.decode("utf-8"), reading)
    except UnicodeDecodeError as error:
        raise MalformedError(source, f"byte {error.start}", "must be UTF-8") from error
    if not isinstance(value, dict):
        raise MalformedError(source, "", "the top level must be a JSON object")
    if b"\\u" in data:
        _refuse_surrogates(value, source)
    return value


class _Reading:
    """What the scanner of the standard library calls for what it finds. Its module takes 1 ms to import, and ``re``."""

    object_hook = array_hook = None  # the latter from Python 3.15 on

    def __init__(self, source: str, *, strict: bool) -> None:
        self.source = source
        self.strict = strict

    def object_pairs_hook(self, pairs: list[tuple[str, Any]]) -> JsonObject:
        result = dict(pairs)
        if len(result) != len(pairs):
            seen = set[str]()
            for name, _ in pairs:
                if name in seen:
                    raise MalformedError(self.source, name, "the same key twice in one object")
                seen.add(name)
        return result

    def parse_int(self, text: str) -> int:
        if len(text) >= 16 and (len(text) >= 18 or abs(int(text)) > LIMITS.integer_maximum):
            _refuse(self.source, f"integers lie within +-{LIMITS.integer_maximum}, got {text[:20]}")
        return int(text)

    def parse_float(self, text: str) -> NoReturn:
        _refuse(self.source, f"no fractions or exponents, got {text}")

    def parse_constant(self, name: str) -> NoReturn:
        _refuse(self.source, f"no {name} in JSON")


class _ReadingEncoded(_Reading):
    """Objects become dicts without a call for each: half of the time that it takes."""

    object_pairs_hook = None  # type: ignore[assignment] # the scanner's own word for it


def _decoded(text: str, reading: _Reading) -> object:
    """The value that is all of ``text``, but for blanks around it."""
    start = len(text) - len(text.lstrip(_BLANKS))
    try:
        value, end = make_scanner(reading)(text, start)  # type: ignore[arg-type] # typeshed has no name for it
    except StopIteration as error:
        _refuse_text(reading.source, text, error.value, "Expecting value")
    except ValueError as error:  # json.JSONDecodeError, which is imported only to be raised
        _refuse_text(reading.source, text, getattr(error, "pos", 0), getattr(error, "msg", str(error)))
    if rest := text[end:].lstrip(_BLANKS):
        _refuse_text(reading.source, text, len(text) - len(rest), "Extra data")
    found: object = value
    return found


_BLANKS = " \t\n\r"


def _refuse_text(source: str, text: str, place: int, what: str) -> NoReturn:
    line = text.count("\n", 0, place) + 1
    column = place - text.rfind("\n", 0, place)
    raise MalformedError(source, f"line {line} column {column}", f"not JSON ({what}); is the file cut off?")


def _refuse_surrogates(value: JsonObject, source: str) -> None:
    """Half of a pair is no character, and has no bytes that a signature could be over (RFC 8259 section 8.2)."""
    try:
        encode(value)
    except UnicodeEncodeError as error:
        raise MalformedError(source, "", "half of a surrogate pair is no character") from error


class _NoCollection:
    """No search for cycles meanwhile: there are none, and in a big document it costs a fifth of the time."""

    def __init__(self) -> None:
        self._again = False

    def __enter__(self) -> None:
        self._again = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        if self._again:
            gc.enable()


def _encoder() -> JSONEncoder:
    """A parsed document cannot contain itself, so that nobody need look for that."""
    from json import JSONEncoder

    return JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False)


def encode(value: JsonObject) -> bytes:
    """The one encoding of our own documents: keys sorted, no spaces, UTF-8, no floats."""
    return _encoder().encode(value).encode()


def canonical(value: JsonObject) -> bytes:
    """OLPC canonical JSON: the bytes under every TUF signature (TUF specification 4.2.1).

    JSON with sorted keys and no spaces, in which only quote and backslash are escaped.
    """
    with _NoCollection():
        text = _encoder().encode(value)
    if "\\" in text:
        from re import sub

        text = sub(_ESCAPE, _unescaped, text)
    return text.encode()


# what json.dumps escapes: quote and backslash stay as they are, control characters go back to themselves
_ESCAPE = r"\\(?:[\"\\]|u00([01][0-9a-f])|([nrtbf]))"
_CONTROL = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def _unescaped(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    return _CONTROL[match[2]] if match[2] else match[0]


def sha256(data: bytes) -> str:
    """SHA-256, lower-case hex. CPython's own for what is small: OpenSSL is faster, and takes 4 ms to load (ADR 12)."""
    if len(data) > _SMALL:
        from hashlib import sha256 as openssl_sha256

        return openssl_sha256(data).hexdigest()
    return _own_sha256(data).hexdigest()


_SMALL = 2**17


def _refuse(source: str, rule: str) -> NoReturn:
    raise MalformedError(source, "", rule)


def _refuse_depth(data: bytes, source: str) -> None:
    """Take away the innermost brackets once for each level that is allowed, so that the parser never recurses deeper.

    Works on whole arrays of bytes: a role of 100,000 targets costs milliseconds.
    """
    if data.count(b"{") + data.count(b"[") <= LIMITS.json_depth:
        return
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    # a string without brackets is two quotes now; in what is left every second piece between quotes is inside one
    structure = data.translate(_BRACES, _NO_STRUCTURE).replace(b'""', b"")
    brackets = b"".join(structure.split(b'"')[::2])
    for _ in range(LIMITS.json_depth):
        brackets = brackets.replace(b"{}", b"")
    if b"{}" in brackets or brackets.count(b"{") > LIMITS.json_depth:
        _refuse(source, f"nested at most {LIMITS.json_depth} deep")


_NO_STRUCTURE = bytes(byte for byte in range(256) if byte not in b'[]{}"')
_BRACES = bytes.maketrans(b"[]", b"{}")
