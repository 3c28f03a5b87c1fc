"""What happens to alerts when the stay, its flags or the rules change, in a pause, and when told again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.alerts.desk import HIGH, MEDIUM, START, WORSE, Desk, rule
from ward.alerts.book import AlertBook
from ward.alerts.model import StayState
from ward.alerts.track import Breach
from ward.errors import NotFoundError
from ward.signals import HOUR, MINUTE

UNLESS = rule("unless-copd", "medium", unless=("copd",))


def test_a_flag_closes_what_it_disables_and_its_removal_tells_what_is_still_sustained() -> None:
    desk = Desk(UNLESS).at(10)
    desk.raise_("unless-copd")
    desk.change(flags=frozenset({"copd"}))
    closed = desk.last("unless-copd")
    assert (closed.state, closed.close_reason) == ("closed", "flag copd")
    desk.at(20).change(flags=frozenset())
    again = desk.alert("unless-copd")
    assert again is not None
    assert (again.state, again.breach_since) == ("active", START)
    assert again.id != closed.id


def test_a_disabled_rule_raises_nothing_and_a_breach_that_ended_meanwhile_is_not_told() -> None:
    desk = Desk(UNLESS, stay=StayState("s1", "icu", "1", frozenset({"copd"}))).at(10)
    assert desk.raise_("unless-copd") == []
    desk.at(12).clear("unless-copd")
    desk.change(flags=frozenset())
    assert desk.log == []


def test_the_end_of_the_stay_closes_all_and_nothing_is_raised_after() -> None:
    desk = Desk(HIGH, MEDIUM).at(10)
    desk.raise_("low-spo2")
    desk.raise_("mild-spo2")
    desk.shelve("mild-spo2")
    desk.at(12).change(ended=True)
    assert {desk.last(r).close_reason for r in desk.rules} == {"stay ended"}
    assert desk.raise_("low-spo2") == []
    assert desk.book.open_alerts() == []


def test_old_alerts_and_stays_leave_the_memory() -> None:
    desk = Desk(MEDIUM).at(10)
    desk.raise_("mild-spo2")
    desk.change(ended=True)
    closed = desk.last("mild-spo2").id
    assert desk.at(129).book.get(closed).state == "closed"
    with pytest.raises(NotFoundError):
        desk.at(131).book.get(closed)
    assert desk.book.ledger.stays
    desk.now += 24 * HOUR
    desk.book.tick(desk.now)
    assert desk.book.dump() == []
    assert not desk.book.ledger.stays


def test_a_move_takes_the_alerts_along() -> None:
    desk = Desk(HIGH).at(10)
    desk.raise_("low-spo2")
    desk.change(ward="ward-b", bed="7")
    alert = desk.alert("low-spo2")
    assert alert is not None
    assert (alert.ward, alert.bed, alert.state) == ("ward-b", "7", "active")
    assert desk.log[-1].event.detail == {"ward": ["icu", "ward-b"], "bed": ["1", "7"]}


def test_a_paused_stay_raises_nothing_until_its_time_is_up() -> None:
    desk = Desk(HIGH, MEDIUM).at(10)
    desk.keep(desk.book.paused("s1", desk.now + 30 * MINUTE, "nina", desk.now))
    assert desk.raise_("low-spo2") == []
    desk.raise_("mild-spo2")
    desk.at(15).clear("mild-spo2")
    assert desk.at(39.9).told == []
    assert desk.at(40).state("low-spo2") == "active"
    assert desk.state("mild-spo2") is None
    assert desk.reasons == ["first"]
    assert desk.events()[:2] == ["paused", "pause-ended"]


def test_a_pause_ends_by_itself_when_readings_return_and_by_hand() -> None:
    desk = Desk(HIGH).at(10)
    desk.book.paused("s1", desk.now + HOUR, "nina", desk.now)
    desk.keep(desk.book.readings_returned("s1", desk.now))
    assert desk.events() == ["pause-ended"]
    assert desk.book.readings_returned("s1", desk.now) == []
    desk.book.paused("s1", desk.now + HOUR, "nina", desk.now)
    desk.keep(desk.book.paused("s1", None, "nina", desk.now))
    assert not desk.book.is_paused("s1")


def test_a_shelf_expires_in_a_pause_too_and_its_interruption_is_owed() -> None:
    desk = Desk(HIGH).at(10)
    desk.raise_("low-spo2")
    desk.shelve("low-spo2", 20)
    desk.keep(desk.book.paused("s1", desk.now + 60 * MINUTE, "nina", desk.now))
    assert desk.at(31).state("low-spo2") == "active"
    assert desk.reasons == ["first"]
    assert desk.at(70).reasons == ["first", "again"]


def test_what_nobody_was_told_in_a_pause_uses_up_no_interruption() -> None:
    desk = Desk(HIGH, rule("fast", "medium", "rr")).at(10)
    desk.raise_("low-spo2")
    desk.shelve("low-spo2", 50)
    desk.acknowledge("low-spo2", "artefact")
    desk.shelve("low-spo2", 20)
    desk.keep(desk.book.paused("s1", desk.now + 60 * MINUTE, "nina", desk.now))
    assert desk.at(31).state("low-spo2") == "active"
    desk.raise_("fast")
    desk.clear("low-spo2")
    assert desk.at(70).state("fast") == "active"
    assert desk.reasons == ["first", "first"]


def test_an_alert_acknowledged_in_a_pause_interrupts_nobody_after_it() -> None:
    desk = Desk(HIGH).at(10)
    desk.raise_("low-spo2")
    desk.shelve("low-spo2", 20)
    desk.keep(desk.book.paused("s1", desk.now + 30 * MINUTE, "nina", desk.now))
    desk.at(31).acknowledge("low-spo2")
    assert desk.at(45).reasons == ["first"]


def test_a_rule_whose_priority_rises_breaks_the_acknowledgement() -> None:
    desk = Desk(MEDIUM).at(10)
    desk.raise_("mild-spo2")
    desk.acknowledge("mild-spo2")
    desk.keep(desk.book.rule_changed(replace(MEDIUM, priority="high"), desk.now, by="carl"))
    alert = desk.alert("mild-spo2")
    assert alert is not None
    assert (alert.state, alert.priority) == ("active", "high")
    assert desk.reasons == ["first", "priority"]


def test_a_rule_that_is_removed_closes_its_alerts() -> None:
    desk = Desk(HIGH, MEDIUM).at(10)
    desk.raise_("low-spo2")
    desk.raise_("mild-spo2")
    desk.keep(desk.book.rule_removed("low-spo2", desk.now, by="carl"))
    desk.keep(desk.book.stay_changed(desk.stay, [], desk.now))
    assert {desk.last(r).close_reason for r in desk.rules} == {"rule removed"}


def test_a_changed_condition_may_find_the_same_breach_again_under_a_new_id() -> None:
    desk = Desk(MEDIUM).at(10)
    desk.raise_("mild-spo2", since=0)
    first = desk.last("mild-spo2").id
    desk.book.rule_changed(replace(MEDIUM, for_ms=HOUR, within_ms=HOUR), desk.now)
    desk.clear("mild-spo2", "rule changed")
    desk.book.rule_changed(MEDIUM, desk.now)
    desk.raise_("mild-spo2", since=0)
    assert desk.state("mild-spo2") == "active"
    assert desk.last("mild-spo2").id != first
    desk.acknowledge("mild-spo2")


# --- told again --------------------------------------------------------------------------------


def test_telling_the_same_history_again_changes_nothing() -> None:
    desk = Desk(HIGH, MEDIUM).at(10)
    desk.raise_("low-spo2", since=0)
    desk.raise_("mild-spo2", since=0)
    desk.at(20).clear("low-spo2")
    desk.clear("mild-spo2")
    desk.at(40).raise_("low-spo2", since=30)
    before = desk.book.dump()
    for r in (HIGH, MEDIUM):
        assert desk.book.raised("s1", r, START, START + 10 * MINUTE, "spo2", 86.0, desk.now) == []
        assert desk.book.cleared("s1", r.id, START, START + 20 * MINUTE, desk.now) == []
    assert desk.book.dump() == before
    assert desk.state("low-spo2") == "active"


def test_a_rebuild_that_finds_another_start_stamps_nothing_anew_and_its_clearing_counts() -> None:
    desk = Desk(HIGH).at(10)
    desk.raise_("low-spo2", since=0)
    assert desk.raise_("low-spo2", since=-3, late=True) == []
    assert desk.last("low-spo2").breach_since == START
    desk.at(20).clear("low-spo2", since=START - 3 * MINUTE)
    assert desk.state("low-spo2") == "returned"


def test_late_readings_that_show_a_cleared_breach_to_have_gone_on_raise_it_again() -> None:
    desk = Desk(MEDIUM).at(10)
    desk.raise_("mild-spo2", since=0)
    first = desk.last("mild-spo2").id
    desk.at(20).clear("mild-spo2")
    desk.at(25).raise_("mild-spo2", since=0, late=True)
    second = desk.alert("mild-spo2")
    assert second is not None
    assert second.id != first
    desk.clear("mild-spo2")
    assert desk.raise_("mild-spo2", since=0, late=True) == []


def test_what_a_rebuild_finds_again_and_over_is_not_told_again() -> None:
    desk = Desk(MEDIUM).at(10)
    desk.raise_("mild-spo2", since=0)
    desk.at(20).clear("mild-spo2")
    again = Breach(START, desk.now, "spo2", 86.0, late=True, over=True)
    assert desk.book.raised_together([("s1", MEDIUM, again)], desk.now) == []
    assert desk.book.cleared("s1", MEDIUM.id, START, desk.now, desk.now) == []
    unheard = Breach(START + 12 * MINUTE, desk.now, "spo2", 86.0, late=True, over=True)
    assert desk.book.raised_together([("s1", MEDIUM, unheard)], desk.now) != []


def test_an_older_breach_that_a_rebuild_finds_over_does_not_end_the_one_that_is() -> None:
    desk = Desk(MEDIUM).at(30)
    desk.raise_("mild-spo2", since=20)
    older = Breach(START, desk.now, "spo2", 86.0, late=True, over=True)
    assert desk.book.raised_together([("s1", MEDIUM, older)], desk.now) == []
    assert desk.book.cleared("s1", MEDIUM.id, START, desk.now, desk.now) == []
    alert = desk.alert("mild-spo2")
    assert alert is not None
    assert (alert.state, alert.sustained) == ("active", True)
    desk.clear("mild-spo2")
    assert not alert.cleared_at
    assert desk.last("mild-spo2").cleared_at == desk.now


def test_a_breach_of_an_unknown_stay_is_told_rather_than_lost() -> None:
    book = AlertBook()
    (change,) = book.raised("s9", HIGH, START, START, "spo2", 70.0, START)
    assert change.notify is not None


def test_law_3_a_restart_keeps_active_acknowledged_shelved_and_suppressed_alerts() -> None:
    others = [rule("b", signal="hr"), rule("c", signal="rr"), MEDIUM]
    desk = Desk(WORSE, *others).at(10)
    for r in desk.rules:
        desk.raise_(r)
    desk.acknowledge("b")
    desk.shelve("c", 20)
    states = {r: desk.state(r) for r in desk.rules}
    assert set(states.values()) == {"active", "acknowledged", "shelved", "suppressed"}

    restarted = AlertBook()
    restarted.load(desk.book.dump())
    desk.book = restarted
    assert {r: desk.state(r) for r in desk.rules} == states
    told = len(desk.told)
    for r in desk.rules:
        assert desk.raise_(r, since=0) == []
    assert len(desk.told) == told
    assert desk.at(30).state("c") == "active"
    desk.clear("worse")
    assert desk.state("mild-spo2") == "active"


def test_alerts_of_the_database_that_are_newer_than_the_dump_are_taken_over() -> None:
    desk = Desk(HIGH, MEDIUM).at(10)
    old = desk.book.dump()
    desk.raise_("low-spo2", since=0)
    desk.raise_("mild-spo2", since=0)
    desk.acknowledge("low-spo2")
    desk.clear("mild-spo2")
    rows = [desk.last("mild-spo2"), desk.last("low-spo2")]

    restarted = AlertBook()
    restarted.load(old)
    for row in rows:
        restarted.adopt(row, desk.rules[row.rule])
    desk.book = restarted
    assert desk.state("low-spo2") == "acknowledged"
    assert desk.raise_("low-spo2", since=0) == []
    assert desk.raise_("mild-spo2", since=0) == []
    desk.at(12).raise_("mild-spo2")
    assert desk.reasons == ["first"]
    desk.at(20).clear("low-spo2")
    assert desk.state("low-spo2") is None
