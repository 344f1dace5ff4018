"""A repository in model ``manifest-only``: no payload role, no request to a release authority, and what that means."""

import json
import shutil
from pathlib import Path

import pytest

from enigm_testkit.custodians import soft_key
from enigm_testkit.vendor import Vendor, make_vendor
from enigm_tuf.errors import StateError
from enigm_tuf_client.fetch import FileFetcher
from enigm_tuf_client.media import BundleFetcher
from enigm_tuf_repository.adopting import adopted_payloads
from enigm_tuf_repository.lineage import Lineage
from enigm_tuf_repository.records import Step

ONE: dict[str, str | None] = {
    "authority_model": '"manifest-only"',
    "root_keys": "['manifest-a.key.json', 'manifest-b.key.json', 'manifest-c.key.json']",
    "payload_keys": None,
    "payload_threshold": None,
    "policies": '{manifest = "manifest.policy.toml"}',
    "expiry_days": "{root = 365, targets = 180, snapshot = 30, manifest = 30, timestamp = 2}",
    "artifacts": '[{product = "phone", kinds = ["file"]}, {product = "tablet", kinds = ["file"]}]',
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Vendor:
    """Product ``phone`` and its release 1.0 are out."""
    vendor = make_vendor(tmp_path_factory.mktemp("one") / "vendor")
    vendor.keys["manifest"].append(soft_key("manifest-c"))
    vendor.done("init", "--config", vendor.configuration(**ONE))
    vendor.publish("root-1")
    vendor.done("product", "add", "phone", "--channel", "stable")
    vendor.publish("product-phone")
    vendor.publish(vendor.prepare_release("1.0"))
    return vendor


@pytest.fixture
def one(template: Vendor, tmp_path: Path) -> Vendor:
    return template.copied_to(tmp_path / "vendor")


def test_one_authority_is_asked_and_a_device_installs(one: Vendor) -> None:
    record = one.record("phone-1.0")
    assert [entry.authority for entry in record.requests] == ["manifest"]
    assert record.roles == {"phone.manifest": 2, "snapshot": 2}
    assert one.device_sees() == "1.0"
    one.publish(one.prepare_release("2.0"))
    assert one.device_sees() == "2.0"


def test_verify_looks_at_what_the_manifests_alone_name_and_at_what_they_named_once(
    one: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    one.publish(one.prepare_release("2.0"))
    one.done("verify")
    payloads = sorted((one.published / "targets/payloads").rglob("*.zip"))
    assert len(payloads) == 2
    for payload in payloads:
        whole = payload.read_bytes()
        payload.write_bytes(whole[:-1] + b"!")
        capsys.readouterr()
        assert one.run("verify", "--json") == 3
        assert [item["kind"] for item in json.loads(capsys.readouterr().out)["damage"]] == ["bytes"]
        payload.write_bytes(whole)


def test_the_gates_look_at_the_bytes_that_the_manifest_alone_names(one: Vendor) -> None:
    evidence = one.record("phone-1.0").evidence(Step.GATED)
    assert evidence is not None
    said = {finding.rule: finding.evidence for finding in evidence.findings}
    assert said["PAYLOAD-BYTES"] == "0 payloads: length, hashes, chunk root and chunk digests, 1 by the manifest alone"


def test_a_payload_that_is_exchanged_before_verification_is_refused(
    one: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    record = one.prepare_release("2.0")
    one.up_to(record)
    (payload,) = (one.workspace.staged(record) / "targets/payloads/phone/2.0").glob("*.zip")
    payload.write_bytes(payload.read_bytes()[:-1] + b"!")
    assert one.run("release", "verify", record) == 3
    assert "error: RECORD-EVIDENCE" in capsys.readouterr().err


def test_a_payload_that_is_not_what_the_manifest_says_does_not_pass_the_gate(
    one: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    record = one.prepare_release("2.0")
    one.up_to(record, "verify")
    (payload,) = (one.workspace.staged(record) / "targets/payloads/phone/2.0").glob("*.zip")
    before = payload.read_bytes()
    payload.write_bytes(before[:-1] + b"!")
    assert one.run("release", "gate", record) == 3
    assert "error: RECORD-EVIDENCE" in capsys.readouterr().err


def test_an_older_release_is_refused(one: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    """On whichever channel it comes."""
    one.done("product", "add", "tablet", "--channel", "stable", "--channel", "beta")
    one.publish("product-tablet")
    one.prepare_release("2.0", product='"tablet"', channel='"beta"')
    one.publish("tablet-2.0")
    one.prepare_release("1.5", product='"tablet"')
    one.up_to("tablet-1.5", "verify")
    assert one.run("release", "gate", "tablet-1.5") == 3
    assert "error: VERSION-INCREASE" in capsys.readouterr().err


def test_a_file_that_nobody_listed_is_refused(one: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    record = one.prepare_release("2.0")
    one.up_to(record)
    folder = one.workspace.staged(record) / "targets/payloads/phone/2.0"
    (payload,) = folder.glob("*.zip")
    shutil.copy(payload, folder / "more.zip")
    assert one.run("release", "verify", record) == 3
    assert "error: RECORD-EVIDENCE: phone-2.0, staged/targets/payloads/phone/2.0/more.zip" in capsys.readouterr().err


def test_a_payload_that_lies_in_the_bucket_alone_is_brought_for_a_migration_to_look_at(
    one: Vendor, tmp_path: Path
) -> None:
    bucket = FileFetcher(one.copied_to(tmp_path / "bucket").published)
    (folder,) = (one.published / "targets/payloads/phone").iterdir()
    names = {path.name: path.read_bytes() for path in folder.iterdir()}
    shutil.rmtree(folder)
    lineage = Lineage(one.published, [])
    with pytest.raises(StateError, match="the repository offers it, but it is gone"):
        adopted_payloads(one.published, None, lineage, "phone")
    (target,) = adopted_payloads(one.published, bucket, lineage, "phone").values()
    assert target.path == "payloads/phone/1.0/ota.zip"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == names, (
        "with the chunk digests that were there"
    )


def test_a_delta_starts_from_a_build_that_a_manifest_offers(one: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    for version, source in (("2.0", "BUILD.1.0"), ("3.0", "BUILD.9.9")):
        (one.path / f"build-{version}").mkdir()
        (one.path / f"build-{version}" / "delta.zip").write_bytes(b"only what changed since " + source.encode())
        delta = f'{{file = "delta.zip", type = "delta-ota", source_build = "{source}"}}'
        one.prepare_release(version, payloads=f'[{{file = "ota.zip", type = "full-ota"}}, {delta}]')
        one.up_to(f"phone-{version}", "verify")
        assert one.run("release", "gate", f"phone-{version}") == (0 if version == "2.0" else 3)
        if version == "2.0":
            one.done("release", "publish", "phone-2.0")
    assert "error: DELTA-SOURCE" in capsys.readouterr().err


def test_a_bundle_holds_the_payload_without_a_record(one: Vendor) -> None:
    out = one.path / "phone.tar"
    one.done("bundle", "phone", "--channel", "stable", "--out", str(out))
    bundle = BundleFetcher(out)
    manifest = json.loads((next((one.published / "targets/manifests/phone").glob("*.json"))).read_bytes())
    digest = manifest["releases"][0]["payloads"][0]["hashes"]["sha256"]
    assert bundle.fetch(f"targets/payloads/phone/1.0/{digest}.ota.zip", 1 << 30).startswith(b"payload ")


def test_a_lost_card_is_rotated_out_by_the_others(one: Vendor) -> None:
    one.keys["manifest"][2] = soft_key("manifest-d")
    changes = ONE | {"root_keys": "['manifest-a.key.json', 'manifest-b.key.json', 'manifest-d.key.json']"}
    one.done("root", "prepare", "--config", one.configuration(**changes))
    record = one.record("root-2")
    assert [entry.authority for entry in record.requests] == ["manifest"], "it consents to itself"
    assert record.follows == ("targets", "snapshot")
    one.done("release", "attach", "root-2", *one.answers("root-2"))
    one.follow("root-2")
    for step in ("verify", "gate", "publish"):
        one.done("release", step, "root-2")
    assert one.device_sees() == "1.0"
