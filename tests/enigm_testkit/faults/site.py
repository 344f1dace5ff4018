"""Devices before each command of an update, what each may become, and what must hold of whatever is left."""

import hashlib
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from enigm_testkit.faults.calls import Call, Place, places, read_calls
from enigm_testkit.faults.machine import Fault, Machine, Ran
from enigm_tuf.model.value import replace
from enigm_tuf.ports import DeviceState
from enigm_tuf_client.installer import DirectorySlots
from enigm_tuf_client.store import DirectoryStore

CONFIGURATION = """environment = "staging"
product = "phone"
hardware_id = "phone-a"
channel = "stable"
device_id = "device-1"
cohorts = []
url = "{url}"
"""
COMMANDS = ("check", "fetch", "install")
RANDOM = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Scene:
    """One command on one device, as it goes without faults.

    ``states`` are all that it commits, the one before first. ``payloads`` are what the current slot may boot (as
    booted() has it), None where there may be none; the last is the new one.
    """

    name: str
    command: str
    now: datetime
    device: Path
    calls: tuple[Call, ...]
    states: tuple[DeviceState, ...]
    payloads: tuple[str | None, ...]
    final: DeviceState

    @property
    def places(self) -> list[Place]:
        return places(self.calls)

    def __str__(self) -> str:
        return f"{self.name} {self.command}"

    def copied_to(self, device: Path) -> Path:
        """A device to spoil."""
        return Path(shutil.copytree(self.device, device, symlinks=True))


def state_of(device: Path) -> DeviceState:
    """With every file read, so that states of two moments can be compared."""
    state = DirectoryStore(device / "store").load()
    return replace(state, metadata=dict(state.metadata), targets=dict(state.targets))


def booted(device: Path) -> str | None:
    """SHA-256 of what the current slot boots, payload and version; None if there is no such slot."""
    current = DirectorySlots(device / "slots").current
    if current is None:
        return None
    files = [current / "payload", current / "version"]
    assert all(file.is_file() for file in files), f"the current slot has no {files}"
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def make_scenes(name: str, machine: Machine, device: Path, folder: Path) -> list[Scene]:
    """Take ``device`` through check, fetch and install, and keep it as it was before each."""
    before = booted(device)
    done = []
    for command in COMMANDS:
        start = folder / name / command
        shutil.copytree(device, start, symlinks=True)
        log = folder / name / f"{command}.log"
        ran = machine.run(device, command, log=log)
        assert ran.status == 0, ran.said
        done.append((command, start, tuple(read_calls(log))))
    new, final = booted(device), state_of(device)
    return [
        Scene(name, command, machine.now, start, calls, _states(machine, start, calls), (before, new), final)
        for command, start, calls in done
    ]


def _states(machine: Machine, start: Path, calls: tuple[Call, ...]) -> tuple[DeviceState, ...]:
    """What is committed after each call that names something in the store."""
    states = [state_of(start)]
    naming = [place for place in places(calls) if place.key.startswith(("rename store/", "link store/"))]
    for place in naming:
        victim = start.with_name("probe")
        shutil.copytree(start, victim, symlinks=True)
        machine.run(victim, start.name, log=start.with_name("probe.log"), place=place, fault=Fault.KILL_AFTER)
        if (state := state_of(victim)) != states[-1]:
            states.append(state)
        shutil.rmtree(victim)
    return tuple(states)


def require_sound(scene: Scene, device: Path, states: Sequence[DeviceState] = ()) -> DeviceState:
    """Whatever happened: one whole state (of the scene, or of ``states``), no less protection than before, and a slot
    that is whole."""
    state, slot = state_of(device), booted(device)
    assert state in (*scene.states, *states), "a state that no commit ever made"
    assert not lowered(scene.states[0], state)
    assert slot in scene.payloads, "the current slot holds what nobody signed"
    if state.installed != scene.states[0].installed:
        assert slot == scene.payloads[-1], "the state says that the new release is installed, the slot is the old one"
    return state


def lowered(old: DeviceState, new: DeviceState) -> list[str]:
    """What protects less in ``new``: versions of metadata, rollback floors, the time floor."""
    versions, later = _versions(old), _versions(new)
    found = [role for role in versions if later.get(role, 0) < versions[role]]
    found += [name for name, floor in old.rollback_floors.items() if new.rollback_floors.get(name, 0) < floor]
    return found + ["time"] * ((new.latest_time or _LONG_AGO) < (old.latest_time or _LONG_AGO))


def _versions(state: DeviceState) -> dict[str, int]:
    return {role: json.loads(data)["signed"]["version"] for role, data in state.metadata.items()}


def recover(scene: Scene, machine: Machine, device: Path, log: Path | None = None) -> None:
    """The next runs, without faults: an early install takes nothing that is not whole, and the update succeeds."""
    if scene.command != "check":
        early = machine.run(device, "install", log=log)
        require_known(early)
        assert booted(device) in scene.payloads, "install took what is not whole"
    for command in ("fetch", "install"):  # each checks, too
        if state_of(device) == scene.final:
            break
        ran = machine.run(device, command, log=log)
        assert ran.status == 0, f"{command} after the fault: {ran.said}"
    assert (state_of(device), booted(device)) == (scene.final, scene.payloads[-1])
    again = machine.run(device, "check", log=log)
    assert again.status == 0, again.said
    assert "up to date" in again.said


def remains(device: Path) -> str:
    """A digest of all names and bytes; two devices with the same one have the same future."""
    digest = hashlib.sha256()
    for path in sorted(device.rglob("*"), key=lambda path: RANDOM.sub("*", str(path.relative_to(device)))):
        what = path.readlink() if path.is_symlink() else "folder" if path.is_dir() else ""
        data = b"" if what else path.read_bytes()
        digest.update(f"{RANDOM.sub('*', str(path.relative_to(device)))}\0{what}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


def require_known(ran: Ran) -> None:
    """Done, killed, or one ``error:`` of our own tree. A crash is a bug."""
    assert ran.status in {0, 2, 3, -9}, ran.said
    assert ran.status in {0, -9} or "error: " in ran.said, ran.said
