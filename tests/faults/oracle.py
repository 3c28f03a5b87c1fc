"""What one undisturbed engine says of a known stream: the pure engine and alert book, driven by seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.faults.stream import INDICES, Plan
from ward.alerts.book import AlertBook
from ward.alerts.model import StayState
from ward.alerts.packs import load_pack
from ward.alerts.track import Breach
from ward.scoring.engine import Engine
from ward.scoring.readings import Readings
from ward.scoring.rules import Rule
from ward.scoring.sustain import RAISED
from ward.signals import SECOND, hold_of

AFTER = 60 * SECOND
"""For so long after the last reading there is something to evaluate: what holds, runs out."""


@dataclass(slots=True)
class Raised:
    """One sustained breach: of device ``number``; times in ms, ``cleared`` None while it lasts."""

    number: int
    rule: str
    since: int
    at: int
    cleared: int | None = None


@dataclass(slots=True)
class Expected:
    raised: list[Raised] = field(default_factory=list)
    interruptions: list[tuple[int, str, int, str]] = field(default_factory=list)
    """(device, rule, since, reason): whom staff had to be interrupted for."""


def readings_of(plan: Plan, origin: int, samples: int, shift: Callable[[int, int], int]) -> Readings:
    intervals = plan.interval_ms / 1000
    holds = np.array([hold_of(signal, intervals) for signal in INDICES], np.int64)
    parts = []
    for n in range(plan.stays):
        moved = np.array([shift(n, k) for k in range(samples)], np.int64)
        times = plan.times(n, origin)[:samples] + moved
        values: NDArray[np.float64] = plan.values(n)[:samples]
        width = len(INDICES)
        parts.append(
            Readings.of(
                samples * width,
                slot=n,
                signal=np.tile(np.array(INDICES, np.int8), samples),
                time=np.repeat(times, width),
                value=values.reshape(-1),
                seq=np.repeat(np.arange(samples), width),
                device=n + 1,
                hold=np.tile(holds, samples),
            )
        )
    return Readings.concat(parts)


def undisturbed(
    plan: Plan,
    origin: int,
    samples: int,
    pack: Path,
    shift: Callable[[int, int], int] = lambda device, sample: 0,
) -> Expected:
    """The first ``samples`` samples of every device of the plan through engine and book."""
    rules = load_pack(str(pack)).rules
    engine = Engine(rules, plan.stays, lateness=0)
    book = AlertBook()
    for n in range(plan.stays):
        book.stay_changed(StayState(str(n), plan.ward(n), str(n)), rules, origin)
    readings = readings_of(plan, origin, samples, shift).in_order()
    found = Expected()
    open_: dict[tuple[int, str], Raised] = {}
    end = int(readings.time[-1]) + AFTER
    read = 0
    for now in range(origin, end + SECOND, SECOND):
        upto = int(np.searchsorted(readings.time, now, side="right"))
        engine.add(readings.take(slice(read, upto)))
        read = upto
        t = engine.step(now).transitions
        rows = zip(*(c.tolist() for c in (t.slot, t.rule, t.kind, t.at, t.since)), strict=True)
        together: list[tuple[str, Rule, Breach]] = []
        for slot, column, kind, at, since in rows:
            rule = engine.rules[column]
            if kind == RAISED:
                item = open_[slot, rule.id] = Raised(slot, rule.id, since, at)
                found.raised.append(item)
                together.append((str(slot), rule, Breach(since, at, None, None, False)))
                continue
            _interrupt(found, book, together, now)
            together = []
            if (cleared := open_.pop((slot, rule.id), None)) is not None:
                cleared.cleared = at
                book.cleared(str(slot), rule.id, since, at, now)
        _interrupt(found, book, together, now)
        book.tick(now)
    return found


def _interrupt(
    found: Expected, book: AlertBook, raised: Sequence[tuple[str, Rule, Breach]], now: int
) -> None:
    for change in book.raised_together(raised, now):
        if change.notify is not None and change.alert is not None:
            alert = change.alert
            since = alert.breach_since or 0
            found.interruptions.append((int(alert.stay), alert.rule, since, change.notify.reason))
