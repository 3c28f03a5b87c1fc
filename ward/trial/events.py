"""What a trial is judged by: events that were labelled, or, where there are none, sustained severe ones.

Without labels nobody knows which alerts were true. The stand-in (proxy) is then whether staff would still
have heard of what is severe by anybody's measure: the strictest of WARD's published conditions, found in the
same readings by the same engine. It rewards sensitivity to extremes and says nothing of patients who
deteriorate without them; every answer says which of the two it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from ward.scoring.readings import Bool, Int
from ward.scoring.rules import Clause, Rule
from ward.scoring.sustain import NEVER
from ward.signals import HOUR, MINUTE
from ward.trial.sweep import Alerts

WINDOW: Final = 12 * HOUR
"""An alert raised so long before a labelled event, or later up to it, was about it (circEWS' protocol)."""
STANDS: Final = 4 * HOUR
"""An alert that stands when a severe event begins was about it if it was raised no longer ago: staff think of
one episode (``ward.alerts.episodes.LONGEST``). One that stands for days tells nobody anything."""
AFTER: Final = 12 * HOUR
"""Alerts raised so long after a labelled event count neither way: staff are there already."""

Kind = Literal["labelled", "severe"]


def _severe(name: str, title: str, minutes: int, *clauses: Clause) -> Rule:
    ms = minutes * MINUTE
    return Rule(f"severe-{name}", title, "high", "physiological", clauses, ms, ms, ms)


SEVERE: Final = (
    _severe("spo2-85", "SpO2 below 85 % for 5 min", 5, Clause("spo2", "<", 85)),
    _severe("spo2-80", "SpO2 below 80 % for 1 min", 1, Clause("spo2", "<", 80)),
    _severe("rr-5", "RR 5 or less, HR above 20, for 1 min", 1, Clause("rr", "<=", 5), Clause("hr", ">", 20)),
    _severe("rr-30", "RR 30 or more for 10 min", 10, Clause("rr", ">=", 30)),
    _severe("hr-30", "HR below 30 for 1 min", 1, Clause("hr", "<", 30)),
    _severe("hr-40", "HR below 40 for 5 min", 5, Clause("hr", "<", 40)),
    _severe("hr-130", "HR above 130 for 30 min", 30, Clause("hr", ">", 130)),
    _severe("sbp-70", "SBP below 70 for 30 min", 30, Clause("sbp", "<", 70)),
    _severe("sbp-220", "SBP 220 or more for 30 min", 30, Clause("sbp", ">=", 220)),
)
"""WARD's strictest published condition for each sign and direction (Mølgaard 2025, table T3). For a fast
breath it has only RR >= 24, which is common; 30 for 10 min is ours."""


@dataclass(frozen=True, slots=True)
class Events:
    """Columns of one length, sorted by stay, then close; times in ms. stay: position. An alert raised within
    [open, close] heard it; of severe events also one that was raised up to ``STANDS`` before and stands at
    ``open``. ``mark``: the instant to be ahead of: the label's time, or when the severe condition was itself
    sustained. after, window: of labelled ones, ms."""

    kind: Kind
    stay: Int
    open: Int
    close: Int
    mark: Int
    after: int = 0
    window: int = 0
    titles: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.stay)

    @property
    def standing(self) -> bool:
        return self.kind == "severe"


def labelled(
    times: Mapping[str, Collection[int]],
    tried: Mapping[str, tuple[int, int]],
    window: int = WINDOW,
    after: int = AFTER,
) -> Events:
    """Events by stay (ms). ``tried``: of each stay from when to when, in order. Events of other stays are
    passed over, and those that no alert could be about: their window lies outside that time."""
    place = {stay: n for n, stay in enumerate(tried)}
    rows = sorted(
        (place[stay], at)
        for stay, found in times.items()
        if stay in tried
        for at in set(found)
        if at >= tried[stay][0] and at - window <= tried[stay][1]
    )
    stay, at = np.array(rows, np.int64).reshape(-1, 2).T
    return Events("labelled", stay, at - window, at, at, after, window)


