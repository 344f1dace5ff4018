"""Shapes: one declaration per document gives its strict parser, its encoder and its JSON Schema.

A shape reads a JSON value into a typed one and refuses everything that it does not name: an unknown
field, a missing field, a boolean for an integer, a text that its pattern does not match in full.
Fields of a record carry the names of the frozen dataclass that they fill.
"""

from __future__ import annotations

from enigm_tuf.errors import MalformedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.lean import UTC, Callable, Mapping, datetime
from enigm_tuf.model.value import Generic, Protocol, Value

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    from typing import Any, TypeVar

    T = TypeVar("T")
    T_co = TypeVar("T_co", covariant=True)
else:
    T = T_co = None


class Shape(Protocol[T_co]):
    """What every shape can do. ``source`` and ``field`` are for the error alone."""

    def read(self, value: object, source: str, field: str) -> T_co: ...
    def write(self, value: Any) -> Any: ...
    def schema(self) -> dict[str, Any]: ...


class Integer(Value):
    """An integer from ``minimum`` to ``maximum``, both included. Booleans are not integers."""

    minimum: int = 0
    maximum: int = LIMITS.integer_maximum

    def read(self, value: object, source: str, field: str) -> int:
        if type(value) is not int:
            raise MalformedError(source, field, f"must be an integer, is {_kind(value)}")
        if not self.minimum <= value <= self.maximum:
            raise MalformedError(source, field, f"must lie in {self.minimum}..{self.maximum}, is {value}")
        return value

    def write(self, value: int) -> int:
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}


class Boolean(Value):
    """True or false."""

    def read(self, value: object, source: str, field: str) -> bool:
        if type(value) is not bool:
            raise MalformedError(source, field, f"must be true or false, is {_kind(value)}")
        return value

    def write(self, value: bool) -> bool:
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


class Text(Value):
    """A text that ``pattern`` matches in full; ``meaning`` says so in words.

    ``matches`` decides the same without ``re``, which takes a device 5 ms to import: a test holds the two together.
    """

    pattern: str = r"[^\x00-\x1f\x7f]*"
    meaning: str = "one line of text"
    maximum: int = LIMITS.text
    matches: Callable[[str], bool] | None = None

    def read(self, value: object, source: str, field: str) -> str:
        if type(value) is not str:
            raise MalformedError(source, field, f"must be {self.meaning}, is {_kind(value)}")
        if len(value) > self.maximum:
            raise MalformedError(source, field, f"at most {self.maximum} characters, has {len(value)}")
        if not (self._is_matched_by(value) if self.matches is None else self.matches(value)):
            raise MalformedError(source, field, f"must be {self.meaning}, is {value[:60]!r}")
        return value

    def accepts(self, value: str) -> bool:
        """Whether ``read`` would take it."""
        return len(value) <= self.maximum and self._is_matched_by(value)

    def _is_matched_by(self, value: str) -> bool:
        if self.matches is not None:
            return self.matches(value)
        from re import fullmatch

        return fullmatch(self.pattern, value) is not None

    def write(self, value: str) -> str:
        return value

    def schema(self) -> dict[str, Any]:
        pattern = f"^({self.pattern})$"
        return {"type": "string", "maxLength": self.maximum, "pattern": pattern, "description": self.meaning}


class Choice(Value):
    """One of a closed list of words."""

    words: tuple[str, ...]

    def read(self, value: object, source: str, field: str) -> Any:
        if value not in self.words or type(value) is not str:
            raise MalformedError(source, field, f"must be one of {', '.join(self.words)}, is {value!r:.60}")
        return value

    def write(self, value: str) -> str:
        return value

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.words)}


class Time(Value):
    """A time in UTC to the second: ``2026-11-23T20:15:00Z`` (RFC 3339)."""

    def read(self, value: object, source: str, field: str) -> datetime:
        text = TIME_TEXT.read(value, source, field)
        try:
            return datetime.fromisoformat(text)
        except ValueError as error:
            raise MalformedError(source, field, f"no such time: {text}") from error

    def write(self, value: datetime) -> str:
        return f"{value.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()}Z"  # strftime: year 999 is 999

    def schema(self) -> dict[str, Any]:
        return TIME_TEXT.schema() | {"format": "date-time"}


