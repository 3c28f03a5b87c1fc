"""Who has a patient is told first of her alerts; where nobody has her, the next level is, at once."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.alerts.desk import HIGH, MEDIUM, START, Desk
from tests.alerts.ward_plan import clock
from ward.alerts import care
from ward.alerts.book import AlertBook
from ward.alerts.carers import Carer
from ward.alerts.model import StayState
from ward.alerts.plan import ASSIGNED, DASHBOARD, Level, Person, Plan, Plans, Route, Team
from ward.alerts.plan_file import PlanError, parse_plan
from ward.alerts.preview import journey, remarks
from ward.alerts.roster import Roster
from ward.signals import HOUR, MINUTE

ADA, BEN = "ada", "ben"
PEOPLE = {
    ADA: Person(ADA, "Ada Berg", {"pager": "4711"}),
    BEN: Person(BEN, "Ben Cole", {"pager": "4712"}),
}
FIRST = Level(0, (ASSIGNED,), (DASHBOARD, "pager"))
THEN = Level(2 * MINUTE, ("nurses",), ("pager",))
HER_FIRST = Plan(
    Roster("UTC"),
    people=PEOPLE,
    teams={"nurses": Team("nurses", "Nurses", (BEN,))},
    routes=(Route("physiological", frozenset(), (), (FIRST, THEN)),),
)


def carer(person: str = ADA, name: str = "Ada Berg", hours: float = 8, now: int = START) -> Carer:
    return Carer(person, name, now, now + round(hours * HOUR), "somebody")


class Shift(Desk):
    def __init__(self, given: Plan = HER_FIRST) -> None:
        super().__init__(HIGH, MEDIUM, plan=given)

    def has(self, who: Carer | None) -> Shift:
        ledger = self.book.ledger
        done = (
            care.assign(ledger, "s1", who, self.now) if who else care.unassign(ledger, "s1", self.now, "up")
        )
        self.keep(done)
        return self

    def raise_(self, rule=HIGH) -> Shift:
        since = self.now - 10 * MINUTE
        self.keep(self.book.raised("s1", rule, since, self.now, "spo2", 84.0, self.now))
        return self

    @property
    def heard(self) -> list[str]:
        return [one.key for tell in self.tells for one in tell.to]


def test_whoever_has_the_patient_is_told_first_and_the_others_when_she_does_not_take_it():
    desk = Shift().has(carer()).raise_()
    assert desk.heard == ["ada/dashboard", "ada/pager"]
    assert desk.tells[0].to[1].address == "4711"
    desk.at(3)
    assert desk.heard[2:] == ["ben/pager"]


def test_where_nobody_has_the_patient_the_next_level_is_told_at_once_and_the_log_says_so():
    desk = Shift().raise_()
    assert desk.heard == ["ben/pager"]
    assert desk.tells[0].missed == (0,)
    assert any(c.event.detail.get("nobody_on_duty") == [0] for c in desk.log)


def test_somebody_whom_the_plan_does_not_know_is_told_on_the_dashboards_only():
    assert Shift().has(carer("Eva Lind", "Eva Lind")).raise_().heard == ["Eva Lind/dashboard"]


def test_and_is_passed_over_where_the_level_has_no_dashboard():
    only_pager = replace(FIRST, channels=("pager",))
    given = replace(HER_FIRST, routes=(Route("physiological", frozenset(), (), (only_pager, THEN)),))
    assert Shift(given).has(carer("Eva Lind", "Eva Lind")).raise_().heard == ["ben/pager"]


def test_whoever_takes_a_patient_over_hears_once_of_what_nobody_took():
    desk = Shift().has(carer()).raise_().raise_(MEDIUM)
    before = len(desk.heard)
    desk.has(carer(BEN, "Ben Cole"))
    assert desk.heard[before:] == ["ben/dashboard", "ben/pager"]
    desk.has(carer(BEN, "Ben Cole"))
    assert len(desk.heard) == before + 2


def test_what_is_taken_is_not_told_again_at_a_handover():
    desk = Shift().has(carer()).raise_()
    desk.keep(desk.book.acknowledge(desk.book.open_alert("s1", HIGH.id).id, "ada", "actionable", desk.now))
    before = len(desk.heard)
    desk.has(carer(BEN, "Ben Cole"))
    assert len(desk.heard) == before


def test_nobody_is_told_of_a_patient_who_is_away():
    desk = Shift().raise_()
    before = len(desk.heard)
    desk.keep(desk.book.paused("s1", desk.now + HOUR, "ada", desk.now))
    desk.has(carer())
    assert len(desk.heard) == before


def test_it_ends_with_the_shift_by_the_clock_and_everybody_can_see_that_nobody_has_the_patient():
    desk = Shift().has(carer(hours=1))
    desk.at(59)
    assert desk.book.ledger.escalation.carers.of("s1").name == "Ada Berg"
    desk.at(60)
    carers = desk.book.ledger.escalation.carers
    assert carers.of("s1") is None
    assert carers.before("s1", desk.now).name == "Ada Berg"
    assert desk.events()[-1] == "unassigned"
    assert desk.log[-1].event.detail["reason"] == care.SHIFT_OVER


def test_it_ends_with_the_stay_and_when_the_patient_leaves_the_ward_but_not_with_another_bed():
    desk = Shift().has(carer())
    carers = desk.book.ledger.escalation.carers
    desk.keep(desk.book.stay_changed(replace(desk.stay, bed="9"), None, desk.now))
    assert carers.of("s1") is not None
    desk.keep(desk.book.stay_changed(replace(desk.stay, ward="other"), None, desk.now))
    assert carers.of("s1") is None
    desk.has(carer())
    desk.keep(desk.book.stay_changed(replace(desk.stay, ended=True), None, desk.now))
    assert carers.of("s1") is None
    assert [c.event.detail["reason"] for c in desk.log if c.event.kind == "unassigned"] == [
        care.MOVED,
        care.STAY_OVER,
    ]


def test_a_book_that_was_put_away_knows_who_has_whom():
    desk = Shift().has(carer())
    other = AlertBook(Plans(HER_FIRST))
    other.load(json.loads(json.dumps(desk.book.dump())))
    assert other.ledger.escalation.carers.of("s1") == carer()
    desk.has(None)
    other.load(json.loads(json.dumps(desk.book.dump())))
    assert other.ledger.escalation.carers.of("s1") is None
    assert other.ledger.escalation.carers.before("s1", desk.now).reason == "up"


def test_a_dump_of_before_there_were_carers_is_read():
    old = [{k: v for k, v in item.items() if k not in ("carer", "had")} for item in Shift().book.dump()]
    book = AlertBook(Plans(HER_FIRST))
    book.load(old)
    assert book.ledger.escalation.carers.of("s1") is None


# --- the plan -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("person", "at", "until"),
    [
        ("ada", "07:00", "14:30"),  # in her shift
        ("ada", "06:00", "14:30"),  # half an hour before it
        ("a stranger", "13:00", "14:30"),  # the shift that runs
        ("a stranger", "14:00", "22:30"),  # the one that is about to begin
    ],
)
def test_a_patient_is_hers_until_her_shift_ends(person, at, until):
    times = {"early": ("06:30", "14:30"), "late": ("14:30", "22:30"), "night": ("22:30", "06:30")}
    made = parse_plan(
        {
            "timezone": "Europe/Zurich",
            "person": [{"id": "ada"}],
            "team": [{"id": "nurses", "people": ["ada"]}],
            "shift": [{"id": name, "from": start, "to": end} for name, (start, end) in times.items()],
            "roster": [{"team": "nurses", "shift": "early", "people": ["ada"]}],
        }
    )
    day = "2026-11-25"
    assert made.shift_end(person, clock(at, day)) == clock(until, day)


def test_without_shifts_it_ends_all_the_same():
    assert Plan(Roster("UTC")).shift_end("ada", START) == START + 16 * HOUR


def test_a_plan_may_tell_assigned_and_nobody_may_be_called_so():
    fields = {
        "timezone": "UTC",
        "route": [{"level": [{"tell": ["assigned"]}, {"after": "2m", "tell": ["everybody"]}]}],
    }
    made = parse_plan(fields)
    (step, *_) = journey(made, "physiological", "high", "", START)
    assert [one.name for one in step.to] == ["whoever has the patient"]
    assert not remarks(made)
    with pytest.raises(PlanError, match="reserved"):
        parse_plan(fields | {"person": [{"id": "assigned"}]})


def test_a_way_that_tells_nobody_else_is_remarked_on():
    made = parse_plan({"timezone": "UTC", "route": [{"level": [{"tell": ["assigned"]}]}]})
    assert remarks(made) == ["route 1: tells nobody but whoever has the patient; else the dashboards"]


# --- whatever happens -----------------------------------------------------------------------------

ACTS = st.lists(
    st.tuples(st.sampled_from(["ada", "ben", "eva", "up", "move", "raise", "pause"]), st.integers(0, 90)),
    max_size=12,
)


@given(ACTS)
def test_whatever_happens_the_log_alone_says_who_has_the_patient_and_no_alert_is_told_to_nobody(acts):
    desk = Shift()
    minute = 0.0
    for act, wait in acts:
        minute += wait
        desk.at(minute)
        if act in ("ada", "ben", "eva"):
            desk.has(carer(act, act.title(), hours=1, now=desk.now))
        elif act == "up":
            desk.has(None)
        elif act == "move":
            ward = "other" if desk.stay.ward == "icu" else "icu"
            desk.stay = replace(desk.stay, ward=ward)
            desk.keep(desk.book.stay_changed(desk.stay, None, desk.now))
        elif act == "raise":
            desk.raise_()
        else:
            desk.keep(desk.book.paused("s1", desk.now + 10 * MINUTE, "ada", desk.now))
    told = [c.event for c in desk.log if c.event.kind in ("assigned", "unassigned")]
    assert all(a.at <= b.at for a, b in pairwise(told))
    last = told[-1] if told else None
    now = desk.book.ledger.escalation.carers.of("s1")
    assert (now.person if now else None) == (
        last.detail["person"] if last is not None and last.kind == "assigned" else None
    )
    assert now is None or now.until > desk.now
    assert all(tell.to for tell in desk.tells)


def test_a_stay_that_is_forgotten_leaves_no_carer():
    desk = Shift().has(carer())
    desk.book.forget("s1")
    assert desk.book.ledger.escalation.carers.of("s1") is None
    assert isinstance(desk.stay, StayState)
