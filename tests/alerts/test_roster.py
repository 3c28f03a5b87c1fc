"""Who is on duty: shifts over midnight, special days, holes, and clocks that change."""

from __future__ import annotations

from datetime import UTC, datetime

import hypothesis.strategies as st
import pytest
from hypothesis import given

from tests.alerts.ward_plan import clock, plan
from ward.alerts.preview import holes, journey, remarks
from ward.signals import HOUR, MINUTE
from ward.zones import DAY, day_of, instant, is_zone, local, weekday

LINES = [
    {"team": "nurses", "shift": "early", "people": ["ben"]},
    {"team": "nurses", "shift": "early", "days": ["sat", "sun"], "people": ["ada"]},
    {"team": "nurses", "shift": "early", "date": "2026-11-22", "people": ["ada", "ben"]},
    {"team": "nurses", "shift": "late", "people": ["ben"]},
    {"team": "nurses", "shift": "night", "people": ["ada"]},
]


@pytest.mark.parametrize(
    ("day", "time", "who"),
    [
        ("2026-11-23", "10:00", ("ben",)),  # a Monday
        ("2026-11-21", "10:00", ("ada",)),  # a Saturday
        ("2026-11-22", "10:00", ("ada", "ben")),  # that Sunday
        ("2026-11-22", "06:29:59", ("ada",)),  # the night that began on Saturday
        ("2026-11-22", "06:30", ("ada", "ben")),
        ("2026-11-22", "14:30", ("ben",)),
        ("2026-11-22", "22:30", ("ada",)),
        ("2026-11-22", "24:00", ("ada",)),
    ],
)
def test_a_date_goes_before_weekdays_before_always(day, time, who) -> None:
    assert plan(roster=LINES).on_duty("nurses", clock(time, day)) == who


def test_a_team_that_no_line_names_is_always_there_and_a_person_is_himself() -> None:
    found = plan(roster=LINES)
    assert found.on_duty("charge", clock("03:00")) == ("cleo",)
    assert found.on_duty("doc", clock("03:00")) == ("doc",)


def test_shifts_that_overlap_have_both_on_duty_each_once() -> None:
    shifts = [
        {"id": "day", "from": "07:00", "to": "19:00"},
        {"id": "swing", "from": "12:00", "to": "20:00"},
    ]
    lines = [
        {"team": "nurses", "shift": s, "people": p} for s, p in (("day", ["ada"]), ("swing", ["ada", "ben"]))
    ]
    found = plan(shift=shifts, roster=lines)
    assert found.on_duty("nurses", clock("13:00")) == ("ada", "ben")
    assert found.on_duty("nurses", clock("11:59")) == ("ada",)
    assert found.on_duty("nurses", clock("20:00")) == ()


def test_a_shift_of_24_hours() -> None:
    shifts = [{"id": "all", "from": "08:00", "to": "08:00"}]
    found = plan(shift=shifts, roster=[{"team": "nurses", "shift": "all", "people": ["ada"]}])
    assert holes(found, clock("08:00"), clock("08:00") + 7 * DAY) == []


def test_holes_of_the_coming_week_are_found_and_told_in_the_wards_time() -> None:
    lines = [
        *LINES,
        {"team": "nurses", "shift": "late", "date": "2026-11-24", "people": []},
        {"team": "nurses", "shift": "night", "date": "2026-11-24", "people": []},
    ]
    found = plan(roster=lines)
    gaps = holes(found, clock("08:00"), clock("08:00") + 7 * DAY)
    assert [gap.text(found) for gap in gaps] == [
        "Nurses on the floor: nobody is on duty from 2026-11-24 14:30 to 2026-11-25 06:30"
    ]


def test_remarks_name_what_is_perhaps_not_meant() -> None:
    both = [{"level": [{"tell": ["nurses"], "channels": ["dashboard", "pager"]}]}] * 2
    said = remarks(plan(route=both))
    assert "person ada: no address for pager; right only if that channel has one of its own" in said
    assert "route 2: never taken, a route before it fits all of its alerts" in said
    assert remarks(plan()) == []


def test_a_preview_says_who_would_be_told_when() -> None:
    steps = journey(plan(), "physiological", "high", "low-spo2", clock("03:00"))
    told = [((s.at - clock("03:00")) // MINUTE, s.level, [r.key for r in s.to]) for s in steps]
    assert told[:3] == [
        (0, 0, ["ada/dashboard", "ada/phone"]),
        (2, 1, ["cleo/phone"]),
        (5, 2, ["doc/pager"]),
    ]
    assert [step.level for step in steps[3:]] == [None, None]
    low = journey(plan(), "physiological", "low", "x", clock("21:50"))
    assert [(s.at, [r.key for r in s.to]) for s in low] == [
        (clock("21:50"), ["ben/phone"]),
        (clock("30:15"), ["cleo/phone"]),
    ]
    night = journey(plan(), "physiological", "low", "x", clock("23:00"))
    assert [s.at for s in night] == [clock("30:00"), clock("30:15")]


def test_a_preview_shows_the_holes() -> None:
    found = plan(roster=[{"team": "nurses", "shift": "early", "people": ["ben"]}])
    steps = journey(found, "physiological", "high", "x", clock("03:00"))
    assert [(s.level, s.missed) for s in steps[:2]] == [(1, (0,)), (2, ())]


# --- zones ---


@given(
    st.sampled_from(["Europe/Zurich", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"]),
    st.integers(0, 4_000_000_000_000),
)
def test_what_the_clock_shows_leads_back_to_the_instant(zone, at) -> None:
    day, shown = local(zone, at)
    back = instant(zone, day, shown)
    assert back == at or at - back in (HOUR, HOUR // 2), "only an hour that comes twice is not told apart"
    assert 0 <= shown < DAY
    assert weekday(day) == (day + 3) % 7


def test_weekdays_and_days() -> None:
    assert weekday(day_of("2026-11-22")) == 6
    assert datetime.fromtimestamp(day_of("2026-11-22") * 86_400, UTC).isoformat().startswith("2026-11-22")
    for text in ("2026-1-2", "20261122", "2026-W47-7", "tomorrow!!"):
        with pytest.raises(ValueError, match=r".+"):
            day_of(text)
    assert [is_zone(z) for z in ("Europe/Zurich", "", "Europe", "../etc/passwd", "a\0b", "x" * 300)] == [
        True, False, False, False, False, False,
    ]  # fmt: skip


@given(
    st.integers(0, 23 * 60),
    st.integers(0, 23 * 60),
    st.sampled_from(["2026-03-28", "2026-10-24", "2026-11-22"]),
    st.sampled_from(["Europe/Zurich", "Australia/Lord_Howe", "America/New_York"]),
)
def test_two_shifts_that_meet_leave_no_hole_and_overlap_nowhere(one, other, day, zone) -> None:
    if one == other:
        return
    start, end = (f"{m // 60:02}:{m % 60:02}" for m in (one, other))
    shifts = [{"id": "a", "from": start, "to": end}, {"id": "b", "from": end, "to": start}]
    lines = [{"team": "nurses", "shift": s, "people": [p]} for s, p in (("a", "ada"), ("b", "ben"))]
    found = plan(timezone=zone, shift=shifts, roster=lines)
    at, until = clock("12:00", day), clock("40:00", day)
    while at < until:
        assert len(found.on_duty("nurses", at)) == 1
        at += 7 * MINUTE
