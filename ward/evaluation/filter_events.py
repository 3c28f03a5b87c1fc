"""True events on real recordings: does each still raise its rule, and how much later?

Every rule of WARD's trial is made true on a stretch of a real patient's signals, for exactly as long as it
asks for and a little more: just beyond its threshold and far beyond, at once and within a minute, with the
patient's own noise. Beside them stands a desaturation as it was recorded (MIMIC-IV WDB 82284982, SpO2 near
81 with a pulse of 145). Live delay is measured second by second through the engine, with and without filter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ward.alerts.packs import load_pack
from ward.evaluation.filter_shapes import Bank, grid
from ward.ingest.recordings import Recording
from ward.scoring.engine import Engine
from ward.scoring.readings import Float, Int, Readings
from ward.scoring.rules import Rule
from ward.scoring.sustain import RAISED, Transitions
from ward.signals import INDEX, SECOND, SIGNALS, hold_of

BEFORE: Final = 3 * 60
AFTER: Final = 60
MARGIN: Final = 30
"""s of a patient's own signals before and after the event, and by how much it outlasts its rule."""
DENSE: Final = ("hr", "pr", "spo2", "rr")
CUFF_EVERY: Final = 5 * 60
CUFF_AT: Final = {"sbp": 122.0, "dbp": 74.0, "map": 90.0}
JUST: Final = {"spo2": 1.0, "rr": 1.0, "hr": 1.0, "sbp": 1.0}
FAR: Final = {"spo2": 9.0, "rr": 8.0, "hr": 25.0, "sbp": 25.0}
DESATURATION: Final = "82284982n"
CARRIERS: Final = ("bidmc_05_Numerics", "bidmc_16_Numerics", "bidmc_21_Numerics", "bidmc_31_Numerics")


@dataclass(frozen=True, slots=True)
class Event:
    """One true event: the rule it must raise, how deep and how sudden it is, on whose signals."""

    rule: str
    depth: str
    onset: str
    carrier: str
    readings: Readings
    """slot 0, times from 0"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """``raised``: without the filter; ``kept``: with it. ``stamp``, ``told``: ms by which its instant, and
    its telling second by second, are later than without."""

    event: Event
    raised: bool
    kept: bool
    stamp: int
    told: int


def events(bank: Bank, most: int | None = None) -> list[Event]:
    """All events; ``most``: s that one may last, for a quick look."""
    found = []
    carriers = [bank.bidmc[name] for name in CARRIERS if name in bank.bidmc] or list(bank.bidmc.values())[:2]
    for number, rule in enumerate(load_pack("ward-rct-2025").rules):
        lasts = rule.for_ms // SECOND + MARGIN
        if most is not None and lasts > most:
            continue
        for i, (depth, onset) in enumerate((d, o) for d in ("just", "far") for o in ("step", "minute")):
            carrier = carriers[(number + i) % len(carriers)]
            found.append(_event(rule, depth, onset, carrier, lasts))
    return [*found, *_recorded(bank)]


def judge(found: Sequence[Event], progress: Callable[[float], None]) -> list[Outcome]:
    """Each event through the engine by seconds, once with the filter and once without."""
    rules = load_pack("ward-rct-2025").rules
    column = {rule.id: i for i, rule in enumerate(rules)}
    together = Readings.concat([event.readings.at_slot(slot) for slot, event in enumerate(found)])
    together = together.in_order()
    engines = [Engine(rules, len(found), lateness=0, filtered=filtered) for filtered in (False, True)]
    firsts: list[dict[tuple[int, int], tuple[int, int]]] = [{}, {}]
    last = int(together.time[-1]) + 20 * SECOND
    cuts = np.searchsorted(together.time, np.arange(0, last + 2 * SECOND, SECOND), side="right")
    for second in range(1, len(cuts)):
        now = second * SECOND
        part = together.take(slice(int(cuts[second - 1]), int(cuts[second])))
        for engine, first in zip(engines, firsts, strict=True):
            engine.add(part)
            for t in _stepped(engine, now, together):
                for slot, rule, kind, at in zip(t.slot, t.rule, t.kind, t.at, strict=True):
                    if kind == RAISED:
                        first.setdefault((int(slot), int(rule)), (int(at), now))
        if second % 60 == 0:
            progress(second / len(cuts))
    outcomes = []
    for slot, event in enumerate(found):
        cell = slot, column[event.rule]
        (raw, filtered) = (first.get(cell) for first in firsts)
        stamp, told = (filtered[i] - raw[i] if raw and filtered else 0 for i in range(2))
        outcomes.append(Outcome(event, raw is not None, filtered is not None, stamp, told))
    return outcomes


def _stepped(engine: Engine, now: int, readings: Readings) -> Iterator[Transitions]:
    """One second, and the rebuilding of stays whose sparse readings were confirmed late, as live does."""
    step = engine.step(now)
    yield step.transitions
    for slot in np.unique(step.late.slot).tolist():
        since = int(step.late.time[step.late.slot == slot].min())
        stored = readings.take((readings.slot == slot) & (readings.time <= now))
        yield engine.rebuild(slot, stored, since)[0]


def _event(rule: Rule, depth: str, onset: str, carrier: Recording, lasts: int) -> Event:
    ramp = 60 if onset == "minute" else 0
    cuff = any(clause.signal == "sbp" for clause in rule.when)
    spare = 2 * CUFF_EVERY if cuff else 0
    total = BEFORE + ramp + lasts + spare + AFTER
    own = {name: _mirrored(carrier, name, total) for name in DENSE}
    shape = np.zeros(total)
    begin, full = BEFORE, BEFORE + ramp
    shape[begin:full] = np.linspace(0, 1, full - begin, endpoint=False)
    shape[full : full + lasts + spare] = 1
    pressure = np.full(total, CUFF_AT["sbp"])
    for name in sorted({clause.signal for clause in rule.when}):
        low, high = _bounds(rule, name)
        target = _target(low, high, (JUST if depth == "just" else FAR)[name])
        base = pressure if name == "sbp" else own[name]
        level = float(np.median(base))
        wobble = np.zeros(total) if name == "sbp" else base - level
        moved = base + (target - level) * shape
        # At full depth the patient's noise stays on the event's side of the threshold.
        held = np.clip(target + wobble, low, high)
        made = np.where(shape == 1, held, moved)
        if name == "sbp":
            pressure = made
        else:
            own[name] = made
    if any(clause.signal == "hr" for clause in rule.when):
        own["pr"] = own["hr"].copy()
    return Event(rule.id, depth, onset, carrier.stay, _readings(own, pressure))


def _bounds(rule: Rule, name: str) -> tuple[float, float]:
    """Lowest and highest whole value that all of the rule's clauses on a signal accept."""
    low, high = SIGNALS[INDEX[name]].possible
    for clause in rule.when:
        if clause.signal == name:
            if clause.op in ("<", "<="):
                high = min(high, clause.number - (clause.op == "<"))
            else:
                low = max(low, clause.number + (clause.op == ">"))
    return low, high


