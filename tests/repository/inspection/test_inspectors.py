"""Inspectors are plug-ins: ours must be there, others may be added, and a file has one kind."""

import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from enigm_tuf.errors import MalformedError, MisuseError
from enigm_tuf_repository.inspection import plugins
from enigm_tuf_repository.inspection.inspector import GROUP, Inspection, Inspector
from enigm_tuf_repository.inspection.plugins import (
    PINNED_INSPECTORS,
    inspect,
    inspect_file,
    inspectors_of,
    installed_inspectors,
)
from enigm_tuf_repository.inspection.source import Source, bytes_source

PROJECT = Path(__file__).parents[3] / "repository" / "pyproject.toml"


class Squashes:
    """Recognises whatever begins with the magic of squashfs or with its own."""

    kind = "squash"

    def recognises(self, source: Source) -> bool:
        return source.read(0, 4) in {b"hsqs", b"SQSH"}

    def inspect(self, source: Source) -> Inspection:
        return Inspection(self.kind, {"bytes": source.length})


class Misnamed(Squashes):
    kind = "other"


SQUASHES, MISNAMED = Squashes(), Misnamed()


def ours(*without: str) -> list[EntryPoint]:
    return [EntryPoint(kind, value, GROUP) for kind, value in PINNED_INSPECTORS.items() if kind not in without]


def theirs(name: str = "squash", attribute: str = "SQUASHES", module: str = __name__) -> EntryPoint:
    return EntryPoint(name, f"{module}:{attribute}", GROUP)


@pytest.fixture
def _with_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[str, Inspector] = {**installed_inspectors(), "squash": SQUASHES}
    monkeypatch.setattr(plugins, "installed_inspectors", lambda: found)


def test_what_is_pinned_is_what_the_distribution_registers_and_what_is_installed() -> None:
    assert tomllib.loads(PROJECT.read_text())["project"]["entry-points"][GROUP] == dict(PINNED_INSPECTORS)
    assert set(installed_inspectors()) == set(PINNED_INSPECTORS)


@pytest.mark.parametrize("kind", PINNED_INSPECTORS)
def test_without_one_of_ours_nothing_is_inspected(kind: str) -> None:
    with pytest.raises(MisuseError, match=f"the inspector for {kind} is not installed"):
        inspectors_of(ours(kind))


@pytest.mark.parametrize(
    ("point", "rule"),
    [
        (theirs("android-ota"), "two inspectors for android-ota"),
        (theirs("file"), "two inspectors for file"),
        (theirs("squash", "MISSING"), "the inspector for squash does not load"),
        (theirs("squash", module="no_such_module"), "the inspector for squash does not load: No module named"),
        (theirs("squash", "MISNAMED"), "the inspector for squash calls itself other"),
    ],
)
def test_an_inspector_that_is_off_is_named(point: EntryPoint, rule: str) -> None:
    with pytest.raises(MisuseError, match=rule):
        inspectors_of([*ours(), point])


@pytest.mark.usefixtures("_with_theirs")
def test_another_inspector_adds_a_kind() -> None:
    assert inspect(bytes_source(b"SQSH and more", "file")).kind == "squash"


@pytest.mark.usefixtures("_with_theirs")
def test_a_file_that_looks_like_two_kinds_is_refused() -> None:
    with pytest.raises(MalformedError, match="looks like squashfs and squash at once"):
        inspect(bytes_source(b"hsqs" + b"\0" * 200, "file"))


@pytest.mark.parametrize("data", [b"", b"a", b"plain text", b"\0" * 100_000])
def test_what_nobody_recognises_is_a_plain_file(data: bytes) -> None:
    assert inspect(bytes_source(data, "file")).kind == "file"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MisuseError, match="nothing: no such file"):
        inspect_file(tmp_path / "nothing")
