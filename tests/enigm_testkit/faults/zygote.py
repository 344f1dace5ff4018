"""Runs ``enigm-update`` again and again, each time in a fork of this process, with the shim preloaded.

Each line of standard input is a job (JSON): ``argv``, ``now`` (ISO time), ``said`` (a file for the output), ``arm``
(what faults_arm takes, or null). Each line of output is the child's wait status; of a child that stopped itself, too:
it is continued by the next line, whatever that holds.
"""

import ctypes
import gc
import io
import json
import locale  # noqa: F401 - what a fork would import each time, as those below
import os
import signal
import sys
import traceback
from contextlib import redirect_stderr
from datetime import datetime
from typing import Any

import enigm_tuf.trust.signatures  # noqa: F401
import enigm_tuf_client.download
import enigm_tuf_client.http  # noqa: F401
from enigm_tuf_client.cli import Edges, main


class _Fixed:
    """A clock that stands still."""

    def __init__(self, now: str) -> None:
        self._now = datetime.fromisoformat(now)

    def now(self) -> datetime:
        return self._now


def run(job: dict[str, Any]) -> int:
    """In the child: one command line, as in a process of its own."""
    file = os.open(job["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(file, 1)
    os.dup2(file, 2)
    if job["arm"]:
        *names, number, mode = job["arm"]
        ctypes.CDLL(None).faults_arm(*(name.encode() for name in names), ctypes.c_long(number), mode)
    try:
        return main(job["argv"], Edges(_Fixed(job["now"])))
    except SystemExit as end:
        return int(end.code or 0)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def serve() -> None:
    """Until standard input ends."""
    replies = os.fdopen(os.dup(1), "w")
    with redirect_stderr(io.StringIO()):  # no such device, but what a fork would compile each time is compiled
        main(["check", "--device", os.devnull], Edges())
    gc.freeze()
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if child == 0:
            os._exit(run(json.loads(line)))
        _, status = os.waitpid(child, os.WUNTRACED)
        while os.WIFSTOPPED(status):
            print(status, file=replies, flush=True)
            sys.stdin.readline()
            os.kill(child, signal.SIGCONT)
            _, status = os.waitpid(child, os.WUNTRACED)
        print(status, file=replies, flush=True)


if __name__ == "__main__":
    serve()