class Sequence(Value, Generic[T]):
    """A list of one shape, read into a tuple."""

    item: Shape[T]
    minimum: int = 0
    maximum: int = LIMITS.listed
    unique: bool = False

    def read(self, value: object, source: str, field: str) -> tuple[T, ...]:
        if type(value) is not list:
            raise MalformedError(source, field, f"must be a list, is {_kind(value)}")
        if not self.minimum <= len(value) <= self.maximum:
            raise MalformedError(source, field, f"must have {self.minimum}..{self.maximum} items, has {len(value)}")
        items = tuple(self.item.read(item, source, f"{field}[{index}]") for index, item in enumerate(value))
        if self.unique and len(set(items)) != len(items):
            raise MalformedError(source, field, "no item may stand twice")
        return items

    def write(self, value: tuple[T, ...]) -> list[Any]:
        return [self.item.write(item) for item in value]

    def schema(self) -> dict[str, Any]:
        bounds = {"minItems": self.minimum, "maxItems": self.maximum, "uniqueItems": self.unique}
        return {"type": "array", "items": self.item.schema()} | bounds


class Table(Value, Generic[T]):
    """An object whose keys match one text shape and whose values have one shape."""

    key: Text
    item: Shape[T]
    minimum: int = 0

    def read(self, value: object, source: str, field: str) -> dict[str, T]:
        if type(value) is not dict:
            raise MalformedError(source, field, f"must be an object, is {_kind(value)}")
        if len(value) < self.minimum:
            raise MalformedError(source, field, f"must have at least {self.minimum} entries, has {len(value)}")
        read = {}
        for key, item in value.items():
            place = f"{field}.{key!s:.60}"
            read[self.key.read(key, source, place)] = self.item.read(item, source, place)
        return read

    def write(self, value: Mapping[str, T]) -> dict[str, Any]:
        return {key: self.item.write(item) for key, item in value.items()}

    def schema(self) -> dict[str, Any]:
        names = {"propertyNames": self.key.schema(), "minProperties": self.minimum}
        return {"type": "object", "additionalProperties": self.item.schema()} | names


class Optional(Value, Generic[T]):
    """A field of a record that may be absent; absent reads as None, and None is not written."""

    item: Shape[T]

    def read(self, value: object, source: str, field: str) -> T | None:
        return self.item.read(value, source, field)

    def write(self, value: T) -> Any:
        return self.item.write(value)

    def schema(self) -> dict[str, Any]:
        return self.item.schema()


