"""Machines that run jobs side by side, and the scenes that the jobs are about."""

import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from queue import SimpleQueue

from enigm_testkit.faults.machine import Machine, build_shim
from enigm_testkit.faults.site import COMMANDS, CONFIGURATION, Scene, make_scenes
from enigm_testkit.vendor import Vendor, make_vendor
from enigm_tuf_repository.cli.serve import make_server

Job = Callable[[Machine, Path], None]
"""Given a machine and an empty folder of its own; raises what is wrong."""


@dataclass
class Laboratory:
    """``folder`` is where victims live."""

    machines: list[Machine]
    scenes: list[Scene]
    folder: Path

    def __post_init__(self) -> None:
        self._free: SimpleQueue[Machine] = SimpleQueue()
        for machine in self.machines:
            self._free.put(machine)

    def each(self, jobs: Sequence[tuple[str, Job]]) -> list[str]:
        """Run all jobs, one on each machine at a time; what went wrong, by job."""
        with ThreadPoolExecutor(len(self.machines)) as pool:
            return [trouble for trouble in pool.map(self._one, jobs) if trouble]

    def _one(self, job: tuple[str, Job]) -> str:
        name, work = job
        machine = self._free.get()
        try:
            with tempfile.TemporaryDirectory(dir=self.folder) as folder:
                work(machine, Path(folder))
        except Exception as error:
            return f"{name}: {type(error).__name__}: {error}"
        finally:
            self._free.put(machine)
        return ""


@contextmanager
def served(vendor: Vendor) -> Iterator[str]:
    """The device.toml of a device that asks this vendor."""
    with make_server(vendor.published, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield CONFIGURATION.format(url=f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()


def vendors(folder: Path) -> list[Vendor]:
    """One with release 1.0, the same an hour later with 2.0, and another hour later with 3.0."""
    vendor = make_vendor(folder / "vendor-1").opened()
    made = [vendor]
    for version in ("1.0", "2.0", "3.0"):
        if version != "1.0":
            made.append(made[-1].copied_to(folder / f"vendor-{version}"))
            made[-1].clock.advance(timedelta(hours=1))
        made[-1].prepare_release(version, b"payload " * 150_000)
        made[-1].publish(f"phone-{version}")
    return made


@contextmanager
def laboratory(folder: Path) -> Iterator[Laboratory]:
    """A first release, and a third one: then the slot that is not in use has an old release in it."""
    shim, device, all_vendors = build_shim(folder), folder / "device", vendors(folder)
    root = all_vendors[0].published / "metadata" / "1.root.json"
    with ExitStack() as stack:
        configurations = [stack.enter_context(served(vendor)) for vendor in all_vendors]
        machines = [Machine(shim, folder / f"machine-{number}", all_vendors[0].clock.now()) for number in range(4)]
        for machine in machines:
            stack.callback(machine.close)
        (folder / "device.toml").write_text(configurations[0])
        words = ("init", "--root", str(root), "--config", str(folder / "device.toml"))
        assert machines[0].run(device, *words).status == 0
        scenes = make_scenes("first", machines[0], device, folder / "scenes")
        for vendor, configuration in zip(all_vendors[1:], configurations[1:], strict=True):
            machines[0].now = vendor.clock.now()
            (device / "device.toml").write_text(configuration)
            if vendor is not all_vendors[-1]:
                assert [machines[0].run(device, command).status for command in COMMANDS] == [0, 0, 0]
        scenes += make_scenes("third", machines[0], device, folder / "scenes")
        (folder / "victims").mkdir()
        yield Laboratory(machines, scenes, folder / "victims")
