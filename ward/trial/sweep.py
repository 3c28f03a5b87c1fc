"""All settings over the readings of many stays at once: one filter, one engine, a column a rule.

Readings are read and filtered a lot at a time, for they are large then; those that the filter has judged
before, live, are believed as it marked them. What is valid of a whole group then goes through one engine in
steps of time. The engine works on the k-th change of all its cells at once, so many stays side by side cost
little more than one, and whoever waits is told how far it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

import numpy as np

from ward.scoring.engine import PIECE, Engine
from ward.scoring.filter import VALID, Filter, Marked
from ward.scoring.news2 import PARTS, scale_of
from ward.scoring.readings import Bool, Int, Readings, distinct
from ward.scoring.risk import RiskModel
from ward.scoring.rules import Rule
from ward.scoring.sustain import CLEARED, NEVER, RAISED, Transitions
from ward.signals import HOUR, INDEX, N_OBSERVED, SIGNALS
from ward.trial.beside import Progress, beside

LEAD_IN: Final = 26 * HOUR
"""What the engine has seen before a trial's beginning: what clocks and holds need, and the risk, which looks
back over 24 whole hours."""
GROUP: Final = 8_000_000
"""Readings of stays that are evaluated together at the most (one long stay may have more) ..."""
SHARED: Final = 2_000_000
"""... or this many, where other processes share the work: a part is lost with its process ..."""
_LOT: Final = 1_000_000
"""... read and filtered together ..."""
_STAYS: Final = 2_000
"""... and how many stays."""
_CELLS: Final = 6_000_000
"""Readings times columns evaluated at once, about."""
_LEAST: Final = 5_000
_PATIENT: Final = [i for name, i in INDEX.items() if name not in ("consciousness", "oxygen", "news2", "risk")]

_FILTER: Final = 0.3
"""The part of the work that reading and filtering are, about."""

_GRAIN: Final = 16
"""Steps are cut by every so many-th reading."""
_TAIL: Final = HOUR
"""So much of what was judged before is judged again, to know what the filter still waits for at the end."""

Load = Callable[[slice], Sequence[Readings | Marked]]


@dataclass(frozen=True, eq=False)
class Sets:
    """The rules of stays under each setting, the first one what is in force; stays that have the same share
    one. ``watch``: rules that only mark events."""

    sets: tuple[tuple[Rule, ...], ...]
    watch: tuple[Rule, ...] = ()

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """Every definition in it, once."""
        return tuple(dict.fromkeys(rule for rules in (*self.sets, self.watch) for rule in rules))


@dataclass(frozen=True, slots=True)
class Subject:
    """One stay without its readings. start, end: what the trial is of, ms (readings before ``start`` only
    lead in); size: how many readings, about."""

    start: int
    end: int
    size: int
    sets: Sets
    flags: frozenset[str] = frozenset()
    declared: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Alerts:
    """Sustained breaches as columns, sorted by stay, column, raised. stay: position; column: of ``Found``'s
    rules; since, raised, cleared in ms (cleared ``NEVER``: not by the end)."""

    stay: Int
    column: Int
    since: Int
    raised: Int
    cleared: Int

    def __len__(self) -> int:
        return len(self.raised)

    def take(self, index: Any) -> Alerts:
        return Alerts(*(getattr(self, f.name)[index] for f in fields(self)))

    @classmethod
    def concat(cls, parts: Sequence[Alerts]) -> Alerts:
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))

    @classmethod
    def of(cls, found: Transitions) -> Alerts:
        """Raisings with the clearing that follows each, in the engine's own slots and columns."""
        kept = np.flatnonzero(np.isin(found.kind, (RAISED, CLEARED)))
        order = kept[np.lexsort((found.rule[kept], found.slot[kept]))]  # stable: time stays in order
        slot, rule, up = found.slot[order], found.rule[order], found.kind[order] == RAISED
        ended = np.zeros(len(order), np.bool_)
        ended[:-1] = (slot[1:] == slot[:-1]) & (rule[1:] == rule[:-1]) & ~up[1:]
        cleared = np.full(len(order), NEVER)
        cleared[:-1] = np.where(ended[:-1], found.at[order][1:], NEVER)
        return cls(
            slot[up].astype(np.int64),
            rule[up].astype(np.int64),
            found.since[order][up],
            found.at[order][up],
            cleared[up],
        )


