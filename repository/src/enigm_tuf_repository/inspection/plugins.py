"""Finding inspectors, and asking them what a file is. A file has exactly one kind."""

from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from enigm_tuf.errors import MalformedError, MisuseError
from enigm_tuf_repository.inspection.inspector import GROUP, Inspection, Inspector
from enigm_tuf_repository.inspection.source import Source, file_source

PLAIN = "file"
"""The kind of whatever no inspector recognises."""


@cache
def installed_inspectors() -> dict[str, Inspector]:
    """By kind; MisuseError where one does not load, or two are of one kind."""
    found: dict[str, Inspector] = {}
    for point in sorted(entry_points(group=GROUP)):
        if point.name in found or point.name == PLAIN:
            raise MisuseError(f"two inspectors for {point.name} are installed")
        try:
            found[point.name] = point.load()
        except Exception as error:
            raise MisuseError(f"the inspector for {point.name} does not load: {error}") from error
        if found[point.name].kind != point.name:
            raise MisuseError(f"the inspector {point.name} calls itself {found[point.name].kind}")
    return found


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
