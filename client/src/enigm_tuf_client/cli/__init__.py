"""The command line ``enigm-update``: what a device does, one file per command."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from enigm_tuf.clock import SystemClock
from enigm_tuf.commandline import run
from enigm_tuf.ports import Clock
from enigm_tuf_client.cli import check, fetch, init, install, status

COMMANDS = (init.COMMAND, check.COMMAND, fetch.COMMAND, install.COMMAND, status.COMMAND)


@dataclass(frozen=True)
class Edges:
    """What the commands need from outside."""

    clock: Clock = field(default_factory=SystemClock)


def main(argv: Sequence[str] | None = None, edges: Edges | None = None) -> int:
    """Run one command; returns the exit status (0 done, 2 trouble, 3 refused)."""
    about = "Verify, fetch and install OTA updates that two authorities agree on."
    return run("enigm-update", about, COMMANDS, argv, edges or Edges())
