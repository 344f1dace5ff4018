"""Vendors at the points from which the tests start. Each test gets a copy of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from enigm_testkit.vendor import Vendor, make_vendor


@pytest.fixture(scope="session")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Vendor]:
    """A vendor after each stage, made once."""
    folder = tmp_path_factory.mktemp("vendor")
    made: dict[str, Vendor] = {}

    def stage(name: str) -> Vendor:
        if name not in made:
            made[name] = _STAGES[name](folder / name, stage)
        return made[name]

    return stage


@pytest.fixture
def new_vendor(tmp_path: Path) -> Vendor:
    """Nothing but configuration."""
    return make_vendor(tmp_path / "vendor")


@pytest.fixture
def rooted(stages: Callable[[str], Vendor], tmp_path: Path) -> Vendor:
    """Root version 1 is published."""
    return stages("rooted").copied_to(tmp_path / "vendor")


@pytest.fixture
def vendor(stages: Callable[[str], Vendor], tmp_path: Path) -> Vendor:
    """Product ``phone`` is published, without a release."""
    return stages("product").copied_to(tmp_path / "vendor")


@pytest.fixture
def prepared(stages: Callable[[str], Vendor], tmp_path: Path) -> Vendor:
    """Release ``phone-1.0`` is prepared, nobody has signed."""
    return stages("prepared").copied_to(tmp_path / "vendor")


@pytest.fixture
def gated(stages: Callable[[str], Vendor], tmp_path: Path) -> Vendor:
    """Release ``phone-1.0`` waits for publication."""
    return stages("gated").copied_to(tmp_path / "vendor")


@pytest.fixture
def released(stages: Callable[[str], Vendor], tmp_path: Path) -> Vendor:
    """Release ``phone-1.0`` is published."""
    return stages("released").copied_to(tmp_path / "vendor")


def _rooted(path: Path, stage: Callable[[str], Vendor]) -> Vendor:
    del stage  # the first of all
    vendor = make_vendor(path)
    vendor.done("init", "--config", str(path / "repository.toml"))
    vendor.publish("root-1")
    return vendor


def _product(path: Path, stage: Callable[[str], Vendor]) -> Vendor:
    vendor = stage("rooted").copied_to(path)
    vendor.done("product", "add", "phone", "--channel", "stable")
    vendor.publish("product-phone")
    return vendor


def _prepared(path: Path, stage: Callable[[str], Vendor]) -> Vendor:
    vendor = stage("product").copied_to(path)
    vendor.prepare_release("1.0")
    return vendor


def _gated(path: Path, stage: Callable[[str], Vendor]) -> Vendor:
    vendor = stage("prepared").copied_to(path)
    vendor.up_to("phone-1.0", "verify", "gate")
    return vendor


def _released(path: Path, stage: Callable[[str], Vendor]) -> Vendor:
    vendor = stage("gated").copied_to(path)
    vendor.done("release", "publish", "phone-1.0")
    return vendor


_STAGES: dict[str, Callable[[Path, Callable[[str], Vendor]], Vendor]] = {
    "rooted": _rooted,
    "product": _product,
    "prepared": _prepared,
    "gated": _gated,
    "released": _released,
}
