"""Taking first and saying later, handing over, taking back. Minutes count from the start of the stay."""

from __future__ import annotations

import json

import pytest

from tests.alerts.desk import HIGH, MEDIUM, START, Desk, rule
from tests.alerts.ward_plan import plan as ward_plan
from ward.alerts.book import AlertBook
from ward.alerts.plan import Plans
from ward.errors import ConflictError, InvalidError, NotFoundError
from ward.signals import MINUTE

SLOW = rule("slow", "high", "rr")
PLAN = ward_plan()


def raised(*rules, plan=None) -> Desk:
    desk = Desk(*(rules or (HIGH,)), **({"plan": plan} if plan else {})).at(10)
    for one in rules or (HIGH,):
        desk.raise_(one.id)
    return desk


# --- first go, then say what it was -----------------------------------------------------------------


def test_taking_needs_no_assessment_and_it_can_be_given_later() -> None:
    desk = raised()
    desk.acknowledge("low-spo2", None)
    taken = desk.last("low-spo2")
    assert (taken.state, taken.acknowledged_by, taken.assessment) == ("acknowledged", "nina", None)
    desk.at(14).assess("low-spo2", "not-actionable", "turning")
    assert desk.events()[-1] == "assessed"
    later = desk.last("low-spo2")
    assert (later.state, later.assessment, later.note) == ("acknowledged", "not-actionable", "turning")
    assert later.acknowledged_at == taken.acknowledged_at


def test_what_it_was_can_be_said_when_it_is_over() -> None:
    desk = raised(MEDIUM)
    desk.at(12).clear("mild-spo2")
    desk.at(13).assess("mild-spo2", "artefact")
    over = desk.last("mild-spo2")
    assert (over.state, over.assessment) == ("closed", "artefact")
    assert desk.book.get(over.id) == over
    assert desk.events()[-1] == "episode-ended", "an artefact ends the episode, whenever it is said"
    desk.at(300)
    (change,) = desk.book.amend(over, "eva", "actionable", None, desk.now)
    assert change.alert is not None
    assert (change.alert.assessment, change.event.by) == ("actionable", "eva")


def test_nothing_can_be_said_of_what_was_not_raised() -> None:
    desk = Desk(HIGH).at(5)
    desk.keep(desk.book.shelve_pending("s1", HIGH, START, "nina", 5, "", desk.now))
    with pytest.raises(ConflictError):
        desk.assess("low-spo2", "artefact")
    with pytest.raises(InvalidError):
        desk.assess("low-spo2", "nonsense")
    with pytest.raises(InvalidError):
        desk.assess("low-spo2", None)
    with pytest.raises(NotFoundError):
        desk.book.amend("unheard of", "nina", "artefact", None, desk.now)


# --- handing over -----------------------------------------------------------------------------------


def test_a_colleague_has_it_from_then_on_and_confirms_by_taking_it() -> None:
    desk = raised()
    desk.acknowledge("low-spo2", "actionable")
    first = desk.last("low-spo2").acknowledged_at
    desk.at(12).hand_over("low-spo2")
    given = desk.last("low-spo2")
    assert (given.state, given.acknowledged_by, given.acknowledged_at) == ("acknowledged", "bo", first)
    assert (given.handed_over_by, given.handed_over_at) == ("nina", desk.now)
    desk.at(14).acknowledge("low-spo2", None, by="bo")
    has = desk.last("low-spo2")
    assert (has.acknowledged_by, has.handed_over_by, has.handed_over_at) == ("bo", None, None)
    assert has.assessment == "actionable", "what was said before stays said"
    desk.at(25)
    assert desk.state("low-spo2") == "acknowledged"


