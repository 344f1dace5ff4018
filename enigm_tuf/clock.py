"""The machine's clock."""

from datetime import UTC, datetime


class SystemClock:
    """Implements ``enigm_tuf.ports.Clock``."""

    def now(self) -> datetime:
        return datetime.now(UTC)
