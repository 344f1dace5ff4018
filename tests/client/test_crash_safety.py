"""Every system call that a refresh, a fetch and an install change the disk with, spoiled in turn.

The calls are listed at run time, from a run without faults. Call N is "the n-th of this kind on this path", which is
the same call in every run even where threads change the order.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from enigm_testkit.faults.calls import Place, read_calls
from enigm_testkit.faults.durability import Disk, Rule
from enigm_testkit.faults.laboratory import Job, Laboratory, laboratory
from enigm_testkit.faults.machine import Fault, Machine
from enigm_testkit.faults.power_cut import Cut, Killed
from enigm_testkit.faults.site import (
    COMMANDS,
    RANDOM,
    Scene,
    lowered,
    recover,
    remains,
    require_known,
    require_sound,
    state_of,
)

_NEEDS_SPACE = {"open", "write", "pwrite", "writev", "pwritev", "mkdir", "symlink", "link", "rename", "fallocate"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    with laboratory(tmp_path_factory.mktemp("faults").resolve()) as made:
        yield made


def faults_at(number: int, place: Place) -> list[Fault]:
    """What can happen to this call. A kill before it is a kill after the one before it, except for the first."""
    space = [Fault.ENOSPC, Fault.DISK_FULL] if place.key.split()[0] in _NEEDS_SPACE else []
    torn = [Fault.SHORT, Fault.TORN] if place.writes else []
    before = [] if number else [Fault.KILL_BEFORE]
    return [Fault.EIO, *space, *torn, *before, Fault.KILL_AFTER]


class Sweep:
    """Counts what was done. Remains that have recovered, byte by byte the same, are not taken through it again."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.recovered: defaultdict[str, set[str]] = defaultdict(set)
        self.broken: set[tuple[Rule, str]] = set()

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
                    self.survives(scene, folder / cut.name, machine, f"POWER CUT, {cut.name}")
                self._goes_on(scene, place, device, machine, log)
            else:
                self.survives(scene, device, machine, fault.name)

        return job

    def survives(self, scene: Scene, device: Path, machine: Machine, what: str) -> None:
        require_sound(scene, device)
        if (left := remains(device)) not in self.recovered[str(scene)]:
            recover(scene, machine, device)
            self.recovered[str(scene)].add(left)
        self.counts[what] += 1

    def _goes_on(self, scene: Scene, place: Place, device: Path, machine: Machine, log: Path) -> None:
        """The next runs after a kill, written to its log: they may rely on nothing that it left undurable."""
        require_sound(scene, device)
        disk = Disk()
        disk.see(read_calls(log))
        files = remains(device)
        if (left := files + RANDOM.sub("*", disk.pending)) not in self.recovered[str(scene)]:
            recover(scene, machine, device, log)
            disk = Disk()
            disk.see(read_calls(log))
            self.recovered[str(scene)] |= {left, files}
        self.broken |= {(rule, f"{scene}, {place}: {sentence}") for rule, sentence in disk.broken}
        self.counts[Fault.KILL_AFTER.name] += 1

    def run(self, lab: Laboratory, chosen: Callable[[int, Fault], bool]) -> None:
        """All faults that ``chosen`` (number of the place, fault) picks; prints how many there were."""
        jobs = [
            (f"{scene}, {place}, {fault.name}", self.spoils(scene, place, fault))
            for scene in lab.scenes
            for number, place in enumerate(scene.places)
            for fault in faults_at(number, place)
            if chosen(number, fault)
        ]
        troubles = lab.each(jobs)
        calls = sum(len(scene.places) for scene in lab.scenes)
        print(f"\nfaults: {len(jobs)} injected at {calls} system calls, {len(jobs) - len(troubles)} survived")
        print(f"survivors, with power cuts: {dict(self.counts)}")
        print(f"different remains that were taken through a recovery: {sum(map(len, self.recovered.values()))}")
        assert not troubles, "\n".join(troubles)
        assert not self.broken, "\n".join(f"{rule.name}: {sentence}" for rule, sentence in sorted(self.broken, key=str))
        assert self.counts[Fault.EIO.name] > 0
        assert self.counts[Fault.KILL_AFTER.name] > 0


def test_an_error_or_a_kill_or_a_power_cut_at_every_twentieth_call_is_survived(lab: Laboratory) -> None:
    Sweep().run(lab, lambda number, fault: number % 20 == 3 and fault in {Fault.EIO, Fault.KILL_AFTER})


@pytest.mark.slow
def test_every_fault_and_a_power_cut_at_every_call_are_survived(lab: Laboratory) -> None:
    """And after every kill the next runs rely on nothing that is not durable."""
    Sweep().run(lab, lambda _number, _fault: True)


