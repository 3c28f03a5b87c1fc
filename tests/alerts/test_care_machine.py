"""Random nights on a ward with two patients: whatever happens, in whatever order, whoever the plan names is
told in time and once; and a book that is restarted all the time does what one that never was does."""

from __future__ import annotations

import json
from collections import Counter

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.alerts.desk import rule as make
from tests.alerts.ward_plan import clock, plan
from ward.alerts.book import AlertBook
from ward.alerts.model import ASSESSMENTS, Change, StayState
from ward.alerts.plan import Plans, time_outside
from ward.errors import ConflictError
from ward.signals import MINUTE, SECOND

RULES = {
    r.id: r
    for r in (
        make("low", "high", inhibits=("mild",)),
        make("lower", "high"),
        make("fast", "high", "hr"),
        make("mild", "medium"),
        make("slight", "low", "rr"),
        make("measure-again", "medium", kind="technical"),
        make("device-lost", "medium", kind="technical"),
    )
}
# Most of what can go wrong is between two high alerts of one patient.
IDS = st.sampled_from(["low", "lower"] * 4 + sorted(RULES))
STAYS = st.sampled_from(["s1"] * 5 + ["s2"])
PLAN = plan(
    # The late shift has nobody on the floor: its alerts begin with the charge nurse.
    roster=[{"team": "nurses", "shift": s, "people": p} for s, p in (("early", ["ben"]), ("night", ["ada"]))]
)
CHARGE, DOCTOR = "cleo/phone", "doc/pager"
DUE = ((2 * MINUTE, CHARGE), (5 * MINUTE, DOCTOR))


def fresh() -> AlertBook:
    return AlertBook(Plans(PLAN))


