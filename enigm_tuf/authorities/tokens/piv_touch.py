"""Waiting for a finger: the card blinks, and somebody must know which one, and for how long."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeAlias

TOUCH_SECONDS = 15
"""How long a YubiKey waits for the finger, then answers 6982 (Yubico/yubico-piv-tool issue 185)."""

Waiting: TypeAlias = Callable[[str, int], AbstractContextManager[None]]
"""Tells a person what to do and in how many seconds, for as long as the block runs."""
