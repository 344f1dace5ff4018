"""A device under faults: runs ``enigm-update`` in forks of a process that has the shim in it."""

import enum
import json
import os
import select
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from enigm_testkit.faults.calls import Place

_HERE = Path(__file__).parent
_TESTS = _HERE.parents[1]


class Fault(enum.IntEnum):
    """What happens to the call; the numbers are those of ``enum mode`` in shim.c."""

    NONE = 0
    EIO = 1
    ENOSPC = 2
    DISK_FULL = 3  # ENOSPC, and for every later call that needs space
    SHORT = 4  # half is written, and that is what the call returns
    TORN = 5  # half is written, then a kill
    KILL_BEFORE = 6
    KILL_AFTER = 7
    STOP_BEFORE = 8  # SIGSTOP; finish() lets it go on

    @property
    def kills(self) -> bool:
        return self in {Fault.TORN, Fault.KILL_BEFORE, Fault.KILL_AFTER}


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended: its exit status, or minus the signal. ``stopped`` is set while it only waits."""

    status: int
    said: str
    stopped: bool = False


def build_shim(folder: Path) -> Path:
    """Compile shim.c."""
    library = folder / "shim.so"
    command = ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", str(library)]
    subprocess.run([*command, str(_HERE / "shim.c")], check=True)
    return library


class Machine:
    """One zygote; one command at a time. Everything it runs sees the time ``now``, which a test may set."""

    def __init__(self, shim: Path, folder: Path, now: datetime) -> None:
        folder.mkdir(parents=True)
        self._said, self.now = folder / "said", now
        environment = {**os.environ, "LD_PRELOAD": str(shim), "PYTHONPATH": str(_TESTS)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "enigm_testkit.faults.zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def close(self) -> None:
        self._process.communicate()

    def run(
        self,
        device: Path,
        *words: str,
        log: Path | None = None,
        grave: Path | None = None,
        place: Place | None = None,
        fault: Fault = Fault.NONE,
    ) -> Ran:
        """``enigm-update WORDS --device DEVICE``; until it ends, or stops."""
        self.start(device, *words, log=log, grave=grave, place=place, fault=fault)
        return self.wait()

    def start(
        self,
        device: Path,
        *words: str,
        log: Path | None = None,
        grave: Path | None = None,
        place: Place | None = None,
        fault: Fault = Fault.NONE,
    ) -> None:
        where = (place.key, place.number) if place else ("", 0)
        arm = [str(device), str(log), str(grave or ""), *where, int(fault)] if log else None
        argv = [*words, "--device", str(device)]
        job = {"argv": argv, "now": self.now.isoformat(), "said": str(self._said), "arm": arm}
        self._tell(json.dumps(job))

    def finish(self) -> Ran:
        """Let a stopped command go on."""
        self._tell("")
        return self.wait()

    def ends_within(self, seconds: float) -> bool:
        """Whether wait() will not have to."""
        assert self._process.stdout
        return bool(select.select([self._process.stdout], [], [], seconds)[0])

    def wait(self) -> Ran:
        assert self._process.stdout
        status = int(self._process.stdout.readline())
        if os.WIFSTOPPED(status):
            return Ran(-signal.SIGSTOP, "", stopped=True)
        return Ran(os.waitstatus_to_exitcode(status), self._said.read_text())

    def _tell(self, line: str) -> None:
        assert self._process.stdin
        print(line, file=self._process.stdin, flush=True)