class Nights(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.book, self.twin = fresh(), fresh()
        self.now = clock("20:00")
        self.log: list[Change] = []
        self.breach: dict[tuple[str, str], int] = {}
        self.streak: dict[str, int] = {}
        """since when each stay has had, without a break, a high alert that nobody has taken"""

    @initialize()
    def admit(self) -> None:
        for stay in ("s1", "s2"):
            self.both("stay_changed", StayState(stay, "6A", stay), None, self.now)

    def both(self, what: str, *given: object) -> None:
        """The same to both books, which answer alike."""
        told = []
        for book in (self.book, self.twin):
            try:
                told.append(getattr(book, what)(*given))
            except ConflictError as error:
                told.append([str(error)])
        # Loaded again, a book goes through its alerts in another order; what it does is the same.
        assert sorted(told[0], key=repr) == sorted(told[1], key=repr)
        self.log += [change for change in told[0] if isinstance(change, Change)]
        for stay in ("s1", "s2"):
            if any(a.state == "active" and a.priority == "high" for a in self.book.open_alerts(stay)):
                self.streak.setdefault(stay, self.now)
            else:
                self.streak.pop(stay, None)

    @rule(stay=STAYS, rule_id=IDS)
    def sustain(self, stay: str, rule_id: str) -> None:
        if (stay, rule_id) not in self.breach:
            self.pass_time(1)
            self.breach[stay, rule_id] = self.now
            self.both("raised", stay, RULES[rule_id], self.now, self.now, "x", 1.0, self.now)

    @rule(stay=STAYS, rule_id=IDS)
    def clear(self, stay: str, rule_id: str) -> None:
        since = self.breach.pop((stay, rule_id), None)
        if since is not None:
            self.both("cleared", stay, rule_id, since, self.now, self.now)

    @rule(seconds=st.sampled_from([1, 60, 120, 300, 300, 601, 1900, 3 * 3600]))
    def wait(self, seconds: int) -> None:
        self.pass_time(seconds * SECOND)

    def pass_time(self, ms: int) -> None:
        self.now += ms
        self.both("tick", self.now)

    @rule(stay=STAYS, rule_id=IDS, assessment=st.sampled_from(ASSESSMENTS))
    def take(self, stay: str, rule_id: str, assessment: str) -> None:
        self.pass_time(1)
        if alert := self.book.open_alert(stay, rule_id):
            self.both("acknowledge", alert.id, "ada", assessment, self.now)

    @rule(stay=STAYS, rule_id=IDS, minutes=st.integers(1, 60))
    def shelve(self, stay: str, rule_id: str, minutes: int) -> None:
        self.pass_time(1)
        if alert := self.book.open_alert(stay, rule_id):
            self.both("shelve", alert.id, "ada", minutes, "", self.now)

    @rule(stay=STAYS, minutes=st.integers(0, 30))
    def pause(self, stay: str, minutes: int) -> None:
        self.pass_time(1)
        self.both("paused", stay, self.now + minutes * MINUTE if minutes else None, "ada", self.now)

    @rule(
        stay=STAYS,
        rule_id=IDS,
        who=st.sampled_from(["ada/phone", "ben/phone", CHARGE, DOCTOR]),
        level=st.integers(0, 2),
    )
    def fail(self, stay: str, rule_id: str, who: str, level: int) -> None:
        if alert := self.book.open_alert(stay, rule_id):
            self.both("not_delivered", alert.id, *who.split("/"), level, "no answer", self.now)
            before = len(self.log)
            self.both("not_delivered", alert.id, *who.split("/"), level, "no answer", self.now)
            assert len(self.log) == before, "said twice, it is one failure"

    @rule()
    def restart(self) -> None:
        kept = json.loads(json.dumps(self.book.dump()))
        self.book = fresh()
        self.book.load(kept)

    @rule()
    def tick_again(self) -> None:
        self.both("tick", self.now)
        before = len(self.log)
        self.both("tick", self.now)
        assert len(self.log) == before

    # --- what must hold -----------------------------------------------------------------------------

    def told(self) -> list[tuple[Change, str]]:
        return [(c, one.key) for c in self.log if c.tell for one in c.tell.to]

    @invariant()
    def who_is_told_is_somebody(self) -> None:
        """Also where a level has nobody on duty, and always where a nurse is to be interrupted."""
        for change in self.log:
            assert change.tell is None or change.tell.to
            assert change.notify is None or change.tell is not None

    @invariant()
    def nobody_is_told_twice_with_the_same_key(self) -> None:
        keys = Counter((c.tell.key, who) for c, who in self.told() if c.tell)
        assert not [key for key, times in keys.items() if times > 1]

    @invariant()
    def the_beginning_is_told_once_per_episode_priority_and_person(self) -> None:
        """A further high alert on another signal is 'signal', one that came back is 'again'."""
        begun = Counter(
            (c.alert.episode, c.alert.priority, who)
            for c, who in self.told()
            if c.alert and c.tell and c.tell.reason in ("first", "priority")
        )
        assert not [key for key, times in begun.items() if times > 1]

    @invariant()
    def whoever_the_plan_names_is_told_of_a_high_alert_in_time(self) -> None:
        self.both("tick", self.now)
        for alert in self.book.open_alerts():
            track = self.book.ledger.tracks[alert.stay][alert.rule]
            if (alert.state, alert.priority) != ("active", "high") or self.book.is_paused(alert.stay):
                continue
            assert track.active_at is not None
            since = self.streak[alert.stay]
            heard = {who for c, who in self.told() if c.event.stay == alert.stay and c.event.at >= since}
            waited = time_outside(track.away, track.active_at, self.now)
            for wait, who in DUE:
                assert waited < wait or who in heard, (alert.rule, who)

    @invariant()
    def no_level_is_told_before_its_time_unless_somebody_could_not_be_told_or_nobody_was_there(self) -> None:
        for change, _ in self.told():
            if change.tell and change.tell.reason == "escalation":
                assert change.alert is not None
                begun = int(change.tell.key.split("/")[2])
                after = PLAN.route(change.alert.kind, change.alert.priority, change.alert.rule).levels
                first = min((*change.tell.missed, change.tell.level))
                assert change.event.at - begun >= after[first].after

    @invariant()
    def nothing_low_is_carried_on_in_quiet_hours(self) -> None:
        for change, _ in self.told():
            assert change.alert is not None
            if change.alert.priority == "low" and change.tell and change.tell.reason == "escalation":
                assert PLAN.quiet_until("low", change.event.at) is None

    @invariant()
    def both_books_are_alike(self) -> None:
        assert self.book.dump() == self.twin.dump()

    @invariant()
    def an_episode_is_resolved_once_and_with_nothing_open(self) -> None:
        over = [change.resolved for change in self.log if change.resolved]
        assert len(over) == len(set(over))
        gone = {change.resolved for change in self.log if change.resolved}
        assert not [alert for alert in self.book.open_alerts() if alert.episode in gone]


Nights.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestNights = Nights.TestCase
