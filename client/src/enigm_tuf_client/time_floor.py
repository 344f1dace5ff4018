"""What time it is at least, and by which time expiry is judged (ADR 14)."""

from __future__ import annotations

from enigm_tuf.errors import RefusedError
from enigm_tuf.model.issued import issued_at
from enigm_tuf.model.lean import UTC, datetime, timedelta
from enigm_tuf.model.tuf import Snapshot, Timestamp
from enigm_tuf.trust.tuf_rules import TufRule

CLOCK_SKEW = timedelta(hours=1)  # between the machine that issued metadata and a device
_EARLIEST = datetime.min.replace(tzinfo=UTC) + CLOCK_SKEW


def judged_at(now: datetime | None, floor: datetime | None) -> datetime:
    """The time by which expiry is judged: the clock's, or for a device that has none the newest that it knows of."""
    if now is None:
        return floor or datetime.min.replace(tzinfo=UTC)
    if floor is not None and now < floor:
        raise RefusedError(
            TufRule.TIME_FLOOR,
            "the clock, so that expiry cannot be judged",
            expected=f"not before {floor.isoformat()}, which has been",
            got=now.isoformat(),
            hint="set the clock; a device without one says so and is judged by the newest time that it knows of",
        )
    return now


def latest_of(floor: datetime | None, time: datetime | None) -> datetime | None:
    return max((item for item in (floor, time) if item is not None), default=None)


def raised_floor(floor: datetime | None, timestamp: Timestamp, snapshot: Snapshot) -> datetime | None:
    """The floor, or the newest time that these say they were issued at, less the skew.

    Bounded by both expiries, so that whoever holds the freshness key alone cannot put it out of reach.
    """
    bound = min(timestamp.expires, snapshot.expires)
    for time in (issued_at(timestamp, "timestamp"), issued_at(snapshot, "snapshot")):
        if time is not None and _EARLIEST <= time <= bound:
            floor = latest_of(floor, time - CLOCK_SKEW)
    return floor
