"""All settings over the readings of many stays at once: one filter, one engine, a column a rule.

Readings are filtered once. The engine then goes over them in steps of time, so that memory does not grow
with the length of a stay, and whoever waits is told how far it is. Stays are taken in groups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.scoring.engine import Engine
from ward.scoring.filter import VALID, Filter
from ward.scoring.readings import Int, Readings
from ward.scoring.risk import RiskModel
from ward.scoring.rules import Rule
from ward.scoring.sustain import CLEARED, NEVER, RAISED, Transitions
from ward.signals import HOUR, INDEX

LEAD_IN: Final = 24 * HOUR
"""What the engine has seen before a trial's beginning, at the least: what holds, scores and trends need."""
GROUP: Final = 1_000_000
"""Readings that are evaluated together at the most (one long stay may have more) ..."""
_STAYS: Final = 2_000
"""... and stays."""
_PUSH: Final = 500_000
"""Readings filtered at once."""
_CELLS: Final = 3_000_000
"""Readings times columns evaluated at once, about."""
_LEAST: Final = 5_000
_PATIENT: Final = [i for name, i in INDEX.items() if name not in ("consciousness", "oxygen", "news2", "risk")]

Progress = Callable[[float], None]
"""Told what part of the whole is done, 0 to 1. May raise, to end it."""


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
    """One stay: its readings (any order), of which those before ``start`` only lead in; times in ms."""

    id: str
    readings: Readings
    start: int
    end: int
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


def sweep(
    groups: Iterator[tuple[float, list[Subject]]], progress: Progress, risk: RiskModel | None = None
) -> Found:
    """``groups`` come with the part of the whole that is done when they are (see ``grouped``). risk: the
    model that runs live, where rules on ``risk`` are tried."""
    registry: dict[Rule, int] = {}
    alerts = [Alerts.of(Transitions.of([], 1))]
    monitored: list[Int] = []
    stays = readings = 0
    done = 0.0
    for upto, group in groups:
        if not group:
            continue
        begun, share = done, upto - done

        def told(part: float, begun: float = begun, share: float = share) -> None:
            progress(begun + share * part)

        found, known = _sweep_group(group, registry, told, risk)
        found.stay[:] += stays
        alerts.append(found)
        monitored.append(known)
        stays += len(group)
        readings += sum(len(subject.readings) for subject in group)
        done = upto
    every = Alerts.concat(alerts)
    every = every.take(np.lexsort((every.raised, every.column, every.stay)))
    known = np.concatenate([np.empty(0, np.int64), *monitored])
    return Found(tuple(registry), every, known, readings)


def grouped(sizes: Sequence[int]) -> Iterator[tuple[float, slice]]:
    """Which stays to evaluate together, given how many readings each has; with the part done after each."""
    total, seen, first, size = max(sum(sizes), 1), 0, 0, 0
    for at, n in enumerate(sizes):
        if at > first and (size + n > GROUP or at - first == _STAYS):
            yield seen / total, slice(first, at)
            first, size = at, 0
        size += n
        seen += n
    if sizes:
        yield 1.0, slice(first, len(sizes))


def _sweep_group(
    group: Sequence[Subject], registry: dict[Rule, int], progress: Progress, risk: RiskModel | None
) -> tuple[Alerts, Int]:
    columns = tuple(dict.fromkeys(rule for sets in {s.sets: None for s in group} for rule in sets.rules))
    place = {rule: i for i, rule in enumerate(columns)}
    own = {sets: np.array([place[rule] for rule in sets.rules], np.int64) for sets in {s.sets for s in group}}
    engine = Engine(columns, len(group), lateness=0, filtered=False, risk=risk)
    for slot, subject in enumerate(group):
        applies = np.zeros(len(columns), np.bool_)
        applies[own[subject.sets]] = True
        if subject.flags:
            applies &= [not subject.flags.intersection(rule.unless) for rule in columns]
        scale = 2 if "spo2-scale-2" in subject.flags else 1
        engine.configure(slot, declared=subject.declared, scale=scale, applies=applies.tolist())
    starts, ends = (np.array([getattr(s, name) for s in group], np.int64) for name in ("start", "end"))
    valid, sure = _filtered(group, ends, lambda part: progress(part * 0.3))
    found = Alerts.of(Transitions.concat(list(_steps(engine, valid, int(ends.max()), progress))))
    last = np.minimum(ends, sure - 1)
    kept = (found.raised >= starts[found.stay]) & (found.raised <= last[found.stay])
    found = found.take(kept)
    found.cleared[found.cleared > last[found.stay]] = NEVER
    own_columns = np.array([registry.setdefault(rule, len(registry)) for rule in columns], np.int64)
    named = Alerts(found.stay, own_columns[found.column], found.since, found.raised, found.cleared)
    return named, monitored(valid, starts, ends)


