"""Every system call that a refresh, a fetch and an install change the disk with, spoiled in turn.

The calls are listed at run time, from a run without faults. Call N is "the n-th of this kind on this path", which is
the same call in every run even where threads change the order.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from enigm_testkit.faults.calls import Place, read_calls
from enigm_testkit.faults.durability import Disk, Rule
from enigm_testkit.faults.laboratory import Job, Laboratory, laboratory
from enigm_testkit.faults.machine import Fault, Machine
from enigm_testkit.faults.power_cut import Cut, Killed
from enigm_testkit.faults.site import COMMANDS, Scene, recover, remains, require_known, require_sound

_NEEDS_SPACE = {"open", "write", "pwrite", "writev", "pwritev", "mkdir", "symlink", "link", "rename", "fallocate"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    with laboratory(tmp_path_factory.mktemp("faults").resolve()) as made:
        yield made


def faults_at(place: Place) -> list[Fault]:
    """What can happen to this call."""
    space = [Fault.ENOSPC, Fault.DISK_FULL] if place.key.split()[0] in _NEEDS_SPACE else []
    torn = [Fault.SHORT, Fault.TORN] if place.writes else []
    return [Fault.EIO, *space, *torn, Fault.KILL_BEFORE, Fault.KILL_AFTER]


class Sweep:
    """Counts what was done. Remains that have recovered, byte by byte the same, are not taken through it again."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.recovered: defaultdict[str, set[str]] = defaultdict(set)

    def spoils(self, scene: Scene, place: Place, fault: Fault) -> Job:
        """Spoil one call, look at what is left, go on without faults, and look again."""

        def job(machine: Machine, folder: Path) -> None:
            machine.now = scene.now
            device, log, grave = scene.copied_to(folder / "device"), folder / "log", folder / "grave"
            grave.mkdir()
            ran = machine.run(device, scene.command, log=log, grave=grave, place=place, fault=fault)
            calls = read_calls(log)
            assert any(call.spoiled for call in calls), "this call did not come"
            assert ran.status == -9 if fault.kills else ran.status in {0, 2, 3}, ran.said
            require_known(ran)
            if ran.status == 0:
                assert require_sound(scene, device) == scene.states[-1], "it said that it is done, and it is not"
            if fault is Fault.KILL_AFTER:
                for cut in Cut:
                    Killed(device, grave, calls).left_by(cut, folder / cut.name)
                    self._survives(scene, folder / cut.name, machine, f"POWER CUT, {cut.name}")
            self._survives(scene, device, machine, fault.name)

        return job

    def _survives(self, scene: Scene, device: Path, machine: Machine, what: str) -> None:
        require_sound(scene, device)
        if (left := remains(device)) not in self.recovered[str(scene)]:
            recover(scene, machine, device)
            self.recovered[str(scene)].add(left)
        self.counts[what] += 1

    def run(self, lab: Laboratory, chosen: Callable[[int, Fault], bool]) -> None:
        """All faults that ``chosen`` (number of the place, fault) picks; prints how many there were."""
        jobs = [
            (f"{scene}, {place}, {fault.name}", self.spoils(scene, place, fault))
            for scene in lab.scenes
            for number, place in enumerate(scene.places)
            for fault in faults_at(place)
            if chosen(number, fault)
        ]
        troubles = lab.each(jobs)
        calls = sum(len(scene.places) for scene in lab.scenes)
        print(f"\nfaults: {len(jobs)} injected at {calls} system calls, {len(jobs) - len(troubles)} survived")
        print(f"survivors, with power cuts: {dict(self.counts)}")
        print(f"different remains that were taken through a recovery: {sum(map(len, self.recovered.values()))}")
        assert not troubles, "\n".join(troubles)
        assert len(jobs) > 0
        assert self.counts[Fault.EIO.name] > 0


