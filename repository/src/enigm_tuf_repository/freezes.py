"""FREEZE-WINDOW: times in which nothing new is offered to devices."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf.model.request import Action
from enigm_tuf.model.shapes import LINE, Record, Sequence, Time
from enigm_tuf.model.weekly import MOMENT, ZONE, Weekly, require_weekly
from enigm_tuf_repository.rules import RepositoryRule

HELD_BACK: tuple[Action, ...] = ("release", "product", "retire")
"""Roots, recoveries and renewals go out at any time: to hold them back would harm devices, not spare them. So does an
emergency, to which more people have agreed, in a ceremony of its own."""


@dataclass(frozen=True, slots=True)
class Freeze:
    """From ``start`` until just before ``end``, and why."""

    start: datetime
    end: datetime
    reason: str

    def __str__(self) -> str:
        return f"{self.start:%F %T} to {self.end:%F %T} UTC"

    def holds(self, now: datetime) -> bool:
        """Whether it is in force."""
        return self.start <= now < self.end

    def next_start(self, now: datetime) -> datetime | None:
        """None once it has begun."""
        return self.start if self.start > now else None


@dataclass(frozen=True, slots=True)
class WeeklyFreeze(Weekly):
    """Every week, as in the policies of the authorities, and why."""

    reason: str


Window: TypeAlias = Freeze | WeeklyFreeze
FREEZES = Sequence(Record(Freeze, start=Time(), end=Time(), reason=LINE), maximum=1_000, unique=True)
WEEKLY_FREEZES = Sequence(
    Record(WeeklyFreeze, zone=ZONE, start=MOMENT, end=MOMENT, reason=LINE), maximum=100, unique=True
)


def require_windows(freezes: Iterable[Freeze], weekly: Iterable[WeeklyFreeze], source: str) -> None:
    """MalformedError for one that ends before it starts, or whose zone is unknown here."""
    for at, freeze in enumerate(freezes):
        if freeze.end <= freeze.start:
            raise MalformedError(source, f"freezes[{at}].end", "must be after start")
    for at, window in enumerate(weekly):
        require_weekly(window, source, f"weekly_freezes[{at}]")


def require_no_freeze(windows: Iterable[Window], action: Action, record_id: str, now: datetime) -> None:
    """RefusedError FREEZE-WINDOW, for what is held back; asked at the gates, and again when it is published."""
    for window in windows if action in HELD_BACK else ():
        if window.holds(now):
            hint = f"{window.reason}: wait, or have TIME-FREEZE waived (enigm-sign waive)"
            raise RefusedError(
                RepositoryRule.FREEZE_WINDOW,
                record_id,
                expected=f"a time outside {window}",
                got=f"{now:%F %T}",
                hint=hint,
            )
