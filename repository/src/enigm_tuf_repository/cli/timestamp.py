"""enigm-repo timestamp: renew the published timestamp."""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf_repository.cli.options import add_repository_option, changing
from enigm_tuf_repository.renewing import renew_timestamp
from enigm_tuf_repository.stores.opening import store_of

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    with changing(arguments) as workspace:
        timestamp = renew_timestamp(workspace, store_of(workspace), edges.clock)
    expires = f"{timestamp.expires:%F %T}"
    data = {"version": timestamp.version, "expires": expires}
    return Outcome(data, [f"timestamp version {timestamp.version} is published, good until {expires} UTC"])


COMMAND: "Command[Edges]" = Command(
    name="timestamp",
    summary="Renew the published timestamp: the same snapshot, good for some days more.",
    details="For a timer: run it at least twice within the life of a timestamp.",
    examples="enigm-repo timestamp --repository /srv/staging",
    configure=add_repository_option,
    run=run,
)