@pytest.mark.parametrize("rule", list(Rule))
def test_no_run_relies_on_what_a_power_cut_can_take(lab: Laboratory, rule: Rule) -> None:
    """The order of the calls alone, from check to install."""
    disks = {scene.name: Disk() for scene in lab.scenes}
    for scene in lab.scenes:
        assert any(call.kind == "fsync" for call in scene.calls)
        disks[scene.name].see(scene.calls)
    assert not [sentence for disk in disks.values() for broken, sentence in disk.broken if broken is rule]


def cut_later(scene: Scene, first: Place, second: Place, sweep: Sweep) -> Job:
    """A kill; the same command again, up to a power cut: what that run acted upon is not taken back."""

    def job(machine: Machine, folder: Path) -> None:
        machine.now = scene.now
        device, log, grave = scene.copied_to(folder / "device"), folder / "log", folder / "grave"
        grave.mkdir()
        machine.run(device, scene.command, log=log, grave=grave, place=first, fault=Fault.KILL_AFTER)
        found, before = state_of(device), len(read_calls(log))
        ran = machine.run(device, scene.command, log=log, grave=grave, place=second, fault=Fault.KILL_AFTER)
        calls = read_calls(log)
        acted = ran.status != -9 or any(call.done and call.real.startswith("slots") for call in calls[before:])
        known = state_of(device) if ran.status != -9 else found
        for cut in Cut:
            left = folder / cut.name
            Killed(device, grave, calls).left_by(cut, left)
            assert not acted or not lowered(known, state_of(left)), "the state that it acted upon is gone"
            sweep.survives(scene, left, machine, f"{cut.name}, {'acted' if acted else 'only read'}")

    return job


@pytest.mark.slow
def test_a_kill_then_a_run_then_a_power_cut_take_nothing_back_that_was_acted_upon(lab: Laboratory) -> None:
    sweep, jobs = Sweep(), []
    for scene in lab.scenes:
        places = [place for place in scene.places if place.key.startswith(("rename", "symlink", "unlink", "fsync"))]
        for number, first in enumerate(places):
            second = scene.places[number * 7 % len(scene.places)]
            jobs.append((f"{scene}, {first}, then {second}", cut_later(scene, first, second, sweep)))
    troubles = lab.each(jobs)
    print(f"\nkills with a run and a power cut after it: {len(jobs)}, {len(jobs) - len(troubles)} survived")
    print(f"what was left: {dict(sweep.counts)}")
    assert not troubles, "\n".join(troubles)
    assert sweep.counts[f"{Cut.ALL_LOST.name}, acted"] > 0


BUSY = ("another process is updating this device", "another process is fetching it", "another process has just")
LATE = ("check again", "nothing to do", "is not here yet", "No such file or directory")


def together(
    scene: Scene, place: Place, others: Mapping[Machine, Machine], lab: Laboratory, answers: Counter[str]
) -> Job:
    """One process stops before a call; another one does all that there is to do; the first one goes on."""
    states = [state for also in lab.scenes if also.name == scene.name for state in also.states]

    def job(machine: Machine, folder: Path) -> None:
        other = others[machine]
        machine.now = other.now = scene.now
        device, log = scene.copied_to(folder / "device"), folder / "log"
        assert machine.run(device, scene.command, log=log, place=place, fault=Fault.STOP_BEFORE).stopped
        said = []
        for command in COMMANDS:
            other.start(device, command)
            assert other.ends_within(seconds=60), f"{command} waits for a process that does not go on"
            said.append(other.wait())
        between = require_sound(scene, device, states)
        said.append(machine.finish())
        for ran in said:
            require_known(ran)
            busy = any(words in ran.said for words in BUSY)
            assert ran.status == 0 or busy or any(words in ran.said for words in LATE), ran.said
            answers["done" if ran.status == 0 else "busy" if busy else "too late"] += 1
        assert not lowered(between, require_sound(scene, device, states))
        recover(scene, machine, device)

    return job


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_of_two_processes_one_says_that_it_is_not_alone_and_none_corrupts(lab: Laboratory, command: str) -> None:
    firsts, seconds = lab.machines[:2], lab.machines[2:]
    others = dict(zip(firsts, seconds, strict=True))
    answers: Counter[str] = Counter()
    step = 3 if command == "check" else 1
    jobs = [
        (f"{scene}, {place}", together(scene, place, others, lab, answers))
        for scene in lab.scenes
        if scene.command == command
        for place in scene.places[::step]
    ]
    troubles = Laboratory(firsts, lab.scenes, lab.folder).each(jobs)
    done = len(jobs) - len(troubles)
    print(f"\n{command} stopped at {len(jobs)} calls while another process did it all: {done} sound; {dict(answers)}")
    assert not troubles, "\n".join(troubles)
    assert answers["busy"] > 0