def _target(low: float, high: float, beyond: float) -> float:
    """So far beyond the threshold; in the middle where there are two."""
    limits = {350.0, 0.0, 100.0, 150.0, 400.0, -20.0}
    if low in limits or low == 21:  # "heart rate above 20" is a guard, not a threshold
        return max(low, high + 1 - beyond) if high not in limits else max(low, 80.0)
    return min(high, low - 1 + beyond) if high in limits else (low + high) / 2


def _mirrored(carrier: Recording, name: str, seconds: int) -> Float:
    values = grid(carrier, name, 0, 480)
    known = np.flatnonzero(~np.isnan(values))
    values = np.interp(np.arange(480), known, values[known])
    there_and_back = np.concatenate([values, values[::-1]])
    return np.resize(there_and_back, seconds)


def _readings(own: dict[str, Float], pressure: Float | None) -> Readings:
    parts = []
    for name, values in own.items():
        rows = np.flatnonzero(~np.isnan(values))
        decimals = SIGNALS[INDEX[name]].decimals
        signal = INDEX[name]
        value = np.round(values[rows], decimals)
        parts.append(
            Readings.of(
                slot=0, signal=signal, time=rows * SECOND, value=value, hold=hold_of(signal), seq=rows
            )
        )
    if pressure is not None:
        rows = np.arange(60, len(pressure), CUFF_EVERY)
        for name, usual in CUFF_AT.items():
            value = np.round(pressure[rows] * usual / CUFF_AT["sbp"])
            hold = hold_of(INDEX[name], CUFF_EVERY)
            parts.append(
                Readings.of(
                    slot=0, signal=INDEX[name], time=rows * SECOND, value=value, hold=hold, seq=rows, device=1
                )
            )
    return Readings.concat(parts).in_order()


def _recorded(bank: Bank) -> list[Event]:
    """The short recording as it is, after three minutes of another patient at rest."""
    recording = bank.monitor.get(DESATURATION)
    if recording is None:
        return []
    lasts = int(recording.time[-1]) // SECOND
    calm = next(iter(bank.bidmc.values()))
    own = {}
    for name in ("hr", "pr", "spo2"):
        taken = grid(recording, "pr" if name == "hr" else name, 0, lasts)
        own[name] = np.concatenate([_mirrored(calm, name, BEFORE), taken])
    readings = _readings(own, None)
    return [
        Event(rule, "recorded", "recorded", DESATURATION, readings)
        for rule in ("spo2-below-80", "spo2-below-85")
    ]


def delays(outcomes: Sequence[Outcome], part: Callable[[Outcome], int]) -> Int:
    return np.array([part(o) for o in outcomes if o.raised and o.kept], np.int64)
