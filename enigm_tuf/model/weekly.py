"""Windows of every week, by the clock on a wall: from a weekday and time to another, in an IANA zone (ADR 31).

A window opens the first time that the clock shows its start or later, and closes the last time that it shows its end.
So an hour that the clock skips moves nothing, and an hour that it shows twice makes a window longer and leaves no hole.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.shapes import Text

_AREAS = "Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific|Etc"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEK = timedelta(days=7)

ZONE = Text(rf"UTC|(?:{_AREAS})(?:/[A-Za-z0-9_+-]+){{1,2}}", "an IANA zone such as Europe/Zurich, or UTC", 64)
"""By its area: ``right/Europe/Zurich`` has another UTC, and ``localtime`` is another zone on another machine."""
MOMENT = Text(rf"(?:{'|'.join(_DAYS)}) (?:[01][0-9]|2[0-3]):[0-5][0-9]", "a weekday and a time, such as fri 16:00", 9)


@dataclass(frozen=True, slots=True)
class Weekly:
    """From ``start`` to before ``end``, over the week's end where ``end`` is the earlier of the two."""

    zone: str
    start: str
    end: str

    def __str__(self) -> str:
        return f"{self.start} .. {self.end} of every week in {self.zone}"

    @property
    def length(self) -> timedelta:
        """By the clock; less than a week."""
        return (_offset(self.end) - _offset(self.start)) % _WEEK

    def holds(self, now: datetime) -> bool:
        """Whether the window is open."""
        zone, wall = ZoneInfo(self.zone), _wall(now, self.zone)
        for start in self._starts(wall):
            end = start + self.length
            opened = wall >= start or start.replace(tzinfo=zone, fold=0).astimezone(UTC) <= now
            closed = wall >= end and end.replace(tzinfo=zone, fold=1).astimezone(UTC) <= now
            if opened and not closed:
                return True
        return False

    def next_start(self, now: datetime) -> datetime:
        """When it opens next, in UTC; where the clock skips that time, within the hour after."""
        zone = ZoneInfo(self.zone)
        opens = (start.replace(tzinfo=zone).astimezone(UTC) for start in self._starts(_wall(now, self.zone)))
        return min(start for start in opens if start > now)

    def covers(self, other: "Weekly") -> bool:
        """Whether it is open whenever the other is."""
        later = (_offset(other.start) - _offset(self.start)) % _WEEK
        return self.zone == other.zone and later + other.length <= self.length

    def _starts(self, wall: datetime) -> Iterator[datetime]:
        """By the clock, in the weeks around: one more on each side than any zone ever skipped."""
        monday = datetime.combine(wall.date() - timedelta(days=wall.weekday()), datetime.min.time())
        for week in range(-2, 3):
            yield monday + week * _WEEK + _offset(self.start)


def require_weekly(window: Weekly, file: str, field: str) -> None:
    """MalformedError if the zone is none, or this machine has no data of it, or the window is none."""
    try:
        ZoneInfo(window.zone)
    except (LookupError, ValueError, OSError) as error:
        told = f"no such zone on this machine: {window.zone}"
        raise MalformedError(
            file, f"{field}.zone", f"{told} (the tables of time zones are those of its system)"
        ) from error
    if not window.length:
        raise MalformedError(file, f"{field}.end", "must be another moment of the week than start")


def _wall(now: datetime, zone: str) -> datetime:
    """What the clock shows, without a zone."""
    return now.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


def _offset(moment: str) -> timedelta:
    """Since Monday 00:00."""
    day, hour, minute = moment[:3], moment[4:6], moment[7:]
    return timedelta(days=_DAYS.index(day), hours=int(hour), minutes=int(minute))
