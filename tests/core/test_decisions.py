"""Whether a release is for this device, now: hardware, rollout, enrolment, battery, space, hours."""

import hashlib
import struct
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enigm_tuf.model.manifest import ManifestPayload, Release, Rollout, Stage
from enigm_tuf.model.value import replace
from enigm_tuf.trust import eligibility
from enigm_tuf.trust.eligibility import SPACE_MARGIN, Conditions, DeviceFacts
from enigm_tuf.trust.gate_report import Verdict

START = datetime(2026, 11, 1, tzinfo=UTC)
FULL = ManifestPayload("payloads/phone/1.2/ota.zip", 1000, {"sha256": "a" * 64}, "full-ota", None)
DELTA = ManifestPayload("payloads/phone/1.2/delta.zip", 10, {"sha256": "b" * 64}, "delta-ota", "B1")
RELEASE = Release(
    version="1.2",
    build_id="B2",
    security_patch_level="2026-11-05",
    rollback_index=7,
    hardware_ids=("phone-a", "phone-b"),
    applicable_from="1.0",
    payloads=(FULL, DELTA),
    rollout=Rollout(START, (Stage(0, 100),), (), False),
    release_notes="",
    minimum_client="0.1",
    mandatory=False,
)
FACTS = DeviceFacts("staging", "phone", "phone-a", "stable", "device-1")
PASS, REFUSE, NOT_CHECKED = Verdict.PASS, Verdict.REFUSE, Verdict.NOT_CHECKED


def staged(*stages: tuple[int, int], halted: bool = False) -> Release:
    plan = Rollout(START, tuple(Stage(hours, percent) for hours, percent in stages), (), halted)
    return replace(RELEASE, rollout=plan)


@pytest.mark.parametrize(
    ("release", "facts", "installed", "said"),
    [
        (RELEASE, replace(FACTS, hardware_id="phone-c"), None, "hardware: for phone-a, phone-b"),
        (replace(RELEASE, minimum_client="99.0"), FACTS, None, "client: needs 99.0"),
        (RELEASE, FACTS, ("0.9", "B0"), "base: applies from version 1.0"),
        (replace(RELEASE, payloads=(DELTA,)), FACTS, ("1.0", "other"), "payload: none applies"),
    ],
)
def test_compatibility_names_the_part_that_does_not_fit(
    release: Release, facts: DeviceFacts, installed: tuple[str, str] | None, said: str
) -> None:
    assert eligibility.compatibility(RELEASE, FACTS, ("1.0", "B1")).verdict is PASS
    finding = eligibility.compatibility(release, facts, installed)
    assert finding.verdict is REFUSE
    assert finding.evidence.startswith(said)


@pytest.mark.parametrize(
    ("applicable_from", "installed"), [(None, ("0.1", "B0")), ("1.0", None), ("1.0", ("1.0", "B0"))]
)
def test_a_base_is_asked_for_where_one_is_named_and_something_is_installed(
    applicable_from: str | None, installed: tuple[str, str] | None
) -> None:
    release = replace(RELEASE, applicable_from=applicable_from)
    assert eligibility.compatibility(release, FACTS, installed).verdict is PASS


def test_a_delta_alone_fits_the_build_that_it_starts_from() -> None:
    release = replace(RELEASE, payloads=(DELTA,))
    assert eligibility.compatibility(release, FACTS, ("1.0", "B1")).verdict is PASS
    assert eligibility.compatibility(release, FACTS, None).verdict is REFUSE


@pytest.mark.parametrize(
    ("cohorts", "own", "verdict"),
    [
        ((), (), PASS),
        ((), ("beta",), PASS),
        (("beta", "staff"), ("beta", "other"), PASS),
        (("beta", "staff"), ("other",), REFUSE),
        (("beta",), (), REFUSE),
    ],
)
def test_a_device_is_in_one_of_the_cohorts(cohorts: tuple[str, ...], own: tuple[str, ...], verdict: Verdict) -> None:
    release = replace(RELEASE, rollout=replace(RELEASE.rollout, cohorts=cohorts))
    finding = eligibility.eligibility(release, replace(FACTS, cohorts=frozenset(own)))
    assert finding.verdict is verdict
    assert all(cohort in finding.evidence for cohort in cohorts)


