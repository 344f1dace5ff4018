"""Shapes: one declaration per document gives its strict parser, its encoder and its JSON Schema.

A shape reads a JSON value into a typed one and refuses everything that it does not name: an unknown
field, a missing field, a boolean for an integer, a text that its pattern does not match in full.
Fields of a record carry the names of the frozen dataclass that they fill.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from enigm_tuf.errors import MalformedError
from enigm_tuf.limits import LIMITS
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
    """A text that ``pattern`` matches in full; ``meaning`` says so in words."""

    pattern: str = r"[^\x00-\x1f\x7f]*"
    meaning: str = "one line of text"
    maximum: int = LIMITS.text

    def read(self, value: object, source: str, field: str) -> str:
        if type(value) is not str:
            raise MalformedError(source, field, f"must be {self.meaning}, is {_kind(value)}")
        if len(value) > self.maximum:
            raise MalformedError(source, field, f"at most {self.maximum} characters, has {len(value)}")
        if not re.fullmatch(self.pattern, value):
            raise MalformedError(source, field, f"must be {self.meaning}, is {value[:60]!r}")
        return value

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
        return {
            self.key.read(key, source, f"{field}.{key!s:.60}"): self.item.read(item, source, f"{field}.{key!s:.60}")
            for key, item in value.items()
        }

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

    def read(self, value: object, source: str, field: str = "") -> T:
        if type(value) is not dict:
            raise MalformedError(source, field, f"must be an object, is {_kind(value)}")
        rest = dict(value)
        prefix = f"{field}." if field else ""
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


TIME_TEXT = Text(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", "a time in UTC such as 2026-11-23T20:15:00Z"
)
SHA256 = Text(r"[0-9a-f]{64}", "a SHA-256 in lower-case hex", 64)
SHA512 = Text(r"[0-9a-f]{128}", "a SHA-512 in lower-case hex", 128)
NAME = Text(r"[a-z0-9][a-z0-9_-]{0,62}", "a name of a-z, 0-9, _ and -, at most 63 long", 63)
VERSION = Text(r"(0|[1-9][0-9]{0,8})(\.(0|[1-9][0-9]{0,8})){0,3}", "a version such as 2026.11.1", 39)
BUILD_ID = Text(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", "a build id of letters, digits, '.', '_' and '-'", 128)
PATH = Text(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*", "a relative path with no '..'", 512)
LINE = Text()
WORD = Text(r"\S.*", "a text that is not empty")
POSITIVE = Integer(1)


def version_key(version: str) -> tuple[int, ...]:
    """Orders versions: number by number, missing ones are zero."""
    numbers = [int(part) for part in version.split(".")]
    return tuple(numbers + [0] * (4 - len(numbers)))
