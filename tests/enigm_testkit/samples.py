"""For any shape a JSON value that it takes, so that a test can ask something of every one of them."""

from typing import Any

from enigm_tuf.audit.log import EntryType, entry_shape
from enigm_tuf.model.shapes import Boolean, Choice, Integer, Optional, Record, Sequence, Shape, Text, Time

_TEXTS = ("a" * 64, "ab", "a", "a.b")


def sample_entry(kind: EntryType) -> dict[str, Any]:
    """The first entry of a log, of this type."""
    value: dict[str, Any] = sample(entry_shape(kind))
    return value


def sample(shape: Shape[Any]) -> Any:
    """A JSON value that the shape takes."""
    match shape:
        case Optional():
            return sample(shape.item)
        case Integer():
            return shape.minimum
        case Boolean():
            return True
        case Choice():
            return shape.words[0]
        case Time():
            return "2026-11-26T12:00:00Z"
        case Text():
            return next(text for text in _TEXTS if shape.accepts(text))
        case Sequence():
            return [sample(shape.item)]
        case Record():
            number = {} if shape.number is None else {"schema": shape.number}
            return number | {name: sample(field) for name, field in shape.fields.items()}
    raise AssertionError(shape)
