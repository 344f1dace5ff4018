"""Runs clients against the server, and says what each run cost."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[1]
CLIENTS = ROOT / "benchmarks" / "clients"


@dataclass(frozen=True, slots=True)
class Run:
    """One process, whole. Seconds and bytes; ``read`` and ``written`` are of files, not of sockets."""

    status: int
    wall: float
    cpu: float
    peak: int
    read: int
    written: int
    output: str
    requests: dict[str, int]
    sent: dict[str, int]


@dataclass(frozen=True)
class Bench:
    """A folder that is served, and the processes that are run in it."""

    folder: Path
    url: str

    def run(self, *command: str, cut: int = 0, may_fail: bool = False) -> Run:
        """Run to the end; RuntimeError with its output if it fails. ``cut``: see server.py."""
        output = self.folder / "output"
        output.unlink(missing_ok=True)
        self._ask(f"reset?cut={cut}")
        launcher = [sys.executable, "-I", "-S", str(ROOT / "benchmarks" / "launcher.py"), str(output), *command]
        # compiled files may be kept, as on a device, whatever this shell says
        dropped = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH"}
        environment = {name: value for name, value in os.environ.items() if name not in dropped}
        environment["TMPDIR"] = str(self.folder)
        cost = json.loads(subprocess.run(launcher, capture_output=True, check=True, env=environment).stdout)
        counts = self._ask("counts")
        run = Run(**cost, output=output.read_text(), requests=counts["requests"], sent=counts["bytes"])
        if run.status and not may_fail:
            raise RuntimeError(f"{' '.join(command)}: status {run.status}\n{run.output}")
        return run

    def client(self, name: str, *arguments: str, cut: int = 0, may_fail: bool = False) -> Run:
        """Run one of ``clients/``."""
        return self.run(sys.executable, str(CLIENTS / f"{name}.py"), *arguments, cut=cut, may_fail=may_fail)

    def _ask(self, what: str) -> dict[str, dict[str, int]]:
        with urlopen(f"{self.url}/-/{what}") as answer:  # noqa: S310 - our own server on loopback
            counts: dict[str, dict[str, int]] = json.load(answer)
        return counts


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Bench]:
    """A server over ``folder`` for as long as this lasts."""
    command = [sys.executable, str(ROOT / "benchmarks" / "server.py"), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            port = server.stdout.readline().strip() if server.stdout else ""
            yield Bench(folder, f"http://127.0.0.1:{port}")
        finally:
            server.terminate()


def interleaved(rounds: int, clients: Mapping[str, Callable[[], Run]]) -> dict[str, list[Run]]:
    """Each client once in every round, so that all of them see the same weather."""
    runs: dict[str, list[Run]] = {name: [] for name in clients}
    for number in range(rounds):
        for name, client in clients.items():
            os.sync()  # what the one before left to the disk is not this one's work
            runs[name].append(client())
            sys.stderr.write(f"  {number + 1}/{rounds} {name}: {runs[name][-1].wall:.3f} s\n")
    return runs


def both(runs: Mapping[str, list[Run]], figure: Callable[[Run], float]) -> tuple[list[float], list[float]]:
    """One figure of every round: ours, and ngclient's."""
    return [figure(run) for run in runs["ours"]], [figure(run) for run in runs["ngclient"]]
