"""enigm-repo store pull: the mirror, made or brought up to date."""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import read_input
from enigm_tuf.limits import LIMITS
from enigm_tuf_repository.cli.options import add_repository_option, changing
from enigm_tuf_repository.stores.opening import follow, require_remote

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    meaning = "root version 1, as devices are shipped with it, for a mirror that is lost or new"
    parser.add_argument("--root", metavar="FILE", help=meaning)
    add_repository_option(parser)


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    del edges  # no time, nothing to say before the end
    root = read_input(arguments.root, LIMITS.root_bytes) if arguments.root else None
    with changing(arguments, current=False) as workspace:
        url = require_remote(workspace).url
        new = follow(workspace, root)
    return Outcome({"store": url, "new": list(new)}, [f"{workspace.published} follows {url}: {len(new):,} new files"])


COMMAND: "Command[Edges]" = Command(
    name="store pull",
    summary="Bring published/ to what the store holds, verified like a device does. Payloads stay where they are.",
    details="Every step that changes something does this first. A lost mirror is made again from the first root.",
    examples="enigm-repo store pull\nenigm-repo store pull --root 1.root.json",
    configure=configure,
    run=run,
)
