"""Strict JSON: the one way in for every document, ours and TUF's, before anything else looks at it.

Refused: more bytes than the cap, bytes that are not UTF-8, duplicate keys, NaN and infinities, floats,
integers beyond 2**53 - 1 either side, nesting deeper than the cap, a top level that is not an object.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Any, NoReturn

from securesystemslib.formats import encode_canonical

from enigm_tuf.errors import MalformedError
from enigm_tuf.limits import LIMITS

JsonObject = dict[str, Any]


def parse(data: bytes, *, source: str, max_bytes: int = LIMITS.document_bytes) -> JsonObject:
    """Return the object that ``data`` holds, or raise MalformedError naming ``source`` and the rule."""
    return _parse(data, source, max_bytes, strict=True)


def parse_canonical(data: bytes, *, source: str, max_bytes: int = LIMITS.document_bytes) -> JsonObject:
    """The object whose canonical form ``data`` is, byte for byte; MalformedError otherwise.

    Canonical JSON leaves control characters in texts as they are (the line ends of PEM), which JSON forbids.
    """
    value = _parse(data, source, max_bytes, strict=False)
    if canonical(value) != data:
        raise MalformedError(source, "", "must be in canonical form, byte for byte")
    return value


def _parse(data: bytes, source: str, max_bytes: int, *, strict: bool) -> JsonObject:
    if len(data) > max_bytes:
        raise MalformedError(source, "", f"at most {max_bytes:,} bytes, this has {len(data):,}")
    try:
        _refuse_depth(data, source)
        value = json.loads(
            data.decode("utf-8"),
            strict=strict,
            object_pairs_hook=lambda pairs: _object(pairs, source),
            parse_constant=lambda name: _refuse(source, f"no {name} in JSON"),
            parse_float=lambda text: _refuse(source, f"no fractions or exponents, got {text}"),
            parse_int=lambda text: _integer(text, source),
        )
    except UnicodeDecodeError as error:
        raise MalformedError(source, f"byte {error.start}", "must be UTF-8") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise MalformedError(source, where, f"not JSON ({error.msg}); is the file cut off?") from error
    if not isinstance(value, dict):
        raise MalformedError(source, "", "the top level must be a JSON object")
    return value


def encode(value: JsonObject) -> bytes:
    """The one encoding of our own documents: keys sorted, no spaces, UTF-8, no floats."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def canonical(value: JsonObject) -> bytes:
    """OLPC canonical JSON: the bytes under every TUF signature (TUF specification 4.2.1)."""
    return encode_canonical(value).encode()  # type: ignore[union-attr]


def sha256(data: bytes) -> str:
    """SHA-256, lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def _refuse(source: str, rule: str) -> NoReturn:
    raise MalformedError(source, "", rule)


def _object(pairs: Iterable[tuple[str, Any]], source: str) -> JsonObject:
    result: JsonObject = {}
    for key, value in pairs:
        if key in result:
            raise MalformedError(source, key, "the same key twice in one object")
        result[key] = value
    return result


def _integer(text: str, source: str) -> int:
    if len(text) > 17 or abs(int(text)) > LIMITS.integer_maximum:
        _refuse(source, f"integers lie within +-{LIMITS.integer_maximum}, got {text[:20]}")
    return int(text)


def _refuse_depth(data: bytes, source: str) -> None:
    """Count brackets outside strings, so that the parser never recurses beyond the cap."""
    depth = 0
    for piece in _outside_strings(data):
        for byte in piece:
            if byte in b"[{":
                depth += 1
                if depth > LIMITS.json_depth:
                    _refuse(source, f"nested at most {LIMITS.json_depth} deep")
            elif byte in b"]}":
                depth -= 1


def _outside_strings(data: bytes) -> Iterable[bytes]:
    # with escapes blanked out, every second piece between quotes is inside a string
    return data.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2]
