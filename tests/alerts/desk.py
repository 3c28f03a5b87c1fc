"""A nurse's desk for tests: one book, a clock that is moved by hand, and what was told so far."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ward.alerts.book import AlertBook
from ward.alerts.model import Alert, Change, Notify, StayState, Tell
from ward.alerts.plan import DASHBOARD, EVERYBODY, Level, Plan, Plans, Route
from ward.alerts.roster import Roster
from ward.scoring.rules import Clause, Rule
from ward.signals import MINUTE

START = 1_780_000_000_000


def rule(rule_id: str, priority: str = "high", signal: str = "spo2", **options: Any) -> Rule:
    given: dict[str, Any] = {
        "title": rule_id,
        "kind": "physiological",
        "when": (Clause(signal, "<", 88.0),),
        "for_ms": 10 * MINUTE,
        "within_ms": 10 * MINUTE,
        "gap_ms": 10 * MINUTE,
        **options,
    }
    return Rule(id=rule_id, priority=priority, **given)


HIGH = rule("low-spo2")
MEDIUM = rule("mild-spo2", "medium")
LOW = rule("slight-spo2", "low")
WORSE = rule("worse", inhibits=("mild-spo2",))


_ONCE = (Level(0, (EVERYBODY,), (DASHBOARD,)),)
CALM = Plan(
    Roster("UTC"),
    routes=tuple(Route(kind, frozenset(), (), _ONCE) for kind in ("physiological", "technical")),
)
"""A plan that neither escalates nor reminds: for what has nothing to do with it."""


class Desk:
    """Drives a book in minutes from the start; ``log`` holds all changes, ``told`` the interruptions."""

    def __init__(self, *rules: Rule, stay: StayState | None = None, plan: Plan = CALM) -> None:
        self.rules = {r.id: r for r in rules}
        self.book = AlertBook(Plans(plan))
        self.now = START
        self.log: list[Change] = []
        self.stay = stay or StayState("s1", "icu", "1")
        self.keep(self.book.stay_changed(self.stay, None, self.now))

    def keep(self, changes: list[Change]) -> list[Change]:
        self.log += changes
        return changes

    @property
    def told(self) -> list[Notify]:
        return [change.notify for change in self.log if change.notify]

    @property
    def tells(self) -> list[Tell]:
        return [change.tell for change in self.log if change.tell]

    @property
    def reasons(self) -> list[str]:
        return [notify.reason for notify in self.told]

    def events(self, rule_id: str | None = None) -> list[str]:
        """Kinds of the events so far, of one rule or of all."""
        return [c.event.kind for c in self.log if rule_id in (None, c.alert.rule if c.alert else None)]

    def at(self, minute: float) -> Desk:
        """Move the clock there, a tick each minute on the way."""
        target = START + round(minute * MINUTE)
        assert target >= self.now
        while self.now + MINUTE < target:
            self.now += MINUTE
            self.keep(self.book.tick(self.now))
        self.now = target
        self.keep(self.book.tick(self.now))
        return self

    def raise_(self, rule_id: str, since: float | None = None, **options: Any) -> list[Change]:
        """Sustained now; the breach began ``since`` minutes after the start (default: 10 min ago)."""
        begun = self.now - 10 * MINUTE if since is None else START + round(since * MINUTE)
        given = {"signal": "spo2", "value": 86.0, **options}
        return self.keep(
            self.book.raised(self.stay.id, self.rules[rule_id], begun, self.now, now=self.now, **given)
        )

    def clear(self, rule_id: str, reason: str = "cleared", since: int | None = None) -> list[Change]:
        track = self.book.ledger.tracks[self.stay.id][rule_id]
        if since is None:
            assert track.breach is not None, "nothing is sustained"
            since = track.breach.since
        return self.keep(self.book.cleared(self.stay.id, rule_id, since, self.now, self.now, reason))

    def alert(self, rule_id: str) -> Alert | None:
        return self.book.open_alert(self.stay.id, rule_id)

    def state(self, rule_id: str) -> str | None:
        alert = self.alert(rule_id)
        return alert.state if alert else None

    def last(self, rule_id: str) -> Alert:
        """The latest value of the rule's latest alert, open or closed."""
        return [c.alert for c in self.log if c.alert is not None and c.alert.rule == rule_id][-1]

    def acknowledge(
        self, rule_id: str, assessment: str | None = "actionable", by: str = "nina"
    ) -> list[Change]:
        return self.keep(self.book.acknowledge(self.last(rule_id).id, by, assessment, self.now))

    def assess(self, rule_id: str, assessment: str | None, note: str | None = None, by: str = "nina") -> None:
        self.keep(self.book.amend(self.last(rule_id).id, by, assessment, note, self.now))

    def hand_over(self, rule_id: str, to: str = "bo", by: str = "nina") -> list[Change]:
        return self.keep(self.book.hand_over(self.last(rule_id).id, by, to, self.now))

    def undo(self, rule_id: str, by: str = "nina") -> list[Change]:
        return self.keep(self.book.undo(self.last(rule_id).id, by, self.now))

    def shelve(self, rule_id: str, minutes: float = 30) -> list[Change]:
        return self.keep(self.book.shelve(self.last(rule_id).id, "nina", minutes, "washing", self.now))

    def unshelve(self, rule_id: str) -> list[Change]:
        return self.keep(self.book.unshelve(self.last(rule_id).id, "nina", self.now))

    def change(self, **values: Any) -> list[Change]:
        """The stay with other flags, bed, …"""
        self.stay = replace(self.stay, **values)
        return self.keep(self.book.stay_changed(self.stay, None, self.now))
