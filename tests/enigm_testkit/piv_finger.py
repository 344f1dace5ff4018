"""Fingers for the virtual card: when somebody touches it, in seconds from when it begins to blink.

Nobody waits: the card's time is counted, not spent.
"""

from collections.abc import Callable
from typing import TypeAlias

TIMEOUT_S = 15.0
"""What a YubiKey waits (Yubico/yubico-piv-tool issue 185)."""

Finger: TypeAlias = Callable[[], float | None]
"""Asked whenever the card waits: the second of the touch, None for nobody. A touch after the timeout is lost."""


def at_once() -> float:
    """Somebody has the finger on it."""
    return 0.0


def in_time() -> float:
    """The last moment."""
    return TIMEOUT_S - 0.001


def too_late() -> float:
    """The card has given up just now."""
    return TIMEOUT_S


def never() -> None:
    """Nobody is there."""


def arrives(finger: Finger) -> bool:
    """Whether it comes while the card waits."""
    second = finger()
    return second is not None and second < TIMEOUT_S
