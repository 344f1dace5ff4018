"""enigm-repo prune: take away what no device can ask for any more."""

import argparse
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome, table
from enigm_tuf.errors import MisuseError
from enigm_tuf_repository.cli.options import add_directory_option, changing
from enigm_tuf_repository.pruning import find_prunable, prune

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges

SHOWN = 50  # the largest files, for people; --json has all


def configure(parser: argparse.ArgumentParser) -> None:
    add_directory_option(parser)
    meaning = "keep what was in force within so many days (default: 7)"
    parser.add_argument("--grace-days", metavar="N", type=int, default=7, help=meaning)
    parser.add_argument("--delete", action="store_true", help="do it; without this, only show it")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    if not 1 <= arguments.grace_days <= 3_650:
        hint = "a device may be in the middle of a download of what was in force yesterday"
        raise MisuseError(f"--grace-days {arguments.grace_days}: must be 1 to 3650", hint=hint)
    with changing(arguments) as workspace:
        found = find_prunable(workspace, timedelta(days=arguments.grace_days), edges.now())
        if arguments.delete:
            prune(workspace, found)
    total = sum(item.bytes for item in found)
    data = {"deleted": arguments.delete, "bytes": total, "files": [asdict(item) for item in found]}
    largest = sorted(found, key=lambda item: (-item.bytes, item.path))[:SHOWN]
    rows = table(("BYTES", "FILE"), [(f"{item.bytes:,}", item.path) for item in largest]) if found else []
    more = [f"and {len(found) - SHOWN:,} smaller ones"] if len(found) > SHOWN else []
    verb = "deleted" if arguments.delete else "would be deleted: run it again with --delete"
    return Outcome(data, [*rows, *more, f"{len(found):,} files, {total:,} bytes {verb}"])


COMMAND: "Command[Edges]" = Command(
    name="prune",
    summary="Show, and with --delete take away, what no device can ask for any more: old metadata and payloads.",
    details="Never a root, never what is in force or was within the grace. What goes is written down in pruned.json.",
    examples="enigm-repo prune\nenigm-repo prune --grace-days 30 --delete",
    configure=configure,
    run=run,
)
