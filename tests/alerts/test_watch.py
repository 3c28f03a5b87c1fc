"""The technical alerts that are always on: begin once, end once, at their exact instants."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.alerts.desk import rule
from ward.alerts import technical
from ward.alerts.book import AlertBook
from ward.alerts.model import StayState
from ward.alerts.watch import DeviceFact, Standing, StayFact, Watch, may_tell
from ward.signals import MINUTE, SECOND

T0 = 1_780_000_000_000
HOURS = 60 * MINUTE


def device(online: bool | None = True, last_seen: int | None = T0, offset: int = 0, **more) -> DeviceFact:
    return DeviceFact(more.pop("stay", "s1"), more.pop("device", "mon-01"), online, last_seen, offset, **more)


def edges(found):
    return [(e.event, e.rule, e.key, e.since, e.at) for e in found]


def test_a_device_that_is_silent_for_5_min_is_lost_once_and_found_once() -> None:
    watch = Watch()
    assert watch.update(T0 + 5 * MINUTE - 1, [device()], []) == []
    late = T0 + 5 * MINUTE + 700
    assert edges(watch.update(late, [device()], [])) == [
        ("raised", "device-lost", "mon-01", T0, T0 + 5 * MINUTE)
    ]
    assert watch.update(late + SECOND, [device()], []) == []
    back = late + 2 * SECOND
    assert edges(watch.update(back, [device(last_seen=back)], [])) == [
        ("cleared", "device-lost", "mon-01", T0, back)
    ]


def test_a_will_loses_the_device_at_once() -> None:
    watch = Watch()
    now = T0 + SECOND
    assert edges(watch.update(now, [device(online=False)], [])) == [
        ("raised", "device-lost", "mon-01", now, now)
    ]
    assert watch.update(now + 10 * MINUTE, [device(online=False)], []) == []


def test_a_device_that_never_came_is_lost_5_min_after_it_was_attached() -> None:
    watch = Watch()
    assert watch.update(T0 + HOURS, [device(None, None)], []) == []
    assert edges(watch.update(T0 + HOURS, [device(None, None, attached=T0)], []))[0][4] == T0 + 5 * MINUTE


def test_a_cuff_is_not_lost_between_its_measurements() -> None:
    watch = Watch()
    cuff = device(interval_s=1800)
    assert watch.update(T0 + 74 * MINUTE, [cuff], [StayFact("s1", True, T0, T0, 1800)]) == []
    assert len(watch.update(T0 + 75 * MINUTE, [cuff], [StayFact("s1", True, T0, T0, 1800)])) == 2


def test_nobodys_device_alerts_nobody_and_a_detached_one_is_over() -> None:
    watch = Watch()
    assert watch.update(T0 + HOURS, [device(stay=None)], []) == []
    watch.update(T0 + HOURS, [device()], [])
    assert edges(watch.update(T0 + HOURS, [], []))[0][:2] == ("cleared", "device-lost")


def test_a_clock_off_by_more_than_60_s_either_way() -> None:
    for offset, expected in ((60_000, []), (60_001, ["clock-offset"]), (-60_001, ["clock-offset"])):
        assert [e.rule for e in Watch().update(T0, [device(offset=offset)], [])] == expected


def test_a_stay_without_a_valid_reading_for_5_min_only_where_it_has_devices() -> None:
    now = T0 + 5 * MINUTE
    assert edges(Watch().update(now, [], [StayFact("s1", True, None, T0)])) == [
        ("raised", "no-valid-reading", "", T0, now)
    ]
    assert Watch().update(now, [], [StayFact("s1", False, None, T0)]) == []
    assert Watch().update(now, [], [StayFact("s1", True, T0 + SECOND, T0)]) == []


def test_what_others_found_begins_and_ends_too() -> None:
    watch = Watch()
    found = [Standing("s1", "measure-again", "sbp-below-91", T0)]
    assert edges(watch.update(T0 + 9, [], [], found)) == [
        ("raised", "measure-again", "sbp-below-91", T0, T0 + 9)
    ]
    assert watch.update(T0 + 10, [], [], found) == []
    assert edges(watch.update(T0 + 11, [], [])) == [("cleared", "measure-again", "sbp-below-91", T0, T0 + 11)]


def test_a_restarted_watch_tells_nothing_twice_and_still_tells_the_end() -> None:
    watch = Watch()
    watch.update(T0 + HOURS, [device()], [])
    restarted = Watch()
    restarted.load(watch.dump())
    assert restarted.update(T0 + HOURS, [device()], []) == []
    assert [e.event for e in restarted.update(T0 + HOURS, [], [])] == ["cleared"]


def test_the_services_own_silence_is_no_devices() -> None:
    watch = Watch(listening_since=T0 + HOURS)
    assert watch.update(T0 + HOURS, [device()], [StayFact("s1", True, T0, T0)]) == []
    found = watch.update(T0 + HOURS + 5 * MINUTE, [device()], [])
    assert [(e.rule, e.at) for e in found] == [("device-lost", T0 + HOURS + 5 * MINUTE)]


def test_two_lost_devices_are_two_alerts_and_leave_active_ones_alone() -> None:
    watch, book = Watch(), AlertBook()
    book.stay_changed(StayState("s1", "icu", "1"), None, T0)
    book.raised("s1", rule("low-spo2"), T0, T0, "spo2", 80.0, T0)
    both = [device(), device(device="cuff-01")]
    for edge in watch.update(T0 + HOURS, both, []):
        lost = technical.rule_for(edge.rule, edge.key)
        book.raised(edge.stay, lost, edge.since, edge.at, None, None, T0 + HOURS)
    alerts = {a.rule: a for a in book.open_alerts("s1")}
    assert alerts.keys() == {"low-spo2", "device-lost:mon-01", "device-lost:cuff-01"}
    assert alerts["device-lost:cuff-01"].title == "Device lost: cuff-01"
    assert {a.state for a in alerts.values()} == {"active"}
    assert technical.is_technical("device-lost:mon-01")
    assert not technical.is_technical("spo2-absent")


def test_silence_of_the_whole_stay_suppresses_the_rules_about_single_signals() -> None:
    book = AlertBook()
    book.raised("s1", technical.RULES["no-valid-reading"], T0, T0, None, None, T0)
    book.raised("s1", rule("spo2-absent", kind="technical"), T0, T0, "spo2", None, T0)
    found = book.open_alert("s1", "spo2-absent")
    assert found is not None
    assert found.state == "suppressed"


@given(
    st.none() | st.booleans(),
    st.integers(0, 20 * MINUTE),
    st.integers(-2 * MINUTE, 2 * MINUTE),
    st.none() | st.sampled_from([1.0, 60.0, 1_800.0]),
    st.booleans(),
)
def test_a_fact_of_which_nothing_may_be_told_can_be_left_out(online, ago, offset, interval, raised) -> None:
    every, some = Watch(), Watch()
    if raised:
        for watch in (every, some):
            watch.update(
                T0 + HOURS,
                [device(online=False, offset=technical.OFFSET + 1)],
                [StayFact("s1", True, T0, T0)],
            )
    now = T0 + 2 * HOURS
    last = now - ago
    shown = [device(online, last, offset, interval_s=interval)]
    stays = [StayFact("s1", True, last, T0, interval)]
    wanted = every.update(now, shown, stays)
    kept = shown if may_tell(now, last, online, offset) else []
    assert some.update(now, kept, stays if may_tell(now, last) else []) == wanted
