"""The eight steps, from build artifacts to devices that are offered the release."""

import json
from datetime import timedelta

import pytest

from enigm_testkit.vendor import Vendor
from enigm_tuf.model.manifest import read_manifest
from enigm_tuf_repository import release_preparing
from enigm_tuf_repository.records import Step
from enigm_tuf_repository.register import load_register


def test_two_releases_go_through_all_eight_steps(vendor: Vendor) -> None:
    assert vendor.device_sees() is None

    vendor.publish(vendor.prepare_release("1.0"))
    assert vendor.device_sees() == "1.0"
    vendor.publish(vendor.prepare_release("2.0"))
    assert vendor.device_sees() == "2.0"

    for record in ("phone-1.0", "phone-2.0"):
        assert [item.step for item in vendor.record(record).steps] == list(Step)


def test_a_delta_goes_beside_the_full_payload(vendor: Vendor) -> None:
    vendor.publish(vendor.prepare_release("1.0"))
    (vendor.path / "build-2.0").mkdir()
    (vendor.path / "build-2.0" / "delta.zip").write_bytes(b"only what changed")
    both = (
        '[{file = "ota.zip", type = "full-ota"}, {file = "delta.zip", type = "delta-ota", source_build = "BUILD.1.0"}]'
    )

    vendor.publish(vendor.prepare_release("2.0", payloads=both))

    assert vendor.device_sees() == "2.0", "a new device takes the full payload"
    assert len(list(vendor.published.glob("targets/payloads/phone/2.0/*.zip"))) == 2


def test_a_manifest_lists_the_newest_releases_and_not_all_history(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release_preparing, "KEPT_RELEASES", 2)

    for version in ("1.0", "2.0", "3.0"):
        vendor.publish(vendor.prepare_release(version))

    staged = vendor.workspace.staged("phone-3.0")
    (manifest,) = staged.glob("targets/manifests/phone/*.stable.json")
    assert [release.version for release in read_manifest(manifest.read_bytes(), "manifest").releases] == ["3.0", "2.0"]
    assert vendor.device_sees() == "3.0"


def test_every_step_can_run_twice_and_changes_nothing(vendor: Vendor) -> None:
    record = vendor.prepare_release("1.0")
    vendor.publish(record)
    before = (vendor.workspace.record(record) / "record.json").read_bytes()

    vendor.publish(record)

    assert (vendor.workspace.record(record) / "record.json").read_bytes() == before
    assert vendor.device_sees() == "1.0"


def test_a_release_can_be_prepared_again_until_somebody_has_signed(prepared: Vendor) -> None:
    first = prepared.record("phone-1.0").requests

    prepared.prepare_release("1.0", payload=b"a better build")
    second = prepared.record("phone-1.0").requests

    assert [entry.sequence for entry in second] == [entry.sequence + 1 for entry in first]
    prepared.done("release", "attach", "phone-1.0", prepared.answers("phone-1.0")[0])
    config = str(prepared.path / "build-1.0" / "release.toml")
    assert prepared.run("release", "prepare", "--config", config) == 2


def test_a_release_that_was_signed_but_not_published_is_not_lost_for_the_next(prepared: Vendor) -> None:
    prepared.up_to("phone-1.0")

    record = prepared.prepare_release("2.0")

    versions = {role: version for entry in prepared.record(record).requests for role, version in entry.roles.items()}
    assert versions == {"phone.payload": 3, "phone.manifest": 3, "snapshot": 3}
    prepared.publish("phone-1.0")
    prepared.publish(record)
    assert prepared.device_sees() == "2.0"


def test_a_second_product_leaves_the_first_one_alone(vendor: Vendor) -> None:
    vendor.publish(vendor.prepare_release("1.0"))

    vendor.done("product", "add", "tablet", "--channel", "stable", "--channel", "beta")
    vendor.publish("product-tablet")

    assert vendor.device_sees() == "1.0"


def test_a_product_cannot_be_added_twice(vendor: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    assert vendor.run("product", "add", "phone", "--channel", "stable") == 2
    assert "product phone is there already" in capsys.readouterr().err


def test_a_product_gains_a_channel_without_a_signature(vendor: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    vendor.publish(vendor.prepare_release("1.0"))
    vendor.done("product", "add", "phone", "--channel", "stable", "--channel", "beta")
    assert "channel beta of product phone: nobody has to sign" in capsys.readouterr().out
    assert load_register(vendor.workspace).products == {"phone": ("stable", "beta")}
    assert load_register(vendor.workspace).open == ()

    vendor.publish(vendor.prepare_release("1.1", channel='"beta"'))

    assert vendor.device_sees() == "1.0"
    vendor.done("verify")
    capsys.readouterr()
    assert vendor.run("product", "add", "phone", "--channel", "beta") == 2
    assert "product phone is there already" in capsys.readouterr().err


def test_an_unknown_channel_is_named_with_the_command_that_makes_it(
    vendor: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(AssertionError):
        vendor.prepare_release("1.0", channel='"beta"')

    told = capsys.readouterr().err
    assert "no channel beta of a product phone" in told
    assert "hint: run `enigm-repo product add phone --channel beta`" in told


def test_the_timestamp_is_renewed_with_the_same_snapshot(vendor: Vendor) -> None:
    vendor.publish(vendor.prepare_release("1.0"))
    before = json.loads((vendor.published / "metadata/timestamp.json").read_bytes())["signed"]
    vendor.clock.advance(timedelta(hours=30))

    vendor.done("timestamp")

    after = json.loads((vendor.published / "metadata/timestamp.json").read_bytes())["signed"]
    assert after["version"] == before["version"] + 1
    assert after["meta"] == before["meta"]
    assert after["expires"] > before["expires"]
    assert vendor.device_sees() == "1.0"


def test_a_timestamp_never_vouches_for_a_tree_that_a_device_would_refuse(
    vendor: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    path = vendor.published / "metadata/1.targets.json"
    path.write_bytes(path.read_bytes().replace(b'"terminating":true', b'"terminating":false'))
    before = (vendor.published / "metadata/timestamp.json").read_bytes()

    assert vendor.run("timestamp") == 3

    assert "SIGNATURE-THRESHOLD: targets" in capsys.readouterr().err
    assert (vendor.published / "metadata/timestamp.json").read_bytes() == before


def test_status_names_what_is_due_and_the_next_step(prepared: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    prepared.clock.advance(timedelta(hours=44))
    capsys.readouterr()

    prepared.done("status", "--json")

    status = json.loads(capsys.readouterr().out)
    assert {item["role"]: item["due"] for item in status["roles"]} == {
        "timestamp": "due",
        "snapshot": "",
        "phone.manifest": "",
        "targets": "",
        "root": "",
        "phone.payload": "",
    }
    assert [(item["record"], item["next"]) for item in status["open"]] == [
        ("phone-1.0", "enigm-repo release attach phone-1.0 RESPONSE ...")
    ]


def test_lint_accepts_what_was_prepared(prepared: Vendor) -> None:
    for authority in ("manifest", "release"):
        request = prepared.workspace.record("phone-1.0") / "requests" / f"{authority}.enigmreq"
        prepared.done("request", "lint", str(request))
