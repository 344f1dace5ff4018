"""The machine's clock, and none."""

from enigm_tuf.model.lean import UTC, datetime


class SystemClock:
    """Implements ``enigm_tuf.ports.Clock``."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class NoClock:
    """Implements ``enigm_tuf.ports.DeviceClock`` for a device that cannot tell the time (ADR 14)."""

    def now(self) -> datetime | None:
        return None
