"""Requests and bytes of a fleet, by role. The client's workflow in numbers; a test holds it to a real server's log.

Each device is new: it is shipped with the newest root. Its first check fetches all metadata of its product and the
release; each later release costs it the roles that moved, and the payload; each other check a look for a root (not
found) and a timestamp. Bytes are those of bodies.
"""

from dataclasses import dataclass

from enigm_tuf.errors import MisuseError
from enigm_tuf_repository.traffic.sizes import Sizes

NOT_FOUND_BYTES = 153  # of the page that nginx sends with a 404
FIRST = ("snapshot", "targets", "manifest role", "manifest", "payload role", "chunk digests", "payload")
"""What a first check and the fetch after it get once, beside root and timestamp."""
MOVED = tuple(what for what in FIRST if what != "targets")
"""What a release costs."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """``checks`` of each device in all, while ``releases`` are published, which each device finds one by one."""

    devices: int
    releases: int
    checks: int

    def __post_init__(self) -> None:
        for name in ("devices", "releases", "checks"):
            if getattr(self, name) < (0 if name == "releases" else 1):
                raise MisuseError(f"{name}: at least {0 if name == 'releases' else 1}, is {getattr(self, name)}")
        if self.checks <= self.releases:
            hint = "let devices check more often, or for longer: a device that checks rarely skips releases"
            raise MisuseError(f"{self.checks} checks of a device cannot find {self.releases} releases", hint=hint)


@dataclass(frozen=True, slots=True)
class Row:
    """All requests of a fleet for one thing, and the bytes of the answers."""

    role: str
    requests: int
    bytes: int


def traffic(sizes: Sizes, fleet: Fleet) -> tuple[Row, ...]:
    """A row for each thing that is fetched, in the order in which a device does."""
    checks = fleet.devices * fleet.checks
    rows = [
        Row("root (not found)", checks, checks * NOT_FOUND_BYTES),
        Row("timestamp", checks, checks * sizes.of["timestamp"]),
    ]
    for what in FIRST:
        if what in sizes.of:
            times = range(fleet.releases + 1) if what in MOVED else range(1)
            each = sum(sizes.after(what, number) for number in times)
            rows.append(Row(what, fleet.devices * len(times), fleet.devices * each))
    return tuple(rows)
