"""Every error that enigm_tuf raises on purpose.

EnigmTufError
├── MalformedError        a document breaks its format: source, field, rule        exit 2
├── MisuseError           wrong arguments, wrong order of steps                    exit 2
├── RefusedError          a security rule said no: rule, subject, expected, got    exit 3
├── TokenError            a token did not do what was asked                        exit 2
│   ├── NoTokenError          not there, or not the one that was named
│   ├── WrongPinError         with the tries that are left, where the token tells
│   ├── PinLockedError        needs the PUK or the security officer
│   ├── WrongPukError         with the tries that are left
│   ├── PukLockedError        nothing unlocks the PIN any more
│   ├── TouchTimeoutError     nobody touched the token in time
│   └── TokenRemovedError     pulled out or gone while in use
├── TransportError        the network or the server                                exit 2
│   └── NotFoundError         the server answered that there is no such file
└── StateError            the store or the disk: full, locked, damaged             exit 2
    └── ConflictError         somebody else published or signed first

Foreign exceptions are converted where they come in, with ``from``. Errors never print or exit.
A traceback (exit 1) is always a bug of ours.
"""

from __future__ import annotations

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    from typing import ClassVar, NoReturn


class EnigmTufError(Exception):
    """The root of the tree. ``hint`` is the next step to take, or empty."""

    exit_status: ClassVar[int] = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class MalformedError(EnigmTufError):
    """A document breaks its format.

    ``source`` names the file or message, ``field`` the place in it (``releases[0].version``; empty for
    the whole document), ``rule`` what the format demands.
    """

    def __init__(self, source: str, field: str, rule: str, *, hint: str = "") -> None:
        place = f"{source}: {field}" if field else source
        super().__init__(f"{place}: {rule}", hint=hint)
        self.source = source
        self.field = field
        self.rule = rule


class MisuseError(EnigmTufError):
    """The caller asked for something that makes no sense here: wrong argument, wrong order of steps."""


class RefusedError(EnigmTufError):
    """A security rule said no. ``rule`` is its stable ID, as listed in docs/assurance.md."""

    exit_status: ClassVar[int] = 3

    def __init__(self, rule: str, subject: str, *, expected: str, got: str, hint: str = "") -> None:
        super().__init__(f"{rule}: {subject}: expected {expected}, got {got}", hint=hint)
        self.rule = str(rule)
        self.subject = subject
        self.expected = expected
        self.got = got


def refuse(rule: str, subject: str, expected: str, got: str, *, hint: str = "") -> NoReturn:
    """Raise a RefusedError."""
    raise RefusedError(rule, subject, expected=expected, got=got, hint=hint)


class TokenError(EnigmTufError):
    """A token did not do what was asked."""


class NoTokenError(TokenError):
    """The token is not there, or it is not the one that was named."""


class WrongPinError(TokenError):
    """The PIN is wrong. ``tries_left`` is None where the token does not tell."""

    def __init__(self, token: str, tries_left: int | None) -> None:
        left = "the token does not tell how many tries are left" if tries_left is None else f"{tries_left} tries left"
        super().__init__(f"{token}: wrong PIN ({left})", hint="check which token this is before you try again")
        self.token = token
        self.tries_left = tries_left


class PinLockedError(TokenError):
    """The PIN is locked: only the PUK or the security officer can unlock it."""


class WrongPukError(TokenError):
    """The PUK is wrong."""

    def __init__(self, token: str, tries_left: int) -> None:
        super().__init__(
            f"{token}: wrong PUK ({tries_left} tries left); the PIN is as it was",
            hint="ask the security officer for this card's PUK; when no try is left, the card must be reset",
        )
        self.tries_left = tries_left


class PukLockedError(TokenError):
    """The PUK is locked: nothing unlocks the PIN any more, and the card's keys are lost once that is locked too."""


class TouchTimeoutError(TokenError):
    """Nobody touched the token in time; nothing was signed."""


class TokenRemovedError(TokenError):
    """The token went away while in use; what it was asked for last, it may have done."""


class ModuleCrashedError(TokenError):
    """A PKCS#11 module's process died, or answered with nonsense."""


class ModuleTimeoutError(TokenError):
    """A PKCS#11 module did not answer in time; its process was ended."""


class TransportError(EnigmTufError):
    """The network or the server failed; says nothing about trust."""


class NotFoundError(TransportError):
    """The server answered that there is no such file."""


class StateError(EnigmTufError):
    """The store or the disk failed: full, locked by another process, damaged."""


class ConflictError(StateError):
    """Somebody else was first; look again, then redo the step."""
