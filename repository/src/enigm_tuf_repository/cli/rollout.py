"""enigm-repo rollout start|stage|pause|halt|resume: who is offered a release, changed by a signing request."""

import argparse
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from enigm_tuf.commandline import Command, Outcome, table
from enigm_tuf.errors import MalformedError, MisuseError
from enigm_tuf.model.manifest import Rollout
from enigm_tuf.model.shapes import Time
from enigm_tuf.model.value import replace
from enigm_tuf.trust.eligibility import reached_percent
from enigm_tuf_repository.cli.options import add_repository_option, changing, record_data, request_lines
from enigm_tuf_repository.rollout_effects import effect_rows
from enigm_tuf_repository.rollout_plans import halted, parse_stages, paused, resumed, staged, started
from enigm_tuf_repository.rollout_preparing import Offered, find_offered, find_stopped, prepare_rollout
from enigm_tuf_repository.workspace import Workspace

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges

Change: TypeAlias = Callable[[argparse.Namespace, Workspace, Offered, datetime], Rollout]


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("product", metavar="PRODUCT")
    parser.add_argument("--channel", required=True, help="the channel, such as stable")
    parser.add_argument("--version", metavar="VERSION", help="the release (default: the newest of the channel)")
    parser.add_argument("--dry-run", action="store_true", help="show the effect, write no request")
    add_repository_option(parser)


def _with_stages(parser: argparse.ArgumentParser) -> None:
    _configure(parser)
    parser.add_argument(
        "--stages", metavar="H:P,...", help="hours after the start and percent, such as 0:1,24:10,72:100"
    )


def _configure_start(parser: argparse.ArgumentParser) -> None:
    _with_stages(parser)
    parser.add_argument("--at", metavar="TIME", help="such as 2026-11-27T08:00:00Z (default: now)")


def _configure_stage(parser: argparse.ArgumentParser) -> None:
    _configure(parser)
    parser.add_argument("--percent", metavar="P", type=int, required=True, help="of all devices, from now on")


def _start(arguments: argparse.Namespace, workspace: Workspace, offered: Offered, now: datetime) -> Rollout:
    del workspace
    stages = parse_stages(arguments.stages) if arguments.stages else None
    at = _time(arguments.at) if arguments.at else now
    if at < now:
        raise MisuseError(f"--at {arguments.at}: is over", hint="leave it out to start now")
    return started(offered.release.rollout, stages, at, now)


def _time(text: str) -> datetime:
    try:
        return Time().read(text, "--at", "")
    except MalformedError as error:
        raise MisuseError(f"--at {text}: {error.rule}", hint="such as 2026-11-27T08:00:00Z") from error


def _stage(arguments: argparse.Namespace, workspace: Workspace, offered: Offered, now: datetime) -> Rollout:
    del workspace
    if not 0 < arguments.percent <= 100:
        raise MisuseError(f"--percent {arguments.percent}: must be 1 to 100")
    return staged(offered.release.rollout, arguments.percent, now)


def _pause(arguments: argparse.Namespace, workspace: Workspace, offered: Offered, now: datetime) -> Rollout:
    del arguments, workspace
    return paused(offered.release.rollout, now)


def _halt(arguments: argparse.Namespace, workspace: Workspace, offered: Offered, now: datetime) -> Rollout:
    del arguments, workspace, now
    return halted(offered.release.rollout)


def _resume(arguments: argparse.Namespace, workspace: Workspace, offered: Offered, now: datetime) -> Rollout:
    plan = offered.release.rollout
    if arguments.stages:
        return replace(plan, start=now, stages=parse_stages(arguments.stages), halted=False)
    return resumed(find_stopped(workspace, offered), plan.cohorts, now)


def _run(change: Change, arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    now = edges.now()
    with changing(arguments) as workspace:
        offered = find_offered(workspace, arguments.product, arguments.channel, arguments.version)
        before = offered.release.rollout
        try:
            after = change(arguments, workspace, offered, now)
        except MisuseError as error:
            told = f"{arguments.product} {offered.release.version} on {arguments.channel}: {error}"
            raise MisuseError(told, hint=error.hint) from error
        _require_no_fewer(before, after, now)
        effect = effect_rows(before, after, now)
        data = {
            "version": offered.release.version,
            "effect": [dict(zip(("from", "before", "after"), row, strict=True)) for row in effect],
        }
        head = f"{arguments.product} {offered.release.version} on {arguments.channel}, times in UTC:"
        lines = [head, *table(("FROM", "OFFERED TO", "WOULD BE OFFERED TO"), effect), ""]
        if arguments.dry_run:
            return Outcome(data, [*lines, "dry run: nothing is written"])
        record = prepare_rollout(workspace, offered, after, now)
        return Outcome(data | record_data(workspace, record), [*lines, *request_lines(workspace, record)])


def _require_no_fewer(before: Rollout, after: Rollout, now: datetime) -> None:
    """What ROLLOUT-MONOTONIC would refuse, before anybody is asked."""
    reached, then = reached_percent(before, now), reached_percent(after, now)
    if then < reached and not (before.halted or after.halted):
        hint = "halt it, and resume it with the smaller share: those who have it keep it"
        raise MisuseError(f"{reached} % are offered it now, and would be {then} %", hint=hint)


def _command(
    verb: str, summary: str, details: str, example: str, change: Change, configure: Callable[..., None] = _configure
) -> "Command[Edges]":
    return Command(
        name=f"rollout {verb}",
        summary=summary,
        details=details,
        examples=f"enigm-repo rollout {verb} phone --channel stable{example}",
        configure=configure,
        run=partial(_run, change),
    )


COMMANDS = (
    _command(
        "start",
        "Ask for a release to be offered from now, or from a time on, in stages.",
        "For a release that nobody is offered yet. The effect is shown first; the request then goes a release's way.",
        " --at 2026-11-27T08:00:00Z --stages 0:1,24:10,72:100 --dry-run",
        _start,
        _configure_start,
    ),
    _command(
        "stage",
        "Ask for a larger share of the devices to be offered a release from now on.",
        "Stages to come that reach more stay as they are.",
        " --percent 25",
        _stage,
        _configure_stage,
    ),
    _command(
        "pause",
        "Ask that a release is offered to nobody more: whoever is offered it stays so.",
        "Stages to come are dropped; `rollout resume` brings them back, as much later.",
        "",
        _pause,
    ),
    _command(
        "halt",
        "Ask that a release is offered to nobody at all.",
        "Devices that have installed it keep it. One word changes in the manifest, for whoever approves it at night.",
        " --version 2026.11.1",
        _halt,
    ),
    _command(
        "resume",
        "Ask that a paused or halted rollout goes on: from the share that it had reached, then the stages to come.",
        "Where this machine has no record of the stop, --stages says how, in hours from now.",
        "",
        _resume,
        _with_stages,
    ),
)
