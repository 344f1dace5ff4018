"""Finding inspectors, and asking them what a file is. A file has exactly one kind."""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType

from enigm_tuf.errors import MalformedError, MisuseError
from enigm_tuf_repository.inspection.inspector import GROUP, Inspection, Inspector
from enigm_tuf_repository.inspection.source import Source, file_source

PLAIN = "file"
"""The kind of whatever no inspector recognises."""
_HERE = "enigm_tuf_repository.inspection"
PINNED_INSPECTORS: Mapping[str, str] = MappingProxyType(
    {
        "android-ota": f"{_HERE}.android.package:INSPECTOR",
        "android-images": f"{_HERE}.android.images:INSPECTOR",
        "android-sparse": f"{_HERE}.images:SPARSE",
        "vbmeta": f"{_HERE}.images:VBMETA",
        "boot-image": f"{_HERE}.images:BOOT",
        "ext4": f"{_HERE}.images:EXT4",
        "erofs": f"{_HERE}.images:EROFS",
        "squashfs": f"{_HERE}.images:SQUASHFS",
        "rauc": f"{_HERE}.bundles.rauc:INSPECTOR",
        "swupdate": f"{_HERE}.bundles.swupdate:INSPECTOR",
    }
)
"""Kind: the entry point that it must come from. Without one of them its artifacts would be plain files."""


@cache
def installed_inspectors() -> dict[str, Inspector]:
    """By kind; MisuseError where one is missing or does not load, or two are of one kind."""
    return inspectors_of(entry_points(group=GROUP))


def inspectors_of(points: Iterable[EntryPoint]) -> dict[str, Inspector]:
    """The same for given entry points."""
    found: dict[str, Inspector] = {}
    for point in sorted(points):
        if point.name in found or point.name == PLAIN or PINNED_INSPECTORS.get(point.name, point.value) != point.value:
            raise MisuseError(f"two inspectors for {point.name} are installed")
        found[point.name] = _load(point)
    for kind in PINNED_INSPECTORS.keys() - found.keys():
        raise MisuseError(f"the inspector for {kind} is not installed", hint="install enigm-tuf-repository again")
    return found


def _load(point: EntryPoint) -> Inspector:
    try:
        inspector: Inspector = point.load()
        kind = inspector.kind
    except Exception as error:
        raise MisuseError(f"the inspector for {point.name} does not load: {error}") from error
    if kind != point.name:
        raise MisuseError(f"the inspector for {point.name} calls itself {kind}")
    return inspector


def inspect(source: Source) -> Inspection:
    """What it is; MalformedError where it looks like two kinds, or looks like one and is broken."""
    kinds = [kind for kind, inspector in installed_inspectors().items() if inspector.recognises(source)]
    if len(kinds) > 1:
        raise MalformedError(source.name, "", f"looks like {' and '.join(kinds)} at once")
    if not kinds:
        return Inspection(PLAIN, {"bytes": source.length})
    return installed_inspectors()[kinds[0]].inspect(source)


def inspect_file(path: Path) -> Inspection:
    """The same for a file; MisuseError where there is none."""
    if not path.is_file():
        raise MisuseError(f"{path}: no such file")
    return inspect(file_source(path))
