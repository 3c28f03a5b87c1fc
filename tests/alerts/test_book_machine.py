"""Random lives of one stay, against a model that is only facts: what is in breach, flagged, paused.

The model knows nothing of states. What must hold whatever happens, in whatever order, is checked
after every step; every step may also be told twice, or be followed by a crash.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.alerts.desk import CALM, START
from tests.alerts.desk import rule as make
from ward.alerts.book import AlertBook
from ward.alerts.escalation import CONFIRM
from ward.alerts.model import ASSESSMENTS, RANK, Alert, Change, StayState
from ward.alerts.plan import Plans, time_outside
from ward.errors import ConflictError, InvalidError, NotFoundError
from ward.signals import HOUR, MINUTE

STAY = "s1"
RULES = {
    r.id: r
    for r in (
        make("worst", "high", inhibits=("worse", "mild")),
        make("worse", "high", inhibits=("mild",), unless=("copd",)),
        make("mild", "medium"),
        make("slow", "high", "rr"),
        make("fast", "medium", "rr", unless=("copd",)),
        make("slight", "low", "rr"),
        make("probe", "medium", kind="technical"),
    )
}
IDS = st.sampled_from(sorted(RULES))


@dataclass
class Breach:
    since: int
    at: int


class Life(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.book = AlertBook(Plans(CALM))
        self.now = START
        self.flags: frozenset[str] = frozenset()
        self.paused_until: int | None = None
        self.breach: dict[str, Breach] = {}
        self.past: list[tuple[str, Breach, int]] = []
        self.rows: dict[str, Alert] = {}
        self.log: list[Change] = []
        self.shelves: dict[str, int] = {}

    @initialize()
    def admit(self) -> None:
        self.keep(self.book.stay_changed(self.stay(), None, self.now))

    def stay(self) -> StayState:
        return StayState(STAY, "icu", "1", self.flags, False, self.paused_until)

    def keep(self, changes: list[Change]) -> None:
        for change in changes:
            self.log.append(change)
            event = change.event
            assert event.at == self.now
            if change.alert is None:
                continue
            old = self.rows.get(change.alert.id)
            # The log tells the whole story: each event starts where the one before left the alert.
            assert event.before == (old.state if old else "pending")
            assert event.after == change.alert.state
            over = old is not None and old.state == "closed"
            assert not over or event.kind in ("undone", "assessed")
            self.rows[change.alert.id] = change.alert

    # --- what happens -------------------------------------------------------------------------------

    @rule(rule_id=IDS, ago=st.integers(0, 20 * MINUTE), late=st.booleans())
    def sustain(self, rule_id: str, ago: int, late: bool) -> None:
        if rule_id in self.breach:
            return
        newest = max((b.since for i, b, _ in self.past if i == rule_id), default=START - HOUR)
        since = max(self.now - ago, newest + 1)
        if since > self.now:
            return
        self.breach[rule_id] = Breach(since, self.now)
        self.keep(self.tell(rule_id, self.breach[rule_id], late))

    def tell(self, rule_id: str, breach: Breach, late: bool = False) -> list[Change]:
        return self.book.raised(STAY, RULES[rule_id], breach.since, breach.at, "x", 1.0, self.now, late)

    @rule(rule_id=IDS)
    def clear(self, rule_id: str) -> None:
        breach = self.breach.pop(rule_id, None)
        if breach is not None:
            self.past.append((rule_id, breach, self.now))
            self.keep(self.book.cleared(STAY, rule_id, breach.since, self.now, self.now))

    @rule(minutes=st.sampled_from([0.1, 1, 5, 20, 31, 61, 250]))
    def wait(self, minutes: float) -> None:
        self.pass_time(round(minutes * MINUTE))

    def pass_time(self, ms: int) -> None:
        self.now += ms
        if self.paused_until is not None and self.paused_until <= self.now:
            self.paused_until = None
        self.keep(self.book.tick(self.now))

    @rule(rule_id=IDS, assessment=st.sampled_from((*ASSESSMENTS, None)))
    def acknowledge(self, rule_id: str, assessment: str | None) -> None:
        self.pass_time(1)  # nobody does two things in the same millisecond
        alert = self.book.open_alert(STAY, rule_id)
        if alert is None:
            return
        try:
            self.keep(self.book.acknowledge(alert.id, "nina", assessment, self.now))
        except ConflictError:
            assert alert.state == "suppressed" or alert.raised_at is None
        else:
            after = self.book.get(alert.id)
            assert (after.state, after.assessment) in (("acknowledged", assessment), ("closed", assessment))

    @rule(rule_id=IDS, by=st.sampled_from(("nina", "eva")))
    def undo(self, rule_id: str, by: str) -> None:
        """The latest alert of the rule, open or closed."""
        self.pass_time(1)
        latest = [c.alert for c in self.log if c.alert is not None and c.alert.rule == rule_id][-1:]
        for alert in latest:
            try:
                changes = self.book.undo(alert.id, by, self.now)
            except (ConflictError, NotFoundError):  # not found: it closed hours ago
                assert self.rows[alert.id] == alert, "what is refused changes nothing"
                continue
            assert by == "nina", "eva did nothing that could be taken back, but hand over"
            self.keep(changes)
            after = self.rows[alert.id]
            if after.state == "shelved":
                self.shelves[rule_id] = after.shelved_until or 0

    @rule(rule_id=IDS)
    def hand_over(self, rule_id: str) -> None:
        self.pass_time(1)
        alert = self.book.open_alert(STAY, rule_id)
        if alert is None:
            return
        try:
            self.keep(self.book.hand_over(alert.id, "nina", "bo", self.now))
        except (ConflictError, InvalidError):
            assert alert.state not in ("active", "acknowledged") or alert.acknowledged_by == "bo"

    @rule(rule_id=IDS, assessment=st.sampled_from(ASSESSMENTS))
    def assess(self, rule_id: str, assessment: str) -> None:
        alert = self.book.open_alert(STAY, rule_id)
        if alert is not None and alert.raised_at is not None:
            self.keep(self.book.amend(alert.id, "nina", assessment, None, self.now))
            assert replace(self.rows[alert.id], assessment=alert.assessment) == alert

    @rule(rule_id=IDS, minutes=st.integers(1, 60))
    def shelve(self, rule_id: str, minutes: int) -> None:
        alert = self.book.open_alert(STAY, rule_id)
        if alert is None:
            if self.flags & set(RULES[rule_id].unless):
                return
            since = self.now + 1_000_000  # an instant that no breach of this test begins at
            changes = self.book.shelve_pending(STAY, RULES[rule_id], since, "nina", minutes, "", self.now)
        else:
            changes = self.book.shelve(alert.id, "nina", minutes, "", self.now)
        self.shelves[rule_id] = self.now + minutes * MINUTE
        self.keep(changes)

    @rule(rule_id=IDS)
    def unshelve(self, rule_id: str) -> None:
        self.pass_time(1)
        alert = self.book.open_alert(STAY, rule_id)
        if alert is not None and alert.state == "shelved":
            self.keep(self.book.unshelve(alert.id, "nina", self.now))

    @rule(copd=st.booleans())
    def flag(self, copd: bool) -> None:
        self.flags = frozenset({"copd"} if copd else ())
        self.keep(self.book.stay_changed(self.stay(), None, self.now))

    @rule(minutes=st.integers(1, 90))
    def pause(self, minutes: int) -> None:
        self.paused_until = self.now + minutes * MINUTE
        self.keep(self.book.paused(STAY, self.paused_until, "nina", self.now))

    @precondition(lambda self: self.paused_until is not None)
    @rule()
    def come_back(self) -> None:
        self.paused_until = None
        self.keep(self.book.readings_returned(STAY, self.now))

    # --- what must change nothing -------------------------------------------------------------------

    @rule()
    def tell_all_again(self) -> None:
        """A crash before the snapshot: the journal is read again and the engine tells its past anew."""
        before = self.book.dump()
        for rule_id, breach, cleared_at in self.past:
            assert self.tell(rule_id, breach) == []
            assert self.book.cleared(STAY, rule_id, breach.since, cleared_at, self.now) == []
        for rule_id, breach in self.breach.items():
            assert self.tell(rule_id, breach) == []
        assert self.book.dump() == before

    @rule()
    def crash(self) -> None:
        data = json.loads(json.dumps(self.book.dump()))
        self.book = AlertBook(Plans(CALM))
        self.book.load(data)
        assert json.loads(json.dumps(self.book.dump())) == data

    @rule()
    def tick_again(self) -> None:
        self.keep(self.book.tick(self.now))
        assert self.book.tick(self.now) == []

    # --- what must hold -----------------------------------------------------------------------------

    @invariant()
    def rows_are_what_the_book_has(self) -> None:
        assert {a.id: a for a in self.book.open_alerts()} == {
            i: a for i, a in self.rows.items() if a.state != "closed"
        }

    @invariant()
    def nothing_sustained_is_silent(self) -> None:
        """Each breach has an open alert, unless a flag or a pause stands before it."""
        for rule_id in self.breach:
            disabled = self.flags & set(RULES[rule_id].unless)
            alert = self.book.open_alert(STAY, rule_id)
            if disabled:
                assert alert is None
            elif self.paused_until is None:
                assert alert is not None
                assert alert.sustained
                assert alert.state in ("active", "acknowledged", "shelved", "suppressed")

    @invariant()
    def states_fit_the_breach(self) -> None:
        for alert in self.book.open_alerts():
            in_breach = alert.rule in self.breach
            if alert.state in ("active", "acknowledged", "suppressed"):
                assert in_breach
                assert alert.sustained
            if alert.state == "returned":
                assert alert.priority == "high"
                assert not in_breach or self.paused_until is not None
            assert (alert.state == "shelved") == (alert.shelved_until is not None)
            assert (alert.state == "suppressed") == (alert.suppressed_by is not None)

    @invariant()
    def no_high_alert_is_lost(self) -> None:
        """It closes only if somebody took it, or with a reason that names why it does not count."""
        for alert in self.rows.values():
            if alert.priority == "high" and alert.state == "closed" and alert.announced_at is not None:
                assert alert.acknowledged_by or alert.close_reason == "flag copd"

    @invariant()
    def what_is_handed_over_is_confirmed_or_active_again(self) -> None:
        for alert in self.book.open_alerts():
            if alert.handed_over_at is not None:
                assert alert.state in ("acknowledged", "shelved")
                away = self.book.ledger.tracks[STAY][alert.rule].away
                waited = time_outside(away, alert.handed_over_at, self.now)
                assert alert.state == "shelved" or self.paused_until is not None or waited < CONFIRM

    @invariant()
    def shelves_expire(self) -> None:
        for alert in self.book.open_alerts():
            if alert.state == "shelved":
                assert alert.shelved_until == self.shelves[alert.rule]
                assert self.now < alert.shelved_until <= self.now + HOUR

    @invariant()
    def only_inhibited_alerts_are_suppressed(self) -> None:
        if self.paused_until is not None:
            return  # nothing new is raised then, so what was freed waits, too
        for alert in self.book.open_alerts():
            if alert.state == "suppressed":
                inhibitor = self.book.open_alert(STAY, alert.suppressed_by or "")
                assert inhibitor is not None
                assert inhibitor.state in ("active", "acknowledged")
                assert alert.rule in RULES[inhibitor.rule].inhibits

    @invariant()
    def interruptions_are_once_per_episode_and_priority(self) -> None:
        told = [c.notify for c in self.log if c.notify]
        keys = [n.key for n in told]
        assert len(keys) == len(set(keys))
        once = [(n.episode, n.priority) for n in told if n.reason in ("first", "priority")]
        assert len(once) == len(set(once))
        highest: dict[str | None, int] = {}
        for n in told:
            assert RANK[n.priority] >= highest.get(n.episode, 0) or n.reason in ("reminder", "again")
            highest[n.episode] = max(highest.get(n.episode, 0), RANK[n.priority])

    @invariant()
    def every_active_high_alert_was_told_in_its_episode(self) -> None:
        if self.paused_until is not None:
            return
        told = {(c.notify.episode, c.notify.priority) for c in self.log if c.notify}
        for alert in self.book.open_alerts():
            if alert.state == "active":
                assert alert.announced_at is not None
                assert any(e == alert.episode and RANK[p] >= RANK[alert.priority] for e, p in told)


Life.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestLife = Life.TestCase


def test_a_priority_breaks_no_acknowledgement_of_another_stay() -> None:
    book = AlertBook(Plans(CALM))
    for stay in ("s1", "s2"):
        book.stay_changed(replace(StayState("", "icu", ""), id=stay), None, START)
        book.raised(stay, RULES["mild"], START, START, "x", 1.0, START)
        alert = book.open_alert(stay, "mild")
        assert alert is not None
        book.acknowledge(alert.id, "nina", "actionable", START)
    book.raised("s1", RULES["slow"], START, START, "x", 1.0, START)
    states = [a.state for a in book.open_alerts() if a.rule == "mild"]
    assert sorted(states) == ["acknowledged", "active"]
