"""Every system call that a refresh, a fetch and an install change the disk with, spoiled in turn.

The calls are listed at run time, from a run without faults. Call N is "the n-th of this kind on this path", which is
the same call in every run even where threads change the order.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from queue import SimpleQueue

import pytest

from enigm_testkit.faults.calls import Place, read_calls
from enigm_testkit.faults.durability import Disk
from enigm_testkit.faults.machine import Fault, Machine, build_shim
from enigm_testkit.faults.power_cut import Cut, cut_power
from enigm_testkit.faults.site import (
    COMMANDS,
    CONFIGURATION,
    Scene,
    make_scenes,
    recover,
    remains,
    require_known,
    require_sound,
)
from enigm_testkit.vendor import Vendor, make_vendor
from enigm_tuf_repository.cli.serve import make_server

_NEEDS_SPACE = ("open", "write", "pwrite", "writev", "pwritev", "mkdir", "symlink", "link", "rename", "fallocate")
Job = Callable[[Machine, Path], None]


@dataclass
class Site:
    """Two machines, and the scenes of a first and a second release."""

    machines: list[Machine]
    scenes: list[Scene]
    folder: Path
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._free: SimpleQueue[Machine] = SimpleQueue()
        for machine in self.machines:
            self._free.put(machine)

    def each(self, jobs: Sequence[tuple[str, Job]]) -> list[str]:
        """Run all jobs, one on each machine at a time; what went wrong, by job."""
        with ThreadPoolExecutor(len(self.machines)) as pool:
            return [trouble for trouble in pool.map(self._one, range(len(jobs)), jobs) if trouble]

    def _one(self, number: int, job: tuple[str, Job]) -> str:
        name, work = job
        machine = self._free.get()
        try:
            folder = self.folder / f"{number}-{threading.get_ident()}"
            folder.mkdir()
            work(machine, folder)
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
    vendor = make_vendor(folder / "vendor-1")
    vendor.done("init", "--config", str(vendor.path / "repository.toml"))
    vendor.publish("root-1")
    vendor.done("product", "add", "phone", "--channel", "stable")
    vendor.publish("product-phone")
    made = [vendor]
    for version in ("1.0", "2.0", "3.0"):
        if version != "1.0":
            made.append(made[-1].copied_to(folder / f"vendor-{version}"))
            made[-1].clock.advance(timedelta(hours=1))
        made[-1].prepare_release(version, b"payload " * 150_000)
        made[-1].publish(f"phone-{version}")
    return made


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A first release, and a third one: then the slot that is not in use has an old release in it."""
    folder = tmp_path_factory.mktemp("faults").resolve()
    shim, device, all_vendors = build_shim(folder), folder / "device", vendors(folder)
    root = all_vendors[0].published / "metadata" / "1.root.json"
    with ExitStack() as stack:
        configurations = [stack.enter_context(served(vendor)) for vendor in all_vendors]
        machines = [Machine(shim, folder / f"machine-{number}", all_vendors[0].clock.now()) for number in (1, 2)]
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
        yield Site(machines, scenes, folder / "victims")


def faults_at(place: Place) -> list[Fault]:
    """What can happen to this call."""
    space = [Fault.ENOSPC, Fault.DISK_FULL] if place.key.split()[0] in _NEEDS_SPACE else []
    torn = [Fault.SHORT, Fault.TORN] if place.writes else []
    return [Fault.EIO, *space, *torn, Fault.KILL_BEFORE, Fault.KILL_AFTER]


def injected(scene: Scene, place: Place, fault: Fault, counts: Counter[str], seen: set[str]) -> Job:
    """Spoil one call, look at what is left, go on without faults, and look again.

    What has been ``seen`` to recover, byte by byte, is not taken through it again.
    """

    def job(machine: Machine, folder: Path) -> None:
        machine.now = scene.now
        with scene.victim(folder) as device:
            log = folder / "log"
            ran = machine.run(device, scene.command, log=log, place=place, fault=fault)
            assert any(call.spoiled for call in read_calls(log)), "this call did not come"
            state = require_sound(scene, device)
            if fault.kills:
                assert ran.status == -9, ran.said
            else:
                require_known(ran)
            if ran.status == 0:
                assert state == scene.states[-1], "it said that it is done, and it is not"
            if (left := remains(device)) not in seen:
                recover(scene, machine, device)
                seen.add(left)
        counts[fault.name] += 1

    return job


def sweep(site: Site, scenes: Sequence[Scene], chosen: Callable[[int, Fault], bool]) -> None:
    """All faults that ``chosen`` (number of the place, fault) picks; prints how many there were."""
    counts: Counter[str] = Counter()
    seen: dict[str, set[str]] = {scene.name + scene.command: set() for scene in scenes}
    jobs = [
        (
            f"{scene.name} {scene.command}, {place}, {fault.name}",
            injected(scene, place, fault, counts, seen[scene.name + scene.command]),
        )
        for scene in scenes
        for number, place in enumerate(scene.places)
        for fault in faults_at(place)
        if chosen(number, fault)
    ]
    troubles = site.each(jobs)
    calls = sum(len(scene.places) for scene in scenes)
    print(
        f"\nfaults: {len(jobs)} injected at {calls} system calls, {len(jobs) - len(troubles)} survived: {dict(counts)}"
    )
    print(f"{sum(map(len, seen.values()))} different remains were taken through a recovery")
    assert not troubles, "\n".join(troubles)
    assert sum(counts.values()) == len(jobs) > 0


def test_a_kill_or_an_error_at_every_tenth_call_is_survived(site: Site) -> None:
    sweep(site, site.scenes, lambda number, fault: number % 10 == 3 and fault in {Fault.EIO, Fault.KILL_AFTER})


@pytest.mark.slow
def test_every_fault_at_every_call_is_survived(site: Site) -> None:
    sweep(site, site.scenes, lambda _number, _fault: True)


def test_whatever_is_named_is_durable_first_and_its_name_is_durable_after(site: Site) -> None:
    """The order of the calls alone: no run of a command may rely on what a power cut can take."""
    broken = []
    for scene in site.scenes:
        disk = Disk()
        disk.see(scene.calls)
        disk.end()
        broken += [f"{scene.name} {scene.command}: {sentence}" for sentence in disk.broken]
    assert not broken, "\n".join(broken)


def cut_off(scene: Scene, place: Place, cut: Cut, seen: set[str]) -> Job:
    """The power goes after this call, with what no fsync made durable."""

    def job(machine: Machine, folder: Path) -> None:
        machine.now = scene.now
        log, grave = folder / "log", folder / "grave"
        grave.mkdir()
        with scene.victim(folder) as device:
            machine.run(device, scene.command, log=log, grave=grave, place=place, fault=Fault.KILL_AFTER)
            cut_power(device, grave, read_calls(log), cut)
            require_sound(scene, device)
            if (left := remains(device)) not in seen:
                recover(scene, machine, device)
                seen.add(left)

    return job


@pytest.mark.slow
def test_a_power_cut_after_every_call_is_survived(site: Site) -> None:
    seen: dict[str, set[str]] = {scene.name + scene.command: set() for scene in site.scenes}
    jobs = [
        (
            f"{scene.name} {scene.command}, {place}, {cut.name}",
            cut_off(scene, place, cut, seen[scene.name + scene.command]),
        )
        for scene in site.scenes
        for place in scene.places
        for cut in Cut
    ]
    troubles = site.each(jobs)
    print(f"\npower cuts: {len(jobs)}, {len(jobs) - len(troubles)} survived")
    assert not troubles, "\n".join(troubles)