def _filtered(group: Sequence[Subject], ends: Int, progress: Progress) -> tuple[Readings, Int]:
    """Valid readings in order, and per slot the time from which the filter still waits for what follows."""
    every = Readings.concat(s.readings.at_slot(slot) for slot, s in enumerate(group))
    every = every.take(every.time <= ends[every.slot]).in_order()
    gate, valid = Filter(len(group)), [Readings.empty()]
    cuts = _cuts(every.time, _PUSH)
    for number, (low, high) in enumerate(cuts):
        until = int(every.time[high - 1])
        marked = gate.push(every.take(slice(low, high)), until)
        valid.append(marked.readings.take(marked.mark == VALID))
        progress((number + 1) / len(cuts))
    marked = gate.push(Readings.empty(), int(ends.max()))
    valid.append(marked.readings.take(marked.mark == VALID))
    return Readings.concat(valid).in_order(), gate.waiting()


def _cuts(time: Int, size: int) -> list[tuple[int, int]]:
    """Rows in pieces of about ``size``; rows of one instant stay together."""
    edges = [0]
    while edges[-1] < len(time):
        at = min(edges[-1] + size, len(time))
        edges.append(int(np.searchsorted(time, time[at - 1], side="right")))
    return list(pairwise(edges))


def _steps(engine: Engine, valid: Readings, end: int, progress: Progress) -> Iterator[Transitions]:
    cuts = _cuts(valid.time, max(_LEAST, _CELLS // max(len(engine.rules), 1)))
    for number, (low, high) in enumerate(cuts):
        engine.add(valid.take(slice(low, high)))
        yield engine.step(int(valid.time[high - 1])).transitions
        progress(0.3 + 0.7 * (number + 1) / len(cuts))
    yield engine.step(end).transitions


def monitored(valid: Readings, starts: Int, ends: Int) -> Int:
    """Per slot, ms within [start, end) in which at least one measured signal was known. Readings in order."""
    mine = valid.take(np.isin(valid.signal, _PATIENT))
    order = np.argsort(mine.slot, kind="stable")
    slot, time = mine.slot[order], mine.time[order]
    low, high = starts[slot], ends[slot]
    begin = np.clip(time, low, high)
    until = np.clip(time + mine.hold[order], low, high)
    reach = _running_max(slot, until)
    before = np.where(np.append(True, slot[1:] != slot[:-1])[: len(slot)], begin, np.roll(reach, 1))
    found: Int = np.bincount(slot, np.maximum(until - np.maximum(begin, before), 0), len(starts)).astype(
        np.int64
    )
    return found


def _running_max(slot: NDArray[np.int32], value: Int) -> Int:
    """Of ``value`` so far within each slot; slots are sorted."""
    if not len(value):
        return value
    base = int(value.min())
    width = int(value.max()) - base + 1
    reach: Int = np.maximum.accumulate((value - base) + slot.astype(np.int64) * width)
    return reach - slot.astype(np.int64) * width + base


def alone(found: Alerts, stay: int) -> Alerts:
    """Those of one stay."""
    low, high = np.searchsorted(found.stay, (stay, stay + 1))
    return found.take(slice(int(low), int(high)))
