"""What ``rollout start|stage|pause|halt|resume`` make of a plan. Pure; a device sees the result only when it is signed.

Hours are whole, counted from the plan's start: a stage that shall begin now begins with the hour that is running.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from enigm_tuf.errors import MisuseError
from enigm_tuf.model.manifest import Rollout, Stage
from enigm_tuf.model.value import replace
from enigm_tuf.trust.eligibility import reached_percent

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Stopped:
    """The plan that was running when a rollout was paused or halted, and when that was published."""

    plan: Rollout
    at: datetime


def started(plan: Rollout, stages: tuple[Stage, ...] | None, at: datetime, now: datetime) -> Rollout:
    """From ``at`` on, with ``stages`` (None: those of the plan); MisuseError once somebody is offered it."""
    if plan.halted or reached_percent(plan, now):
        state = "halted" if plan.halted else f"offered to {reached_percent(plan, now)} % already"
        raise MisuseError(
            f"it is {state}", hint="`rollout resume`, `rollout stage` and `rollout pause` change what began"
        )
    return replace(plan, start=at, stages=stages or plan.stages)


def staged(plan: Rollout, percent: int, now: datetime) -> Rollout:
    """``percent`` of the devices from now on; stages to come that reach more stay."""
    _require_running(plan, now)
    reached = reached_percent(plan, now)
    if percent <= reached:
        hint = "to offer it to fewer, halt it: those who have it keep it"
        raise MisuseError(f"{reached} % are reached already, {percent} % would not be more", hint=hint)
    hour = _hour(plan, now)
    later = tuple(stage for stage in plan.stages if stage.after_hours > hour and stage.percent > percent)
    return replace(plan, stages=(*_begun(plan, now, before=hour), Stage(hour, percent), *later))


def paused(plan: Rollout, now: datetime) -> Rollout:
    """Whoever is offered it stays so, and nobody joins them."""
    _require_running(plan, now)
    begun = _begun(plan, now)
    if begun == plan.stages:
        raise MisuseError(f"nothing is left to pause: {reached_percent(plan, now)} % is the last stage")
    return replace(plan, stages=begun)


def halted(plan: Rollout) -> Rollout:
    """Nobody is offered it any more; everything else stays, so that one word changes in what people approve."""
    if plan.halted:
        raise MisuseError("it is halted already")
    return replace(plan, halted=True)


def resumed(stopped: Stopped, cohorts: tuple[str, ...], now: datetime) -> Rollout:
    """From the share that was reached when it was stopped, then the stages that were to come, as long after now."""
    plan = stopped.plan
    if not reached_percent(plan, stopped.at):
        return replace(plan, start=max(plan.start, now), cohorts=cohorts, halted=False)
    left = [stage for stage in plan.stages if _begins(plan, stage) > stopped.at]
    later = tuple(Stage(_rounded_up(_begins(plan, stage) - stopped.at), stage.percent) for stage in left)
    first = Stage(0, reached_percent(plan, stopped.at))
    return Rollout(now, (first, *later), cohorts, halted=False)


def parse_stages(text: str) -> tuple[Stage, ...]:
    """``0:1,24:10,72:100``: hours after the start, and percent; MisuseError."""
    try:
        pairs = [item.split(":") for item in text.split(",")]
        stages = tuple(Stage(int(hours), int(percent)) for hours, percent in pairs)
    except ValueError:
        stages = ()
    growing = all(one.after_hours < two.after_hours and one.percent <= two.percent for one, two in pairwise(stages))
    if not stages or not growing or any(not 0 <= item.percent <= 100 or item.after_hours < 0 for item in stages):
        raise MisuseError(f"--stages {text}: must be HOURS:PERCENT, ..., both growing, such as 0:1,24:10,72:100")
    return stages


def _require_running(plan: Rollout, now: datetime) -> None:
    if plan.halted:
        raise MisuseError("it is halted", hint="`rollout resume` goes on where it was")
    if now < plan.start:
        raise MisuseError(f"it starts at {plan.start:%F %T} UTC, nothing has begun", hint="`rollout start` moves it")


def _begun(plan: Rollout, now: datetime, before: int | None = None) -> tuple[Stage, ...]:
    """The stages that have begun; without the one of the hour ``before`` and later."""
    begun = (stage for stage in plan.stages if _begins(plan, stage) <= now)
    return tuple(stage for stage in begun if before is None or stage.after_hours < before)


def _begins(plan: Rollout, stage: Stage) -> datetime:
    return plan.start + timedelta(hours=stage.after_hours)


def _hour(plan: Rollout, now: datetime) -> int:
    return (now - plan.start) // _HOUR


def _rounded_up(length: timedelta) -> int:
    return max(-(-length // _HOUR), 1)
