"""One good build of Android and its update package, made once; tests change one thing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from enigm_testkit.android.build import AndroidBuild, Keys
from enigm_testkit.android.given import set_artifact_rules, with_artifacts
from enigm_testkit.android.keys import make_key
from enigm_testkit.vendor import Vendor, make_vendor
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gating import gate_context

AOSP_SUBJECT = "/C=US/ST=California/O=Android/CN=Android/emailAddress=android@android.com"


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    folder = tmp_path_factory.mktemp("keys")
    return Keys(*(make_key(folder, name) for name in ("update", "vbmeta", "vbmeta_system")))


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> AndroidBuild:
    folder = tmp_path_factory.mktemp("build") / "first"
    folder.mkdir()
    return AndroidBuild(folder, keys)


@pytest.fixture(scope="session")
def package(build: AndroidBuild) -> Path:
    """The full package of ``build``, with a property file for devices that stream."""
    return build.full(streaming=0)


@pytest.fixture(scope="session")
def made(build: AndroidBuild, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., AndroidBuild]:
    """``build`` with changes, in a folder of its own."""

    def make(**changes: object) -> AndroidBuild:
        return build.changed(tmp_path_factory.mktemp("changed").name, **changes)

    return make


@pytest.fixture(scope="session")
def _vendor(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Vendor:
    """A release of plain files, verified; the artifacts are put before the gates by each test."""
    vendor = make_vendor(tmp_path_factory.mktemp("android") / "vendor").opened()
    vendor.up_to(vendor.prepare_release("1.0"), "verify")
    set_artifact_rules(
        vendor.workspace,
        kinds=["android-ota", "android-images", "vbmeta", "boot-image", "ext4"],
        update_keys=[keys.update.spki],
        avb_keys={"vbmeta": keys.vbmeta.spki, "vbmeta_system": keys.vbmeta_system.spki},
    )
    return vendor


@pytest.fixture
def vendor(_vendor: Vendor, tmp_path: Path) -> Vendor:
    return _vendor.copied_to(tmp_path / "vendor")


@pytest.fixture
def context(vendor: Vendor) -> GateContext:
    return gate_context(vendor.workspace, vendor.record("phone-1.0"), vendor.clock.now())


@pytest.fixture
def good(context: GateContext, build: AndroidBuild, package: Path) -> GateContext:
    """The good package before the gates."""
    return with_artifacts(context, build, package)
