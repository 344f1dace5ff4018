"""The rows of plain TUF: a role of many targets, a check in a process that stays, and the canonical encoding."""

import json
import shutil
import statistics
from functools import partial
from pathlib import Path

from benchmarks.running import Bench, Run, both, interleaved
from benchmarks.table import Goal, Row, attempted, compared, mebibytes, seconds
from benchmarks.trees import make_plain, new_devices, target_path
from enigm_testkit.bins import BITS, NEW_TARGET, make_bins

FEW = 10


class PlainRows:
    """Two repositories: ``few`` has 10 targets in its role, ``many`` the number asked for."""

    def __init__(self, bench: Bench, targets: int, rounds: int, repeats: int) -> None:
        self.bench, self.targets, self.rounds, self.repeats = bench, targets, rounds, repeats
        self.big = make_plain(bench.folder / "many", targets)
        make_plain(bench.folder / "few", FEW)

    def rows(self) -> list[Row]:
        for name in ("ours", "ngclient"):
            self._first(name, "few")
        work = f"{self.targets:,} targets"
        return [
            *attempted(f"{work}: first refresh, lookup", Goal(6, at_least=True), self._first_rows),
            *attempted(f"{work}: no-op check, cached", Goal(1.5), self._unchanged_rows),
            *self._resident_rows(),
            self._in_process("canonical", "canonical encoding, byte-identical", "securesystemslib", 2.4, str(self.big)),
            self._in_process(
                "adding",
                f"one target more in a role of {self.targets:,}",
                "python-tuf's Metadata API",
                4,
                str(self.big),
            ),
            self._bins_row(10 * self.targets),
        ]

    def _new(self, name: str, tree: str) -> None:
        folder = self._device(name, tree)
        shutil.rmtree(folder, ignore_errors=True)
        new_devices(folder, (self.bench.folder / tree / "metadata" / "1.root.json").read_bytes())

    def _device(self, name: str, tree: str) -> Path:
        return self.bench.folder / f"{name}-{tree}"

    def _refresh(self, name: str, tree: str, times: int = 1, target: str = "", *more: str) -> Run:
        url, folder = f"{self.bench.url}/{tree}", str(self._device(name, tree))
        return self.bench.client(f"{name}_plain", str(times), url, folder, target, *more)

    def _first(self, name: str, tree: str = "many") -> Run:
        self._new(name, tree)
        return self._refresh(name, tree, target=target_path(7))

    def _first_rows(self) -> list[Row]:
        runs = interleaved(self.rounds, {name: partial(self._first, name) for name in ("ours", "ngclient")})
        walls, peaks = both(runs, lambda run: run.wall), both(runs, lambda run: run.peak)
        work = f"{self.targets:,} targets: first refresh, lookup"
        return [
            compared(work, "ngclient", *walls, Goal(6, at_least=True), seconds),
            compared(f"{work}: peak memory", "ngclient", *peaks, Goal(0.6), mebibytes),
        ]

    def _unchanged_rows(self) -> list[Row]:
        clients = {tree: partial(self._refresh, "ours", tree) for tree in ("many", "few")}
        runs = interleaved(self.rounds, clients)
        walls = [[run.wall for run in runs[tree]] for tree in ("many", "few")]
        work = f"{self.targets:,} targets: no-op check, cached"
        return [compared(work, f"ours, {FEW} targets", walls[0], walls[1], Goal(1.5), seconds)]

    def _resident_rows(self) -> list[Row]:
        clients = {name: partial(self._refresh, name, "few", self.repeats) for name in ("ours", "ngclient")}
        clients["kept"] = partial(self._refresh, "ngclient", "few", self.repeats, "", "--keep")
        runs = interleaved(self.rounds, clients)
        ours, peer, kept = ([statistics.median(json.loads(run.output)) for run in own] for own in runs.values())
        work = "no-op check, resident"
        return [
            compared(work, "ngclient", ours, peer, Goal(2.5, at_least=True), seconds),
            compared(work, "ngclient, connection kept", ours, kept, None, seconds),
        ]

    def _bins_row(self, targets: int) -> Row:
        tree = self.bench.folder / "bins"
        name = make_bins(tree, targets)
        work, against = f"one target into {targets:,} in {2**BITS:,} bins", "python-tuf's Metadata API"
        return self._in_process("bins", work, against, 4, str(tree), name, NEW_TARGET)

    def _in_process(self, kind: str, work: str, against: str, goal: float, *arguments: str) -> Row:
        """Work that both tell the time of; what they sign must be the same bytes."""
        clients = {name: partial(self.bench.client, f"{name}_{kind}", "3", *arguments) for name in ("ours", "ngclient")}
        runs = interleaved(self.rounds, clients)
        results = {name: [json.loads(run.output) for run in own] for name, own in runs.items()}
        if len({result["sha256"] for own in results.values() for result in own}) != 1:
            raise RuntimeError(f"{work}: the bytes under the signatures differ")
        ours, peer = ([statistics.median(result["seconds"]) for result in results[name]] for name in results)
        return compared(work, against, ours, peer, Goal(goal, at_least=True), seconds)
