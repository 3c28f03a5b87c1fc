"""What each setting came to, in numbers: a row a setting, from the alerts of one sweep.

Everything is first counted by column and stay, as arrays, and then added up by setting: stays whose rules
differ (a ward's or a patient's own) have other columns for the same setting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ward.scoring.readings import Bool, Float, Int
from ward.scoring.sustain import NEVER
from ward.signals import HOUR
from ward.trial.events import STANDS, Events, Heard, Line, heard
from ward.trial.sweep import Alerts, Found, Sets

DAY: int = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Row:
    """One setting. alerts, false, gained, lost, all [stays]; caught [events]; lead [events caught], delay
    [alerts kept] in ms.

    alerts: of the rules that are tried; all: of the whole set. false: heard no event and came not right after
    one. gained and lost: alerts that no alert of the same rule in force overlaps, and the other way round;
    delay: how much later than that one an alert kept was raised (negative: earlier).
    """

    alerts: Int
    all: Int
    true: Int
    false: Int
    gained: Int
    lost: Int
    caught: Bool
    lead: Int
    delay: Int
    time: Int
    """[stays] ms in alert, of the rules that are tried"""


_ADDED = ("alerts", "all", "true", "false", "gained", "lost", "time")


@dataclass(frozen=True, slots=True)
class _Column:
    """One column's own numbers, by stay and event; ``delay`` with its stays."""

    by_stay: Mapping[str, Int]
    caught: Bool
    raised: Int
    delay_stay: Int
    delay: Int


@dataclass(frozen=True)
class Measured:
    """Every setting, the first one what is in force. monitored [stays] ms; stay ids in order."""

    rows: tuple[Row, ...]
    monitored: Int
    events: Events

    @property
    def days(self) -> float:
        return float(self.monitored.sum()) / DAY

    @cached_property
    def alerts(self) -> Int:
        """[settings, stays]"""
        return np.stack([row.alerts for row in self.rows])

    @cached_property
    def caught(self) -> Bool:
        """[settings, events]"""
        return np.stack([row.caught for row in self.rows])


def measure(
    found: Found, sets: Sequence[Sets], ends: Int, tried: frozenset[str], events: Events, settings: int
) -> Measured:
    """``sets`` and ``ends`` (ms, alerts last no longer) of every stay; ``settings``: how many beside the
    one in force."""
    measuring = _Measuring(found, sets, ends, tried, events)
    rows = tuple(measuring.row(n) for n in range(settings + 1))
    return Measured(rows, found.monitored, events)


