"""The rows of a whole device: install a payload, resume, and find nothing new."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.running import Bench, Run, both, interleaved
from benchmarks.swupdate import install_command, make_image
from benchmarks.table import Goal, Row, absolute, attempted, compared, factor, mebibytes, number, seconds
from benchmarks.trees import make_published, new_devices, publish_release, write_payload

DURABLE = "all, durable in a slot"
MIB = 2**20


class DeviceRows:
    """One vendor's repository and what devices do with it."""

    def __init__(self, bench: Bench, size: int, big_rounds: int, small_rounds: int, *, swupdate: bool) -> None:
        self.bench, self.size, self.big_rounds, self.small_rounds = bench, size, big_rounds, small_rounds
        self._folder, self.swupdate = bench.folder, swupdate
        self.vendor = make_published(self._folder / "vendor")
        write_payload(self._folder / "payload", size)
        self.payload = publish_release(self.vendor, "1.0", self._folder / "payload")
        self.url = f"{bench.url}/{self.vendor.published.relative_to(self._folder)}"

    def rows(self, huge: int) -> list[Row]:
        """``huge``: the size of a second, sparse payload whose peak memory is compared; 0 for none."""
        for name in ("ours", "ngclient"):
            self._installed(name)
        floors = {name: self._check(name)() for name in ("ours", "ngclient")}
        rows = [
            *self._check_rows(),
            *self._install_rows(floors),
            *attempted("cut at 90%", Goal(1.01), self._resume_rows),
        ]
        return [*rows, self._huge_row(huge)] if huge else rows

    def _new(self, name: str) -> Path:
        folder = self._folder / name
        shutil.rmtree(folder, ignore_errors=True)
        new_devices(folder, (self.vendor.published / "metadata" / "1.root.json").read_bytes())
        return folder

    def _verb(self, name: str, verb: str, folder: Path, cut: int = 0, may_fail: bool = False) -> Run:
        return self.bench.client(f"{name}_device", verb, self.url, str(folder), cut=cut, may_fail=may_fail)

    def _installed(self, name: str) -> Run:
        """A new device, from nothing to the payload in its slot."""
        folder = self._new(name)
        run = self._verb(name, "install", folder)
        self._require_whole([file for file in (folder / "slots").rglob("*") if file.is_file()])
        return run

    def _require_whole(self, files: list[Path]) -> None:
        wanted = self.payload.stat().st_size
        if not any(file.stat().st_size == wanted for file in files):
            raise RuntimeError(f"no file of {wanted} bytes was installed")

    def _check(self, name: str) -> Callable[[], Run]:
        """Nothing new for a device that has installed."""
        return lambda: self._verb(name, "check", self._folder / name)

    def _check_rows(self) -> list[Row]:
        clients = {name: self._check(name) for name in ("ours", "ngclient")}
        clients["python"] = lambda: self.bench.run(sys.executable, "-c", "pass")
        runs = interleaved(self.small_rounds, clients)
        work, walls = "no-op check, cold", both(runs, lambda run: run.wall)
        peaks, sent = both(runs, lambda run: run.peak), both(runs, lambda run: sum(run.sent.values()))
        asked = both(runs, lambda run: sum(run.requests.values()))
        return [
            compared(work, "ngclient", *walls, Goal(4, at_least=True, aim=6), seconds),
            compared(work, "python -c pass", walls[0], [run.wall for run in runs["python"]], Goal(3), seconds),
            compared(f"{work}: peak memory", "ngclient", *peaks, Goal(0.6, aim=0.5), mebibytes),
            compared(f"{work}: requests", "ngclient", *asked, Goal(1), number),
            compared(f"{work}: bytes", "ngclient", *sent, Goal(1), number),
        ]

    def _install_rows(self, floors: dict[str, Run]) -> list[Row]:
        clients: dict[str, Callable[[], Run]] = {
            "ours": lambda: self._installed("ours"),
            "ngclient": lambda: self._installed("ngclient"),
            "openssl": lambda: self.bench.run("openssl", "dgst", "-sha256", str(self.payload)),
        }
        if self.swupdate:
            make_image(self._folder, self.payload, self._folder / "swupdate.slot")
            clients["swupdate"] = self._swupdate
        runs = interleaved(self.big_rounds, clients)
        walls = {name: [run.wall for run in own] for name, own in runs.items()}
        cpu = both(runs, lambda run: run.cpu)
        work = f"{self.size // MIB} MiB: {DURABLE}"
        rows = [
            compared(work, "ngclient", walls["ours"], walls["ngclient"], Goal(2.5, at_least=True, aim=4), seconds),
            compared(f"{work}: CPU time", "ngclient", *cpu, Goal(2, at_least=True), seconds),
            compared(work, "openssl dgst -sha256", walls["ours"], walls["openssl"], Goal(1.4, aim=1.15), seconds),
        ]
        if "swupdate" in walls:
            rows.append(compared(work, "swupdate", walls["ours"], walls["swupdate"], Goal(2, at_least=True), seconds))
        return [*rows, *self._byte_rows(runs, floors), self._memory_row(runs)]

    def _swupdate(self) -> Run:
        slot = self._folder / "swupdate.slot"
        run = self.bench.run(*install_command(self._folder, f"{self.bench.url}/payload.swu", slot))
        self._require_whole([slot])
        return run

    def _byte_rows(self, runs: dict[str, list[Run]], floors: dict[str, Run]) -> list[Row]:
        """Without what the interpreter reads to start; see ``floors``, a check of each."""
        work, written = f"{self.size // MIB} MiB", both(runs, lambda run: run.written / self.size)
        ours, peer = ([(run.read - floors[name].read) / self.size for run in runs[name]] for name in floors)
        return [
            absolute(f"{work}: written per byte", "ngclient", *written, Goal(1.005), factor),
            absolute(f"{work}: read back per byte", "ngclient", ours, peer, Goal(0.005), factor),
        ]

    def _memory_row(self, runs: dict[str, list[Run]]) -> Row:
        work, peaks = f"{self.size // MIB} MiB: peak memory, in MiB", both(runs, lambda run: run.peak)
        return absolute(work, "ngclient", *peaks, Goal(30), mebibytes, per=MIB)

    def _resume_rows(self) -> list[Row]:
        work = f"{self.size // MIB} MiB, cut at 90%: fetched per missing byte"
        ours, peer = self._fetched_again("ours"), self._fetched_again("ngclient")
        return [absolute(work, "ngclient", [ours], [peer], Goal(1.01), factor)]

    def _fetched_again(self, name: str) -> float:
        """Body bytes sent after the cut, per byte of payload that was missing then."""
        cut, folder, sent, output = self.size * 9 // 10, self._new(name), 0, ""
        path = f"/{self.payload.relative_to(self._folder)}"
        for attempt in range(3):
            run = self._verb(name, "install", folder, cut=0 if attempt else cut, may_fail=True)
            sent, output = sent + run.sent.get(path, 0), run.output
            if run.status == 0:
                return (sent - cut) / (self.size - cut)
        raise RuntimeError(f"{name}: not installed after a cut connection and two more attempts\n{output}")

    def _huge_row(self, size: int) -> Row:
        """Peak memory must not grow with the payload."""
        before = self._installed("ours").peak
        with (self._folder / "payload").open("wb") as file:
            file.truncate(size)
        self.payload = publish_release(self.vendor, "2.0", self._folder / "payload")
        peak = self._installed("ours").peak
        return compared(
            f"peak memory at {size // MIB} MiB", "ours, the first size", [peak], [before], Goal(1.05), mebibytes
        )
