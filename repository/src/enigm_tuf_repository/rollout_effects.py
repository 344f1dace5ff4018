"""What a change of a rollout does, in words: which share of the devices from when, before and after."""

from datetime import datetime, timedelta

from enigm_tuf.model.manifest import Rollout
from enigm_tuf.trust.eligibility import reached_percent


def effect_rows(before: Rollout, after: Rollout, now: datetime) -> list[tuple[str, str, str]]:
    """A row for now and for each moment at which either plan changes: from when, the share before, and after."""
    moments = sorted({now, *_moments(before), *_moments(after)})
    rows: list[tuple[str, str, str]] = []
    for moment in moments:
        if moment >= now:
            told = share(before, moment), share(after, moment)
            if not rows or rows[-1][1:] != told:
                rows.append(("now" if moment == now else f"{moment:%F %T}", *told))
    return rows


def share(plan: Rollout, moment: datetime) -> str:
    """``10 % of staff``; ``nobody`` before the start; ``nobody (halted)``."""
    if plan.halted:
        return "nobody (halted)"
    percent = reached_percent(plan, moment)
    whom = f" of {', '.join(plan.cohorts)}" if plan.cohorts else ""
    return f"{percent} %{whom}" if percent else "nobody"


def _moments(plan: Rollout) -> list[datetime]:
    return [plan.start + timedelta(hours=stage.after_hours) for stage in plan.stages]
