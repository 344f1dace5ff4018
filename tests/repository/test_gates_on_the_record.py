"""The gates that look at the record itself: freezes, the authorities' answers, inventories, both verifiers."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from enigm_testkit.custodians import response_file
from enigm_testkit.vendor import Vendor
from enigm_tuf.errors import MalformedError, RefusedError
from enigm_tuf.model.request import SigningResponse, read_response
from enigm_tuf.model.shapes import Time
from enigm_tuf_repository.configuration import read_configuration
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.decisions import GATE as DECISIONS
from enigm_tuf_repository.gates.freeze_window import GATE as FREEZE_WINDOW
from enigm_tuf_repository.gates.gate import Evidence, Gate
from enigm_tuf_repository.gates.inventory_fresh import GATE as INVENTORY_FRESH
from enigm_tuf_repository.gates.two_verifiers import GATE as TWO_VERIFIERS
from enigm_tuf_repository.gating import gate_context
from enigm_tuf_repository.records import Step, StepEvidence

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)


@pytest.fixture
def context(gated: Vendor) -> GateContext:
    return _context(gated)


def _context(vendor: Vendor, record: str = "phone-1.0") -> GateContext:
    return gate_context(vendor.workspace, vendor.record(record), vendor.clock.now())


def run(gate: Gate, context: GateContext) -> Evidence:
    return gate.run(context, lambda *_: None)


def freeze(vendor: Vendor, start: timedelta, end: timedelta) -> None:
    """A window around now."""
    now, file = vendor.clock.now(), vendor.workspace.configuration_file
    window = f'start = "{Time().write(now + start)}", end = "{Time().write(now + end)}", reason = "holidays"'
    file.write_text(f"freezes = [{{{window}}}]\n" + file.read_text())


@pytest.mark.rule("FREEZE-WINDOW", "accept")
@pytest.mark.parametrize(("start", "end"), [(SECOND, HOUR), (-HOUR, timedelta(0))])
def test_a_second_beside_a_freeze_a_release_passes(gated: Vendor, start: timedelta, end: timedelta) -> None:
    freeze(gated, start, end)
    assert "no freeze at" in run(FREEZE_WINDOW, _context(gated)).summary


@pytest.mark.rule("FREEZE-WINDOW", "reject")
@pytest.mark.parametrize(("start", "end"), [(timedelta(0), HOUR), (-HOUR, SECOND)])
def test_in_a_freeze_no_release_passes(gated: Vendor, start: timedelta, end: timedelta) -> None:
    freeze(gated, start, end)
    with pytest.raises(RefusedError, match=r"FREEZE-WINDOW: phone-1\.0: expected a time outside") as caught:
        run(FREEZE_WINDOW, _context(gated))
    assert caught.value.hint.startswith("holidays")


def test_a_release_that_was_gated_before_a_freeze_is_not_published_in_it(
    gated: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    freeze(gated, SECOND, HOUR)
    assert gated.run("release", "gate", "phone-1.0") == 0
    gated.clock.advance(SECOND)
    assert gated.run("release", "publish", "phone-1.0") == 3
    assert "FREEZE-WINDOW: phone-1.0" in capsys.readouterr().err
    gated.clock.advance(HOUR)
    assert gated.run("release", "publish", "phone-1.0") == 0


def test_a_root_is_never_held_back(rooted: Vendor) -> None:
    assert FREEZE_WINDOW.applies(_context(rooted, "root-1")) == "not held back: root"


def weekly(vendor: Vendor, start: timedelta, end: timedelta, zone: str = "Asia/Kolkata") -> None:
    """A window of every week around now, in minutes; the clock is set to the start of one."""
    vendor.clock.advance(timedelta(seconds=60 - vendor.clock.now().second))
    now, file = vendor.clock.now().astimezone(ZoneInfo("Asia/Kolkata")), vendor.workspace.configuration_file
    moments = [f"{now + shift:%a %H:%M}".lower() for shift in (start, end)]
    window = f'zone = "{zone}", start = "{moments[0]}", end = "{moments[1]}", reason = "weekend"'
    file.write_text(f"weekly_freezes = [{{{window}}}]\n" + file.read_text())


@pytest.mark.rule("FREEZE-WINDOW", "accept")
@pytest.mark.parametrize(("start", "end"), [(MINUTE, HOUR), (-HOUR, timedelta(0))])
def test_beside_a_window_of_every_week_a_release_passes(gated: Vendor, start: timedelta, end: timedelta) -> None:
    weekly(gated, start, end)
    following = gated.clock.now() + (start if start > timedelta(0) else start + timedelta(days=7))
    assert f"the next one starts at {following:%F %T} UTC" in run(FREEZE_WINDOW, _context(gated)).summary


@pytest.mark.rule("FREEZE-WINDOW", "reject")
@pytest.mark.parametrize(("start", "end"), [(timedelta(0), HOUR), (-HOUR, MINUTE)])
def test_in_a_window_of_every_week_no_release_passes(gated: Vendor, start: timedelta, end: timedelta) -> None:
    weekly(gated, start, end)
    with pytest.raises(RefusedError, match=r"FREEZE-WINDOW: phone-1\.0: .* of every week in Asia/Kolkata") as caught:
        run(FREEZE_WINDOW, _context(gated))
    assert caught.value.hint.startswith("weekend")


def test_a_freeze_in_an_unknown_zone_is_told(gated: Vendor) -> None:
    weekly(gated, MINUTE, HOUR, "Europe/Nowhere")
    with pytest.raises(MalformedError, match=r"weekly_freezes\[0\]\.zone: no such zone on this machine"):
        read_configuration(gated.workspace.configuration_file.read_bytes(), "repository.toml")


def test_a_freeze_that_ends_before_it_starts_is_told(gated: Vendor) -> None:
    freeze(gated, HOUR, HOUR)
    with pytest.raises(MalformedError, match=r"freezes\[0\].end: must be after start"):
        read_configuration(gated.workspace.configuration_file.read_bytes(), "repository.toml")


def _answers(vendor: Vendor, authority: str) -> Sequence[Path]:
    return sorted((vendor.workspace.record("phone-1.0") / "responses").glob(f"{authority}-*.enigmresp"))


def _rewrite(path: Path, **changes: Any) -> None:
    """The answer as it would be if the authority had said something else."""
    response, envelopes = read_response(path.read_bytes(), path.name)
    changed: SigningResponse = replace(response, **changes)
    path.write_bytes(response_file(changed, list(envelopes.values())))


@pytest.mark.rule("DECISIONS", "accept")
def test_answers_that_passed_by_every_rule_are_told(context: GateContext) -> None:
    facts = run(DECISIONS, context).facts
    assert facts["answers"] == 3
    assert len(facts["approvals"]) == 6


@pytest.mark.rule("DECISIONS", "reject")
def test_an_answer_that_says_no_is_refused(gated: Vendor, context: GateContext) -> None:
    _rewrite(_answers(gated, "manifest")[0], decision="FAILED")
    with pytest.raises(
        RefusedError, match=r"DECISIONS: responses/manifest-.*expected PASSED by every rule, got FAILED"
    ):
        run(DECISIONS, context)


def test_an_answer_with_one_rule_that_failed_is_refused(gated: Vendor, context: GateContext) -> None:
    path = _answers(gated, "manifest")[0]
    rules = read_response(path.read_bytes(), path.name)[0].rules
    _rewrite(path, rules=(replace(rules[0], passed=False), *rules[1:]))
    with pytest.raises(RefusedError, match=f"got PASSED, {rules[0].rule}"):
        run(DECISIONS, context)


def test_a_policy_without_a_quorum_is_refused(context: GateContext) -> None:
    step = context.record.evidence(Step.POLICY)
    assert step is not None
    kept = tuple(item for item in step.findings if not item.rule.startswith("QUORUM-"))
    with pytest.raises(RefusedError, match=r"policy of the (release|manifest) authority: expected every rule"):
        run(DECISIONS, _with(context, replace(step, findings=kept)))


def test_a_request_that_nobody_answered_is_refused(context: GateContext) -> None:
    requests = tuple(replace(item, digest="0" * 64) for item in context.record.requests)
    with pytest.raises(RefusedError, match=r"expected an answer of the (release|manifest) authority, got none"):
        run(DECISIONS, replace(context, record=replace(context.record, requests=requests)))


def test_a_signature_that_stands_in_no_answer_is_refused(context: GateContext) -> None:
    file = context.roles["phone.manifest"]
    beside = replace(file, signatures={**file.signatures, "ab" * 32: "00"})
    with pytest.raises(RefusedError, match=r"DECISIONS: phone.manifest 2: expected signatures that stand in an answer"):
        run(DECISIONS, replace(context, roles={**context.roles, "phone.manifest": beside}))


@pytest.mark.rule("INVENTORY-FRESH", "accept")
def test_sessions_as_old_as_a_request_may_be_will_do(context: GateContext) -> None:
    oldest = run(INVENTORY_FRESH, context).facts["oldest"]
    late = replace(context, now=Time().read(oldest, "it", "") + timedelta(hours=72))
    assert run(INVENTORY_FRESH, late).facts["inventories"] == {
        "requests/manifest.enigmreq": "0" * 64,
        "requests/release.enigmreq": "0" * 64,
    }


@pytest.mark.rule("INVENTORY-FRESH", "reject")
def test_a_session_that_is_a_second_older_is_refused_but_for_a_root(context: GateContext) -> None:
    oldest = Time().read(run(INVENTORY_FRESH, context).facts["oldest"], "it", "")
    late = replace(context, now=oldest + timedelta(hours=72) + SECOND)
    with pytest.raises(RefusedError, match=r"INVENTORY-FRESH: responses/.*: expected a session after"):
        run(INVENTORY_FRESH, late)
    run(INVENTORY_FRESH, replace(late, record=replace(late.record, action="root")))


def test_a_session_without_an_inventory_is_refused(gated: Vendor, context: GateContext) -> None:
    _rewrite(_answers(gated, "manifest")[0], inventory=None)
    with pytest.raises(RefusedError, match="expected a token that was compared with an inventory, got no inventory"):
        run(INVENTORY_FRESH, context)


def test_custodians_with_two_inventories_are_refused(gated: Vendor, context: GateContext) -> None:
    _rewrite(_answers(gated, "release")[0], inventory="1" * 64)
    with pytest.raises(RefusedError, match=r"requests/release.enigmreq: expected the same inventory"):
        run(INVENTORY_FRESH, context)


@pytest.mark.rule("TWO-VERIFIERS", "accept")
def test_both_verifiers_saw_what_is_staged(context: GateContext) -> None:
    assert set(run(TWO_VERIFIERS, context).facts) == {"VERIFY-DEVICE", "VERIFY-NGCLIENT"}


def _verified(context: GateContext) -> StepEvidence:
    step = context.record.evidence(Step.VERIFIED)
    assert step is not None
    return step


def _with(context: GateContext, step: StepEvidence) -> GateContext:
    steps = tuple(step if item.step == step.step else item for item in context.record.steps)
    return replace(context, record=replace(context.record, steps=steps))


@pytest.mark.rule("TWO-VERIFIERS", "reject")
@pytest.mark.parametrize("missing", ["VERIFY-DEVICE", "VERIFY-NGCLIENT"])
def test_one_verifier_alone_is_refused(context: GateContext, missing: str) -> None:
    step = _verified(context)
    alone = replace(step, findings=tuple(item for item in step.findings if item.rule != missing))
    with pytest.raises(RefusedError, match=f"TWO-VERIFIERS: phone-1.0: expected {missing} passed, got no such finding"):
        run(TWO_VERIFIERS, _with(context, alone))
    said_no = tuple(replace(item, passed=item.rule != missing) for item in step.findings)
    with pytest.raises(RefusedError, match=f"expected {missing} passed, got refused"):
        run(TWO_VERIFIERS, _with(context, replace(step, findings=said_no)))


def test_a_verification_before_the_last_signature_is_refused(context: GateContext) -> None:
    signed = context.record.evidence(Step.SIGNED)
    assert signed is not None
    early = replace(_verified(context), done=signed.done - SECOND)
    with pytest.raises(RefusedError, match="expected verification after the last signature"):
        run(TWO_VERIFIERS, _with(context, early))


@pytest.mark.parametrize("change", ["changed", "extra", "gone"])
def test_a_file_that_they_did_not_see_is_refused(gated: Vendor, context: GateContext, change: str) -> None:
    folder = gated.workspace.staged("phone-1.0") / "metadata"
    if change == "gone":
        (folder / "timestamp.json").unlink()
    else:
        (folder / ("timestamp.json" if change == "changed" else "9.root.json")).write_bytes(b"{}")
    with pytest.raises(RefusedError, match=r"TWO-VERIFIERS: staged/metadata/.*: expected the file that was verified"):
        run(TWO_VERIFIERS, context)
