"""enigm-update install: put the fetched payload into the other slot, then raise the rollback floor."""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.errors import MisuseError
from enigm_tuf_client.cli.checking import make_updater, require_offer
from enigm_tuf_client.device import add_moment_options, open_device

if TYPE_CHECKING:
    from enigm_tuf_client.cli import Edges


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    device = open_device(arguments)
    updater = make_updater(device, arguments, edges)
    offer = require_offer(updater.check())
    file = device.slots.place(offer.sha256)
    if not file.exists():
        raise MisuseError(f"{offer.version} is not here yet", hint="run enigm-update fetch first")
    artifact = updater.verify(offer, file)
    updater.install(offer, artifact, device.slots)
    data = {"version": artifact.version, "build_id": artifact.build_id, "rollback_index": artifact.rollback_index}
    return Outcome(data, [f"{artifact.version} installed; rollback floor {artifact.rollback_index}"])


COMMAND: "Command[Edges]" = Command(
    name="install",
    summary="Switch to the slot with the fetched payload, then raise the rollback floor.",
    details="Checks again and hashes the file again: what was true at fetch may not be true now.",
    examples="enigm-update install --device /var/lib/enigm",
    configure=add_moment_options,
    run=run,
)
