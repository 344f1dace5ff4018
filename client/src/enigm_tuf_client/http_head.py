"""The head of an HTTP/1.1 response, read strictly (RFC 9110, RFC 9112). No I/O; every doubt is a TransportError."""

from __future__ import annotations

from enigm_tuf.errors import TransportError

MAX_FIELDS = 100
MAX_LINE = 8192
_SINGLE = (b"content-length", b"transfer-encoding", b"content-range", b"content-encoding")
_TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DIGITS = frozenset(b"0123456789")
_HEX = frozenset(b"0123456789abcdefABCDEF")


class Head:
    """Status and framing: ``length`` of the body in bytes, or None where it is chunked or ends with the connection."""

    __slots__ = ("_fields", "chunked", "keeps", "length", "status")

    def __init__(self, data: bytes, name: str) -> None:
        """``data`` is everything up to the empty line; ``name`` is what errors call the response."""
        status_line, *lines = data.split(b"\r\n")
        minor, self.status = _status(status_line, name)
        self._fields = _read_fields(lines, name)
        self.chunked, self.length = _framing(self._fields, minor, name)
        closes = b"close" in self._fields.get(b"connection", b"").lower()
        self.keeps = minor >= 1 and not closes and (self.chunked or self.length is not None)
        if self._fields.get(b"content-encoding", b"identity").lower() != b"identity":
            raise TransportError(f"{name}: an encoded body, though only identity was asked for")

    def content_range(self, name: str) -> tuple[int, int]:
        """First byte, and the one after the last, of a 206 (RFC 9110 section 14.4); one part only."""
        unit, _, rest = self._fields.get(b"content-range", b"").partition(b" ")
        span, _, total = rest.partition(b"/")
        first, _, last = span.partition(b"-")
        start, stop = number(first, name), number(last, name) + 1
        if unit.lower() != b"bytes" or start >= stop or (total != b"*" and number(total, name) < stop):
            raise TransportError(f"{name}: malformed Content-Range")
        if self.length is not None and self.length != stop - start:
            raise TransportError(f"{name}: Content-Length and Content-Range disagree")
        return start, stop


def number(digits: bytes, name: str) -> int:
    """Decimal digits and nothing else."""
    if not 0 < len(digits) <= 18 or not _DIGITS.issuperset(digits):
        raise TransportError(f"{name}: {_shown(digits)} is not a number of bytes")
    return int(digits)


def chunk_size(line: bytes, name: str) -> int:
    """The size in a chunk's first line; extensions are ignored (RFC 9112 section 7.1.1)."""
    digits = line.partition(b";")[0].rstrip(b" \t")
    if not 0 < len(digits) <= 15 or not _HEX.issuperset(digits):
        raise TransportError(f"{name}: {_shown(line)} is not the size of a chunk")
    return int(digits, 16)


def _status(line: bytes, name: str) -> tuple[int, int]:
    """The minor version, and the status."""
    version, _, rest = line.partition(b" ")
    digits, space, _ = rest.partition(b" ")
    if version not in {b"HTTP/1.0", b"HTTP/1.1"} or len(digits) != 3 or not _DIGITS.issuperset(digits):
        raise TransportError(f"{name}: {_shown(line)} is not the first line of an HTTP/1 response")
    if not (space or digits == rest) or not 100 <= int(digits) <= 599:
        raise TransportError(f"{name}: {_shown(line)} has no status")
    return version[-1] - ord("0"), int(digits)


def _read_fields(lines: list[bytes], name: str) -> dict[bytes, bytes]:
    if len(lines) > MAX_FIELDS:
        raise TransportError(f"{name}: more than {MAX_FIELDS} header fields")
    fields: dict[bytes, bytes] = {}
    for line in lines:
        key, value = _field(line, name)
        if key in fields:
            if key in _SINGLE:
                raise TransportError(f"{name}: more than one {key.decode()}")
            value = fields[key] + b", " + value
        fields[key] = value
    return fields


def _field(line: bytes, name: str) -> tuple[bytes, bytes]:
    """A name in lower case, and its value; no folding, no space before the colon (RFC 9112 section 5)."""
    key, colon, value = line.partition(b":")
    if len(line) > MAX_LINE:
        raise TransportError(f"{name}: a header line of more than {MAX_LINE:,} bytes")
    if not colon or not key or not _TOKEN.issuperset(key):
        raise TransportError(f"{name}: {_shown(line)} is not a header field")
    if any((letter < 32 and letter != 9) or letter == 127 for letter in value):
        raise TransportError(f"{name}: a control character in a header field")
    return key.lower(), value.strip(b" \t")


def _framing(fields: dict[bytes, bytes], minor: int, name: str) -> tuple[bool, int | None]:
    """Whether the body is chunked, and its length where it is told (RFC 9112 section 6.3)."""
    length = fields.get(b"content-length")
    coding = fields.get(b"transfer-encoding")
    if coding is None:
        return False, None if length is None else number(length, name)
    if length is not None or minor == 0:
        raise TransportError(f"{name}: Transfer-Encoding where it must not be: two readers could disagree")
    if coding.lower() != b"chunked":
        raise TransportError(f"{name}: {_shown(coding)} is not a transfer coding that is read here")
    return True, None


def _shown(data: bytes) -> str:
    return repr(data[:40])