def test_a_delta_is_taken_from_the_build_that_it_starts_from_and_from_no_other() -> None:
    assert eligibility.choose_payload(RELEASE, "B1") == DELTA
    assert eligibility.choose_payload(RELEASE, "B7") == FULL
    assert eligibility.choose_payload(RELEASE, None) == FULL


STAGES = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 100)), min_size=1, max_size=6).map(
    lambda pairs: tuple(
        zip(sorted({hours for hours, _ in pairs}), sorted(percent for _, percent in pairs), strict=False)
    )
)


@given(STAGES, st.text(min_size=1, max_size=20), st.lists(st.integers(-10, 600), min_size=2, max_size=8))
def test_a_device_once_in_stays_in(stages: tuple[tuple[int, int], ...], device_id: str, hours: list[int]) -> None:
    """Percentages never fall with time, and with them no device falls out."""
    release, facts = staged(*stages), replace(FACTS, device_id=device_id)
    times = [START + timedelta(hours=hour) for hour in sorted(hours)]
    percents = [eligibility.reached_percent(release.rollout, time) for time in times]
    verdicts = [eligibility.rollout(release, facts, time).verdict is PASS for time in times]
    assert percents == sorted(percents)
    assert verdicts == sorted(verdicts), "False before True"
    assert not any(verdict for verdict, time in zip(verdicts, times, strict=True) if time < START)


@given(STAGES, st.text(min_size=1, max_size=20), st.integers(-10, 10_000), st.booleans())
def test_halting_stops_everyone(
    stages: tuple[tuple[int, int], ...], device_id: str, hour: int, mandatory: bool
) -> None:
    release = replace(staged(*stages, halted=True), mandatory=mandatory)
    facts = replace(FACTS, device_id=device_id)
    assert eligibility.rollout(release, facts, START + timedelta(hours=hour)).verdict is REFUSE


@pytest.mark.parametrize("percent", [1, 10, 33, 50, 90])
def test_the_share_on_100_000_devices_is_the_one_that_was_asked(percent: int) -> None:
    release = staged((0, percent))
    reached = sum(
        eligibility.device_share(release, replace(FACTS, device_id=f"serial-{number}")) < percent * 100
        for number in range(100_000)
    )
    assert abs(reached / 1_000 - percent) < 1


def test_the_order_of_devices_differs_from_build_to_build() -> None:
    other = replace(RELEASE, build_id="B3")
    facts = [replace(FACTS, device_id=f"serial-{number}") for number in range(200)]
    shares = [(eligibility.device_share(RELEASE, one), eligibility.device_share(other, one)) for one in facts]
    assert sum(first < 5000 and second < 5000 for first, second in shares) < 80
    assert [eligibility.device_share(RELEASE, one) for one in facts] == [first for first, _ in shares]


def test_a_devices_share_is_the_documented_one() -> None:
    """The first eight bytes of a SHA-256, big endian, modulo 10,000."""
    for number in range(50):
        facts = replace(FACTS, device_id=f"serial-{number}")
        digest = hashlib.sha256(f"B2\nphone\nserial-{number}".encode()).digest()
        assert eligibility.device_share(RELEASE, facts) == struct.unpack(">Q", digest[:8])[0] % 10_000