def severe_for(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """The severe conditions that rules like these are there to catch: on a signal of theirs, in the same
    direction. All of them where the rules name none of those (scores, technical rules)."""
    ways = {(c.signal, c.op[0]) for rule in rules for c in rule.when if c.op != "absent"}
    ways |= {("hr", op) for signal, op in ways if signal == "pr"}
    found = tuple(rule for rule in SEVERE if (rule.when[0].signal, rule.when[0].op[0]) in ways)
    return found or SEVERE


def severe(found: Alerts, watched: Sequence[int], rules: Sequence[Rule]) -> Events:
    """Severe events from the columns that watched for them: what overlaps is one. ``rules``: of columns."""
    mine = found.take(np.isin(found.column, list(watched)))
    mine = mine.take(np.lexsort((mine.since, mine.stay)))
    titles = tuple(rules[column].title for column in sorted(set(watched)))
    if not len(mine):
        none = np.empty(0, np.int64)
        return Events("severe", none, none, none, none, titles=titles)
    stay, open_, close, mark = _merged(mine.stay, mine.since, mine.cleared, mine.raised)
    return Events("severe", stay, open_, close, mark, titles=titles)


def _merged(stay: Int, open_: Int, close: Int, mark: Int) -> tuple[Int, Int, Int, Int]:
    """Overlapping spans of one stay as one, with the earliest mark. In order of (stay, open)."""
    starts = [0]
    reach = int(close[0])
    for n in range(1, len(stay)):
        if stay[n] != stay[n - 1] or open_[n] > reach:
            starts.append(n)
            reach = int(close[n])
        reach = max(reach, int(close[n]))
    first = np.array(starts)
    return (
        stay[first],
        open_[first],
        np.maximum.reduceat(close, first),
        np.minimum.reduceat(mark, first),
    )


@dataclass(frozen=True, slots=True)
class Heard:
    """Of one column's alerts. caught [events]; raised [events]: when the first alert that heard it was raised
    (``NEVER``: none); true, ignored [alerts]: it heard an event; it came right after one."""

    caught: Bool
    raised: Int
    true: Bool
    ignored: Bool


def heard(events: Events, alerts: Alerts, line: Line) -> Heard:
    """Alerts of one column, in order of (stay, raised)."""
    up, over = line.key(alerts.stay, alerts.raised), line.key(alerts.stay, alerts.cleared)
    earliest = line.key(events.stay, events.open - (STANDS if events.standing else 0))
    first = np.searchsorted(up, earliest)
    if events.standing:
        # What cleared before (or at the very instant at which) a severe event begins is over.
        first = np.maximum(first, np.searchsorted(over, line.key(events.stay, events.open), side="right"))
    there = first < len(alerts)
    at = np.where(there, first, 0)
    raised = alerts.raised[at] if len(alerts) else np.full(len(events), NEVER)
    same = alerts.stay[at] == events.stay if len(alerts) else np.zeros(len(events), np.bool_)
    caught: Bool = there & same & (raised <= events.close)
    true = _meets(events, up, over, line)
    ignored = np.zeros(len(alerts), np.bool_)
    if events.after:
        ends, begins = (line.key(events.stay, events.mark + ms) for ms in (events.after, 0))
        ignored = ~true & _before(begins, np.searchsorted(ends, up), up)
    return Heard(caught, np.where(caught, raised, NEVER), true, ignored)


def _meets(events: Events, up: Int, over: Int, line: Line) -> Bool:
    """Which alerts heard any event. What is late for one event is late for all before it, and what is early
    for the first that has not ended is early for all after it: one event an alert need be looked at."""
    at = np.searchsorted(line.key(events.stay, events.close), up)
    opened = line.key(events.stay, events.open)
    if not events.standing:
        return _before(opened, at, up)
    early = line.key(events.stay, events.open - STANDS)
    return _before(opened, at, over - 1) & _before(early, at, up)


def _before(edge: Int, at: Int, time: Int) -> Bool:
    """Whether the ``at``-th edge is there and not after ``time``."""
    found: Bool = at < len(edge)
    found[found] = edge[at[found]] <= time[found]
    return found


@dataclass(frozen=True, slots=True)
class Line:
    """Stay and time as one sortable number."""

    base: int
    width: int

    @classmethod
    def of(cls, *times: Int) -> Line:
        some = [t[t < NEVER] for t in times]
        low = min((int(t.min()) for t in some if len(t)), default=0)
        high = max((int(t.max()) for t in some if len(t)), default=0)
        return cls(low, high - low + 2)

    def key(self, stay: Int, time: Int) -> Int:
        """What is later than all (``NEVER``) is at the stay's end."""
        inside: Int = np.minimum(time, self.base + self.width - 1) - self.base
        return stay * self.width + np.maximum(inside, 0)
