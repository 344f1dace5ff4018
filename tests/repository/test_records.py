"""No step can be skipped, and evidence holds only for the bytes that it was taken from."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from enigm_testkit.vendor import Vendor

STEPS = ["verify", "gate", "publish"]


@pytest.mark.parametrize(("step", "missing"), [("verify", "approved"), ("gate", "approved"), ("publish", "approved")])
def test_nothing_is_verified_gated_or_published_before_it_is_signed(
    prepared: Vendor, capsys: pytest.CaptureFixture[str], step: str, missing: str
) -> None:
    assert prepared.run("release", step, "phone-1.0") == 2

    told = capsys.readouterr().err
    assert f"comes after {missing}, which is not done" in told
    assert "hint: run `enigm-repo release attach phone-1.0`" in told


def test_nothing_is_gated_or_published_before_it_is_verified(
    prepared: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    prepared.up_to("phone-1.0")

    for step in ("gate", "publish"):
        assert prepared.run("release", step, "phone-1.0") == 2
        assert "comes after verified" in capsys.readouterr().err


def test_nothing_is_published_before_it_passed_the_gates(prepared: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    prepared.up_to("phone-1.0", "verify")

    assert prepared.run("release", "publish", "phone-1.0") == 2
    assert "comes after gated" in capsys.readouterr().err


def test_verifying_again_makes_the_gates_run_again(gated: Vendor) -> None:
    gated.done("release", "verify", "phone-1.0")

    assert gated.run("release", "publish", "phone-1.0") == 2


@pytest.mark.rule("RECORD-EVIDENCE", "accept")
def test_an_untouched_record_is_published(gated: Vendor) -> None:
    gated.done("release", "publish", "phone-1.0")


@pytest.mark.rule("RECORD-EVIDENCE", "reject")
@pytest.mark.parametrize(
    "pattern",
    [
        "requests/release.enigmreq",
        "responses/manifest-*.enigmresp",
        "approvals/*.dsse.json",
        "staged/metadata/*.snapshot.json",
        "staged/metadata/timestamp.json",
        "staged/targets/payloads/phone/1.0/*.ota.zip",
        "staged/targets/manifests/phone/*.stable.json",
    ],
)
def test_one_byte_that_changed_after_its_evidence_is_refused(
    gated: Vendor, capsys: pytest.CaptureFixture[str], pattern: str
) -> None:
    path = min(gated.workspace.record("phone-1.0").glob(pattern))
    path.write_bytes(_with_one_bit_flipped(path.read_bytes()))

    assert gated.run("release", "publish", "phone-1.0") == 3

    assert f"RECORD-EVIDENCE: phone-1.0, {path.relative_to(gated.workspace.record('phone-1.0'))}" in (
        capsys.readouterr().err
    )
    assert gated.device_sees() is None


@pytest.mark.parametrize("name", ["metadata/9.evil.json", "targets/payloads/phone/1.0/evil.zip"])
@pytest.mark.parametrize("step", STEPS)
def test_an_extra_staged_file_that_nobody_signed_is_refused(
    gated: Vendor, capsys: pytest.CaptureFixture[str], name: str, step: str
) -> None:
    (gated.workspace.staged("phone-1.0") / name).write_bytes(b"{}")

    assert gated.run("release", step, "phone-1.0") == 3
    assert f"RECORD-EVIDENCE: phone-1.0, staged/{name}" in capsys.readouterr().err


def test_a_record_from_which_a_step_was_cut_out_is_refused(gated: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    _edit(gated, lambda record: record["steps"].pop(2))

    assert gated.run("release", "publish", "phone-1.0") == 3
    assert "RECORD-EVIDENCE: phone-1.0: expected the eight steps in their order" in capsys.readouterr().err


def test_a_record_whose_digests_were_edited_is_refused(gated: Vendor) -> None:
    def forge(record: Any) -> None:
        digests = record["steps"][0]["digests"]
        digests[min(digests)] = "0" * 64

    _edit(gated, forge)

    assert gated.run("release", "publish", "phone-1.0") == 3


def test_a_record_with_an_unknown_field_is_malformed(gated: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    _edit(gated, lambda record: record.update(skip_gates=True))

    assert gated.run("release", "publish", "phone-1.0") == 2
    assert "skip_gates: unknown field" in capsys.readouterr().err


def test_a_record_that_is_not_there_is_named(vendor: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    assert vendor.run("release", "verify", "phone-9.9") == 2
    assert "no record phone-9.9 here" in capsys.readouterr().err


def test_a_record_id_cannot_leave_the_workspace(vendor: Vendor) -> None:
    assert vendor.run("release", "verify", "../../etc") == 2


def _with_one_bit_flipped(data: bytes) -> bytes:
    return bytes([*data[:-1], data[-1] ^ 1])


def _edit(vendor: Vendor, change: Callable[[Any], object]) -> None:
    path = vendor.workspace.record("phone-1.0") / "record.json"
    record = json.loads(path.read_bytes())
    change(record)
    path.write_text(json.dumps(record))
