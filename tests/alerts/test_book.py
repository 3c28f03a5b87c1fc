"""The life of an alert, told as it happens at a bedside. Minutes count from the start of the stay."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.alerts.desk import START, Desk, rule
from ward.alerts.book import AlertBook
from ward.alerts.escalation import EscalationPlan
from ward.alerts.model import StayState, alert_id
from ward.alerts.track import Breach
from ward.errors import ConflictError, InvalidError, NotFoundError
from ward.signals import HOUR, MINUTE

HIGH = rule("low-spo2")
MEDIUM = rule("mild-spo2", "medium")
LOW = rule("slight-spo2", "low")


def test_a_sustained_breach_is_an_active_alert_with_its_times_and_interrupts() -> None:
    desk = Desk(HIGH).at(10)
    (change,) = desk.raise_("low-spo2")
    alert = change.alert
    assert alert is not None
    assert (alert.state, alert.stay, alert.ward, alert.bed) == ("active", "s1", "icu", "1")
    assert (alert.breach_since, alert.raised_at, alert.announced_at) == (START, desk.now, desk.now)
    assert (alert.signal, alert.value, alert.sustained) == ("spo2", 86.0, True)
    assert alert.id == alert_id("s1", "low-spo2", START)
    assert (change.event.before, change.event.after, change.event.kind) == ("pending", "active", "raised")
    assert change.notify is not None
    assert (change.notify.reason, change.notify.priority) == ("first", "high")


def test_raised_at_is_the_instant_of_the_data_and_announced_at_that_of_telling() -> None:
    desk = Desk(HIGH).at(30)
    desk.book.raised("s1", HIGH, START, START + 10 * MINUTE, "spo2", 80.0, desk.now, late=True)
    alert = desk.alert("low-spo2")
    assert alert is not None
    assert (alert.raised_at, alert.announced_at, alert.late) == (START + 10 * MINUTE, desk.now, True)


def test_a_high_alert_that_clears_unacknowledged_stays_as_returned_until_taken() -> None:
    desk = Desk(HIGH).at(10)
    desk.raise_("low-spo2")
    desk.at(20).clear("low-spo2")
    assert desk.state("low-spo2") == "returned"
    desk.at(600)
    assert desk.state("low-spo2") == "returned"
    desk.acknowledge("low-spo2")
    assert desk.state("low-spo2") is None
    assert desk.last("low-spo2").close_reason == "acknowledged"


def test_a_returned_alert_sustained_again_is_active_again_and_notifies() -> None:
    desk = Desk(HIGH).at(10)
    (first,) = desk.raise_("low-spo2")
    desk.at(20).clear("low-spo2")
    (again,) = desk.at(35).raise_("low-spo2")
    assert first.alert is not None
    assert again.alert is not None
    assert again.alert.id == first.alert.id
    assert (again.alert.state, again.alert.cleared_at) == ("active", None)
    assert again.alert.breach_since == START + 25 * MINUTE
    assert desk.reasons == ["first", "again"]


@pytest.mark.parametrize("r", [MEDIUM, LOW])
def test_a_milder_alert_closes_when_it_clears(r) -> None:
    desk = Desk(r).at(10)
    desk.raise_(r.id)
    desk.at(12).clear(r.id)
    closed = desk.last(r.id)
    assert (closed.state, closed.close_reason, closed.sustained) == ("closed", "cleared", False)


def test_acknowledged_then_cleared_is_closed() -> None:
    desk = Desk(HIGH).at(10)
    desk.raise_("low-spo2")
    desk.acknowledge("low-spo2")
    assert desk.state("low-spo2") == "acknowledged"
    desk.at(20).clear("low-spo2")
    closed = desk.last("low-spo2")
    assert (closed.state, closed.assessment, closed.acknowledged_by) == ("closed", "actionable", "nina")


def test_a_cleared_rule_raises_a_new_alert_next_time() -> None:
    desk = Desk(MEDIUM).at(10)
    desk.raise_("mild-spo2")
    first = desk.last("mild-spo2").id
    desk.at(20).clear("mild-spo2")
    desk.at(40).raise_("mild-spo2")
    assert desk.last("mild-spo2").id != first


def test_a_rule_change_clears_with_its_reason() -> None:
    desk = Desk(MEDIUM).at(10)
    desk.raise_("mild-spo2")
    desk.clear("mild-spo2", "rule changed")
    assert desk.last("mild-spo2").close_reason == "rule changed"


# --- people -------------------------------------------------------------------------------------------


def test_acknowledging_needs_a_known_open_alert_and_a_known_assessment() -> None:
    desk = Desk(MEDIUM).at(10)
    desk.raise_("mild-spo2")
    with pytest.raises(InvalidError):
        desk.acknowledge("mild-spo2", "fine")
    with pytest.raises(NotFoundError):
        desk.book.acknowledge("none", "nina", "actionable", desk.now)
    desk.clear("mild-spo2")
    with pytest.raises(ConflictError):
        desk.acknowledge("mild-spo2")
    assert desk.book.get(desk.last("mild-spo2").id).state == "closed"


@pytest.mark.parametrize("minutes", [0, -1, 60.01, float("nan"), float("inf"), True])
def test_a_shelf_is_at_most_60_minutes(minutes) -> None:
    desk = Desk(HIGH).at(10)
    desk.raise_("low-spo2")
    with pytest.raises(InvalidError):
        desk.shelve("low-spo2", minutes)
    assert desk.state("low-spo2") == "active"


def test_law_4_a_shelf_expires_on_the_clock_without_any_data() -> None:
    desk = Desk(HIGH).at(10)
    desk.raise_("low-spo2")
    desk.shelve("low-spo2", 60)
    assert desk.at(69.9).state("low-spo2") == "shelved"
    assert desk.at(70).state("low-spo2") == "active"
    assert desk.reasons[-1] == "again"
    assert desk.last("low-spo2").shelved_until is None


def test_a_shelved_high_alert_that_cleared_is_returned_when_the_shelf_ends_unless_it_was_taken() -> None:
    desk = Desk(HIGH).at(10)
    desk.raise_("low-spo2")
    desk.shelve("low-spo2")
    desk.at(20).clear("low-spo2")
    assert desk.state("low-spo2") == "shelved"
    assert desk.at(40).state("low-spo2") == "returned"

    desk = Desk(HIGH).at(10)
    desk.raise_("low-spo2")
    desk.acknowledge("low-spo2")
    desk.shelve("low-spo2")
    desk.at(20).clear("low-spo2")
    assert desk.at(40).state("low-spo2") is None


def test_a_shelf_mutes_new_breaches_of_the_rule_too() -> None:
    desk = Desk(MEDIUM).at(10)
    desk.raise_("mild-spo2")
    desk.shelve("mild-spo2", 60)
    desk.at(20).clear("mild-spo2")
    desk.at(40).raise_("mild-spo2")
    assert desk.state("mild-spo2") == "shelved"
    assert desk.reasons == ["first"]
    assert desk.at(70).state("mild-spo2") == "active"


def test_an_acknowledgement_before_the_shelf_does_not_count_for_a_new_breach_under_it() -> None:
    desk = Desk(HIGH).at(10)
    desk.raise_("low-spo2")
    desk.acknowledge("low-spo2")
    desk.shelve("low-spo2", 60)
    desk.at(20).clear("low-spo2")
    desk.at(40).raise_("low-spo2")
    desk.at(45).clear("low-spo2")
    assert desk.at(70).state("low-spo2") == "returned"


def test_a_pending_alert_can_be_shelved_and_is_active_afterwards_if_it_is_sustained_then() -> None:
    desk = Desk(HIGH).at(5)
    desk.keep(desk.book.shelve_pending("s1", HIGH, START, "nina", 30, "suction", desk.now))
    assert desk.state("low-spo2") == "shelved"
    desk.at(10).raise_("low-spo2")
    assert (desk.state("low-spo2"), desk.told) == ("shelved", [])
    assert desk.at(35).state("low-spo2") == "active"
    assert desk.reasons == ["first"]


def test_a_pending_alert_that_never_came_leaves_with_its_shelf() -> None:
    desk = Desk(HIGH).at(5)
    desk.keep(desk.book.shelve_pending("s1", HIGH, START, "nina", 30, "suction", desk.now))
    with pytest.raises(ConflictError):
        desk.acknowledge("low-spo2")
    assert desk.at(35).state("low-spo2") is None
    assert desk.told == []
    desk.raise_("low-spo2", since=0)
    assert desk.state("low-spo2") == "active"
    assert desk.last("low-spo2").id != alert_id("s1", "low-spo2", START)


def test_unshelve_and_shelve_again() -> None:
    desk = Desk(HIGH).at(10)
    desk.raise_("low-spo2")
    with pytest.raises(ConflictError):
        desk.unshelve("low-spo2")
    desk.shelve("low-spo2", 10)
    desk.at(15).shelve("low-spo2", 60)
    assert desk.at(70).state("low-spo2") == "shelved"
    desk.unshelve("low-spo2")
    assert desk.state("low-spo2") == "active"


def test_acknowledging_under_a_shelf_ends_it() -> None:
    desk = Desk(HIGH).at(10)
    desk.raise_("low-spo2")
    desk.shelve("low-spo2")
    desk.acknowledge("low-spo2")
    assert desk.state("low-spo2") == "acknowledged"
    assert desk.last("low-spo2").shelved_until is None


# --- episodes -----------------------------------------------------------------------------------------


def test_law_9_staff_are_interrupted_once_per_episode_and_priority() -> None:
    desk = Desk(LOW, MEDIUM, rule("other-medium", "medium", "rr"), HIGH).at(10)
    desk.raise_("slight-spo2")
    desk.at(11).raise_("mild-spo2")
    desk.at(12).raise_("other-medium")
    desk.at(13).raise_("low-spo2")
    assert desk.reasons == ["first", "priority", "priority"]
    assert len({n.episode for n in desk.told}) == 1
    assert len({n.key for n in desk.told}) == 3


def test_a_high_alert_on_another_signal_always_interrupts_on_the_same_signal_not() -> None:
    desk = Desk(HIGH, rule("worse-spo2"), rule("low-hr", signal="hr")).at(10)
    desk.raise_("low-spo2")
    desk.at(11).raise_("worse-spo2")
    desk.at(12).raise_("low-hr", signal="hr")
    assert desk.reasons == ["first", "signal"]


def test_law_5_a_rise_in_priority_breaks_the_acknowledgements_of_the_episode() -> None:
    desk = Desk(MEDIUM, HIGH).at(10)
    desk.raise_("mild-spo2")
    desk.acknowledge("mild-spo2")
    desk.at(15).raise_("low-spo2")
    broken = desk.alert("mild-spo2")
    assert broken is not None
    assert (broken.state, broken.acknowledged_at, broken.acknowledged_by) == ("active", None, None)
    assert "acknowledgement-broken" in desk.events("mild-spo2")


def test_an_alert_of_the_same_priority_leaves_acknowledgements_alone() -> None:
    desk = Desk(HIGH, rule("low-hr", signal="hr")).at(10)
    desk.raise_("low-spo2")
    desk.acknowledge("low-spo2")
    desk.at(15).raise_("low-hr", signal="hr")
    assert desk.state("low-spo2") == "acknowledged"


def test_an_episode_ends_30_min_after_its_last_alert_cleared() -> None:
    for minute, reasons in ((49.9, ["first"]), (50, ["first", "first"])):
        desk = Desk(MEDIUM).at(10)
        desk.raise_("mild-spo2")
        desk.at(20).clear("mild-spo2")
        desk.at(minute).raise_("mild-spo2")
        assert desk.reasons == reasons


def test_an_episode_goes_on_while_anything_in_it_is_in_breach() -> None:
    desk = Desk(MEDIUM, rule("other", "medium", "rr"), rule("third", "medium", "hr")).at(10)
    desk.raise_("mild-spo2")
    desk.at(20).clear("mild-spo2")
    desk.at(45).raise_("other")
    desk.at(90).raise_("third")
    assert desk.reasons == ["first"]


def test_an_episode_ends_4_h_after_it_began_even_in_breach() -> None:
    desk = Desk(MEDIUM, rule("other", "medium", "rr")).at(10)
    desk.raise_("mild-spo2")
    desk.at(249).raise_("other")
    assert desk.reasons == ["first"]
    desk.clear("other")
    desk.at(251).raise_("other")
    assert desk.reasons == ["first", "first"]


def test_the_assessment_artefact_ends_the_episode() -> None:
    desk = Desk(MEDIUM, rule("other", "medium", "rr")).at(10)
    desk.raise_("mild-spo2")
    desk.acknowledge("mild-spo2", "artefact")
    assert desk.events()[-1] == "episode-ended"
    desk.at(12).raise_("other")
    assert desk.reasons == ["first", "first"]


def test_a_technical_alert_does_not_use_up_the_interruption_of_a_physiological_one() -> None:
    desk = Desk(MEDIUM, rule("probe", "medium", kind="technical")).at(10)
    desk.raise_("probe")
    desk.at(12).raise_("mild-spo2")
    assert desk.reasons == ["first", "first"]


def test_an_acknowledged_high_alert_still_in_breach_reminds_after_30_min() -> None:
    desk = Desk(HIGH).at(10)
    desk.raise_("low-spo2")
    desk.at(15).acknowledge("low-spo2")
    assert desk.at(44.9).reasons == ["first"]
    assert desk.at(45).reasons == ["first", "reminder"]
    assert desk.at(75).reasons == ["first", "reminder", "reminder"]
    desk.clear("low-spo2")
    assert desk.at(200).reasons.count("reminder") == 2


def test_unacknowledged_alerts_escalate_by_the_plan() -> None:
    desk = Desk(HIGH, plan=EscalationPlan({"high": (5 * MINUTE, 15 * MINUTE)})).at(10)
    desk.raise_("low-spo2")
    desk.at(15)
    assert desk.reasons == ["first", "escalation"]
    desk.acknowledge("low-spo2")
    assert desk.at(30).reasons == ["first", "escalation"]


# --- inhibition ---------------------------------------------------------------------------------------

WORSE = rule("worse", inhibits=("mild-spo2",))


def test_a_raised_rule_suppresses_what_it_inhibits_and_frees_it_when_it_clears() -> None:
    desk = Desk(WORSE, MEDIUM).at(10)
    desk.raise_("worse")
    assert desk.book.is_inhibited("s1", "mild-spo2") == "worse"
    desk.at(12).raise_("mild-spo2")
    suppressed = desk.alert("mild-spo2")
    assert suppressed is not None
    assert (suppressed.state, suppressed.suppressed_by, suppressed.announced_at) == (
        "suppressed",
        "worse",
        None,
    )
    desk.acknowledge("worse")
    assert desk.state("mild-spo2") == "suppressed"
    desk.at(20).clear("worse")
    freed = desk.alert("mild-spo2")
    assert freed is not None
    assert (freed.state, freed.announced_at, freed.suppressed_by) == ("active", desk.now, None)


def test_only_pending_alerts_are_suppressed() -> None:
    desk = Desk(WORSE, MEDIUM).at(10)
    desk.raise_("mild-spo2")
    desk.at(12).raise_("worse")
    assert desk.state("mild-spo2") == "active"


def test_a_shelved_alert_inhibits_nothing() -> None:
    desk = Desk(WORSE, MEDIUM).at(10)
    desk.raise_("worse")
    desk.at(12).raise_("mild-spo2")
    desk.shelve("worse")
    assert desk.state("mild-spo2") == "active"
    assert desk.book.is_inhibited("s1", "mild-spo2") is None


def test_a_suppressed_alert_inhibits_nothing() -> None:
    desk = Desk(rule("worst", inhibits=("worse",)), WORSE, MEDIUM).at(10)
    desk.raise_("worst")
    desk.raise_("worse")
    assert desk.state("worse") == "suppressed"
    desk.raise_("mild-spo2")
    assert desk.state("mild-spo2") == "active"


def test_a_suppressed_alert_that_clears_is_gone_and_cannot_be_acknowledged() -> None:
    desk = Desk(WORSE, MEDIUM).at(10)
    desk.raise_("worse")
    desk.raise_("mild-spo2")
    with pytest.raises(ConflictError):
        desk.acknowledge("mild-spo2")
    desk.at(12).clear("mild-spo2")
    desk.at(14).clear("worse")
    assert desk.state("mild-spo2") is None
    assert desk.reasons == ["first"]


def test_what_comes_up_at_once_is_suppressed_whatever_the_order() -> None:
    desk = Desk(WORSE, MEDIUM).at(10)
    breach = Breach(START, desk.now, "spo2", 70.0, False)
    desk.keep(desk.book.raised_together([("s1", MEDIUM, breach), ("s1", WORSE, breach)], desk.now))
    assert (desk.state("worse"), desk.state("mild-spo2")) == ("active", "suppressed")
    assert desk.reasons == ["first"]


# --- stays, flags, pauses, rules ----------------------------------------------------------------------

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


# --- told again ---------------------------------------------------------------------------------------


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