def test_an_error_or_a_kill_or_a_power_cut_at_every_twentieth_call_is_survived(lab: Laboratory) -> None:
    Sweep().run(lab, lambda number, fault: number % 20 == 3 and fault in {Fault.EIO, Fault.KILL_AFTER})


@pytest.mark.slow
def test_every_fault_and_a_power_cut_at_every_call_are_survived(lab: Laboratory) -> None:
    Sweep().run(lab, lambda _number, _fault: True)


@pytest.mark.parametrize("rule", list(Rule))
def test_no_run_relies_on_what_a_power_cut_can_take(lab: Laboratory, rule: Rule) -> None:
    """The order of the calls alone, from check to install."""
    disks = {scene.name: Disk() for scene in lab.scenes}
    for scene in lab.scenes:
        assert any(call.kind == "fsync" for call in scene.calls)
        disks[scene.name].see(scene.calls)
        disks[scene.name].end()
    assert not [sentence for disk in disks.values() for broken, sentence in disk.broken if broken is rule]


@pytest.fixture(scope="module")
def second_runs(lab: Laboratory) -> Counter[tuple[Rule, str]]:
    """What the runs after a kill broke: they may rely on nothing that the killed one left undurable."""
    found: Counter[tuple[Rule, str]] = Counter()

    def killed(scene: Scene, place: Place) -> Job:
        def job(machine: Machine, folder: Path) -> None:
            machine.now = scene.now
            device, log = scene.copied_to(folder / "device"), folder / "log"
            machine.run(device, scene.command, log=log, place=place, fault=Fault.KILL_AFTER)
            recover(scene, machine, device, log)
            disk = Disk()
            disk.see(read_calls(log))
            disk.end()
            found.update((rule, f"{scene}, {place}: {sentence}") for rule, sentence in set(disk.broken))

        return job

    changing = ("rename", "link", "mkdir", "symlink", "open", "write", "pwrite", "fsync", "unlink")
    jobs = [
        (f"{scene}, {place}", killed(scene, place))
        for scene in lab.scenes
        for place in scene.places
        if place.key.startswith(changing)
    ]
    troubles = lab.each(jobs)
    assert not troubles, "\n".join(troubles)
    print(f"\nkills whose log was read on to the end of the next runs: {len(jobs)}")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("rule", list(Rule))
def test_no_run_after_a_kill_relies_on_what_a_power_cut_can_take(
    second_runs: Counter[tuple[Rule, str]], rule: Rule
) -> None:
    broken = [sentence for found, sentence in second_runs if found is rule]
    assert not broken, "\n".join(broken)


def together(scene: Scene, place: Place, other: Machine) -> Job:
    """One process stops before a call; another one does all that there is to do; the first one goes on."""

    def job(machine: Machine, folder: Path) -> None:
        machine.now = other.now = scene.now
        device, log = scene.copied_to(folder / "device"), folder / "log"
        assert machine.run(device, scene.command, log=log, place=place, fault=Fault.STOP_BEFORE).stopped
        said = []
        for command in COMMANDS:
            other.start(device, command)
            if not other.ends_within(seconds=5):
                break  # it waits for the first one
            said.append(other.wait())
        said.append(machine.finish())
        if len(said) <= len(COMMANDS):
            said.append(other.wait())
        for ran in said:
            require_known(ran)
        require_sound(scene, device)
        recover(scene, machine, device)

    return job


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_of_two_processes_one_waits_or_says_so_and_none_corrupts(lab: Laboratory, command: str) -> None:
    first, second = lab.machines
    alone = Laboratory([first], lab.scenes, lab.folder)
    step = 7 if command == "check" else 1
    jobs = [
        (f"{scene}, {place}", together(scene, place, second))
        for scene in lab.scenes
        if scene.command == command
        for place in scene.places[::step]
    ]
    troubles = alone.each(jobs)
    print(
        f"\n{command} stopped at {len(jobs)} calls while another process did it all: {len(jobs) - len(troubles)} sound"
    )
    assert not troubles, "\n".join(troubles)
