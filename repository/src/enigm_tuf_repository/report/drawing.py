"""Where things stand in the pictures: percentages of a width, worked out here so that the page needs no script."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from enigm_tuf.model.manifest import Rollout
from enigm_tuf_repository.report.facts import Facts

TICKS = (("1 day", 1), ("1 week", 7), ("1 month", 30), ("3 months", 91), ("1 year", 365), ("3 years", 1_095))
_LONGEST = 1_095.0  # days at the right edge
_KNEE = 0.5  # days: below it the axis is nearly linear, above logarithmic
SHOWN_ROLES = 40


@dataclass(frozen=True, slots=True)
class Bar:
    """A role on the time line: ``width`` in percent; ``left`` is the time that is left, in words."""

    role: str
    version: int
    width: float
    left: str
    expires: datetime
    state: str


@dataclass(frozen=True, slots=True)
class StairPoint:
    """One corner of a rollout's stairs: percent of the width, percent of all devices."""

    x: float
    percent: int


@dataclass(frozen=True, slots=True)
class Stairs:
    """A rollout over time. ``now`` is the place of the report's time, None where it lies outside."""

    points: tuple[StairPoint, ...]
    now: float | None
    first: datetime
    last: datetime

    @property
    def line(self) -> str:
        """For an SVG of 100 by 100 whose y grows downwards."""
        return " ".join(f"{point.x:.2f},{100 - point.percent}" for point in self.points)


def place(days: float) -> float:
    """Percent of the time line's width for so many days from now."""
    share = math.log1p(max(days, 0.0) / _KNEE) / math.log1p(_LONGEST / _KNEE)
    return round(100 * min(share, 1.0), 2)


def bars(facts: Facts) -> tuple[Bar, ...]:
    """The roles that expire first, at most SHOWN_ROLES."""
    soonest = sorted(facts.roles, key=lambda item: (item.expires, item.role))[:SHOWN_ROLES]
    return tuple(
        Bar(
            item.role,
            item.version,
            place((item.expires - facts.made) / timedelta(days=1)),
            in_words(item.expires - facts.made),
            item.expires,
            item.due or "good",
        )
        for item in soonest
    )


def stairs(plan: Rollout, now: datetime) -> Stairs:
    """From a little before the start to a little after the last stage, or to now if that is later."""
    moments = [plan.start + timedelta(hours=stage.after_hours) for stage in plan.stages]
    span = max(moments[-1] - plan.start, timedelta(hours=24))
    first, last = plan.start - span * 0.08, max(moments[-1], plan.start + span) + span * 0.15
    width = last - first
    points, percent = [StairPoint(0.0, 0)], 0
    for moment, stage in zip(moments, plan.stages, strict=True):
        x = 100 * ((moment - first) / width)
        points += [StairPoint(x, percent), StairPoint(x, stage.percent)]
        percent = stage.percent
    points.append(StairPoint(100.0, percent))
    inside = first <= now <= last
    return Stairs(tuple(points), 100 * ((now - first) / width) if inside else None, first, last)


def in_words(span: timedelta) -> str:
    """``3 days``, ``5 hours``, ``expired 2 days ago``."""
    if span < timedelta(0):
        return f"expired {in_words(-span)} ago"
    if span >= timedelta(days=2):
        return f"{span.days} days"
    hours = int(span / timedelta(hours=1))
    return f"{hours} hours" if hours > 1 else f"{int(span / timedelta(minutes=1))} minutes"
