"""The gates for update packages of Android: each passes a package that signapk signed, and refuses one difference."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from enigm_testkit.android.build import AndroidBuild, Keys
from enigm_testkit.android.given import passes, refuses, result_of, set_artifact_rules, with_artifacts
from enigm_testkit.android.keys import make_key
from enigm_testkit.android.payload import PayloadFields, make_payload
from enigm_testkit.vendor import Vendor
from enigm_tuf.model.request import RuleOutcome
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Verdict
from enigm_tuf_repository.records import Step

Made = Callable[..., AndroidBuild]


@pytest.mark.rule("ARTIFACT-KIND", "accept")
@pytest.mark.rule("ARTIFACT-CLAIMS", "accept")
@pytest.mark.rule("ANDROID-METADATA", "accept")
@pytest.mark.rule("ANDROID-FINGERPRINT", "accept")
@pytest.mark.rule("ANDROID-CERTIFICATE", "accept")
@pytest.mark.rule("ANDROID-SIGNATURE", "accept")
@pytest.mark.rule("ANDROID-DOWNGRADE", "accept")
@pytest.mark.parametrize(
    "gate",
    [
        "ARTIFACT-KIND",
        "ARTIFACT-CLAIMS",
        "ANDROID-METADATA",
        "ANDROID-FINGERPRINT",
        "ANDROID-CERTIFICATE",
        "ANDROID-SIGNATURE",
        "ANDROID-DOWNGRADE",
    ],
)
def test_a_good_package_passes(good: GateContext, gate: str) -> None:
    result = passes(good, gate)

    assert result.facts
    assert result.subjects == ("staged/ota.zip",)


@pytest.mark.rule("ARTIFACT-KIND", "reject")
def test_a_kind_that_the_configuration_does_not_allow_is_refused(vendor: Vendor, good: GateContext) -> None:
    set_artifact_rules(vendor.workspace, kinds=["file"])

    assert refuses(good, "ARTIFACT-KIND") == (
        "ARTIFACT-KIND: ota.zip: expected file as repository.toml allows, got android-ota"
    )


def test_a_product_that_the_configuration_leaves_out_may_deliver_nothing(vendor: Vendor, good: GateContext) -> None:
    config = vendor.workspace.configuration_file
    config.write_text(config.read_text().replace('product = "phone"', 'product = "tablet"'))

    assert "expected kinds in repository.toml, got android-ota" in refuses(good, "ARTIFACT-KIND")


def test_a_package_that_is_cut_off_is_no_plain_file(context: GateContext, build: AndroidBuild, package: Path) -> None:
    cut = build.folder / "cut.zip"
    cut.write_bytes(package.read_bytes()[:-1])

    assert "cut.zip: not a zip file" in refuses(with_artifacts(context, build, cut), "ARTIFACT-KIND")


@pytest.mark.rule("ARTIFACT-CLAIMS", "reject")
@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("version", "2026.11.2"),
        ("build_id", "EN1A.261101.002"),
        ("security_patch_level", "2026-12-05"),
        ("rollback_index", 1_793_836_801),
        ("hardware_ids", ("phone-b",)),
    ],
)
def test_a_manifest_that_says_something_else_is_refused(
    context: GateContext, build: AndroidBuild, package: Path, field: str, said: Any
) -> None:
    other = with_artifacts(context, build, package, **{field: said})

    assert refuses(other, "ARTIFACT-CLAIMS").startswith(f"ARTIFACT-CLAIMS: ota.zip, {field}: expected ")


@pytest.mark.parametrize(
    ("field", "said"),
    [("version", "2026.11.2"), ("build_id", "B"), ("rollback_index", 1), ("hardware_ids", ("b",)), ("type", "image")],
)
def test_a_payload_record_that_says_something_else_is_refused(
    context: GateContext, build: AndroidBuild, package: Path, field: str, said: object
) -> None:
    other = with_artifacts(context, build, package, record={field: said})

    assert f"ARTIFACT-CLAIMS: ota.zip, {field}: expected " in refuses(other, "ARTIFACT-CLAIMS")


@pytest.mark.rule("ANDROID-METADATA", "reject")
@pytest.mark.parametrize(
    ("key", "value", "field"),
    [
        ("post-build", "enigm/phone-a/phone-a:16/EN1A.261101.001/2026.11.2:user/release-keys", "post_build"),
        ("post-timestamp", "1793836801", "timestamp"),
        ("post-security-patch-level", "2026-11-06", "security_patch_level"),
        ("pre-device", "phone-b", "pre_device"),
        ("ota-wipe", "yes", "wipe"),
    ],
)
def test_a_twin_that_says_something_else_is_refused(
    context: GateContext, build: AndroidBuild, key: str, value: str, field: str
) -> None:
    package = build.full(f"twin-{field}.zip", twin={key: value})

    said = refuses(with_artifacts(context, build, package), "ANDROID-METADATA")
    assert said.startswith(f"ANDROID-METADATA: twin-{field}.zip, {field}: expected ")


@pytest.mark.parametrize("key", ["FILE_HASH", "FILE_SIZE", "METADATA_HASH", "METADATA_SIZE"])
def test_a_property_that_is_not_of_the_payload_is_refused(context: GateContext, build: AndroidBuild, key: str) -> None:
    package = build.full(f"{key}.zip", properties={key: "1234"})

    said = refuses(with_artifacts(context, build, package), "ANDROID-METADATA")
    assert f"ANDROID-METADATA: {key}.zip, {key}: expected " in said
    assert "got 1234 in payload_properties.txt" in said


def test_a_streaming_device_that_would_fetch_other_bytes_is_refused(context: GateContext, build: AndroidBuild) -> None:
    package = build.full("off.zip", streaming=1)

    said = refuses(with_artifacts(context, build, package), "ANDROID-METADATA")
    assert said.startswith("ANDROID-METADATA: off.zip, payload_metadata.bin: expected ")


def test_a_payload_of_another_time_than_its_metadata_is_refused(context: GateContext, build: AndroidBuild) -> None:
    package = build.full("time.zip", text={"post-timestamp": "1793836801"})

    assert "time.zip, timestamp: expected 1793836801" in refuses(
        with_artifacts(context, build, package), "ANDROID-METADATA"
    )


def test_a_delta_without_the_build_that_it_needs_is_refused(
    context: GateContext, build: AndroidBuild, made: Made
) -> None:
    newer = made(version="2026.12.1", id="EN1A.2")
    fields = PayloadFields(newer.images, newer.timestamp, newer.security_patch_level, build.images)
    package = newer.package("delta.zip", make_payload(fields, build.keys.update))

    assert "delta.zip, pre-build: expected a build to start from" in refuses(
        with_artifacts(context, newer, package), "ANDROID-METADATA"
    )


@pytest.mark.rule("ANDROID-FINGERPRINT", "reject")
@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("user/test-keys", "a build with tags test-keys"),
        ("user/dev-keys", "a build with tags dev-keys"),
        ("userdebug/release-keys", "a build of type userdebug"),
        ("eng/release-keys", "a build of type eng"),
    ],
)
def test_a_build_that_is_not_for_release_is_refused(context: GateContext, made: Made, kind: str, why: str) -> None:
    build = made(kind=kind)

    said = refuses(with_artifacts(context, build, build.full()), "ANDROID-FINGERPRINT")
    assert said.endswith(f"expected a user build with release-keys, got {why}")


@pytest.mark.parametrize(
    ("old", "new", "got"),
    [
        ("2026.11.1", "2026.10.1", "got EN1A.261101.001, 2026.10.1"),
        ("EN1A.261101.001", "EN1A.261001.001", "got EN1A.261001.001, 2026.11.1"),
        ("release-keys", "test-keys", "got a build with tags test-keys"),
        ("enigm/", "", "got must be a build fingerprint"),
    ],
)
def test_images_of_another_build_are_refused(
    context: GateContext, made: Made, build: AndroidBuild, old: str, new: str, got: str
) -> None:
    other = made(vbmeta_fingerprint=build.fingerprint.replace(old, new))

    said = refuses(with_artifacts(context, other, other.full()), "ANDROID-FINGERPRINT")
    assert said.startswith("ANDROID-FINGERPRINT: ota.zip")
    assert got in said


def test_images_that_do_not_say_of_what_build_they_are_are_refused(context: GateContext, made: Made) -> None:
    build = made(said_in="nowhere")

    said = refuses(with_artifacts(context, build, build.full()), "ANDROID-FINGERPRINT")
    assert said.endswith("got no property com.android.build.system.fingerprint")


def test_the_fingerprint_of_system_may_stand_in_the_vbmeta_that_covers_it(context: GateContext, made: Made) -> None:
    build = made(said_in="vbmeta_system")

    passes(with_artifacts(context, build, build.full()), "ANDROID-FINGERPRINT")


@pytest.mark.rule("ANDROID-CERTIFICATE", "reject")
@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("/C=US/ST=California/O=Android/CN=Android/emailAddress=android@android.com", "android@android.com"),
        ("/O=Enigm/CN=Enigm DO NOT TRUST", "do not trust"),
    ],
)
def test_a_certificate_that_says_that_it_is_for_tests_is_refused(
    context: GateContext, build: AndroidBuild, tmp_path: Path, subject: str, words: str
) -> None:
    signer = make_key(tmp_path, "tests", subject)
    package = build.full("signed-by-tests.zip", signer=signer)

    said = refuses(with_artifacts(context, build, package), "ANDROID-CERTIFICATE")
    assert said.endswith(f"otacert: expected a production certificate, got a subject with '{words}'")


def test_a_certificate_with_a_well_known_key_is_refused(good: GateContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """The private half of a key of AOSP is nothing for this repository, so the list learns of ours."""
    spki = good.artifacts.rules().update_keys
    assert spki
    names = {spki[0]: "AOSP testkey"}
    monkeypatch.setattr("enigm_tuf_repository.inspection.certificates.known_test_key", names.get)

    said = refuses(good, "ANDROID-CERTIFICATE")
    assert "expected a production certificate, got the key of AOSP testkey" in said


@pytest.mark.rule("ANDROID-SIGNATURE", "reject")
def test_a_package_signed_by_a_key_that_is_not_pinned_is_refused(
    context: GateContext, build: AndroidBuild, tmp_path: Path
) -> None:
    stranger = make_key(tmp_path, "stranger")
    package = build.full("stranger.zip", signer=stranger)

    assert f"expected one of update_keys in repository.toml, got key {stranger.spki}" in refuses(
        with_artifacts(context, build, package), "ANDROID-SIGNATURE"
    )


def test_a_payload_signed_by_another_key_than_its_package_is_refused(
    context: GateContext, build: AndroidBuild, keys: Keys, tmp_path: Path
) -> None:
    payload = PayloadFields(build.images, build.timestamp, build.security_patch_level)
    package = build.package("mixed.zip", make_payload(payload, make_key(tmp_path, "other")))

    said = refuses(with_artifacts(context, build, package), "ANDROID-SIGNATURE")
    assert f"metadata signature: expected a signature by key {keys.update.spki}, got none of 1 signatures" in said


@pytest.mark.parametrize("place", [24, 100_000])
def test_one_byte_that_changed_after_signing_is_refused(
    context: GateContext, build: AndroidBuild, package: Path, place: int
) -> None:
    changed = build.folder / f"changed-{place}.zip"
    data = bytearray(package.read_bytes())
    data[data.index(b"CrAU") + place] ^= 1
    changed.write_bytes(data)

    assert result_of(with_artifacts(context, build, changed), "ANDROID-SIGNATURE").verdict is Verdict.FAIL


def test_without_pinned_update_keys_nothing_is_signed_right(vendor: Vendor, good: GateContext) -> None:
    set_artifact_rules(vendor.workspace, kinds=["android-ota"])

    assert "expected update_keys in repository.toml, got none" in refuses(good, "ANDROID-SIGNATURE")


@pytest.mark.rule("ANDROID-DOWNGRADE", "reject")
@pytest.mark.parametrize("flag", ["ota-wipe", "ota-downgrade", "spl-downgrade"])
def test_a_package_that_wipes_or_goes_back_is_refused_unless_somebody_meant_it(
    context: GateContext, build: AndroidBuild, flag: str
) -> None:
    given = with_artifacts(context, build, build.full(f"{flag}.zip", text={flag: "yes"}))

    assert f"{flag}.zip: expected a package without it, or downgrade = true in release.toml" in refuses(
        given, "ANDROID-DOWNGRADE"
    )
    assert passes(meant(given), "ANDROID-DOWNGRADE").summary == "a downgrade that was asked for"


def test_a_package_without_a_build_time_is_refused(context: GateContext, build: AndroidBuild) -> None:
    package = build.full("timeless.zip", text={"post-timestamp": "0"})

    assert "expected a build time, got 0" in refuses(with_artifacts(context, build, package), "ANDROID-DOWNGRADE")


def test_the_gates_for_packages_do_not_apply_to_plain_files(context: GateContext, build: AndroidBuild) -> None:
    plain = build.folder / "plain.bin"
    plain.write_bytes(b"bytes")
    given = with_artifacts(context, build, plain)

    for gate in ("ANDROID-METADATA", "ANDROID-CERTIFICATE", "ANDROID-SIGNATURE", "ANDROID-DOWNGRADE"):
        assert result_of(given, gate).verdict is Verdict.NOT_APPLICABLE


def meant(context: GateContext) -> GateContext:
    """As if release.toml had said ``downgrade = true``."""
    built = context.record.evidence(Step.BUILT)
    assert built
    asked = dataclasses.replace(built, findings=(*built.findings, RuleOutcome("DOWNGRADE", True, "asked for")))
    steps = tuple(asked if step.step == Step.BUILT else step for step in context.record.steps)
    return dataclasses.replace(context, record=dataclasses.replace(context.record, steps=steps))
