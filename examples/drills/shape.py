"""What a drill is."""

from collections.abc import Callable
from dataclasses import dataclass

from examples.attacks import Scene

IN_FLIGHT = "phone-1.2"
"""The record of the release that is being signed while the attackers try."""


@dataclass(frozen=True)
class Attempt:
    """``play`` returns the rule that refused it, or what the attacker reached: ``outcome``, or the drill fails."""

    tried: str
    play: Callable[[Scene], str]
    outcome: str


@dataclass(frozen=True)
class Drill:
    """``party`` is compromised, the attacker has ``hands``. ``gets`` are the attempts that succeed."""

    party: str
    hands: str
    refused: tuple[Attempt, ...]
    gets: tuple[Attempt, ...] = ()

    def attempts(self) -> tuple[Attempt, ...]:
        return (*self.refused, *self.gets)