class Record(Generic[T]):
    """An object with exactly these fields, read into ``make(**fields)``: a frozen dataclass or ``dict``.

    ``number`` puts ``"schema": number`` in front, so that a reader refuses a format that it does not know.
    """

    def __init__(self, make: Callable[..., T], number: int | None = None, /, **fields: Shape[Any]) -> None:
        self.make = make
        self.number = number
        self.fields = fields
        self._listed = tuple(fields.items())

    def read(self, value: object, source: str, field: str = "") -> T:
        if type(value) is not dict:
            raise MalformedError(source, field, f"must be an object, is {_kind(value)}")
        prefix = f"{field}." if field else ""
        if self.number is None and value.keys() == self.fields.keys():
            fields = {name: shape.read(value[name], source, prefix + name) for name, shape in self._listed}
            return fields if self.make is dict else self.make(**fields)  # type: ignore[return-value] # T is dict then
        rest = dict(value)
        if self.number is not None and rest.pop("schema", None) is not self.number:
            raise MalformedError(source, f"{prefix}schema", f"must be {self.number}, is {value.get('schema')!r}")
        for name in rest:
            if name not in self.fields:
                raise MalformedError(source, f"{prefix}{name!s:.60}", "unknown field")
        return self.make(**{name: self._read(name, rest, source, prefix) for name in self.fields})

    def _read(self, name: str, value: dict[str, object], source: str, prefix: str) -> object:
        shape = self.fields[name]
        if name in value:
            return shape.read(value[name], source, prefix + name)
        if isinstance(shape, Optional):
            return None
        raise MalformedError(source, prefix + name, "missing field")

    def write(self, value: T) -> dict[str, Any]:
        result: dict[str, Any] = {} if self.number is None else {"schema": self.number}
        for name, shape in self.fields.items():
            item = value.get(name) if isinstance(value, dict) else getattr(value, name)
            if item is not None:
                result[name] = shape.write(item)
        return result

    def schema(self) -> dict[str, Any]:
        properties: dict[str, Any] = {} if self.number is None else {"schema": {"const": self.number}}
        properties |= {name: shape.schema() for name, shape in self.fields.items()}
        required = [name for name in properties if not isinstance(self.fields.get(name), Optional)]
        return {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", int: "an integer"}
    return names.get(type(value), "null" if value is None else type(value).__name__)


def only(letters: str, text: str) -> bool:
    """Whether every letter of ``text`` is one of ``letters``."""
    return not text.strip(letters)


def is_number(text: str, digits: int) -> bool:
    """Whether it is so many decimal digits."""
    return len(text) == digits and only(_DIGITS, text)


def _is_time(text: str) -> bool:
    numbers = (text[:4], 4), (text[5:7], 2), (text[8:10], 2), (text[11:13], 2), (text[14:16], 2), (text[17:19], 2)
    marks = text[4:5] + text[7:8] + text[10:11] + text[13:14] + text[16:17] + text[19:]
    return marks == "--T::Z" and all(is_number(number, digits) for number, digits in numbers)


def _is_name(text: str) -> bool:
    return 0 < len(text) < 64 and text[0] not in "_-" and only(_NAME_LETTERS, text)


def _is_version(text: str) -> bool:
    parts = text.split(".")
    numbers = (0 < len(part) < 10 and only(_DIGITS, part) and (part == "0" or part[0] != "0") for part in parts)
    return len(parts) < 5 and all(numbers)


def _is_build_id(text: str) -> bool:
    return 0 < len(text) < 129 and text[0] not in "._-" and only(_LETTERS + "._-", text)


def _is_path(text: str) -> bool:
    return all(part and part[0] not in ".-" and only(_LETTERS + "._-", part) for part in text.split("/"))


def _is_line(text: str) -> bool:
    return text.isprintable() if text.isascii() else min(text) >= " " and "\x7f" not in text


_DIGITS, _SMALL = "0123456789", "abcdefghijklmnopqrstuvwxyz"
_LETTERS = _SMALL + _SMALL.upper() + _DIGITS
_HEX = "0123456789abcdef"
_NAME_LETTERS = f"{_SMALL}{_DIGITS}_-"

TIME_TEXT = Text(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z",
    "a time in UTC such as 2026-11-23T20:15:00Z",
    matches=_is_time,
)
SHA256 = Text(
    r"[0-9a-f]{64}", "a SHA-256 in lower-case hex", 64, matches=lambda text: len(text) == 64 and only(_HEX, text)
)
SHA512 = Text(
    r"[0-9a-f]{128}", "a SHA-512 in lower-case hex", 128, matches=lambda text: len(text) == 128 and only(_HEX, text)
)
NAME = Text(r"[a-z0-9][a-z0-9_-]{0,62}", "a name of a-z, 0-9, _ and -, at most 63 long", 63, matches=_is_name)
VERSION = Text(
    r"(0|[1-9][0-9]{0,8})(\.(0|[1-9][0-9]{0,8})){0,3}", "a version such as 2026.11.1", 39, matches=_is_version
)
BUILD_ID = Text(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}",
    "a build id of letters, digits, '.', '_' and '-'",
    128,
    matches=_is_build_id,
)
PATH = Text(
    r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*",
    "a relative path with no '..'",
    512,
    matches=_is_path,
)
LINE = Text(matches=_is_line)
WORD = Text(
    r"\S.*",
    "a text that is not empty",
    matches=lambda text: text != "" and not text[0].isspace() and "\n" not in text,
)
POSITIVE = Integer(1)


def version_key(version: str) -> tuple[int, ...]:
    """Orders versions: number by number, missing ones are zero."""
    numbers = [int(part) for part in version.split(".")]
    return tuple(numbers + [0] * (4 - len(numbers)))
