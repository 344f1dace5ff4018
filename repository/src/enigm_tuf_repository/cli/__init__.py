"""The command line ``enigm-repo``: the repository's side of the flow, one file per command."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from enigm_tuf.clock import SystemClock
from enigm_tuf.commandline import run
from enigm_tuf.ports import Clock
from enigm_tuf_repository.cli import (
    artifact_inspect,
    bundle,
    import_show,
    import_take,
    init,
    mirror,
    operators_put,
    product_add,
    product_retire,
    prune,
    release_attach,
    release_gate,
    release_prepare,
    release_publish,
    release_verify,
    renew,
    report,
    request_lint,
    rollout,
    root_follow,
    root_prepare,
    root_recover,
    root_rotate_out,
    secrets_scan,
    serve,
    status,
    store_check,
    store_pull,
    store_push,
    timestamp,
    traffic,
    verify,
)

COMMANDS = (
    init.COMMAND,
    operators_put.COMMAND,
    product_add.COMMAND,
    product_retire.COMMAND,
    artifact_inspect.COMMAND,
    root_prepare.COMMAND,
    root_recover.COMMAND,
    root_rotate_out.COMMAND,
    root_follow.COMMAND,
    release_prepare.COMMAND,
    request_lint.COMMAND,
    release_attach.COMMAND,
    release_verify.COMMAND,
    release_gate.COMMAND,
    release_publish.COMMAND,
    *rollout.COMMANDS,
    renew.COMMAND,
    timestamp.COMMAND,
    secrets_scan.COMMAND,
    store_check.COMMAND,
    store_pull.COMMAND,
    store_push.COMMAND,
    bundle.COMMAND,
    mirror.COMMAND,
    import_show.COMMAND,
    import_take.COMMAND,
    status.COMMAND,
    verify.COMMAND,
    prune.COMMAND,
    traffic.COMMAND,
    report.COMMAND,
    serve.COMMAND,
)


@dataclass(frozen=True)
class Edges:
    """What the commands need from outside."""

    clock: Clock = field(default_factory=SystemClock)
    pause: Callable[[float], None] = field(default=time.sleep)

    def now(self) -> datetime:
        """The time to the second, as metadata and records hold it."""
        return self.clock.now().replace(microsecond=0)

    def say(self, line: str) -> None:
        """A line before a command is done."""
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - the command lines print


def main(argv: Sequence[str] | None = None, edges: Edges | None = None) -> int:
    """Run one command; returns the exit status (0 done, 2 trouble, 3 refused)."""
    about = "Prepare, verify, gate and publish releases. Holds no authority's key and decides nothing for them."
    return run("enigm-repo", about, COMMANDS, argv, edges or Edges())
