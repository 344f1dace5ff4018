"""Frozen values with slots: what a frozen dataclass is, without the import of ``dataclasses``.

``import dataclasses`` costs 14 ms, one and a half times an empty Python process (ADR 12): too much for a device
that asks once an hour whether there is something new. Code that never runs on a device uses dataclasses.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar, dataclass_transform
    from typing import Generic as Generic
    from typing import Protocol as Protocol

    V = TypeVar("V", bound="Value")
else:

    def dataclass_transform(**_: object) -> object:
        return lambda cls: cls

    class Generic:
        """Stands in for ``typing.Generic`` and ``typing.Protocol`` at run time, where they mean nothing."""

        __slots__ = ()

        def __class_getitem__(cls, _: object) -> type:
            return cls

    Protocol = Generic


@dataclass_transform(frozen_default=True)
class _ValueType(type):
    """Turns annotations into slots, and their right-hand sides into defaults."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> _ValueType:
        fields = tuple(namespace.get("__annotations__", ()))
        defaults = {field: namespace.pop(field) for field in fields if field in namespace}
        inherited: tuple[str, ...] = next((base.value_fields for base in bases if isinstance(base, _ValueType)), ())
        inherited_defaults = next((base.value_defaults for base in bases if isinstance(base, _ValueType)), {})
        namespace["__slots__"] = fields
        made = super().__new__(cls, name, bases, namespace)
        made.value_fields = inherited + fields
        made.value_defaults = inherited_defaults | defaults
        made.value_shown = tuple(field for field in made.value_fields if not field.startswith("_"))
        return made

    value_fields: tuple[str, ...]
    value_defaults: dict[str, Any]
    value_shown: tuple[str, ...]


class Value(metaclass=_ValueType):
    """Base of frozen values. Fields that begin with ``_`` take no part in equality and representation."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        fields = type(self).value_fields
        if len(args) > len(fields):
            raise TypeError(f"{type(self).__name__} has {len(fields)} fields, got {len(args)} values")
        put = object.__setattr__
        for field, value in zip(fields, args, strict=False):
            put(self, field, value)
        for field in fields[len(args) :]:
            if field in kwargs:
                put(self, field, kwargs.pop(field))
            elif field in type(self).value_defaults:
                put(self, field, type(self).value_defaults[field])
            else:
                raise TypeError(f"{type(self).__name__} needs {field}")
        if kwargs:
            raise TypeError(f"{type(self).__name__} has no {', '.join(kwargs)}, or got it twice")
        self.__post_init__()

    def __post_init__(self) -> None:
        """For checks that belong to the type."""

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: {name}")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, field) == getattr(other, field) for field in type(self).value_shown)

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, field) for field in type(self).value_shown))

    def __repr__(self) -> str:
        shown = ", ".join(f"{field}={getattr(self, field)!r}" for field in type(self).value_shown)
        return f"{type(self).__name__}({shown})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(getattr(self, field) for field in type(self).value_fields)


def replace(value: V, **changes: Any) -> V:
    """A copy of ``value`` in which ``changes`` stand; checked again as every new value is.

    Fields that begin with ``_`` are not copied: a seal is on what was checked, not on what was made of it.
    """
    return type(value)(**{field: getattr(value, field) for field in type(value).value_shown} | changes)


def as_dict(value: Value) -> dict[str, Any]:
    """The fields by name, as they are."""
    return {field: getattr(value, field) for field in type(value).value_fields}
