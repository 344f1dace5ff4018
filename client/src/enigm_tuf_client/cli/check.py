"""enigm-update check: refresh the metadata and say whether there is an update for this device."""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf_client.cli.checking import make_updater, report_lines
from enigm_tuf_client.device import add_moment_options, open_device

if TYPE_CHECKING:
    from enigm_tuf_client.cli import Edges


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    check = make_updater(open_device(arguments), arguments, edges).check()
    data = {
        "offer": check.offer.version if check.offer else None,
        "reason": check.reason,
        "refused_by": check.refusal.rule if check.refusal else None,
        "report": check.report.as_json(),
    }
    return Outcome(data, report_lines(check), check.refusal)


COMMAND: "Command[Edges]" = Command(
    name="check",
    summary="Refresh the metadata and decide: an offer, or the reason why there is none.",
    details="Exit status 0 with or without an offer, 3 when a security rule refused.",
    examples="""
enigm-update check --device /var/lib/enigm
enigm-update check --battery 80 --json
enigm-update check --bundle /media/usb/phone.enigmbundle
""",
    configure=add_moment_options,
    run=run,
)
