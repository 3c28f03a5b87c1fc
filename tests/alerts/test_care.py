"""Carrying an alert to a person: nights on ward 6A, told minute by minute."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.alerts.desk import rule
from tests.alerts.ward_plan import NIGHT, clock, plan
from ward.alerts.book import AlertBook
from ward.alerts.model import Change, StayState
from ward.alerts.plan import Plan, Plans
from ward.alerts.roster import Roster
from ward.alerts.technical import rule_for
from ward.scoring.rules import Rule
from ward.signals import SECOND

HIGH = rule("low-spo2")
HIGH_HR = rule("high-hr", signal="hr")
ALSO_HIGH = rule("lower-spo2")
MEDIUM = rule("mild-spo2", "medium")
LOW = rule("slight-spo2", "low")


class Night:
    """A ward in the hand of the test: each tick of its clock is a second."""

    def __init__(self, given: Plan | None = None, day: str = NIGHT, start: str = "21:00") -> None:
        self.day = day
        self.book = AlertBook(Plans(given or plan()))
        self.now = clock(start, day)
        self.log: list[Change] = []
        self.keep(self.book.stay_changed(StayState("s1", "6A", "4"), None, self.now))

    def keep(self, changes: list[Change]) -> None:
        self.log += changes

    def until(self, time: str) -> Night:
        target = clock(time, self.day)
        while self.now < target:
            self.now = min(self.now + SECOND, target)
            self.keep(self.book.tick(self.now))
        return self

    def raised(self, given: Rule, stay: str = "s1") -> Night:
        self.keep(self.book.raised(stay, given, self.now - 600_000, self.now, "spo2", 84.0, self.now))
        return self

    def cleared(self, given: Rule) -> Night:
        since = self.alert(given).breach_since
        self.keep(self.book.cleared("s1", given.id, since, self.now, self.now))
        return self

    def alert(self, given: Rule) -> Any:
        return self.book.open_alert("s1", given.id)

    def taken(self, given: Rule, assessment: str = "actionable") -> Night:
        self.keep(self.book.acknowledge(self.alert(given).id, "ada", assessment, self.now))
        return self

    def failed(self, given: Rule, person: str, channel: str, level: int) -> Night:
        found = self.alert(given)
        self.keep(self.book.not_delivered(found.id, person, channel, level, "no answer", self.now))
        return self

    @property
    def told(self) -> list[str]:
        """'03:02:00 escalation cleo/phone', in order."""
        found = []
        for change in self.log:
            if change.tell is None:
                continue
            seconds = (change.event.at - clock("00:00", self.day)) // SECOND
            when = f"{seconds // 3600:02}:{seconds // 60 % 60:02}" + (
                f":{seconds % 60:02}" if seconds % 60 else ""
            )
            found += [f"{when} {change.tell.reason} {one.key}" for one in change.tell.to]
        return found

    def since(self, count: int) -> list[str]:
        return self.told[count:]


def test_at_night_who_is_on_duty_then_the_charge_nurse_then_the_doctor() -> None:
    night = Night(start="27:00").raised(HIGH)
    assert night.told == ["27:00 first ada/dashboard", "27:00 first ada/phone"]
    night.until("27:25")
    assert night.since(2) == [
        "27:02 escalation cleo/phone",
        "27:05 escalation doc/pager",
        "27:10 reminder ada/dashboard",
        "27:10 reminder ada/phone",
        "27:10 reminder cleo/phone",
        "27:10 reminder doc/pager",
        "27:20 reminder ada/dashboard",
        "27:20 reminder ada/phone",
        "27:20 reminder cleo/phone",
        "27:20 reminder doc/pager",
    ]
    assert len(night.until("28:30").told) == 12, "as many reminders as the plan says, not for ever"


def test_who_takes_it_ends_the_calling() -> None:
    night = Night(start="27:00").raised(HIGH).until("27:03").taken(HIGH).until("27:20")
    assert night.since(2) == ["27:02 escalation cleo/phone"]


def test_addresses_and_names_come_with_the_person() -> None:
    night = Night(start="27:00").raised(HIGH).until("27:05")
    doctor = [one for change in night.log if change.tell for one in change.tell.to][-1]
    assert (doctor.person, doctor.name, doctor.channel, doctor.address) == (
        "doc",
        "Doctor on call",
        "pager",
        "911",
    )


def test_the_shift_that_has_begun_is_told_of_what_the_last_one_left() -> None:
    night = Night(start="30:28").raised(HIGH).until("30:38")
    assert night.told[:2] == ["30:28 first ada/dashboard", "30:28 first ada/phone"]
    assert "30:38 reminder ben/phone" in night.told, "the early shift is on duty by now"
    assert "30:38 reminder ada/phone" not in night.told


def test_technical_alerts_go_to_whom_the_ward_names() -> None:
    night = Night(start="27:00")
    night.raised(rule_for("device-lost", "mon-1"))
    assert night.told == ["27:00 first tom/mail"]
    night.raised(rule_for("no-valid-reading"))
    assert night.since(1) == ["27:00 first everybody/dashboard"], "named nowhere: the dashboards"


def test_in_one_episode_everybody_hears_once_also_where_the_ways_differ() -> None:
    night = Night(start="27:00")
    night.raised(rule_for("device-lost", "mon-1")).raised(rule_for("measure-again", "low-spo2"))
    assert night.told == ["27:00 first tom/mail", "27:00 first ada/phone"]
    night.raised(rule_for("device-lost", "mon-2")).raised(rule_for("measure-again", "high-hr"))
    assert len(night.told) == 2


def test_once_per_episode_and_priority_for_a_person() -> None:
    night = Night(start="27:00").raised(MEDIUM).raised(rule("other", "medium", "rr"))
    assert night.told == ["27:00 first ada/phone"]
    night.raised(HIGH)
    assert night.since(1) == ["27:00 priority ada/dashboard", "27:00 priority ada/phone"]
    night.raised(ALSO_HIGH)
    assert len(night.told) == 3, "high again, on the same signal"
    night.raised(HIGH_HR)
    assert night.since(3) == ["27:00 signal ada/dashboard", "27:00 signal ada/phone"]


def test_two_alerts_of_a_patient_that_go_the_same_way_are_carried_on_once() -> None:
    night = Night(start="27:00").raised(HIGH).until("27:01").raised(ALSO_HIGH).until("27:07")
    assert night.since(2) == ["27:02 escalation cleo/phone", "27:05 escalation doc/pager"]


def test_one_taken_the_other_not_is_carried_on() -> None:
    night = Night(start="27:00").raised(HIGH).until("27:01").raised(ALSO_HIGH)
    night.taken(HIGH).until("27:07")
    assert night.since(2) == ["27:03 escalation cleo/phone", "27:06 escalation doc/pager"]


def test_a_low_alert_waits_for_the_morning_and_a_high_one_never() -> None:
    found = plan()
    assert found.quiet_until("low", clock("27:00")) == clock("30:00")
    assert found.quiet_until("high", clock("27:00")) is None
    assert found.quiet_until("medium", clock("27:00")) is None
    assert found.quiet_until("low", clock("30:00")) is None
    assert found.quiet_until("low", clock("21:59:59")) is None
    assert found.quiet_until("low", clock("22:00")) == clock("30:00")


def test_in_quiet_hours_nothing_low_is_carried_on_and_the_wait_begins_anew() -> None:
    night = Night(start="21:50").raised(LOW).until("30:20")
    assert night.told == ["21:50 first ben/phone", "30:15 escalation cleo/phone"]


def test_a_low_alert_of_the_night_is_for_who_is_on_duty_in_the_morning() -> None:
    late = [{"team": "nurses", "shift": s, "people": [p]} for s, p in (("early", "ben"), ("night", "ada"))]
    quiet = {"from": "22:00", "to": "07:00"}
    night = Night(plan(roster=late, quiet=quiet), start="27:00").raised(LOW)
    assert night.told == ["27:00 first ben/phone"], "told at 07:00, when Ben is there"


def test_a_hole_in_the_roster_goes_to_the_next_level_at_once_and_says_so() -> None:
    night = Night(plan(roster=[{"team": "nurses", "shift": "early", "people": ["ben"]}]), start="27:00")
    night.raised(HIGH)
    assert night.told == ["27:00 first cleo/phone"]
    assert night.log[-1].event.detail["nobody_on_duty"] == [0]
    assert night.until("27:06").since(1) == ["27:05 escalation doc/pager"], "the charge nurse only once"


def test_where_nobody_at_all_is_on_duty_the_dashboards_are_told() -> None:
    ways = [{"level": [{"tell": ["nurses"], "channels": ["phone"]}, {"after": "2m", "tell": ["nurses"]}]}]
    nobody = [{"team": "nurses", "shift": "early", "people": []}]
    night = Night(plan(roster=nobody, route=ways), start="27:00").raised(HIGH)
    assert night.told == ["27:00 first everybody/dashboard"]
    assert night.log[-1].event.detail["nobody_on_duty"] == [0, 1]
    assert night.until("27:12").since(1) == ["27:10 reminder everybody/dashboard"]


def test_somebody_who_cannot_be_told_has_the_next_level_told_at_once() -> None:
    night = Night(start="27:00").raised(HIGH).until("27:00:40").failed(HIGH, "ada", "phone", 0)
    assert night.since(2) == ["27:00:40 undelivered cleo/phone"]
    found = night.alert(HIGH)
    assert [(one.person, one.channel) for one in found.undelivered] == [("ada", "phone")]
    assert night.log[-1].event.kind == "not-delivered"
    assert night.log[-1].event.detail["error"] == "no answer"
    # The same again, and another of that level: seen, and nobody is called twice for it.
    before = len(night.log)
    night.failed(HIGH, "ada", "phone", 0)
    assert len(night.log) == before
    night.failed(HIGH, "ada", "dashboard", 0)
    assert [one.channel for one in night.alert(HIGH).undelivered] == ["phone", "dashboard"]
    assert night.until("27:06").since(3) == ["27:05 escalation doc/pager"]


def test_after_the_last_level_it_is_the_dashboards() -> None:
    night = Night(start="27:00").raised(HIGH).until("27:05").failed(HIGH, "doc", "pager", 2)
    assert night.told[-1] == "27:05 undelivered everybody/dashboard"
    before = night.told
    assert night.failed(HIGH, "doc", "pager", 2).told == before


def test_nobody_is_called_for_an_alert_that_somebody_has_taken_or_that_is_over() -> None:
    night = Night(start="27:00").raised(HIGH).taken(HIGH).failed(HIGH, "ada", "phone", 0)
    assert len(night.told) == 2
    assert night.alert(HIGH).undelivered, "it is seen all the same"
    gone = night.alert(HIGH).id
    night.cleared(HIGH)
    assert night.book.not_delivered(gone, "cleo", "phone", 1, "no answer", night.now) == []


def test_who_could_not_be_told_is_forgotten_when_it_is_told_anew() -> None:
    night = Night(start="27:00").raised(HIGH).failed(HIGH, "ada", "phone", 0).until("27:03")
    night.cleared(HIGH).until("27:20")
    assert night.alert(HIGH).state == "returned"
    assert night.alert(HIGH).undelivered
    night.raised(HIGH)
    assert night.alert(HIGH).undelivered == ()
    assert night.until("27:22").told[-3:] == [
        "27:20 again ada/dashboard",
        "27:20 again ada/phone",
        "27:22 escalation cleo/phone",
    ]


def test_it_is_resolved_when_the_episode_is_over_and_nothing_of_it_is_open() -> None:
    night = Night(start="27:00").raised(HIGH).until("27:04").taken(HIGH).until("27:10").cleared(HIGH)
    assert not [change for change in night.log if change.resolved]
    night.until("27:41")
    assert [(c.event.kind, c.event.at) for c in night.log if c.resolved] == [
        ("episode-ended", clock("27:40"))
    ]


def test_an_episode_that_ends_with_an_open_alert_is_resolved_when_that_closes() -> None:
    night = Night(start="27:00").raised(HIGH).taken(HIGH, "artefact")
    assert not [change for change in night.log if change.resolved], "it is still in breach"
    night.until("27:10").cleared(HIGH)
    assert [c.event.kind for c in night.log if c.resolved] == ["cleared"]
    assert [c.resolved for c in night.log if c.resolved] == [night.log[-1].alert.episode]


def test_a_paused_stay_calls_nobody_and_its_pause_counts_as_no_waiting() -> None:
    night = Night(start="27:00").raised(HIGH).until("27:01")
    night.keep(night.book.paused("s1", clock("27:30"), "ada", night.now))
    assert len(night.until("27:29").told) == 2
    night.keep(night.book.readings_returned("s1", night.now))
    assert night.until("27:33").since(2) == ["27:30 escalation cleo/phone", "27:33 escalation doc/pager"]


def test_a_pause_that_begins_anew_while_it_lasts_counts_once() -> None:
    night = Night(start="27:00").raised(HIGH).until("27:01")
    for until in ("27:10", "27:20"):
        night.keep(night.book.paused("s1", clock(until), "ada", night.now))
        night.until("27:05")
    assert night.until("27:20").since(2) == []
    assert night.until("27:21").since(2) == ["27:21 escalation cleo/phone"]


def test_who_took_an_alert_is_not_reminded_for_the_time_of_a_pause() -> None:
    night = Night(start="27:00").raised(HIGH).taken(HIGH).until("27:10")
    night.keep(night.book.paused("s1", clock("27:50"), "ada", night.now))
    assert night.until("28:09").since(2) == []
    assert night.until("28:10").since(2)[0] == "28:10 reminder ada/dashboard"


class Failing(Roster):
    """A plan that was taken and cannot be followed."""

    def on_duty(self, team: str, now: int) -> tuple[str, ...] | None:
        raise LookupError(f"{team} at {now}: a patient's name may stand here")


def test_a_plan_that_cannot_be_followed_costs_no_ward_an_alert() -> None:
    night = Night(start="27:00")
    night.keep(night.book.stay_changed(StayState("s9", "9C", "1"), None, night.now))
    night.book.plans.put("9C", replace(plan(), roster=Failing("UTC")))
    night.raised(HIGH, "s9").raised(HIGH)
    assert night.told == [
        "27:00 first everybody/dashboard",
        "27:00 first ada/dashboard",
        "27:00 first ada/phone",
    ]
    assert night.book.plans.failed == {"9C": "LookupError"}
    assert "27:05 escalation everybody/dashboard" in night.until("27:05").told, "by the built-in plan"
    assert "27:02 escalation cleo/phone" in night.told
    night.book.plans.put("9C", plan())
    assert not night.book.plans.failed
    assert night.book.plans.of("9C") == plan()


def test_a_plan_that_fails_between_two_levels_loses_neither() -> None:
    night = Night(start="27:00").raised(HIGH).until("27:01")
    night.book.plans.default = replace(plan(), roster=Failing("UTC"))
    assert night.until("27:05").since(2) == ["27:05 escalation everybody/dashboard"]
    assert night.book.plans.failed == {"6A": "LookupError"}


def test_an_alert_raised_in_a_pause_is_carried_on_from_when_it_is_told() -> None:
    night = Night(start="27:00")
    night.keep(night.book.paused("s1", clock("28:00"), "ada", night.now))
    assert night.until("27:10").raised(HIGH).until("27:20").told == []
    night.keep(night.book.readings_returned("s1", night.now))
    assert night.until("27:23").told == [
        "27:20 first ada/dashboard",
        "27:20 first ada/phone",
        "27:22 escalation cleo/phone",
    ]


def test_the_ward_a_patient_comes_to_is_told_of_what_is_active() -> None:
    there = plan(route=[{"level": [{"tell": ["doc"], "channels": ["pager"]}]}])
    night = Night(start="27:00").raised(HIGH).until("27:01")
    night.book.plans.put("9C", there)
    night.keep(night.book.stay_changed(StayState("s1", "9C", "1"), None, night.now))
    assert night.since(2) == ["27:01 again doc/pager"]
    night.keep(night.book.stay_changed(StayState("s1", "9C", "2"), None, night.now))
    assert len(night.told) == 3, "another bed is not another ward"


def test_what_was_missed_while_the_service_was_away_is_told_level_by_level() -> None:
    night = Night(start="27:00").raised(HIGH)
    night.now = clock("27:09")
    night.keep(night.book.tick(night.now))
    assert night.since(2) == ["27:09 escalation cleo/phone", "27:09 escalation doc/pager"]


@pytest.mark.parametrize(
    ("day", "from_", "hours"), [("2026-03-28", "25:00", 7.5 - 1), ("2026-10-24", "25:00", 7.5 + 1)]
)
def test_the_night_in_which_the_clocks_change(day: str, from_: str, hours: float) -> None:
    """The night shift is an hour shorter, or longer; nobody is forgotten, and waits are true time."""
    found = plan()
    shift = found.roster.shifts["night"]
    start, end = next((s, e) for one, _, s, e in found.roster.running(clock(from_, day)) if one is shift)
    assert (end - start) / 3_600_000 == hours + 0.5
    assert found.roster.holes("nurses", clock("12:00", day), clock("36:00", day)) == []
    at = start
    while at < end:
        assert found.on_duty("nurses", at) == ("ada",)
        at += 10 * 60 * SECOND
    assert found.on_duty("nurses", end) == ("ben",)
    assert found.on_duty("nurses", start - 1) == ("ben",)
    night = Night(day=day, start=from_).raised(HIGH)
    begun = night.now
    while night.now < begun + 150 * 60 * SECOND:
        night.now += SECOND
        night.keep(night.book.tick(night.now))
    waits = [(c.event.at - begun) // 60_000 for c in night.log if c.tell]
    assert waits == [0, 2, 5, 10, 20]


def test_a_restart_at_any_moment_changes_nothing() -> None:
    def life(restarts: set[int]) -> list[tuple[int, str, str]]:
        night = Night(start="27:00").raised(HIGH)
        for second in range(0, 1300, 20):
            night.until(f"27:{second // 60:02}:{second % 60:02}")
            if second == 60:
                night.raised(ALSO_HIGH)
            if second == 200:
                night.failed(HIGH, "cleo", "phone", 1)
            if second in restarts:
                kept = json.loads(json.dumps(night.book.dump()))
                night.book = AlertBook(Plans(plan()))
                night.book.load(kept)
        return [(c.event.at, c.tell.key, one.key) for c in night.log if c.tell for one in c.tell.to]

    undisturbed = life(set())
    assert len(undisturbed) == len(set(undisturbed)) > 8
    assert life(set(range(0, 1300, 20))) == undisturbed