def test_what_nobody_confirms_is_active_again_and_told() -> None:
    desk = raised()
    desk.hand_over("low-spo2")
    desk.at(14)
    assert desk.state("low-spo2") == "acknowledged"
    desk.at(15)
    again = desk.last("low-spo2")
    assert (again.state, again.acknowledged_by, again.handed_over_by) == ("active", None, None)
    assert desk.events("low-spo2")[-2:] == ["handed-over", "hand-over-lapsed"]
    assert desk.reasons == ["first", "again"]


def test_nobody_is_waited_for_while_the_patient_is_away() -> None:
    desk = raised()
    desk.hand_over("low-spo2")
    desk.keep(desk.book.paused("s1", desk.now + 20 * MINUTE, "nina", desk.now))
    desk.at(34)
    assert desk.state("low-spo2") == "acknowledged"
    desk.at(36)
    assert desk.state("low-spo2") == "active"


def test_she_is_told_where_the_plan_can_reach_her() -> None:
    desk = raised(plan=PLAN)
    person = next(one for one in PLAN.people.values() if one.addresses)
    (change, *_) = desk.hand_over("low-spo2", person.id)
    assert change.alert is not None
    assert change.alert.acknowledged_by == person.name
    assert change.tell is not None
    assert {(one.person, one.channel) for one in change.tell.to} == {
        (person.id, channel) for channel in person.addresses
    }
    assert change.notify is None, "a colleague asked for it: no interruption by the service"
    with pytest.raises(InvalidError):
        desk.hand_over("low-spo2", person.id)


def test_what_is_returned_cannot_be_handed_over() -> None:
    desk = raised()
    desk.at(12).clear("low-spo2")
    with pytest.raises(ConflictError):
        desk.hand_over("low-spo2")
    with pytest.raises(InvalidError):
        raised().hand_over("low-spo2", to="nina")


# --- taking back ------------------------------------------------------------------------------------


def test_a_take_that_was_a_mistake_is_taken_back_and_escalation_goes_on() -> None:
    calm = raised(plan=PLAN)
    calm.at(40)
    desk = raised(plan=PLAN)
    desk.at(11).acknowledge("low-spo2")
    desk.at(12.5).undo("low-spo2")
    back = desk.last("low-spo2")
    assert (back.state, back.acknowledged_at, back.assessment) == ("active", None, None)
    desk.at(40)
    assert [tell.key for tell in desk.tells] == [tell.key for tell in calm.tells]
    assert desk.reasons == calm.reasons


def test_only_ones_own_act_and_only_for_a_while() -> None:
    desk = raised()
    desk.acknowledge("low-spo2")
    with pytest.raises(ConflictError, match="nothing of yours"):
        desk.undo("low-spo2", by="eva")
    desk.at(12.1)
    with pytest.raises(ConflictError, match="too late"):
        desk.undo("low-spo2")
    assert desk.state("low-spo2") == "acknowledged"


def test_nothing_is_undone_that_somebody_else_did_since() -> None:
    desk = raised()
    desk.acknowledge("low-spo2")
    desk.acknowledge("low-spo2", by="eva")
    with pytest.raises(ConflictError):
        desk.undo("low-spo2")
    desk.undo("low-spo2", by="eva")
    assert desk.last("low-spo2").acknowledged_by == "nina", "it is hers again"
    desk.acknowledge("low-spo2")
    desk.assess("low-spo2", "artefact", by="eva")
    with pytest.raises(ConflictError):
        desk.undo("low-spo2")


def test_a_returned_alert_that_was_taken_by_mistake_is_there_again() -> None:
    desk = raised()
    desk.at(20).clear("low-spo2")
    desk.acknowledge("low-spo2")
    assert desk.state("low-spo2") is None
    desk.at(21).undo("low-spo2")
    back = desk.alert("low-spo2")
    assert back is not None
    assert (back.state, back.closed_at, back.close_reason, back.acknowledged_by) == (
        "returned",
        None,
        None,
        None,
    )
    with pytest.raises(ConflictError):
        desk.undo("low-spo2")


