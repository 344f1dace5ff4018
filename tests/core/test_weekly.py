"""Weekly windows by the clock on the wall: to the second where it is set forward or back, and against an oracle."""

import sys
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from enigm_tuf.errors import MalformedError
from enigm_tuf.model.weekly import MOMENT, ZONE, Weekly, require_weekly

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKEND = Weekly("Europe/Zurich", "fri 16:00", "mon 07:00")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("window", "opens", "closes"),
    [
        (WEEKEND, "2026-11-27T16:00:00+01:00", "2026-11-30T07:00:00+01:00"),
        (WEEKEND, "2026-07-03T16:00:00+02:00", "2026-07-06T07:00:00+02:00"),
        (Weekly("UTC", "tue 09:00", "tue 09:01"), "2026-11-24T09:00:00Z", "2026-11-24T09:01:00Z"),
        (Weekly("Asia/Kolkata", "sun 23:59", "sun 23:58"), "2026-11-22T23:59:00+05:30", "2026-11-29T23:58:00+05:30"),
    ],
)
def test_it_opens_and_closes_to_the_second(window: Weekly, opens: str, closes: str) -> None:
    assert not window.holds(at(opens) - SECOND)
    assert window.holds(at(opens))
    assert window.holds(at(closes) - SECOND)
    assert not window.holds(at(closes))
    assert window.next_start(at(opens) - SECOND) == at(opens)
    assert window.next_start(at(opens)) > at(closes) - DAY


SKIPPED = "2026-03-29T01:00:00Z"
"""In Zurich the clock goes from 01:59:59 to 03:00:00."""


@pytest.mark.parametrize(
    ("start", "end", "opens", "closes"),
    [
        ("sun 02:30", "sun 12:00", SKIPPED, "2026-03-29T10:00:00Z"),
        ("sat 12:00", "sun 02:30", "2026-03-28T11:00:00Z", SKIPPED),
        ("sat 12:00", "sun 03:00", "2026-03-28T11:00:00Z", SKIPPED),
        ("sun 03:00", "sun 04:00", SKIPPED, "2026-03-29T02:00:00Z"),
    ],
)
def test_a_time_that_the_clock_skips_is_when_it_skips_it(start: str, end: str, opens: str, closes: str) -> None:
    is_open(Weekly("Europe/Zurich", start, end), opens, closes)


@pytest.mark.parametrize(
    ("start", "end", "opens", "closes"),
    [
        ("sun 02:30", "sun 12:00", "2026-10-25T00:30:00Z", "2026-10-25T11:00:00Z"),
        ("sat 12:00", "sun 02:30", "2026-10-24T10:00:00Z", "2026-10-25T01:30:00Z"),
        ("sun 02:10", "sun 02:20", "2026-10-25T00:10:00Z", "2026-10-25T01:20:00Z"),
    ],
)
def test_a_time_that_the_clock_shows_twice_opens_at_the_first_and_closes_at_the_second(
    start: str, end: str, opens: str, closes: str
) -> None:
    """And it is open in between, where the clock is back before its start."""
    is_open(Weekly("Europe/Zurich", start, end), opens, closes)


def is_open(window: Weekly, opens: str, closes: str) -> None:
    """From that second to that second, and at every minute between."""
    assert not window.holds(at(opens) - SECOND)
    minutes = int((at(closes) - at(opens)) / MINUTE)
    assert all(window.holds(at(opens) + number * MINUTE) for number in range(minutes)), "no hole"
    assert window.holds(at(closes) - SECOND)
    assert not window.holds(at(closes))


# --- against an oracle that looks at the clock once a minute ---

