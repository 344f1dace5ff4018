"""A strict reader of protocol buffers' wire format (protobuf.dev, "Encoding"), without generated code (ADR 21).

Refused, where other readers take the last or guess: a field that may stand once and stands twice, another wire type
than the field's, numbers longer than ten bytes or above 64 bits, groups, texts that are not UTF-8. Fields that nobody
asks for are left alone: newer writers add some.
"""

from dataclasses import dataclass, field

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.limits import INSPECTION_LIMITS

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


@dataclass(slots=True)
class Message:
    """One message. ``source`` and ``path`` are for errors. Each method names a field by its number."""

    data: bytes
    source: str
    path: str = ""
    _fields: dict[int, list[tuple[int, int | bytes]]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        place, count = 0, 0
        while place < len(self.data):
            count += 1
            if count > INSPECTION_LIMITS.protobuf_fields:
                raise self._error(f"at most {INSPECTION_LIMITS.protobuf_fields:,} fields")
            key, place = self._varint(place)
            number, wire = key >> 3, key & 7
            if not 0 < number < 2**29:
                raise self._error(f"no field has the number {number}")
            value, place = self._value(wire, place)
            self._fields.setdefault(number, []).append((wire, value))

    def integer(self, number: int, default: int = 0) -> int:
        """An unsigned integer, an enum's number, or a boolean as 0 or 1."""
        value = self._one(number, VARINT)
        return default if value is None else int(value)

    def signed(self, number: int) -> int:
        """An int64: two's complement in 64 bits."""
        value = self.integer(number)
        return value - 2**64 if value >= 2**63 else value

    def boolean(self, number: int) -> bool:
        """False where it is absent."""
        value = self.integer(number)
        if value > 1:
            raise self._error(f"field {number} must be 0 or 1, is {value}")
        return bool(value)

    def fixed32(self, number: int) -> int | None:
        """None where it is absent."""
        value = self._one(number, FIXED32)
        return None if value is None else int(value)

    def raw(self, number: int) -> bytes:
        """Empty where it is absent."""
        value = self._one(number, BYTES)
        return b"" if value is None else bytes(value)

    def text(self, number: int) -> str:
        """Empty where it is absent."""
        return self._text(number, self.raw(number))

    def texts(self, number: int) -> tuple[str, ...]:
        """A repeated string."""
        return tuple(self._text(number, value) for value in self._all(number))

    def message(self, number: int) -> "Message | None":
        """None where it is absent."""
        value = self._one(number, BYTES)
        return None if value is None else Message(bytes(value), self.source, self._below(number))

    def messages(self, number: int) -> tuple["Message", ...]:
        """A repeated message."""
        found = enumerate(self._all(number))
        return tuple(Message(value, self.source, f"{self._below(number)}[{index}]") for index, value in found)

    def unknown(self, known: set[int]) -> list[int]:
        """The numbers that are here and not in ``known``."""
        return sorted(self._fields.keys() - known)

    def _one(self, number: int, wire: int) -> int | bytes | None:
        values = self._fields.get(number, [])
        if len(values) > 1:
            raise self._error(f"field {number} stands {len(values)} times and may stand once")
        if values and values[0][0] != wire:
            raise self._error(f"field {number} has wire type {values[0][0]}, must have {wire}")
        return values[0][1] if values else None

    def _all(self, number: int) -> list[bytes]:
        values = self._fields.get(number, [])
        if any(wire != BYTES for wire, _ in values):
            raise self._error(f"field {number} must have wire type {BYTES}")
        return [value for _, value in values if isinstance(value, bytes)]

    def _value(self, wire: int, place: int) -> tuple[int | bytes, int]:
        if wire == VARINT:
            return self._varint(place)
        if wire == BYTES:
            length, place = self._varint(place)
            return self._take(place, length), place + length
        if wire in {FIXED32, FIXED64}:
            length = 4 if wire == FIXED32 else 8
            return int.from_bytes(self._take(place, length), "little"), place + length
        raise self._error(f"no such wire type: {wire}")

    def _varint(self, place: int) -> tuple[int, int]:
        value = 0
        for index in range(10):
            (byte,) = self._take(place + index, 1)
            value |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                if value >= 2**64:
                    break
                return value, place + index + 1
        raise self._error("a number above 64 bits")

    def _take(self, place: int, length: int) -> bytes:
        if place + length > len(self.data):
            raise self._error("cut off")
        return self.data[place : place + length]

    def _text(self, number: int, value: bytes) -> str:
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise MalformedError(self.source, self._below(number), "must be UTF-8") from error

    def _below(self, number: int) -> str:
        return f"{self.path}.{number}" if self.path else str(number)

    def _error(self, rule: str) -> MalformedError:
        return MalformedError(self.source, self.path, rule)
