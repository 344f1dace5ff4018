"""Names of the standard library, without what their modules cost to import (ADR 17).

``enum``, ``re``, ``collections``, ``functools``, ``json`` and ``datetime`` take 7 ms together, as much as an empty
Python process: too much for a device that asks once an hour whether there is something new. What runs at each check
takes these names from here. They are the same objects, but for ``StrEnum``, which does what is needed of it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable as Callable
    from collections.abc import Collection as Collection
    from collections.abc import Generator as Generator
    from collections.abc import Iterator as Iterator
    from collections.abc import Mapping as Mapping
    from datetime import UTC as UTC
    from datetime import datetime as datetime
    from datetime import timedelta as timedelta
    from enum import StrEnum as StrEnum
    from types import MappingProxyType as MappingProxyType
    from typing import Any
else:
    from _collections_abc import Callable as Callable
    from _collections_abc import Collection as Collection
    from _collections_abc import Generator as Generator
    from _collections_abc import Iterator as Iterator
    from _collections_abc import Mapping as Mapping
    from _datetime import UTC as UTC
    from _datetime import datetime as datetime
    from _datetime import timedelta as timedelta

    MappingProxyType = type(type.__dict__)

    class _Words(type):
        """Makes a member of every text, or tuple of texts, in the body of the class."""

        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            given = {word: value for word, value in body.items() if word[0] != "_" and type(value) in (str, tuple)}
            made = super().__new__(cls, name, bases, {word: body[word] for word in body if word not in given})
            for word, value in given.items():
                member = made.__new__(made, *((value,) if type(value) is str else value))
                member.name = word
                type.__setattr__(made, word, member)
            type.__setattr__(made, "_members", tuple(getattr(made, word) for word in given))
            return made

        def __call__(cls, value: str) -> Any:
            """The member that is this text; ValueError."""
            for member in cls._members:
                if member == value:
                    return member
            raise ValueError(f"{value!r} is not a valid {cls.__name__}")

        def __iter__(cls) -> Iterator[Any]:
            return iter(cls._members)

        def __len__(cls) -> int:
            return len(cls._members)

        def __contains__(cls, value: object) -> bool:
            return value in cls._members

        def __setattr__(cls, name: str, value: object) -> None:
            raise AttributeError(f"{cls.__name__} is frozen: {name}")

    class StrEnum(str, metaclass=_Words):
        """A closed list of texts, in order; each member is the one object of its text."""

        @property
        def value(self) -> str:
            return str(self)

        def __repr__(self) -> str:
            return f"<{type(self).__name__}.{self.name}: {str(self)!r}>"

        def __reduce__(self) -> tuple[Any, ...]:
            return type(self), (str(self),)