def test_a_stage_takes_the_devices_whose_share_is_below_its_percentage() -> None:
    verdicts = set()
    for number in range(300):
        facts = replace(FACTS, device_id=f"serial-{number}")
        share = eligibility.device_share(RELEASE, facts)
        for percent in {share // 100, share // 100 + 1, 50}:
            verdict = eligibility.rollout(staged((0, percent)), facts, START).verdict
            assert (verdict is PASS) == (share < percent * 100)
            verdicts.add(verdict)
    assert verdicts == {PASS, REFUSE}


def test_a_share_at_the_very_percentage_is_not_in_yet() -> None:
    shares = ((number, replace(FACTS, device_id=f"serial-{number}")) for number in range(20_000))
    facts = next(one for _, one in shares if eligibility.device_share(RELEASE, one) % 100 == 0)
    percent = eligibility.device_share(RELEASE, facts) // 100
    assert eligibility.rollout(staged((0, percent)), facts, START).verdict is REFUSE
    assert eligibility.rollout(staged((0, percent + 1)), facts, START).verdict is PASS


def test_a_stage_begins_at_its_hour_and_not_a_second_before() -> None:
    plan, second = staged((0, 10), (24, 50)).rollout, timedelta(seconds=1)
    day = START + timedelta(hours=24)
    times = (START - second, START, day - second, day, day + second)
    assert [eligibility.reached_percent(plan, time) for time in times] == [0, 10, 10, 50, 50]


def test_nothing_starts_before_its_time() -> None:
    late = START - timedelta(seconds=1)
    early = eligibility.rollout(RELEASE, FACTS, late)
    assert (early.verdict, early.evidence) == (REFUSE, f"starts at {START.isoformat()}")
    assert eligibility.rollout(RELEASE, FACTS, START).verdict is PASS


@pytest.mark.parametrize(("enrolled", "verdict"), [(None, NOT_CHECKED), (True, PASS), (False, REFUSE)])
def test_enrolment_is_what_the_caller_says(enrolled: bool | None, verdict: Verdict) -> None:
    assert eligibility.enrolment(replace(FACTS, enrolled=enrolled)).verdict is verdict


@pytest.mark.parametrize(
    ("least", "level", "charging", "verdict"),
    [
        (None, 1, None, NOT_CHECKED),
        (50, 50, None, PASS),
        (50, 49, None, REFUSE),
        (50, 1, True, PASS),
        (50, None, None, REFUSE),
    ],
)
def test_the_battery_is_judged_by_the_owners_minimum(
    least: int | None, level: int | None, charging: bool | None, verdict: Verdict
) -> None:
    conditions = Conditions(minimum_battery_percent=least)
    facts = replace(FACTS, battery_percent=level, charging=charging, conditions=conditions)
    assert eligibility.battery(facts).verdict is verdict


@pytest.mark.parametrize(
    ("free", "verdict"), [(None, NOT_CHECKED), (1000 + SPACE_MARGIN, PASS), (999 + SPACE_MARGIN, REFUSE)]
)
def test_the_payload_must_fit(free: int | None, verdict: Verdict) -> None:
    assert eligibility.space(FULL, replace(FACTS, free_bytes=free)).verdict is verdict


@pytest.mark.parametrize(
    ("window", "minute", "mandatory", "verdict"),
    [
        (None, 0, False, NOT_CHECKED),
        ((60, 300), 60, False, PASS),
        ((60, 300), 299, False, PASS),
        ((60, 300), 300, False, REFUSE),
        ((60, 300), 59, False, REFUSE),
        ((1380, 120), 1439, False, PASS),
        ((1380, 120), 0, False, PASS),
        ((1380, 120), 120, False, REFUSE),
        ((1380, 120), 1379, False, REFUSE),
        ((1380, 120), 1380, False, PASS),
        ((300, 300), 300, False, REFUSE),
        ((60, 300), None, False, REFUSE),
        ((60, 300), 1000, True, PASS),
    ],
)
def test_the_window_is_the_owners_and_a_mandatory_release_does_not_wait(
    window: tuple[int, int] | None, minute: int | None, mandatory: bool, verdict: Verdict
) -> None:
    facts = replace(FACTS, local_minute=minute, conditions=Conditions(window=window))
    finding = eligibility.maintenance_window(replace(RELEASE, mandatory=mandatory), facts)
    assert finding.verdict is verdict
    if window == (1380, 120):
        assert "window 23:00-02:00" in finding.evidence
