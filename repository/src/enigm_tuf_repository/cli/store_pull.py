"""enigm-repo store pull: the mirror, made or brought up to date."""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import read_input
from enigm_tuf.limits import LIMITS
from enigm_tuf_repository.cli.options import add_repository_option, changing
from enigm_tuf_repository.decision_copying import bring_decisions
from enigm_tuf_repository.mirror import bring_newest
from enigm_tuf_repository.stores.opening import follow, require_remote

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    meaning = "root version 1, as devices are shipped with it, for a mirror that is lost or new"
    parser.add_argument("--root", metavar="FILE", help=meaning)
    meaning = "bring the payloads of each channel's newest release too, for gates that compare with them"
    parser.add_argument("--payloads", action="store_true", help=meaning)
    meaning = "bring the decisions of both authorities, and the old metadata that they are about"
    parser.add_argument("--decisions", action="store_true", help=f"{meaning}: `enigm-sign explain` needs them")
    add_repository_option(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    del edges  # no time, nothing to say before the end
    root = read_input(arguments.root, LIMITS.root_bytes) if arguments.root else None
    with changing(arguments, current=False) as workspace:
        remote = require_remote(workspace)
        new = follow(workspace, root)
        payloads = bring_newest(workspace.published, remote) if arguments.payloads else 0
        tree = workspace.published
        decided = bring_decisions(tree, tree, remote) if arguments.decisions else 0
    said = f"{workspace.published} follows {remote.url}: {len(new):,} new files"
    more = [f"{payloads:,} payloads of the newest releases are here too"] if arguments.payloads else []
    more += [f"decisions of {decided:,} records are new here"] if arguments.decisions else []
    return Outcome({"store": remote.url, "new": list(new), "payloads": payloads, "decided": decided}, [said, *more])


COMMAND: "Command[Edges]" = Command(
    name="store pull",
    summary="Bring published/ to what the store holds, verified like a device does.",
    details="Every step that changes something does this first. A lost mirror is made again from the first root.\n"
    "Payloads stay in the store unless they are asked for.",
    examples="enigm-repo store pull\nenigm-repo store pull --root 1.root.json --payloads",
    configure=configure,
    run=run,
)