@dataclass(frozen=True, slots=True)
class Found:
    """What came of a sweep. rules: every definition that any stay has, once; monitored [stays] ms in which
    at least one vital sign was known; readings: how many there were."""

    rules: tuple[Rule, ...]
    alerts: Alerts
    monitored: Int
    readings: int


@dataclass(frozen=True, slots=True)
class Part:
    """What came of one group, its alerts with the stays' positions among all and its own columns."""

    alerts: Alerts
    monitored: Int
    readings: int


Sharing = Callable[[Sequence[Subject], Sequence[slice], Progress], list[Part]]
"""Has each group worked on, wherever: what ``work_on`` makes of it, in order."""


def work_on(
    subjects: Sequence[Subject], where: slice, load: Load, progress: Progress, risk: RiskModel | None = None
) -> Part:
    """What comes of one group: a pure function of it and its readings."""
    group = _Group(subjects, where, risk)
    found = group.run(group.read(load, progress), progress)
    return Part(found, group.monitored, group.readings)


def sweep(
    subjects: Sequence[Subject],
    load: Load,
    progress: Progress,
    risk: RiskModel | None = None,
    processes: int = 1,
    sharing: Sharing | None = None,
) -> Found:
    """``load``: the readings of some stays, each in any order, slot 0; with the marks of the filter, where it
    has judged all of them. risk: the model that runs live, where rules on ``risk`` are tried. processes: so
    many groups are worked on beside each other, each by a copy of this process (``ward.trial.beside``), or by
    whoever ``sharing`` has them done by."""
    sizes = [subject.size for subject in subjects]
    groups = pieces(sizes, SHARED if sharing else min(GROUP, -(-sum(sizes) // processes)))

    def work(number: int, told: Progress) -> Part:
        return work_on(subjects, groups[number], load, told, risk)

    if sharing is not None:
        parts = sharing(subjects, groups, progress)
    else:
        parts = beside(work, [sum(sizes[where]) for where in groups], progress, processes)
    registry: dict[Rule, int] = {}
    alerts = [Alerts.of(Transitions.of([], 1))]
    for where, part in zip(groups, parts, strict=True):
        own = np.array([registry.setdefault(rule, len(registry)) for rule in _columns(subjects[where])])
        alerts.append(replace(part.alerts, column=own[part.alerts.column]))
    every = Alerts.concat(alerts)
    every = every.take(np.lexsort((every.raised, every.column, every.stay)))
    monitored = np.concatenate([np.empty(0, np.int64), *(part.monitored for part in parts)])
    return Found(tuple(registry), every, monitored, sum(part.readings for part in parts))


def _columns(group: Sequence[Subject]) -> tuple[Rule, ...]:
    """Every definition that any of these stays has, once."""
    return tuple(dict.fromkeys(rule for sets in dict.fromkeys(s.sets for s in group) for rule in sets.rules))


def pieces(sizes: Sequence[int], most: int) -> list[slice]:
    """Neighbours whose sizes add up to ``most`` at the most; each at least one."""
    found, first, size = [], 0, 0
    for at, n in enumerate(sizes):
        if at > first and (size + n > most or at - first == _STAYS):
            found.append(slice(first, at))
            first, size = at, 0
        size += n
    return [*found, slice(first, len(sizes))] if sizes else []


class _Group:
    """Stays that go through one engine; slots in their order."""

    def __init__(self, subjects: Sequence[Subject], where: slice, risk: RiskModel | None) -> None:
        self._where, self._group = where, subjects[where]
        self._sets = list(dict.fromkeys(s.sets for s in self._group))
        self._columns = _columns(self._group)
        self._engine = Engine(self._columns, len(self._group), lateness=0, filtered=False, risk=risk)
        self._starts, self._ends = (
            np.array([getattr(s, name) for s in self._group], np.int64) for name in ("start", "end")
        )
        self._sure = np.full(len(self._group), NEVER)
        self.monitored = np.zeros(len(self._group), np.int64)
        self.readings = 0
        self._configure()

    def _configure(self) -> None:
        place = {rule: i for i, rule in enumerate(self._columns)}
        own = {sets: np.array([place[rule] for rule in sets.rules], np.int64) for sets in self._sets}
        for slot, subject in enumerate(self._group):
            applies = np.zeros(len(self._columns), np.bool_)
            applies[own[subject.sets]] = True
            if subject.flags:
                applies &= [rule.off_for(subject.flags) is None for rule in self._columns]
            scale = scale_of(subject.flags)
            self._engine.configure(slot, declared=subject.declared, scale=scale, applies=applies.tolist())

    def read(self, load: Load, progress: Progress) -> list[Readings]:
        """What is valid and looked at, in lots of stays, each stay's signal by signal."""
        wanted = np.isin(np.arange(len(SIGNALS)), looked_at(self._columns))
        lots = pieces([s.size for s in self._group], _LOT)
        found = []
        for number, lot in enumerate(lots):
            first = self._where.start
            loaded = load(slice(first + lot.start, first + lot.stop))
            valid, self._sure[lot] = _valid(loaded, self._ends[lot], int(self._ends.max()))
            self.readings += sum(len(one.readings if isinstance(one, Marked) else one) for one in loaded)
            self.monitored[lot] = monitored(valid, self._starts[lot], self._ends[lot])
            begun = np.full(len(loaded), NEVER)  # a stay's clocks start with its first
            np.minimum.at(begun, valid.slot, valid.time)
            kept = valid.take(wanted[valid.signal] | (valid.time == begun[valid.slot]))
            found.append(replace(kept, slot=kept.slot + np.int32(lot.start)))
            progress(_FILTER * (number + 1) / len(lots))
        return found

    def run(self, lots: Sequence[Readings], progress: Progress) -> Alerts:
        """Alerts with the stays' positions among all, and the group's columns."""
        found = Alerts.of(Transitions.concat(list(self._steps(lots, progress))))
        last = np.minimum(self._ends, self._sure - 1)
        kept = (found.raised >= self._starts[found.stay]) & (found.raised <= last[found.stay])
        found = found.take(kept)
        cleared = np.where(found.cleared > last[found.stay], NEVER, found.cleared)
        return replace(found, stay=found.stay + self._where.start, cleared=cleared)

    def _steps(self, lots: Sequence[Readings], progress: Progress) -> Iterator[Transitions]:
        """Each step's readings come signal by signal, as the engine goes through them."""
        times = np.concatenate([self._ends[:0], *(lot.time[::_GRAIN] for lot in lots)])
        size = max(_LEAST, _CELLS // max(len(self._columns), 1)) // _GRAIN
        ends = distinct(np.append(np.sort(times)[size::size], self._ends.max()))
        cells = sorted((cell for lot in lots for cell in _cells(lot)), key=lambda cell: cell.signal[0])
        edges = [[0, *np.searchsorted(cell.time, ends, side="right").tolist()] for cell in cells]
        for number, until in enumerate(ends.tolist()):
            self._engine.add(
                Readings.concat(
                    cell.take(slice(edge[number], edge[number + 1]))
                    for cell, edge in zip(cells, edges, strict=True)
                )
            )
            yield self._engine.step(until).transitions
            progress(_FILTER + (1 - _FILTER) * (number + 1) / len(ends))


def _cells(lot: Readings) -> Iterator[Readings]:
    """The readings of each slot and signal, in order of time; a lot has its stays one after another, each
    signal by signal."""
    begins = np.flatnonzero((np.diff(lot.slot) != 0) | (np.diff(lot.signal) != 0)) + 1
    for edge in pairwise([0, *begins.tolist(), len(lot)]) if len(lot) else ():
        yield lot.take(slice(*edge))


def looked_at(rules: Sequence[Rule]) -> list[int]:
    """Signals whose readings any of the rules may look at: all, where one looks at a score."""
    names = {clause.signal for rule in rules for clause in (*rule.when, *rule.clear_when)}
    if "risk" in names:
        return list(range(N_OBSERVED))
    names |= {"pr"} if "hr" in names else set()
    names |= {"pr", *PARTS} if "news2" in names else set()
    return [INDEX[name] for name in names if INDEX[name] < N_OBSERVED]


def _valid(loaded: Sequence[Readings | Marked], ends: Int, end: int) -> tuple[Readings, Int]:
    """What is valid of some stays until their ends, and per slot the time from which the filter still waits
    for what follows."""
    parts, judge = [], []
    for slot, one in enumerate(loaded):
        rows = one.readings if isinstance(one, Marked) else one
        there = rows.time <= ends[slot]
        judged = rows.where(there & (rows.time > end - _TAIL) if isinstance(one, Marked) else there)
        judge.append(judged.at_slot(slot))
        if isinstance(one, Marked):
            parts.append(rows.where(there & (one.mark == VALID)).at_slot(slot))
    found, sure = _filtered(Readings.concat(judge).in_order(), len(loaded), end)
    new = np.array([not isinstance(one, Marked) for one in loaded], np.bool_)
    found = found.where(new[found.slot])
    return Readings.concat(
        [*parts, found.take(np.lexsort((found.seq, found.time, found.signal, found.slot)))]
    ), sure


def _filtered(every: Readings, slots: int, end: int) -> tuple[Readings, Int]:
    """Valid readings, and per slot the time from which the filter still waits for what follows."""
    gate, valid = Filter(slots), [Readings.empty()]
    for low, high in _cuts(every.time, PIECE):
        marked = gate.push(every.take(slice(low, high)).in_cell_order(), int(every.time[high - 1]))
        valid.append(marked.readings.take(marked.mark == VALID))
    marked = gate.push(Readings.empty(), end)
    valid.append(marked.readings.take(marked.mark == VALID))
    return Readings.concat(valid), gate.waiting()


def _cuts(time: Int, size: int) -> list[tuple[int, int]]:
    """Rows in pieces of about ``size``; rows of one instant stay together."""
    edges = [0]
    while edges[-1] < len(time):
        at = min(edges[-1] + size, len(time))
        edges.append(int(np.searchsorted(time, time[at - 1], side="right")))
    return list(pairwise(edges))


def monitored(valid: Readings, starts: Int, ends: Int) -> Int:
    """Per slot, ms within [start, end) in which at least one measured signal was known. Readings in any
    order; quick where each signal's are together, in order of time."""
    slot, begin, until = _stretches(valid.where(np.isin(valid.signal, _PATIENT)))
    order = np.lexsort((begin, slot))
    slot = slot[order]
    low, high = starts[slot], ends[slot]
    begin, until = np.clip(begin[order], low, high), np.clip(until[order], low, high)
    reach = _running_max(slot, until)
    before = np.where(np.append(True, slot[1:] != slot[:-1])[: len(slot)], begin, np.roll(reach, 1))
    found: Int = np.bincount(slot, np.maximum(until - np.maximum(begin, before), 0), len(starts)).astype(
        np.int64
    )
    return found


def _stretches(readings: Readings) -> tuple[Int, Int, Int]:
    """Slot, begin and end (ms) of neighbours each of which begins before the one before it is over."""
    slot, time, until = readings.slot, readings.time, readings.time + readings.hold
    goes_on: Bool = (slot[1:] == slot[:-1]) & (time[1:] >= time[:-1]) & (time[1:] <= until[:-1])
    at = np.flatnonzero(np.append(True, ~goes_on)[: len(time)])
    over = np.maximum.reduceat(until, at) if len(at) else until
    return slot[at].astype(np.int64), time[at], over


def _running_max(slot: Int, value: Int) -> Int:
    """Of ``value`` so far within each slot; slots are sorted."""
    if not len(value):
        return value
    base = int(value.min())
    width = int(value.max()) - base + 1
    reach: Int = np.maximum.accumulate((value - base) + slot * width)
    return reach - slot * width + base


def alone(found: Alerts, stay: int) -> Alerts:
    """Those of one stay."""
    low, high = np.searchsorted(found.stay, (stay, stay + 1))
    return found.take(slice(int(low), int(high)))
