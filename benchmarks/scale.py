"""Repositories that have grown: what a release costs in them, and what it takes to look at all of one."""

import contextlib
import io
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.grown import RELEASES, make_grown
from benchmarks.running import Bench, Run
from benchmarks.table import Goal, Row, absolute, compared, seconds
from enigm_testkit.vendor import Vendor, write_build
from enigm_tuf_repository import lineage, register

KIBIBYTE = 1024
STEPS = ("verify", "gate", "publish")


class ScaleRows:
    """``sizes`` are numbers of products of RELEASES releases each, the smallest first: that one is the measure."""

    def __init__(self, bench: Bench, sizes: tuple[int, ...], rounds: int) -> None:
        self._bench = bench
        self._sizes = sizes
        self._rounds = rounds

    def rows(self) -> list[Row]:
        return [*self._release_rows(), *self._verify_rows()]

    def _release_rows(self) -> list[Row]:
        """Interleaved: in each round a release in each of the repositories."""
        vendors = {size: make_grown(self._bench.folder / f"grown-{size}", size) for size in self._sizes}
        return [
            *self._compared("a release among {:,}: processor time", vendors, _in_process, 1),
            *self._compared("a release among {:,}: processor time of the commands", vendors, _by_commands, 2),
        ]

    def _compared(
        self, work: str, vendors: Mapping[int, Vendor], release: Callable[[Vendor, str], float], major: int
    ) -> list[Row]:
        costs: dict[int, list[float]] = {size: [] for size in self._sizes}
        for number in range(self._rounds + 1):
            for size, vendor in vendors.items():
                cost = release(vendor, f"{major}.{number}")
                if number:  # the first one warms caches up
                    costs[size].append(cost)
        least, *others = self._sizes
        pairs = [(size, costs[size], costs[least]) for size in others or [least]]
        base = f"among {least * RELEASES:,}"
        return [
            compared(work.format(size * RELEASES), base, ours, peer, Goal(1.1), seconds) for size, ours, peer in pairs
        ]

    def _verify_rows(self) -> list[Row]:
        """The memory that a tree of more targets takes beyond a tree of few; and whether the time is in proportion."""
        few, many = self._sizes[0], self._sizes[-1] if len(self._sizes) > 1 else 2 * self._sizes[0]
        runs = {size: [self._verify(size) for _ in range(self._rounds)] for size in (few, many)}
        more = (many - few) * RELEASES
        memory = [max(after.peak - before.peak, 0) / more for before, after in zip(runs[few], runs[many], strict=True)]
        speed = {size: [run.cpu / (size * RELEASES) for run in each] for size, each in runs.items()}
        work = f"verify of {many * RELEASES:,} targets"
        return [
            absolute(
                f"{work}: memory of a target", "-", memory, memory, Goal(1), lambda size: f"{size:.0f} B", KIBIBYTE
            ),
            compared(
                f"{work}: processor time of a target", f"{few * RELEASES:,}", speed[many], speed[few], None, seconds
            ),
        ]

    def _verify(self, size: int) -> Run:
        folder = self._bench.folder / f"whole-{size}"
        vendor = folder if folder.exists() else make_grown(folder, size, whole=True).path
        return self._bench.client("verify_tree", str(vendor / "repository"))


def _in_process(vendor: Vendor, version: str) -> float:
    """Prepare, attach, verify, gate, publish; what the authorities do in between is not counted. Processor seconds."""
    with contextlib.redirect_stdout(io.StringIO()):
        _as_a_new_process()
        start = _processor_seconds()
        record = vendor.prepare_release(version)
        spent = _processor_seconds() - start
        answers = vendor.answers(record)
        start = _processor_seconds()
        _as_a_new_process()
        vendor.done("release", "attach", record, *answers)
        for step in STEPS:
            _as_a_new_process()
            vendor.done("release", step, record)
        return spent + _processor_seconds() - start


def _as_a_new_process() -> None:
    """Forget what the step before read, as it is for people, who run each step on its own."""
    lineage.READINGS._kept.clear()  # noqa: SLF001
    register._LAST[0] = None  # noqa: SLF001


def _by_commands(vendor: Vendor, version: str) -> float:
    """The same as people do it: five commands, each a process with all that it starts. Processor seconds."""
    record, description = f"phone-{version}", write_build(vendor.path, version)
    spent = _command(vendor, "prepare", "--config", str(description))
    vendor.clock.time = datetime.now(UTC).replace(microsecond=0)  # commands look at the machine's clock
    spent += _command(vendor, "attach", record, *vendor.answers(record))
    return spent + sum(_command(vendor, step, record) for step in STEPS)


def _command(vendor: Vendor, step: str, *arguments: str) -> float:
    tool = str(Path(sys.executable).with_name("enigm-repo"))
    dropped = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH"}
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    command = [tool, "release", step, *arguments, "--repository", str(vendor.workspace.path)]
    start = _processor_seconds(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    return _processor_seconds(resource.RUSAGE_CHILDREN) - start


def _processor_seconds(*whose: int) -> float:
    """Of this process and its children that have ended, or of those named."""
    spent = map(resource.getrusage, whose or (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in spent)
