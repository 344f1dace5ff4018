"""Repositories that have grown: what a release costs in them, and what it takes to look at all of one."""

import contextlib
import io
import os
import time

from benchmarks.grown import RELEASES, make_grown
from benchmarks.running import Bench, Run
from benchmarks.table import Goal, Row, absolute, compared, seconds
from enigm_testkit.vendor import Vendor
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
        """Interleaved: in each round a release in each of the repositories. Processor seconds, of children too."""
        vendors = {size: make_grown(self._bench.folder / f"grown-{size}", size) for size in self._sizes}
        costs: dict[int, list[float]] = {size: [] for size in self._sizes}
        for number in range(self._rounds + 1):
            for size, vendor in vendors.items():
                cost = _release(vendor, f"1.{number}")
                if number:  # the first one warms caches up
                    costs[size].append(cost)
        least, *others = self._sizes
        work, base = "a release among {:,}: processor time", f"among {least * RELEASES:,}"
        pairs = [(size, costs[size], costs[least]) for size in others or [least]]
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


def _release(vendor: Vendor, version: str) -> float:
    """Prepare, attach, verify, gate, publish; what the authorities do in between is not counted."""
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


def _processor_seconds() -> float:
    """Of this process and its children that have ended."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system