TURNS = [
    ("Europe/Zurich", "2026-03-29T01:00:00Z"),
    ("Europe/Zurich", "2026-10-25T01:00:00Z"),
    ("America/New_York", "2026-03-08T07:00:00Z"),
    ("America/New_York", "2026-11-01T06:00:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    ("Antarctica/Troll", "2026-10-25T01:00:00Z"),
    ("Africa/Cairo", "2026-10-29T21:00:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),
    ("UTC", "2026-11-26T00:00:00Z"),
]
"""Zones, and moments at which their clocks are set; Apia skipped a whole day, the oracle sees that too."""


def oracle(window: Weekly, moments: list[datetime]) -> list[bool]:
    """Open from the first time that the clock shows the start or later, until the last time that it shows the end."""
    shown = [moment.astimezone(ZoneInfo(window.zone)).replace(tzinfo=None) for moment in moments]
    highest = list(accumulate(shown, max))
    lowest = list(accumulate(reversed(shown), min))[::-1]
    spans = list(_spans(window, shown[0] - 8 * DAY, shown[-1] + 8 * DAY))
    return [
        any(high >= start and (low < end or after <= end) for start, end in spans)
        for high, low, after in zip(highest, lowest, lowest[1:] + lowest[-1:], strict=True)
    ]


def _spans(window: Weekly, first: datetime, last: datetime) -> Iterator[tuple[datetime, datetime]]:
    start, end = ((DAYS.index(text[:3]), int(text[4:6]), int(text[7:])) for text in (window.start, window.end))
    moment = first.replace(second=0)
    started: datetime | None = None
    while moment < last:
        now = (moment.weekday(), moment.hour, moment.minute)
        if now == end and started:
            yield started, moment
        if now == start:
            started = moment
        moment += MINUTE


MINUTES = (0, 1, 15, 29, 30, 31, 45, 59)
moments_of_a_week = st.builds(
    lambda day, hour, minute: f"{day} {hour:02}:{minute:02}",
    st.sampled_from(DAYS),
    st.one_of(st.integers(0, 4), st.integers(0, 23)),
    st.sampled_from(MINUTES),
)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(TURNS), moments_of_a_week, moments_of_a_week)
@example(("Pacific/Apia", "2011-12-30T10:00:00Z"), "fri 00:00", "sat 00:00")
@example(("Europe/Zurich", "2026-10-25T01:00:00Z"), "sun 02:30", "sun 02:00")
@example(("Europe/Zurich", "2026-10-25T01:00:00Z"), "sun 02:00", "sun 02:30")
def test_minute_by_minute_it_is_what_the_clock_says(turn: tuple[str, str], start: str, end: str) -> None:
    if start == end:
        return
    window, middle = Weekly(turn[0], start, end), at(turn[1])
    moments = [middle - 3 * DAY + number * MINUTE for number in range(6 * 24 * 60)]
    expected = oracle(window, moments)
    inner = range(24 * 60, 5 * 24 * 60)  # what the clock showed before and after is known there
    wrong = [moments[number] for number in inner if window.holds(moments[number]) != expected[number]]
    assert wrong == []


@given(moments_of_a_week, moments_of_a_week, moments_of_a_week, moments_of_a_week)
@settings(deadline=None)
def test_what_covers_another_is_open_whenever_that_is(a: str, b: str, c: str, d: str) -> None:
    outer, inner = Weekly("UTC", a, b), Weekly("UTC", c, d)
    week = [at("2026-11-23T00:00:00Z") + number * MINUTE for number in range(7 * 24 * 60)]
    named = [moment for moment in week if moment.minute in MINUTES and _text(moment) in (a, b, c, d)]
    edges = [moment + shift for moment in named for shift in (-MINUTE, timedelta(0), MINUTE)]
    contained = all(outer.holds(moment) for moment in edges if inner.holds(moment))
    assert contained or not outer.covers(inner)
    assert not Weekly("Etc/UTC", a, b).covers(inner), "zones are compared by name"


def _text(moment: datetime) -> str:
    return f"{DAYS[moment.weekday()]} {moment:%H:%M}"


# --- what is refused ---


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "America/Argentina", "Etc/GMT+99"])
def test_a_zone_that_this_machine_does_not_know_is_refused(zone: str) -> None:
    with pytest.raises(MalformedError, match=r"f: w\.zone: no such zone on this machine"):
        require_weekly(Weekly(ZONE.read(zone, "f", "w.zone"), "fri 16:00", "mon 07:00"), "f", "w")


@pytest.fixture
def no_tables(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine on which nobody installed the tables of time zones."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "tzdata"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tzdata", None)
    zoneinfo.reset_tzpath(to=[])
    ZoneInfo.clear_cache()
    yield
    zoneinfo.reset_tzpath()
    ZoneInfo.clear_cache()


@pytest.mark.usefixtures("no_tables")
def test_without_the_tables_no_zone_is_known() -> None:
    with pytest.raises(MalformedError, match="no such zone on this machine: Europe/Zurich"):
        require_weekly(WEEKEND, "f", "w")


@pytest.mark.parametrize(
    "zone",
    ["", "Europe", "right/Europe/Zurich", "posix/Europe/Zurich", "localtime", "CET", "../Europe/Zurich", "Europe/../x"],
)
def test_what_is_no_name_of_a_place_is_refused(zone: str) -> None:
    with pytest.raises(MalformedError):
        ZONE.read(zone, "f", "w.zone")


@pytest.mark.parametrize("moment", ["fri", "fri 24:00", "fri 7:00", "Fri 07:00", "fri 07:60", "07:00", "fri 07:00:00"])
def test_a_moment_has_one_spelling(moment: str) -> None:
    with pytest.raises(MalformedError):
        MOMENT.read(moment, "f", "w.start")


def test_a_window_without_length_is_refused() -> None:
    with pytest.raises(MalformedError, match=r"w\.end: must be another moment"):
        require_weekly(Weekly("UTC", "fri 16:00", "fri 16:00"), "f", "w")
