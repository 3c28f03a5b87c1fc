"""The life of alerts without a running service: sustained breaches in, through the real alert book, and out
come the alerts that were told, the interruptions, the repeats. Pure; nothing here reads a clock or a file.

A recording has no staff, so what people do is a model that says so (``Staff``). All else is what live does:
the clock goes by seconds, in each second the engine's changes come first, then the technical watch's, then
people, then time (``ward.live.core``). Flags, inhibition, episodes, escalation by the built-in plan.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

import numpy as np

from ward.alerts.book import AlertBook
from ward.alerts.model import Alert, Change, StayState
from ward.alerts.technical import SILENCE, is_technical, rule_for
from ward.alerts.track import Breach, Track
from ward.scoring.limits import OFF_FOR, OFF_MEMORY
from ward.scoring.news2 import PARTS
from ward.scoring.readings import Int, Readings
from ward.scoring.rules import Kind, Priority, Rule
from ward.scoring.sustain import CLEARED, MEASURE_AGAIN, RAISED, Transitions
from ward.signals import INDEX, MINUTE, N_OBSERVED, SECOND

INTERRUPTS: Final = frozenset({"first", "priority", "signal", "again"})
"""Reasons of telling that are an interruption; the others repeat one that was not answered or is not over."""


@dataclass(frozen=True, slots=True)
class Staff:
    """Whoever is called comes: ``acknowledge_after`` ms after an alert became active it is acknowledged as
    ``assessment``. None: nobody ever does."""

    acknowledge_after: int | None = 5 * MINUTE
    assessment: str = "actionable"


NOBODY: Final = Staff(None)
PROMPT: Final = Staff()


@dataclass(frozen=True, slots=True)
class Span:
    """One sustained breach of one rule: since when, raised when, cleared when (None: not by the end)."""

    rule: Rule
    since: int
    raised: int
    cleared: int | None = None


@dataclass(frozen=True, slots=True)
class Interruption:
    """Staff are called: the first alert of an episode, one of a higher priority, a high one on another
    signal, or a high one that is back before anybody took it (``again``). ``at`` is when that is told."""

    stay: str
    at: int
    rule: str
    priority: Priority
    kind: Kind
    reason: str
    episode: str | None
    alert: str


@dataclass(frozen=True, slots=True)
class Life:
    """What one stay's breaches came to. ``alerts``: those that were told, as they were in the end;
    ``repeats``: reminders and escalations."""

    stay: str
    alerts: tuple[Alert, ...]
    interruptions: tuple[Interruption, ...]
    repeats: tuple[Interruption, ...]


def live(
    stay: str,
    spans: Iterable[Span],
    *,
    end: int,
    flags: Collection[str] = (),
    staff: Staff = PROMPT,
) -> Life:
    """The life of one stay's alerts until ``end`` (ms), when the stay ends."""
    return _Desk(stay, flags, staff).run(sorted(spans, key=attrgetter("raised")), end)


