"""Whom it interrupts and when: episodes, reminders, escalation; what inhibits what."""

from __future__ import annotations

import pytest

from tests.alerts.desk import HIGH, LOW, MEDIUM, START, WORSE, Desk, rule
from ward.alerts.plan import DEFAULT
from ward.alerts.track import Breach
from ward.errors import ConflictError


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
    desk = Desk(HIGH, plan=DEFAULT).at(10)
    desk.raise_("low-spo2")
    desk.at(15)
    assert desk.reasons == ["first", "escalation"]
    desk.acknowledge("low-spo2")
    assert desk.at(30).reasons == ["first", "escalation"]


# --- inhibition --------------------------------------------------------------------------------


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
