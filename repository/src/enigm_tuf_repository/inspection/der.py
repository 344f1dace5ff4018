"""A strict reader of DER (X.690): definite lengths in their shortest form, nothing behind the value."""

from dataclasses import dataclass

from enigm_tuf.errors import MalformedError

SEQUENCE, SET, OID, OCTET_STRING, INTEGER = 0x30, 0x31, 0x06, 0x04, 0x02


@dataclass(frozen=True, slots=True)
class Value:
    """A tag with its contents. ``raw`` is all of it, with tag and length."""

    tag: int
    contents: bytes
    raw: bytes
    source: str

    def children(self) -> list["Value"]:
        """What a constructed value holds."""
        found: list[Value] = []
        rest = self.contents
        while rest:
            found.append(_first(rest, self.source))
            rest = rest[len(found[-1].raw) :]
        return found

    def require(self, tag: int, field: str) -> "Value":
        """Itself; MalformedError if it has another tag."""
        if self.tag != tag:
            raise MalformedError(self.source, field, f"must have DER tag {tag:#04x}, has {self.tag:#04x}")
        return self

    @property
    def oid(self) -> str:
        """The dotted form of an object identifier."""
        numbers: list[int] = []
        value = 0
        for byte in self.require(OID, "object identifier").contents:
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                numbers.append(value)
                value = 0
        if not numbers or len(self.contents) > 32:
            raise MalformedError(self.source, "", "not an object identifier")
        first = min(numbers[0] // 40, 2)
        return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def read_der(data: bytes, source: str) -> Value:
    """The one value that ``data`` is."""
    value = _first(data, source)
    if len(value.raw) != len(data):
        raise MalformedError(source, "", "bytes behind the DER value")
    return value


def _first(data: bytes, source: str) -> Value:
    if len(data) < 2 or data[0] & 0x1F == 0x1F:
        raise MalformedError(source, "", "not DER")
    length, start = data[1], 2
    if length > 0x80:
        start = 2 + length - 0x80
        length = int.from_bytes(data[2:start])
        if start > 6 or length < 0x80 or data[2] == 0:
            raise MalformedError(source, "", "not DER: a length that is not in its shortest form")
    elif length == 0x80:
        raise MalformedError(source, "", "not DER: an indefinite length")
    if start + length > len(data):
        raise MalformedError(source, "", "DER is cut off")
    return Value(data[0], data[start : start + length], data[: start + length], source)
