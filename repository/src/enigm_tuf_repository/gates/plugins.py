"""Finding gates: every entry point of the group, the pinned ones first, and what is wrong with the rest."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from enigm_tuf_repository.gates.gate import GROUP, Gate
from enigm_tuf_repository.gates.pinned import DISTRIBUTION, PINNED_GATES

_ID = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)*")
_LONGEST_ID = 60  # it becomes a file name


@dataclass(frozen=True, slots=True)
class Plugin:
    """A gate with the distribution that it came from."""

    gate: Gate
    distribution: str
    version: str


@dataclass(frozen=True, slots=True)
class PluginSet:
    """``trouble`` says, one line each, what keeps this set from being the one that must run."""

    plugins: tuple[Plugin, ...]
    trouble: tuple[str, ...]


def installed_gates(also_required: Collection[str] = ()) -> PluginSet:
    """The gates of this installation. ``also_required`` are IDs of other people's gates that must be there too."""
    return gates_of(entry_points(group=GROUP), also_required)


def gates_of(found: Iterable[EntryPoint], also_required: Collection[str] = ()) -> PluginSet:
    """Load every entry point. Nothing raises: whatever is wrong is in ``trouble``."""
    points = list(found)
    ours = [point for point in points if _is_pinned(point)]
    theirs = [point for point in points if not _is_pinned(point)]
    plugins: list[Plugin] = []
    trouble: list[str] = []
    for point in sorted(ours, key=lambda point: list(PINNED_GATES).index(point.name)) + sorted(theirs):
        loaded = _load(point, {str(plugin.gate.rule) for plugin in plugins} | PINNED_GATES.keys())
        if isinstance(loaded, Plugin):
            plugins.append(loaded)
        else:
            trouble.append(loaded)
    trouble += _missing(plugins, also_required)
    return PluginSet(tuple(plugins), tuple(trouble))


def _is_pinned(point: EntryPoint) -> bool:
    return PINNED_GATES.get(point.name) == point.value and _owner(point)[0] == DISTRIBUTION


def _load(point: EntryPoint, taken: Collection[str]) -> Plugin | str:
    """The plug-in, or why there is none."""
    name, version = _owner(point)
    who = f"{point.name:.60} of {name}"
    if len(point.name) > _LONGEST_ID or not _ID.fullmatch(point.name):
        return f"{who}: an ID is capitals, digits and single hyphens, at most {_LONGEST_ID} long"
    if point.name in taken and not _is_pinned(point):
        return f"{who}: that ID belongs to another gate"
    try:
        gate: Gate = point.load()
        if gate.rule != point.name:
            return f"{who}: the gate calls itself {gate.rule:.60}"
    except Exception as error:
        return f"{who}: does not load: {type(error).__name__}: {error}"
    return Plugin(gate, name, version)


def _missing(plugins: Iterable[Plugin], also_required: Collection[str]) -> Iterator[str]:
    there = {str(plugin.gate.rule) for plugin in plugins}
    for rule in [*PINNED_GATES, *also_required]:
        if rule not in there:
            yield f"{rule}: no such gate is installed"


def _owner(point: EntryPoint) -> tuple[str, str]:
    """Name and version of the distribution that registered it."""
    if point.dist is None:
        return "an unknown distribution", "0"
    return point.dist.name.lower().replace("_", "-"), point.dist.version
