"""enigm-update fetch: download the offered payload, verified while it streams."""

import argparse
import sys
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf_client.cli.checking import make_updater, require_offer
from enigm_tuf_client.device import add_moment_options, open_device

if TYPE_CHECKING:
    from enigm_tuf_client.cli import Edges


def show_progress(done: int, total: int) -> None:
    """A line that is written over; only where somebody looks."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done * 100 // total:3d} % of {total:,} bytes" + ("\n" if done == total else ""))


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    device = open_device(arguments)
    updater = make_updater(device, arguments, edges)
    offer = require_offer(updater.check())
    file = device.slots.place(offer.sha256)
    artifact = updater.fetch(offer, file, show_progress)
    data = {"version": artifact.version, "file": str(file), "length": artifact.length, "hashes": artifact.hashes}
    return Outcome(data, [f"{artifact.version} fetched and verified: {artifact.length:,} bytes in {file}"])


COMMAND: "Command[Edges]" = Command(
    name="fetch",
    summary="Download the offered payload into the other slot, verified while it streams; goes on after a cut.",
    examples="enigm-update fetch --device /var/lib/enigm",
    configure=add_moment_options,
    run=run,
)
