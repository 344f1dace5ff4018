"""enigm-repo timestamp: renew the published timestamp, once or for ever."""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.errors import EnigmTufError, MisuseError, RefusedError
from enigm_tuf_repository.cli.options import add_repository_option, changing
from enigm_tuf_repository.renewing import fresh_seconds, renew_timestamp
from enigm_tuf_repository.stores.opening import store_of

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges

LONGEST_PAUSE = 3_600.0  # seconds: a release may have brought a newer timestamp meanwhile
AGAIN = 60.0  # seconds after something went wrong


def configure(parser: argparse.ArgumentParser) -> None:
    add_repository_option(parser)
    parser.add_argument("--if-due", action="store_true", help="only in the last two thirds of its life: for a timer")
    parser.add_argument("--loop", action="store_true", help="do so for ever; what goes wrong is said, and tried again")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    if not arguments.loop:
        return _once(arguments, edges)[0]
    while True:
        edges.pause(_round(arguments, edges))


def _round(arguments: argparse.Namespace, edges: "Edges") -> float:
    """One turn of the loop; seconds until the next. A refusal ends it: somebody has to look."""
    try:
        outcome, fresh = _once(arguments, edges)
    except (RefusedError, MisuseError):
        raise
    except EnigmTufError as error:
        edges.say(f"error: {error}")
        return AGAIN
    for line in outcome.lines if outcome.data["renewed"] else ():
        edges.say(line)
    return min(max(fresh, AGAIN), LONGEST_PAUSE)


def _once(arguments: argparse.Namespace, edges: "Edges") -> tuple[Outcome, float]:
    """What was done, and for how many seconds nothing more is to do. One at a time: of two, the other conflicts."""
    with changing(arguments) as workspace:
        fresh = fresh_seconds(workspace, edges.clock.now()) if arguments.loop or arguments.if_due else 0
        if fresh:
            said = f"the published timestamp is fresh for {fresh / 3600:.1f} hours more"
            return Outcome({"renewed": False, "fresh_seconds": int(fresh)}, [said]), fresh
        timestamp = renew_timestamp(workspace, store_of(workspace), edges.clock)
        expires = f"{timestamp.expires:%F %T}"
        data = {"renewed": True, "version": timestamp.version, "expires": expires}
        lines = [f"timestamp version {timestamp.version} is published, good until {expires} UTC"]
        return Outcome(data, lines), fresh_seconds(workspace, edges.clock.now())


COMMAND: "Command[Edges]" = Command(
    name="timestamp",
    summary="Renew the published timestamp: the same snapshot, good for some days more.",
    details="For a timer (--if-due) or a service (--loop); units for systemd are in docs/systemd. Safe to run twice\n"
    "at once: one of them does it.",
    examples="enigm-repo timestamp\nenigm-repo timestamp --if-due --repository /srv/tuf\nenigm-repo timestamp --loop",
    configure=configure,
    run=run,
)
