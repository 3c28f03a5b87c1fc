"""The life of an alert, told as it happens at a bedside. Minutes count from the start of the stay."""

from __future__ import annotations

import pytest

from tests.alerts.desk import HIGH, LOW, MEDIUM, START, Desk
from ward.alerts.model import alert_id
from ward.errors import ConflictError, InvalidError, NotFoundError
from ward.signals import MINUTE


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


# --- people --------------------------------------------------------------------------------


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
    promised = desk.book.pending_id("s1", "low-spo2", START)
    assert promised != alert_id("s1", "low-spo2", START) == desk.last("low-spo2").id
    desk.raise_("low-spo2", since=0)
    assert desk.state("low-spo2") == "active"
    assert desk.last("low-spo2").id == promised


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