def test_what_cleared_while_it_was_taken_comes_back_as_returned_if_it_is_high() -> None:
    desk = raised(HIGH, MEDIUM)
    for one in (HIGH, MEDIUM):
        desk.acknowledge(one.id)
        desk.clear(one.id)
    desk.undo("low-spo2")
    assert desk.state("low-spo2") == "returned"
    with pytest.raises(ConflictError):
        desk.undo("mild-spo2")
    assert desk.last("mild-spo2").state == "closed"
    assert desk.state("mild-spo2") is None


def test_a_new_alert_of_the_rule_keeps_the_old_one_closed() -> None:
    desk = raised()
    desk.at(20).clear("low-spo2")
    desk.acknowledge("low-spo2")
    old = desk.last("low-spo2").id
    desk.raise_("low-spo2", since=20)
    with pytest.raises(ConflictError, match="new alert"):
        desk.book.undo(old, "nina", desk.now)
    assert desk.state("low-spo2") == "active"


def test_shelving_is_taken_back_to_what_it_was() -> None:
    desk = raised(HIGH, SLOW)
    desk.acknowledge("slow")
    for one in (HIGH, SLOW):
        desk.shelve(one.id)
        desk.undo(one.id)
    assert (desk.state("low-spo2"), desk.state("slow")) == ("active", "acknowledged")
    assert desk.last("slow").acknowledged_by == "nina"
    assert desk.last("slow").shelved_until is None
    assert desk.reasons == ["first", "signal"], "nobody is interrupted for it anew"


def test_another_shelf_is_taken_back_to_the_one_before() -> None:
    desk = raised()
    desk.shelve("low-spo2", 1)
    until = desk.last("low-spo2").shelved_until
    desk.shelve("low-spo2", 60)
    desk.undo("low-spo2")
    assert desk.last("low-spo2").shelved_until == until
    desk.shelve("low-spo2", 60)
    desk.at(11.5).undo("low-spo2")
    assert desk.state("low-spo2") == "active", "the shelf before is over by now"


def test_what_came_up_under_the_shelf_is_told_when_that_is_taken_back() -> None:
    desk = Desk(HIGH).at(9.5)
    desk.keep(desk.book.shelve_pending("s1", HIGH, START, "nina", 5, "", desk.now))
    desk.at(10).raise_("low-spo2")
    assert desk.state("low-spo2") == "shelved"
    desk.undo("low-spo2")
    assert desk.state("low-spo2") == "active"
    assert desk.reasons == ["first"]


def test_a_hand_over_is_taken_back_until_she_confirmed() -> None:
    desk = raised()
    desk.acknowledge("low-spo2")
    desk.hand_over("low-spo2")
    desk.undo("low-spo2")
    assert (desk.last("low-spo2").acknowledged_by, desk.last("low-spo2").handed_over_by) == ("nina", None)
    desk.hand_over("low-spo2")
    desk.acknowledge("low-spo2", by="bo")
    with pytest.raises(ConflictError):
        desk.undo("low-spo2")


def test_an_ended_stay_keeps_what_was_taken() -> None:
    desk = raised()
    desk.acknowledge("low-spo2")
    desk.change(ended=True)
    with pytest.raises(ConflictError):
        desk.undo("low-spo2")


def test_a_flag_keeps_closed_what_it_closed() -> None:
    desk = Desk(rule("low-spo2", unless=("copd",))).at(10)
    desk.raise_("low-spo2")
    desk.acknowledge("low-spo2")
    desk.change(flags=frozenset({"copd"}))
    with pytest.raises(ConflictError):
        desk.undo("low-spo2")


def test_after_a_crash_it_can_still_be_taken_back() -> None:
    desk = raised(plan=PLAN)
    desk.acknowledge("low-spo2")
    data = json.loads(json.dumps(desk.book.dump()))
    desk.book = AlertBook(Plans(PLAN))
    desk.book.load(data)
    desk.undo("low-spo2")
    assert desk.state("low-spo2") == "active"
