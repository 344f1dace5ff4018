"""The gates for verified boot and for the update keys inside the images."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from enigm_testkit.android.avb import VbmetaFields, add_footer, chain_descriptor, hash_descriptor
from enigm_testkit.android.build import AndroidBuild, Keys
from enigm_testkit.android.given import passes, refuses, result_of, set_artifact_rules, with_artifacts
from enigm_testkit.android.keys import make_key
from enigm_testkit.vendor import Vendor
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Verdict

Made = Callable[..., AndroidBuild]
GATES = ["AVB-KEY", "AVB-VERIFIED", "ROLLBACK-INDEX-PRESENT", "UPDATE-KEYS"]


@pytest.mark.rule("AVB-KEY", "accept")
@pytest.mark.rule("AVB-VERIFIED", "accept")
@pytest.mark.rule("ROLLBACK-INDEX-PRESENT", "accept")
@pytest.mark.rule("UPDATE-KEYS", "accept")
@pytest.mark.parametrize("gate", GATES)
def test_the_images_in_a_full_package_pass(good: GateContext, gate: str) -> None:
    assert passes(good, gate).facts
    assert not (good.workspace.record("phone-1.0") / "images").exists()


@pytest.mark.parametrize("gate", GATES)
def test_a_package_of_images_passes_too(context: GateContext, build: AndroidBuild, gate: str) -> None:
    passes(with_artifacts(context, build, build.image_package()), gate)


@pytest.mark.parametrize("gate", GATES)
def test_loose_images_pass_too(context: GateContext, build: AndroidBuild, tmp_path: Path, gate: str) -> None:
    passes(with_artifacts(context, build, *loose(build.images, tmp_path)), gate)


def test_a_compressed_erofs_for_system_passes(context: GateContext, made: Made) -> None:
    build = made(file_system="erofs")
    given = with_artifacts(context, build, build.full())

    for gate in GATES:
        passes(given, gate)


@pytest.mark.rule("AVB-KEY", "reject")
def test_a_vbmeta_signed_by_another_key_is_refused(context: GateContext, made: Made, tmp_path: Path) -> None:
    stranger = make_key(tmp_path, "stranger")
    build = made(vbmeta={"key": stranger})

    said = refuses(with_artifacts(context, build, build.full()), "AVB-KEY")
    assert said.startswith("AVB-KEY: ota.zip, vbmeta: expected key ")
    assert said.endswith(f"got key {stranger.spki}")


def test_a_well_known_key_is_refused_even_if_it_is_pinned(good: GateContext, monkeypatch: pytest.MonkeyPatch) -> None:
    pins = good.artifacts.rules().avb_keys
    assert pins
    names = {pins["vbmeta"]: "AVB testkey_rsa2048"}
    monkeypatch.setattr("enigm_tuf_repository.gates.avb_key.known_test_key", names.get)

    assert refuses(good, "AVB-KEY").endswith("got the key of AVB testkey_rsa2048")


@pytest.mark.parametrize("more", ["vbmeta_vendor"])
def test_a_pinned_partition_that_left_the_chain_is_refused(
    vendor: Vendor, good: GateContext, keys: Keys, more: str
) -> None:
    pins = {"vbmeta": keys.vbmeta.spki, "vbmeta_system": keys.vbmeta_system.spki, more: keys.vbmeta.spki}
    set_artifact_rules(vendor.workspace, kinds=["android-ota"], avb_keys=pins)

    assert refuses(good, "AVB-KEY").endswith("got no vbmeta of that partition in the chain")


def test_without_pinned_avb_keys_no_key_is_the_right_one(vendor: Vendor, good: GateContext) -> None:
    set_artifact_rules(vendor.workspace, kinds=["android-ota"])

    assert "expected a key that avb_keys in repository.toml pins" in refuses(good, "AVB-KEY")


@pytest.mark.rule("AVB-VERIFIED", "reject")
@pytest.mark.parametrize("partition", ["boot", "system"])
def test_one_bit_in_an_image_is_refused(
    context: GateContext, build: AndroidBuild, tmp_path: Path, partition: str
) -> None:
    images = dict(build.images)
    data = bytearray(images[partition])
    data[5000] ^= 1
    images[partition] = bytes(data)

    said = refuses(with_artifacts(context, build, *loose(images, tmp_path)), "AVB-VERIFIED")
    assert said.startswith(f"AVB-VERIFIED: {partition}.img: ")
    assert "expected the image that vbmeta names" in said


def test_a_tree_that_is_not_that_of_the_data_is_refused(
    context: GateContext, build: AndroidBuild, tmp_path: Path
) -> None:
    """A device would boot it, and fail at the first block that it reads."""
    system = bytearray(build.images["system"])
    system[-1] ^= 1

    given = with_artifacts(context, build, *loose({**build.images, "system": bytes(system)}, tmp_path))
    assert "hash tree: expected the image that vbmeta names, got is not that of the data" in refuses(
        given, "AVB-VERIFIED"
    )


@pytest.mark.parametrize(("flags", "name"), [(1, "HASHTREE_DISABLED"), (2, "VERIFICATION_DISABLED"), (3, "flags 0x3")])
@pytest.mark.parametrize("partition", ["vbmeta", "vbmeta_system"])
def test_verification_that_is_switched_off_is_refused(
    context: GateContext, made: Made, partition: str, flags: int, name: str
) -> None:
    build = made(**{partition: {"flags": flags}})

    said = refuses(with_artifacts(context, build, build.image_package()), "AVB-VERIFIED")
    assert said == f"AVB-VERIFIED: images.zip, {partition}: expected no flags, got {name}"


@pytest.mark.parametrize("what", ["signature", "hash"])
def test_a_vbmeta_whose_signature_is_of_other_bytes_is_refused(context: GateContext, made: Made, what: str) -> None:
    build = made(vbmeta={"changes": {what: b"\x01" * (256 if what == "signature" else 32)}})

    for gate in ("AVB-KEY", "AVB-VERIFIED", "ROLLBACK-INDEX-PRESENT"):
        said = refuses(with_artifacts(context, build, build.image_package()), gate)
        assert f"{what}: expected a chain of signed vbmeta images" in said


def test_a_partition_that_no_vbmeta_covers_is_refused_unless_it_is_named(
    vendor: Vendor, context: GateContext, made: Made
) -> None:
    build = made(more_images={"modem": b"\x01" * 4096})
    given = with_artifacts(context, build, build.full())

    expected = "expected a descriptor in a vbmeta, or the partition in avb_uncovered, got neither"
    assert refuses(given, "AVB-VERIFIED") == f"AVB-VERIFIED: ota.zip, modem: {expected}"

    set_artifact_rules(vendor.workspace, kinds=["android-ota"], avb_uncovered=["modem"])
    passes(given, "AVB-VERIFIED")


def test_a_chained_partition_whose_own_vbmeta_does_not_cover_it_is_refused(
    context: GateContext, build: AndroidBuild, keys: Keys, tmp_path: Path
) -> None:
    """It would boot with whatever is in it."""
    bare = VbmetaFields(keys.vbmeta_system, [], rollback_index=1).image()
    covered = VbmetaFields(keys.vbmeta_system, [hash_descriptor("dtbo", b"dtbo")], rollback_index=1).image()
    for own, verdict in ((bare, Verdict.FAIL), (covered, Verdict.PASS)):
        top = VbmetaFields(keys.vbmeta, [chain_descriptor("dtbo", 3, keys.vbmeta_system)]).image()
        images = {"vbmeta": top, "dtbo": add_footer(b"dtbo", 65_536, own)}
        given = with_artifacts(context, build, *loose(images, tmp_path))
        assert result_of(given, "AVB-VERIFIED").verdict is verdict


def test_a_descriptor_that_covers_nothing_is_refused(
    context: GateContext, build: AndroidBuild, keys: Keys, tmp_path: Path
) -> None:
    images = {"vbmeta": VbmetaFields(keys.vbmeta, [hash_descriptor("boot", b"")]).image(), "boot": b"anything" * 512}

    said = refuses(with_artifacts(context, build, *loose(images, tmp_path)), "AVB-VERIFIED")
    assert said.endswith("image_size: expected the image that vbmeta names, got covers nothing")


def test_sha1_is_refused(context: GateContext, build: AndroidBuild, keys: Keys, tmp_path: Path) -> None:
    boot = b"boot" * 1024
    images = {"vbmeta": VbmetaFields(keys.vbmeta, [hash_descriptor("boot", boot, "sha1")]).image(), "boot": boot}

    said = refuses(with_artifacts(context, build, *loose(images, tmp_path)), "AVB-VERIFIED")
    assert "got must be sha256, sha512, blake2b-256, is sha1" in said


def test_a_partition_that_vbmeta_names_and_the_release_does_not_bring_is_refused(
    context: GateContext, build: AndroidBuild, tmp_path: Path
) -> None:
    images = {name: image for name, image in build.images.items() if name != "boot"}

    said = refuses(with_artifacts(context, build, *loose(images, tmp_path)), "AVB-VERIFIED")
    assert "images: boot: expected the image that vbmeta names, got vbmeta speaks of it" in said


def test_a_chained_image_by_another_key_than_its_link_is_refused(
    context: GateContext, made: Made, build: AndroidBuild, tmp_path: Path
) -> None:
    other = made(vbmeta_system={"key": make_key(tmp_path, "other")})
    images = {**build.images, "vbmeta_system": other.images["vbmeta_system"]}

    said = refuses(with_artifacts(context, build, *loose(images, tmp_path)), "AVB-VERIFIED")
    assert "is not the one that the chain descriptor names" in said


def test_a_delta_passes_beside_the_full_package_and_is_refused_without_it(
    context: GateContext, build: AndroidBuild, made: Made
) -> None:
    newer = made(version="2026.12.1", id="EN1A.2")
    full, delta = newer.full(), newer.delta(build)

    passes(with_artifacts(context, newer, full, delta), "AVB-VERIFIED")
    alone = refuses(with_artifacts(context, newer, delta), "AVB-VERIFIED")
    assert "got none; a delta needs its full package beside it" in alone


def test_a_delta_to_other_partitions_than_the_full_package_is_refused(
    context: GateContext, build: AndroidBuild, made: Made
) -> None:
    newer, another = made(version="2026.12.1", id="EN1A.2"), made(version="2026.12.1", id="EN1A.3")

    said = refuses(with_artifacts(context, newer, newer.full(), another.delta(build)), "AVB-VERIFIED")
    assert said.startswith("AVB-VERIFIED: delta.zip, boot: expected the partition of the full package beside it")


def test_an_operation_that_does_not_make_the_named_partition_is_refused(
    context: GateContext, build: AndroidBuild, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("enigm_testkit.android.payload._info", lambda field, image: _info(field, image + b"\0"))
    package = build.full("lying.zip")
    monkeypatch.undo()

    said = result_of(with_artifacts(context, build, package), "AVB-VERIFIED")
    assert said.verdict is Verdict.FAIL
    assert "new_partition_info says" in said.summary


def _info(field: str, image: bytes) -> str:
    return f'{field} {{ size: {len(image) - 1} hash: "{"h" * 32}" }}'


@pytest.mark.rule("ROLLBACK-INDEX-PRESENT", "reject")
@pytest.mark.parametrize("partition", ["vbmeta", "vbmeta_system"])
def test_a_vbmeta_without_a_rollback_index_is_refused(context: GateContext, made: Made, partition: str) -> None:
    build = made(**{partition: {"rollback_index": 0}})

    said = refuses(with_artifacts(context, build, build.image_package()), "ROLLBACK-INDEX-PRESENT")
    assert said == (f"ROLLBACK-INDEX-PRESENT: images.zip, {partition}: expected a rollback index above zero, got 0")


def test_another_rollback_index_than_the_manifests_is_refused(
    context: GateContext, build: AndroidBuild, package: Path
) -> None:
    other = with_artifacts(context, build, package, rollback_index=build.rollback_index - 1)

    assert "vbmeta: expected 1793836799 as in the manifest, got 1793836800" in refuses(other, "ROLLBACK-INDEX-PRESENT")


def test_two_rollback_indexes_at_one_location_are_refused(context: GateContext, made: Made) -> None:
    build = made(vbmeta={"location": 1})

    said = refuses(with_artifacts(context, build, build.image_package()), "ROLLBACK-INDEX-PRESENT")
    assert said.endswith("expected a location of its own for each rollback index, got 1, 1")


@pytest.mark.rule("UPDATE-KEYS", "reject")
def test_one_more_key_inside_the_image_is_refused(context: GateContext, made: Made, keys: Keys, tmp_path: Path) -> None:
    stranger = make_key(tmp_path, "stranger")
    build = made(otacerts=(keys.update.certificate, stranger.certificate))

    said = refuses(with_artifacts(context, build, build.full()), "UPDATE-KEYS")
    assert said.startswith("UPDATE-KEYS: ota.zip, system: expected exactly the keys ")
    assert stranger.spki in said


def test_a_pinned_key_that_is_not_inside_the_image_is_refused(vendor: Vendor, good: GateContext, keys: Keys) -> None:
    pins = [keys.update.spki, keys.vbmeta.spki]
    set_artifact_rules(vendor.workspace, kinds=["android-ota"], update_keys=pins)

    assert "expected exactly the keys" in refuses(good, "UPDATE-KEYS")


def test_a_certificate_for_tests_inside_the_image_is_refused(
    vendor: Vendor, context: GateContext, made: Made, tmp_path: Path
) -> None:
    aosp = make_key(tmp_path, "testkey", "/C=US/O=Android/CN=Android/emailAddress=android@android.com")
    set_artifact_rules(vendor.workspace, kinds=["android-ota"], update_keys=[aosp.spki])
    build = made(otacerts=(aosp.certificate,))

    said = refuses(with_artifacts(context, build, build.full()), "UPDATE-KEYS")
    assert said.endswith("expected production certificates, got a subject with 'android@android.com'")


def test_an_image_without_update_keys_is_refused(context: GateContext, made: Made) -> None:
    build = made(otacerts=())

    said = refuses(with_artifacts(context, build, build.full()), "UPDATE-KEYS")
    assert said == "UPDATE-KEYS: ota.zip, system: expected otacerts.zip in the image, got none"


def test_an_image_that_must_verify_updates_and_is_not_there_is_refused(vendor: Vendor, good: GateContext) -> None:
    keys = good.artifacts.rules().update_keys or ()
    set_artifact_rules(
        vendor.workspace, kinds=["android-ota"], update_keys=keys, update_key_images=["system", "recovery"]
    )

    said = refuses(good, "UPDATE-KEYS")
    assert said == "UPDATE-KEYS: ota.zip, recovery: expected otacerts.zip in the image, got no such image"


def test_images_of_other_systems_are_not_asked_for_vbmeta(vendor: Vendor, context: GateContext, tmp_path: Path) -> None:
    set_artifact_rules(vendor.workspace, kinds=["file"])
    plain = tmp_path / "plain.bin"
    plain.write_bytes(b"bytes")
    given = with_artifacts(context, AndroidBuild(tmp_path, None), plain)  # type: ignore[arg-type] # signs nothing

    for gate in GATES:
        assert result_of(given, gate).verdict is Verdict.NOT_APPLICABLE


def loose(images: dict[str, bytes], folder: Path) -> list[Path]:
    """Each image in a file of its own."""
    for name, image in images.items():
        (folder / f"{name}.img").write_bytes(image)
    return [folder / f"{name}.img" for name in images]


def test_other_keys_in_the_ramdisk_of_recovery_are_refused(
    context: GateContext, made: Made, keys: Keys, tmp_path: Path
) -> None:
    stranger = make_key(tmp_path, "stranger")
    ours, theirs = made(ramdisk=(keys.update.certificate,)), made(ramdisk=(stranger.certificate,))

    passed = passes(with_artifacts(context, ours, ours.full()), "UPDATE-KEYS")
    assert passed.facts["images"] == {"ota.zip": ["boot", "system"]}
    said = refuses(with_artifacts(context, theirs, theirs.full()), "UPDATE-KEYS")
    assert said.startswith("UPDATE-KEYS: ota.zip, boot: expected exactly the keys ")


def test_sparse_images_are_what_they_are_made_of(context: GateContext, build: AndroidBuild, tmp_path: Path) -> None:
    files = loose(build.images, tmp_path)
    whole = tmp_path / "whole"
    (tmp_path / "system.img").rename(whole)
    subprocess.run(["img2simg", str(whole), str(tmp_path / "system.img")], check=True)

    for gate in GATES:
        passes(with_artifacts(context, build, *files), gate)


def test_an_image_whose_update_keys_cannot_be_read_is_refused(
    context: GateContext, build: AndroidBuild, tmp_path: Path
) -> None:
    system = bytearray(build.images["system"])
    place = system.index(b"PK\x05\x06")
    system[place : place + 4] = b"PK\x05\x07"

    given = with_artifacts(context, build, *loose({**build.images, "system": bytes(system)}, tmp_path))
    said = refuses(given, "UPDATE-KEYS")
    assert "expected an image whose update keys can be read, got not a zip file" in said
