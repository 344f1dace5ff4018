"""Each release gate passes what is right and refuses what differs in one thing, alone."""

import copy
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from enigm_testkit.custodians import key_record, soft_key
from enigm_testkit.vendor import Vendor
from enigm_tuf.model.keys import write_key_record
from enigm_tuf.model.tuf import Targets
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Verdict
from enigm_tuf_repository.gates.pinned import PINNED_GATES
from enigm_tuf_repository.gates.running import run_gates
from enigm_tuf_repository.gating import gate_context
from enigm_tuf_repository.lineage import Heads, SignedFile
from enigm_tuf_repository.staging import new_targets, staged_path


@pytest.fixture
def context(gated: Vendor) -> GateContext:
    """Of a release that passes every gate."""
    return gate_context(gated.workspace, gated.record("phone-1.0"), gated.clock.now())


def refusals(context: GateContext) -> dict[str, str]:
    return {result.rule: result.summary for result in run_gates(context) if not result.passed}


@pytest.mark.rule("PAYLOAD-BYTES", "accept")
@pytest.mark.rule("VERSION-INCREASE", "accept")
@pytest.mark.rule("TEST-KEY", "accept")
@pytest.mark.rule("EXPIRY-HORIZON", "accept")
def test_a_good_release_passes_every_gate_and_each_says_what_it_saw(context: GateContext) -> None:
    results = run_gates(context)

    assert [result.rule for result in results] == ["GATE-SET", *PINNED_GATES]
    assert all(result.summary for result in results)
    assert {result.rule for result in results if result.verdict is Verdict.PASS} >= {
        "PAYLOAD-BYTES",
        "VERSION-INCREASE",
        "TEST-KEY",
        "EXPIRY-HORIZON",
    }


@pytest.mark.rule("PAYLOAD-BYTES", "reject")
def test_one_other_bit_in_a_payload_is_refused(gated: Vendor, context: GateContext) -> None:
    payload = next(item for item in new_targets(gated.workspace, context.record) if item.path.startswith("payloads/"))
    file = gated.workspace.record("phone-1.0") / staged_path(payload)
    data = file.read_bytes()
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))

    assert list(refusals(context)) == ["PAYLOAD-BYTES"]


@pytest.mark.rule("VERSION-INCREASE", "reject")
def test_a_role_that_is_as_old_as_the_published_one_is_refused(context: GateContext) -> None:
    published = context.before.with_files({"snapshot": context.roles["snapshot"]})

    assert "VERSION-INCREASE" in refusals(replace(context, before=published))


def test_a_payload_that_is_older_than_a_published_one_is_refused(vendor: Vendor) -> None:
    vendor.publish(vendor.prepare_release("1.0"))
    vendor.up_to(vendor.prepare_release("2.0"), "verify")
    context = gate_context(vendor.workspace, vendor.record("phone-2.0"), vendor.clock.now())
    assert refusals(context) == {}

    late = replace(context, before=context.before.with_files({"phone.payload": _later(context)}))

    assert list(refusals(late)) == ["VERSION-INCREASE"]


def _later(context: GateContext) -> SignedFile:
    """The published payload role, as if what it lists were of version 2.0 too."""
    published, staged = context.before["phone.payload"], context.roles["phone.payload"].value_as(Targets)
    raw = copy.deepcopy(published.value_as(Targets).raw)
    newest = next(item for path, item in staged.targets.items() if "/2.0/" in path)
    for target in raw["targets"].values():
        target |= newest.unrecognized_fields
    return replace(published, value=Targets.read(raw, "later"))


@pytest.mark.rule("TEST-KEY", "reject")
def test_a_key_that_is_enrolled_for_development_is_refused(gated: Vendor, context: GateContext) -> None:
    record = key_record(gated.keys["timestamp"][0], "timestamp", "development")
    (gated.workspace.keys / "dev.key.json").write_bytes(write_key_record(record))

    found = refusals(context)

    assert list(found) == ["TEST-KEY"]
    assert "dev.key.json, enrolled for development" in found["TEST-KEY"]


def test_a_development_key_that_nobody_uses_is_no_reason_to_refuse(gated: Vendor, context: GateContext) -> None:
    record = key_record(soft_key("elsewhere"), "timestamp", "development")
    (gated.workspace.keys / "dev.key.json").write_bytes(write_key_record(record))

    assert refusals(context) == {}


@pytest.mark.rule("EXPIRY-HORIZON", "reject")
def test_a_role_with_less_than_a_tenth_of_its_life_left_is_refused_and_a_second_before_it_is_not(
    context: GateContext,
) -> None:
    last = context.roles["snapshot"].value.expires - timedelta(days=3)
    roles = {role: file for role, file in context.roles.items() if role != "timestamp"}
    before = Heads({}, {}).with_files({role: file for role, file in context.before.items() if role != "timestamp"})
    at = replace(context, roles=roles, before=before, now=last)

    assert "EXPIRY-HORIZON" not in refusals(at)
    assert "EXPIRY-HORIZON" in refusals(replace(at, now=last + timedelta(seconds=1)))


def test_a_gate_that_fails_is_shown_in_the_table_and_leaves_no_evidence(
    gated: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    gated.done("release", "verify", "phone-1.0")
    record = key_record(gated.keys["timestamp"][0], "timestamp", "development")
    (gated.workspace.keys / "dev.key.json").write_bytes(write_key_record(record))
    capsys.readouterr()

    assert gated.run("release", "gate", "phone-1.0") == 3

    told = capsys.readouterr()
    assert re.search(r"^TEST-KEY +fail ", told.out, re.MULTILINE)
    assert re.search(r"^PAYLOAD-BYTES +pass +[0-9.]+ s ", told.out, re.MULTILINE)
    assert told.err.startswith("error: TEST-KEY: phone-1.0")
    assert gated.run("release", "publish", "phone-1.0") == 2