class _Desk:
    def __init__(self, stay: str, flags: Collection[str], staff: Staff) -> None:
        self.stay, self.staff = stay, staff
        self.state = StayState(stay, "", "", frozenset(flags))
        self.book = AlertBook()
        self.alerts: dict[str, Alert] = {}
        self.calls: list[tuple[bool, Interruption]] = []

    def run(self, spans: Sequence[Span], end: int) -> Life:
        moments: dict[int, list[tuple[int, int, Span]]] = defaultdict(list)
        for span in spans:
            if span.raised > end:
                continue
            moments[_second(span.raised)].append((span.raised, 1, span))
            if span.cleared is not None and span.cleared <= end:
                moments[_second(span.cleared)].append((span.cleared, 0, span))
        if not moments:
            return Life(self.stay, (), (), ())
        self._keep(self.book.stay_changed(self.state, None, min(moments)))
        waiting = sorted(moments, reverse=True)
        while (now := self._next(waiting)) is not None and now <= _second(end):
            if waiting and waiting[-1] == now:
                self._follow(moments[waiting.pop()], now)
            self._answer(now)
            self._keep(self.book.tick(now))
        gone = StayState(self.stay, "", "", self.state.flags, ended=True)
        self._keep(self.book.stay_changed(gone, None, _second(end)))
        return Life(
            self.stay,
            tuple(a for a in self.alerts.values() if a.announced_at is not None or a.raised_at is not None),
            tuple(call for interrupts, call in self.calls if interrupts),
            tuple(call for interrupts, call in self.calls if not interrupts),
        )

    def _next(self, waiting: Sequence[int]) -> int | None:
        """The next second at which anything happens."""
        tracks = [t for t in self.book.ledger.all(self.stay) if t.alert is not None]
        due = [d for t in tracks for d in (self.book.ledger.escalation.next_due(t), self._answer_due(t)) if d]
        return min([*waiting[-1:], *(max(_second(d), 0) for d in due)], default=None)

    def _follow(self, moments: list[tuple[int, int, Span]], now: int) -> None:
        """What comes up in one second goes in together, until something clears; the watch's comes last."""
        for watched in (False, True):
            up: list[tuple[str, Rule, Breach]] = []
            for at, raised, span in sorted(
                (m for m in moments if is_technical(m[2].rule.id) == watched), key=lambda m: m[:2]
            ):
                if raised:
                    signal = next(iter(span.rule.signals), None)
                    up.append((self.stay, span.rule, Breach(span.since, at, signal, None, False)))
                    continue
                self._keep(self.book.raised_together(up, now))
                up = []
                self._keep(self.book.cleared(self.stay, span.rule.id, span.since, at, now))
            self._keep(self.book.raised_together(up, now))

    def _answer_due(self, track: Track) -> int | None:
        alert, wait = track.alert, self.staff.acknowledge_after
        if wait is None or alert is None or alert.state not in ("active", "returned"):
            return None
        return (track.active_at or 0) + wait

    def _answer(self, now: int) -> None:
        for track in self.book.ledger.all(self.stay):
            due = self._answer_due(track)
            if track.alert is not None and due is not None and due <= now:
                self._keep(self.book.acknowledge(track.alert.id, "staff", self.staff.assessment, now))

    def _keep(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.alert is not None:
                self.alerts[change.alert.id] = change.alert
            if change.alert is not None and change.notify is not None:
                told, alert = change.notify, change.alert
                call = Interruption(
                    self.stay,
                    change.event.at,
                    alert.rule,
                    told.priority,
                    alert.kind,
                    told.reason,
                    told.episode,
                    alert.id,
                )
                self.calls.append((told.reason in INTERRUPTS, call))


def _second(at: int) -> int:
    """The first whole second that is not before."""
    return -(-at // SECOND) * SECOND


# ---------------------------------------------------------------------- from the engine to breaches


def spans(
    found: Transitions, rules: Sequence[Rule], columns: Mapping[int, Rule] | None = None
) -> dict[int, list[Span]]:
    """Breaches by slot, in order of raising.

    columns: engine column -> the rule as the wanted pack has it (an engine may run the rules of several
    packs at once); without it every column, as in ``rules``.
    """
    wanted = dict(enumerate(rules)) if columns is None else columns
    mine = np.isin(found.rule, list(wanted)) & np.isin(found.kind, (RAISED, CLEARED))
    by_slot: dict[int, list[Span]] = defaultdict(list)
    place: dict[tuple[int, int], int] = {}
    parts = (found.slot, found.rule, found.kind, found.at, found.since)
    for slot, column, kind, at, since in zip(*(part[mine].tolist() for part in parts), strict=True):
        own = by_slot[slot]
        if kind == RAISED:
            place[slot, column] = len(own)
            own.append(Span(wanted[column], since, at))
        elif (last := place.pop((slot, column), None)) is not None:
            own[last] = Span(own[last].rule, own[last].since, own[last].raised, at)
    return by_slot


def asked(
    found: Transitions, valid: Readings, rules: Sequence[Rule], columns: Mapping[int, Rule] | None = None
) -> dict[int, list[Span]]:
    """'Measure again' of rules whose time is up while their readings are too few, by slot.

    It is over with the next valid reading of what the rule looks at: that raises the rule, or finds it OK,
    or is one more. (valid: in any order.)
    """
    wanted = dict(enumerate(rules)) if columns is None else columns
    mine = np.flatnonzero(np.isin(found.rule, list(wanted)) & (found.kind == MEASURE_AGAIN))
    by_slot: dict[int, list[Span]] = defaultdict(list)
    if not len(mine):
        return by_slot
    order = np.lexsort((valid.time, valid.slot))
    times, signals = valid.time[order], valid.signal[order]
    own = found.slot[mine]
    bounds = np.searchsorted(valid.slot[order], np.stack([own, own + 1]).astype(valid.slot.dtype))
    looked_at = {column: _looked_at(rule) for column, rule in wanted.items()}
    for i, low, high in zip(mine.tolist(), *bounds.tolist(), strict=True):
        column, at = int(found.rule[i]), int(found.at[i])
        low += int(np.searchsorted(times[low:high], at, side="right"))
        over = next((t for t in range(low, high) if signals[t] in looked_at[column]), None)
        told = rule_for("measure-again", wanted[column].id)
        end = None if over is None else int(times[over])
        by_slot[int(found.slot[i])].append(Span(told, int(found.since[i]), at, end))
    return by_slot


def _looked_at(rule: Rule) -> frozenset[int]:
    """The measured signals whose readings a rule counts: pr stands in for hr; a score is made of many."""
    names = {part for name in rule.signals for part in (PARTS if name in ("news2", "risk") else (name,))}
    names |= {"pr"} if "hr" in names else set()
    return frozenset(INDEX[name] for name in names if INDEX[name] < N_OBSERVED)


def leads_off(times: Int, known: Int, end: int) -> list[Span]:
    """'Leads off' of one stay: ``times`` of heart rates that the filter found wrong for that, ``known`` those
    of valid ones. As ``ward.scoring.filter.Filter.leads_off`` tells it from second to second."""
    rule, found = rule_for("leads-off"), []
    times = np.unique(times)
    back = np.searchsorted(known, times)
    new = (np.diff(times, prepend=np.iinfo(np.int32).min) > OFF_MEMORY) | (np.diff(back, prepend=-1) > 0)
    starts = np.flatnonzero(new)
    for low, high in zip(starts, [*starts[1:], len(times)], strict=True):
        since, last = int(times[low]), int(times[high - 1])
        after = int(np.searchsorted(known, last, side="right"))
        over = min([last + OFF_MEMORY + 1, *known[after : after + 1].tolist()])
        if since + OFF_FOR < over and since + OFF_FOR <= end:
            found.append(Span(rule, since, since + OFF_FOR, over))
    return found


def silences(times: Int, start: int, end: int, rule: Rule, allowed: int = SILENCE) -> list[Span]:
    """Where nothing came for ``allowed`` ms: 'no valid reading' (times of those), 'device lost' (of all)."""
    known = [start, *np.unique(times).tolist()]
    found = []
    for before, after in zip(known, [*known[1:], None], strict=True):
        if (end if after is None else after) - before >= allowed:
            found.append(Span(rule, before, before + allowed, after))
    return found
