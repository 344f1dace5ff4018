"""A whole release of Android: release.toml leaves out what the package says, and may not say anything else."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from enigm_testkit.android.build import AndroidBuild, Keys
from enigm_testkit.android.given import set_artifact_rules
from enigm_testkit.vendor import Vendor, make_vendor, release_toml
from enigm_tuf.model.manifest import Release, read_manifest
from enigm_tuf_repository.cli import main
from enigm_tuf_repository.gating import gate

LEFT_OUT = ("version", "build_id", "security_patch_level", "rollback_index", "hardware_ids")
LATER = {"version": "2026.12.1", "id": "EN1A.261201.001", "timestamp": 1_796_428_800, "rollback_index": 1_796_428_800}
Made = Callable[..., AndroidBuild]


@pytest.fixture(scope="session")
def _open(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Vendor:
    """Product ``phone`` is published; its artifacts must be update packages of ``keys``."""
    vendor = make_vendor(tmp_path_factory.mktemp("android-release") / "vendor").opened()
    set_artifact_rules(
        vendor.workspace,
        kinds=["android-ota"],
        update_keys=[keys.update.spki],
        avb_keys={"vbmeta": keys.vbmeta.spki, "vbmeta_system": keys.vbmeta_system.spki},
    )
    return vendor


@pytest.fixture(scope="session")
def _first(_open: Vendor, package: Path, tmp_path_factory: pytest.TempPathFactory) -> Vendor:
    """The first release is published."""
    vendor = _open.copied_to(tmp_path_factory.mktemp("first") / "vendor")
    assert prepare(vendor, package) == 0
    vendor.publish("phone-2026.11.1")
    return vendor


@pytest.fixture
def vendor(_open: Vendor, tmp_path: Path) -> Vendor:
    return _open.copied_to(tmp_path / "vendor")


@pytest.fixture
def first(_first: Vendor, tmp_path: Path) -> Vendor:
    return _first.copied_to(tmp_path / "vendor")


def prepare(vendor: Vendor, *packages: Path, payloads: str = "", **fields: str) -> int:
    """``release prepare`` with a release.toml that leaves out what packages say, but for ``fields``."""
    folder = vendor.path / "build"
    folder.mkdir(exist_ok=True)
    for package in packages:
        shutil.copy(package, folder / package.name)
    (folder / "slsa.json").write_text("{}")
    listed = payloads or ", ".join(f'{{file = "{package.name}"}}' for package in packages)
    text = release_toml("0", payloads=f"[{listed}]", **fields)
    lines = [line for line in text.splitlines() if line.split(" = ")[0] not in set(LEFT_OUT) - fields.keys()]
    (folder / "release.toml").write_text("\n".join(lines))
    return vendor.run("release", "prepare", "--config", str(folder / "release.toml"))


def newest(vendor: Vendor) -> Release:
    files = (vendor.workspace.published / "targets" / "manifests" / "phone").glob("*.json")
    manifests = [read_manifest(file.read_bytes(), file.name) for file in files]
    return max(manifests, key=lambda manifest: len(manifest.releases)).releases[0]


def refusals(vendor: Vendor, record: str) -> dict[str, str]:
    """What the gates of a record that is signed and verified say."""
    vendor.up_to(record, "verify")
    _, results = gate(vendor.workspace, record, vendor.clock.now())
    return {result.rule: result.summary for result in results if not result.passed}


def test_a_release_is_filled_from_its_package_passes_every_gate_and_reaches_a_device(first: Vendor) -> None:
    release = newest(first)

    assert (release.version, release.build_id) == ("2026.11.1", "EN1A.261101.001")
    assert (release.security_patch_level, release.rollback_index) == ("2026-11-05", 1_793_836_800)
    assert release.hardware_ids == ("phone-a",)
    assert release.payloads[0].type == "full-ota"
    assert first.device_sees() == "2026.11.1"
    said = {
        path.stem: json.loads(path.read_bytes()) for path in first.workspace.record("phone-2026.11.1").glob("gates/*")
    }
    verdicts = {rule: item["predicate"]["verificationResult"] for rule, item in said.items()}
    not_applicable = {"BUNDLE-SIGNATURE", "DELTA-SOURCE", "PROVENANCE", "REBUILD", "SBOM", "TESTS"}
    assert {rule for rule, verdict in verdicts.items() if verdict != "PASSED"} == not_applicable


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", '"2026.11.2"'),
        ("build_id", '"EN1A.261101.002"'),
        ("security_patch_level", '"2026-12-05"'),
        ("rollback_index", "1793836801"),
        ("hardware_ids", '["phone-a", "phone-b"]'),
    ],
)
def test_a_description_that_says_something_else_than_the_package_is_refused(
    vendor: Vendor, package: Path, capsys: pytest.CaptureFixture[str], field: str, value: str
) -> None:
    assert prepare(vendor, package, **{field: value}) == 3

    assert f"error: ARTIFACT-CLAIMS: ota.zip, {field}: expected " in capsys.readouterr().err
    assert not list((vendor.workspace.path / "records").glob("phone-*"))


def test_a_type_that_the_package_is_not_is_refused(
    vendor: Vendor, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepare(vendor, package, payloads='{file = "ota.zip", type = "image"}') == 3
    assert "ARTIFACT-CLAIMS: ota.zip, type: expected full-ota as the artifact says" in capsys.readouterr().err


def test_two_packages_of_different_builds_are_no_release(
    vendor: Vendor, package: Path, made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepare(vendor, package, made(**LATER).full("later.zip")) == 3
    assert "error: ARTIFACT-CLAIMS: later.zip, version: expected 2026.12.1" in capsys.readouterr().err


def test_what_nobody_says_is_asked_for(vendor: Vendor, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "plain.bin").write_bytes(b"bytes")

    assert prepare(vendor, tmp_path / "plain.bin", payloads='{file = "plain.bin", type = "image"}') == 2
    told = capsys.readouterr().err
    assert "release.toml: version: missing field, and no artifact says it" in told
    assert "hint: write it there" in told


def test_a_version_that_no_manifest_can_carry_is_named(
    vendor: Vendor, made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepare(vendor, made(version="eng.root.20261101").full()) == 2
    assert "ota.zip: version: must be a version such as 2026.11.1" in capsys.readouterr().err


def test_a_broken_package_is_one_clear_line(vendor: Vendor, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = vendor.path / "broken.zip"
    broken.write_bytes(package.read_bytes()[:-10])

    assert prepare(vendor, broken) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: broken.zip: not a zip file")
    assert told.count("\n") == 1


@pytest.mark.rule("DELTA-SOURCE", "reject")
def test_a_delta_from_a_build_that_was_never_published_is_refused(first: Vendor, made: Made) -> None:
    newer, unknown = made(**LATER), made(id="EN1A.261115.001", version="2026.11.5")

    assert prepare(first, newer.full(), newer.delta(unknown)) == 0
    said = refusals(first, "phone-2026.12.1")
    assert said["DELTA-SOURCE"].endswith("got EN1A.261115.001, never published")


def test_a_delta_from_another_version_of_the_build_is_refused(first: Vendor, made: Made) -> None:
    newer, other = made(**LATER), made(version="2026.11.5")

    assert prepare(first, newer.full(), newer.delta(other)) == 0
    said = refusals(first, "phone-2026.12.1")
    assert said["DELTA-SOURCE"].endswith("expected incremental 2026.11.1 for build EN1A.261101.001, got 2026.11.5")


def test_a_build_id_that_was_published_twice_is_no_source_of_a_delta(first: Vendor, made: Made) -> None:
    again = made(version="2026.11.2")
    assert prepare(first, again.full()) == 0
    first.publish("phone-2026.11.2")
    newer = made(**LATER)

    assert prepare(first, newer.full(), newer.delta(again)) == 0
    said = refusals(first, "phone-2026.12.1")
    assert said["DELTA-SOURCE"].endswith("got versions 2026.11.1, 2026.11.2 with that build id")


@pytest.mark.rule("DELTA-SOURCE", "accept")
def test_a_full_package_and_a_delta_are_one_release(first: Vendor, build: AndroidBuild, made: Made) -> None:
    newer = made(**LATER)

    assert prepare(first, newer.full(), newer.delta(build)) == 0
    first.publish("phone-2026.12.1")

    full, delta = newest(first).payloads
    assert (full.type, full.source_build) == ("full-ota", None)
    assert (delta.type, delta.source_build) == ("delta-ota", "EN1A.261101.001")


@pytest.mark.parametrize("change", [{"timestamp": 1_793_836_799}, {"security_patch_level": "2026-10-05"}])
def test_an_older_build_is_refused_unless_the_release_was_prepared_as_a_downgrade(
    first: Vendor, made: Made, change: dict[str, object]
) -> None:
    older = made(**LATER | change).full()

    assert prepare(first, older) == 0
    assert set(refusals(first, "phone-2026.12.1")) == {"ANDROID-DOWNGRADE"}

    other = first.copied_to(first.path.parent / "other")
    shutil.rmtree(other.workspace.record("phone-2026.12.1"))
    assert prepare(other, older, downgrade="true") == 0
    assert refusals(other, "phone-2026.12.1") == {}


def test_a_build_of_the_same_time_is_not_older(first: Vendor, made: Made) -> None:
    assert prepare(first, made(**LATER | {"timestamp": 1_793_836_800}).full()) == 0
    assert refusals(first, "phone-2026.12.1") == {}


def test_without_the_published_package_the_gates_own_statement_says_how_old_it_was(first: Vendor, made: Made) -> None:
    _remove_published_package(first)

    assert prepare(first, made(**LATER | {"timestamp": 1_793_836_799}).full()) == 0
    said = refusals(first, "phone-2026.12.1")
    assert "expected a build at 1793836800 or later" in said["ANDROID-DOWNGRADE"]


@pytest.mark.parametrize("how", ["removed", "changed"])
def test_where_nobody_knows_how_old_the_published_build_is_nothing_newer_is_published(
    first: Vendor, made: Made, how: str
) -> None:
    _remove_published_package(first)
    statement = first.workspace.record("phone-2026.11.1") / "gates" / "ANDROID-DOWNGRADE.json"
    if how == "removed":
        statement.unlink()
    else:
        statement.write_bytes(statement.read_bytes().replace(b"1793836800", b"1000000000"))

    assert prepare(first, made(**LATER).full()) == 0
    said = refusals(first, "phone-2026.12.1")
    assert said["ANDROID-DOWNGRADE"].endswith("got neither: its build time is not known")


def _remove_published_package(vendor: Vendor) -> None:
    for file in (vendor.published / "targets" / "payloads" / "phone" / "2026.11.1").iterdir():
        file.unlink()


def test_a_package_is_shown_to_whoever_asks(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["artifact", "inspect", str(package)]) == 0
    told = capsys.readouterr().out
    assert "android-ota" in told
    assert "EN1A.261101.001" in told

    assert main(["artifact", "inspect", str(package), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["kind"] == "android-ota"
    assert data["claims"]["rollback_index"] == 1_793_836_800
    assert data["facts"]["partitions"]["vbmeta"]["bytes"] == 4096
