"""One rule of one stay as the book follows it: the breach that is, the open alert, what was told before."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from ward.alerts.lifecycle import Input
from ward.alerts.model import Alert, StayState, alert_id
from ward.scoring.rules import Rule


@dataclass(frozen=True, slots=True)
class Breach:
    """A sustained breach as the engine told it; kept also where a flag or a pause hides it."""

    since: int
    at: int
    signal: str | None
    value: float | None
    late: bool
    over: bool = False
    """found late, and ended already"""


@dataclass(slots=True)
class Seen:
    """What became of the breaches that began at one instant; makes a repeated telling harmless."""

    raised: bool = False
    late: bool = False
    records: int = 0
    """alerts made of it"""
    cleared_at: int | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did last with the open alert, and what was before: to take it back."""

    kind: Input
    by: str
    at: int
    before: Alert
    reminded: int
    away: list[tuple[int, int]]


@dataclass(slots=True)
class Track:
    rule: Rule
    alert: Alert | None = None
    """the open one; closed alerts leave"""
    breach: Breach | None = None
    seen: dict[int, Seen] = field(default_factory=dict)
    """by ``breach_since``"""
    active_at: int | None = None
    """when the open alert last became active"""
    reminded: int = 0
    escalated: int = 0
    """the highest level of the plan that was told"""
    nagged: int = 0
    """reminders while nobody took it"""
    failed: int = -1
    """the level at which somebody could not be told, once the next was told for it"""
    rides: bool = False
    """nobody was interrupted for it: its episode had told of its priority already"""
    away: list[tuple[int, int]] = field(default_factory=list)
    """pauses since it became active or somebody took it: nobody is waited for while the patient is away"""
    owed: Literal["first", "again"] | None = None
    """became active in a pause: to be told when that ends, for the first time or again"""
    act: Act | None = None
    """what can be taken back"""

    def begin(self, breach: Breach) -> bool:
        """Take a told breach in. False where it is not news: told before, or another start that a
        rebuild found for the breach that is already known (what was told is not stamped anew)."""
        seen = self.seen.setdefault(breach.since, Seen())
        known = self.breach is not None
        # Only late readings can make a breach of the same start sustained again after it cleared; not so
        # where they find it over, too: then they find nothing that was not told.
        revived = seen.raised and breach.late and not breach.over and not seen.late and not known
        if seen.raised and not revived:
            return False
        seen.raised, seen.late = True, breach.late
        # What is over while another goes on must not end that one.
        seen.cleared_at = breach.at if known and breach.over else None
        if not known:
            self.breach = breach
        return not known

    def end(self, since: int, at: int) -> bool:
        """Take a clearing in. False where it belongs to an older breach, or to none."""
        if self.breach is None:
            return False
        if since != self.breach.since:
            other = self.seen.get(since)
            older = at < self.breach.at if other is None else other.cleared_at is not None
            if older:
                return False
        for seen in self.seen.values():
            if seen.raised and seen.cleared_at is None:
                seen.cleared_at = at
        self.breach = None
        return True

    def record(self, stay: StayState, since: int, by_breach: Breach | None) -> Alert:
        """A new alert, still pending. Its id is the same whenever the same history is told again."""
        seen = self.seen.setdefault(since, Seen())
        seen.records += 1
        rule = self.rule
        return Alert(
            id=alert_id(stay.id, rule.id, since, seen.records - 1),
            stay=stay.id,
            ward=stay.ward,
            bed=stay.bed,
            rule=rule.id,
            title=rule.title,
            titles=rule.titles,
            priority=rule.priority,
            kind=rule.kind,
            state="pending",
            signal=by_breach.signal if by_breach else next(iter(rule.signals), None),
            breach_since=since,
            signals=rule.signals,
        )

    def restart(self, now: int, level: int, *, rides: bool) -> None:
        """It became active, or is told anew: levels and reminders count from here."""
        self.active_at, self.escalated, self.rides = now, level, rides
        self.nagged, self.failed, self.away = 0, -1, []

    def disabled_by(self, flags: Collection[str]) -> str | None:
        return self.rule.off_for(flags)

    def forget(self, before: int) -> None:
        """Drop what was cleared before then; a telling older than that is not expected again."""
        self.seen = {s: seen for s, seen in self.seen.items() if self._needed(s, seen) or s >= before}

    def start_anew(self) -> None:
        """The condition is another one now: what it finds is news even if it begins at the same instant.
        How many alerts were made of an instant stays known, so that no id is used twice."""
        for since, seen in self.seen.items():
            if not self._needed(since, seen):
                seen.raised = seen.late = False

    def _needed(self, since: int, seen: Seen) -> bool:
        of_alert = self.alert is not None and self.alert.breach_since == since
        return of_alert or (seen.raised and seen.cleared_at is None)

    @property
    def idle(self) -> bool:
        return self.alert is None and self.breach is None and not self.seen