class _Measuring:
    def __init__(
        self, found: Found, sets: Sequence[Sets], ends: Int, tried: frozenset[str], events: Events
    ) -> None:
        self.found, self.ends, self.tried, self.events = found, ends, tried, events
        self.stays = len(sets)
        self.kinds = list(dict.fromkeys(sets))
        place = {kind: n for n, kind in enumerate(self.kinds)}
        self.kind_of = np.array([place[own] for own in sets], np.int64)
        self.number = {rule: n for n, rule in enumerate(found.rules)}
        alerts = found.alerts
        self.alerts = alerts.take(np.lexsort((alerts.raised, alerts.stay, alerts.column)))
        self.bounds = np.searchsorted(self.alerts.column, np.arange(len(found.rules) + 1))
        self.line = Line.of(alerts.since, alerts.raised, alerts.cleared, events.open - STANDS, events.close)
        columns = len(found.rules)
        cell = alerts.column * self.stays + alerts.stay
        self.counts = np.bincount(cell, minlength=columns * self.stays).reshape(columns, self.stays)
        self._columns: dict[tuple[int, int], _Column] = {}

    def _of(self, column: int) -> Alerts:
        return self.alerts.take(slice(int(self.bounds[column]), int(self.bounds[column + 1])))

    def row(self, setting: int) -> Row:
        """Add up what the setting's columns are in each kind of stay."""
        total = {name: np.zeros(self.stays, np.int64) for name in _ADDED}
        caught = np.zeros(len(self.events), np.bool_)
        raised = np.full(len(self.events), NEVER)
        delays = [np.empty(0, np.int64)]
        for n, kind in enumerate(self.kinds):
            mine = self.kind_of == n
            there = mine[self.events.stay]
            now = {rule.id: self.number[rule] for rule in kind.sets[0]}
            rules = {rule.id: self.number[rule] for rule in kind.sets[setting]}
            total["all"][mine] = self.counts[list(rules.values())][:, mine].sum(axis=0)
            for rule in self.tried & (now.keys() | rules.keys()):
                if rule not in rules:  # taken out: all that it told is lost
                    total["lost"][mine] += self.counts[now[rule]][mine]
                    continue
                column = self._column(rules[rule], now.get(rule, -1))
                for name, own in column.by_stay.items():
                    total[name][mine] += own[mine]
                caught |= column.caught & there
                raised[there] = np.minimum(raised, column.raised)[there]
                delays.append(column.delay[mine[column.delay_stay]])
        lead = self.events.mark[caught] - raised[caught]
        return Row(caught=caught, lead=lead, delay=np.concatenate(delays), **total)

    def _column(self, column: int, now: int) -> _Column:
        if (column, now) not in self._columns:
            self._columns[column, now] = self._counted(column, now)
        return self._columns[column, now]

    def _counted(self, column: int, now: int) -> _Column:
        alerts = self._of(column)
        said: Heard = heard(self.events, alerts, self.line)
        false = ~said.true & ~said.ignored

        def by_stay(which: Alerts) -> Int:
            return np.bincount(which.stay, minlength=self.stays).astype(np.int64)

        lasted = np.maximum(np.minimum(alerts.cleared, self.ends[alerts.stay]) - alerts.raised, 0)
        time = np.bincount(alerts.stay, lasted, self.stays).astype(np.int64)
        if now < 0:
            gained, lost, pairs = alerts, alerts.take(slice(0)), (np.empty(0, np.int64),) * 2
        else:
            before = self._of(now)
            gained = alerts.take(first_overlap(alerts, before, self.line) < 0)
            kept = first_overlap(before, alerts, self.line)
            lost = before.take(kept < 0)
            old = before.take(kept >= 0)
            pairs = (old.stay, alerts.raised[kept[kept >= 0]] - old.raised)
        counted = {
            "alerts": by_stay(alerts),
            "true": by_stay(alerts.take(said.true)),
            "false": by_stay(alerts.take(false)),
            "gained": by_stay(gained),
            "lost": by_stay(lost),
            "time": time,
        }
        return _Column(counted, said.caught, said.raised, *pairs)


def line_of(alerts: Alerts) -> Line:
    """On which stays and times of these alerts can be sorted."""
    return Line.of(alerts.since, alerts.raised, alerts.cleared)


def first_overlap(alerts: Alerts, others: Alerts, line: Line) -> Int:
    """For each alert the position of the first of ``others`` (one column, in order) of the same stay whose
    breach shares time with its own; -1 for none."""
    if not len(others):
        return np.full(len(alerts), -1, np.int64)
    over = line.key(others.stay, others.cleared)
    at = np.searchsorted(over, line.key(alerts.stay, alerts.since), side="right")
    there = at < len(others)
    safe = np.where(there, at, 0)
    there &= (others.stay[safe] == alerts.stay) & (others.since[safe] < alerts.cleared)
    return np.where(there, safe, -1)


# ---------------------------------------------------------------------- how sure that is

_Z = 1.96
FEW_STAYS: int = 5
"""With fewer stays nobody can say how much stays differ: no interval of a load is given."""


def wilson(hits: int, of: int) -> tuple[float, float] | None:
    """95 % interval of a share (Wilson 1927); honest also for 0 of 3 and 3 of 3. None of none."""
    if not of:
        return None
    share, z2 = hits / of, _Z * _Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z / (1 + z2 / of) * float(np.sqrt(share * (1 - share) / of + z2 / (4 * of * of)))
    return (middle - half if hits else 0.0), (middle + half if hits < of else 1.0)


def load_intervals(counts: Int, monitored: Int, seed: int = 1, draws: int = 400) -> Float | None:
    """95 % intervals [settings, 2] of counts per patient-day, by drawing stays anew (bootstrap), the same
    draws for every setting. counts [settings, stays]; None with fewer than ``FEW_STAYS``."""
    known = np.flatnonzero(monitored)
    if len(known) < FEW_STAYS:
        return None
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(len(known), np.full(len(known), 1 / len(known)), draws).astype(np.float64)
    days = weights @ (monitored[known] / DAY)
    rates = (counts[:, known].astype(np.float64) @ weights.T) / days
    found: Float = np.quantile(rates, (0.025, 0.975), axis=1).T
    return found
