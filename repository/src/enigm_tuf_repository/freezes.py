"""FREEZE-WINDOW: times in which nothing new is offered to devices."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf.model.request import Action
from enigm_tuf.model.shapes import LINE, Record, Sequence, Time
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


FREEZES = Sequence(Record(Freeze, start=Time(), end=Time(), reason=LINE), maximum=1_000, unique=True)


def require_windows(freezes: Iterable[Freeze], source: str) -> None:
    """MalformedError for one that ends before it starts."""
    for at, freeze in enumerate(freezes):
        if freeze.end <= freeze.start:
            raise MalformedError(source, f"freezes[{at}].end", "must be after start")


def require_no_freeze(freezes: Iterable[Freeze], action: Action, record_id: str, now: datetime) -> None:
    """RefusedError FREEZE-WINDOW, for what is held back; asked at the gates, and again when it is published."""
    for freeze in freezes if action in HELD_BACK else ():
        if freeze.start <= now < freeze.end:
            expected = f"a time outside {freeze.start:%F %T} to {freeze.end:%F %T} UTC"
            hint = f"{freeze.reason}: wait, or have TIME-FREEZE waived (enigm-sign waive)"
            raise RefusedError(
                RepositoryRule.FREEZE_WINDOW, record_id, expected=expected, got=f"{now:%F %T}", hint=hint
            )
