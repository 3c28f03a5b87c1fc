"""The parts of a stay's JSON object, as the dashboard sees it (``ward.live.frames`` puts them together)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.alerts.carers import Carers
from ward.alerts.model import RANK, Alert, StayState
from ward.clock import iso
from ward.ingest.router import DeviceView, Seen
from ward.live.minutes import Minutes
from ward.scoring.conditions import news2
from ward.scoring.engine import Engine
from ward.scoring.filter import REASONS, VALID
from ward.scoring.held import Moment
from ward.scoring.news2 import NOT_FOR, NOT_SCORED, PARTS, RISKS, Score
from ward.scoring.readings import Bool, Float, Int
from ward.scoring.readings import Readings as ReadingsTable
from ward.scoring.rules import Priority, Rule
from ward.scoring.sustain import BREACH, UNKNOWN
from ward.signals import CONSCIOUSNESS, INDEX, OBSERVED, SIGNALS

Json = dict[str, Any]
LEVELS: Final = {number: letter for letter, number in CONSCIOUSNESS.items()}


@dataclass(frozen=True, slots=True)
class Latest:
    """Rows of ``Newest``, one a slot: [n, signals]."""

    time: Int
    value: Float
    mark: NDArray[np.uint8]
    reason: NDArray[np.uint8]


class Newest:
    """The newest reading of each slot and signal, valid or not: what a device shows just now."""

    def __init__(self, slots: int) -> None:
        shape = (slots, len(OBSERVED))
        self.time: Int = np.full(shape, -1, np.int64)
        self.value: Float = np.full(shape, np.nan)
        self.mark = np.zeros(shape, np.uint8)
        self.reason = np.zeros(shape, np.uint8)
        self.minutes = Minutes(slots)

    def resize(self, slots: int) -> None:
        self.minutes.resize(slots)
        more = Newest(slots - len(self.time))
        for name in ("time", "value", "mark", "reason"):
            setattr(self, name, np.concatenate([getattr(self, name), getattr(more, name)]))

    def forget(self, slot: int) -> None:
        self.time[slot], self.value[slot], self.mark[slot], self.reason[slot] = -1, np.nan, 0, 0
        self.minutes.forget(slot)

    def at(self, slots: Int) -> Latest:
        """A copy."""
        return Latest(self.time[slots], self.value[slots], self.mark[slots], self.reason[slots])

    def take(self, readings: ReadingsTable, mark: Any, reason: Any) -> None:
        self.minutes.take(readings, mark == VALID)
        newest, time = self.time.reshape(-1), readings.time
        cell = readings.slot * np.int64(len(OBSERVED)) + readings.signal
        # Of what stands together only the last: a start takes many thousands at once, signal by signal.
        ends = np.ones(len(cell), np.bool_)
        ends[:-1] = (cell[1:] != cell[:-1]) | (time[1:] < time[:-1])
        some = np.flatnonzero(ends)
        np.maximum.at(newest, cell[some], time[some])
        last = some[time[some] == newest[cell[some]]]
        cell = cell[last]
        for own, new in ((self.value, readings.value), (self.mark, mark), (self.reason, reason)):
            own.reshape(-1)[cell] = new[last]


def spoken(signal: int, value: float) -> float | str | bool | None:
    """A value as people write it: a level by its letter, oxygen as yes or no."""
    if isnan(value):
        return None
    name = SIGNALS[signal].name
    if name == "consciousness":
        return LEVELS.get(int(value))
    if name == "oxygen":
        return bool(value)
    return float(value)


def signals_view(
    rows: Moment,
    row: int,
    held_by: Int,
    newest: Latest,
    device_of: Callable[[int], str | None],
    trends: Mapping[str, str | None],
) -> Json:
    """Latest reading of each signal; a newer one that the filter doubts is shown as questionable. ``trends``
    are the words of ``ward.scoring.tendency``."""
    shown: Json = {}
    now, marks = int(rows.time[row]), newest.mark[row].tolist()
    of_row = (rows.taken, rows.expires, rows.value, rows.fresh, newest.time, newest.value)
    # Plain numbers: one by one out of an array they cost ten times as much.
    cells = zip(SIGNALS, *(of[row].tolist() for of in of_row), held_by.tolist(), strict=False)
    for s, (signal, taken, expires, value, fresh, seen, newer, device) in enumerate(cells):
        name, hold = signal.name, expires - taken if taken >= 0 else signal.hold
        doubted = seen >= 0 and marks[s] > 0 and seen > taken and now - seen < hold
        if taken < 0 and not doubted:
            continue
        shown[name] = {
            "value": spoken(s, newer if doubted else value),
            "unit": signal.unit,
            "time": iso(seen if doubted else taken),
            "state": "questionable" if doubted else "fresh" if fresh else "stale",
            "device": device_of(device),
            "reason": REASONS[newest.reason[row, s]] or None if doubted else None,
            "hold_s": hold / 1000,
            "trend": trends.get(name),
        }
    return shown


def not_scored(flags: Sequence[str]) -> Json:
    """In the place of NEWS2 for whom it is not: no number, no points, and why."""
    why = next(flag for flag in NOT_FOR if flag in flags)
    empty: Json = {"partial": False, "missing": [], "stale": [], "scale": 1, "parts": {}}
    return {"score": None, "risk": None, **empty, "not_applicable": why}


def news2_view(rows: Moment, row: int, score: Score, fresh: Bool, scale: int, flags: Sequence[str]) -> Json:
    """NEWS2 with each part's points, age and whether its hold has ended; stale is never shown as normal."""
    if scale == NOT_SCORED:
        return not_scored(flags)
    parts: Json = {}
    missing, stale = [], []
    of_row = (rows.fresh, rows.expires, rows.value, rows.taken)
    is_fresh, expires, value, taken = (of[row].tolist() for of in of_row)
    hr, pr = INDEX["hr"], INDEX["pr"]
    of_parts = zip(PARTS, score.missing[row].tolist(), score.parts[row].tolist(), strict=True)
    for name, lacks, points in of_parts:
        if lacks:
            missing.append(name)
            continue
        s = INDEX[name]
        if s == hr and not is_fresh[hr] and (is_fresh[pr] or expires[pr] > expires[hr]):
            s = pr
        if not is_fresh[s]:
            stale.append(name)
        parts[name] = {
            "points": points,
            "value": spoken(s, value[s]),
            "time": iso(taken[s]),
            "stale": not is_fresh[s],
        }
    known = bool(fresh[row])
    return {
        "score": int(score.total[row]) if known else None,
        "risk": RISKS[score.risk[row]] if known else None,
        "partial": bool(missing),
        "missing": missing,
        "stale": stale,
        "scale": scale,
        "parts": parts,
        "not_applicable": None,
    }


def news2_now(engine: Engine, slots: Int) -> tuple[Moment, Score, Bool]:
    """What these slots hold now, their NEWS2, and whether any vital sign is fresh; one row a slot."""
    rows = engine.latest(slots)
    return rows, *news2(rows, engine.scale)


def carer_view(carers: Carers, stay: str, now: int) -> Json:
    """Who has the patient, or who had it last."""
    carer, gone = carers.of(stay), carers.before(stay, now)
    return {
        "carer": carer
        and {
            "person": carer.person,
            "name": carer.name,
            "since": iso(carer.since),
            "until": iso(carer.until),
        },
        "carer_before": gone and {"name": gone.name, "until": iso(gone.at), "reason": gone.reason},
    }


def away_view(state: StayState | None) -> Json:
    """Why the patient is away and who said so; nothing where she is here."""
    return {"paused_reason": state and state.away_for, "paused_by": state and state.away_by}


def in_breach(rules: Sequence[Rule], applies: Bool, state: NDArray[Any]) -> dict[str, bool | None]:
    """By rule of one stay whether its condition holds as far as the stay is evaluated: an alert goes on for a
    while after it. None where that is not known; rules that are not the engine's are not there."""
    found: dict[str, bool | None] = {}
    for column in np.flatnonzero(applies).tolist():
        now = int(state[column])
        found.setdefault(rules[column].id, None if now == UNKNOWN else now == BREACH)
    return found


def loudest(alerts: Sequence[Alert]) -> Priority | None:
    """The highest priority of those that are not shelved or held back."""
    loud = [a.priority for a in alerts if a.state in ("active", "acknowledged", "returned")]
    return sorted(loud, key=RANK.__getitem__)[-1] if loud else None


def seen(known: Seen | None) -> Json:
    """What is known of a device that was ever heard."""
    if known is None:
        return {}
    online, last_seen, offset = known
    return {"online": online, "last_seen_at": iso(last_seen), "offset_s": offset / 1000}


def device_view(device: DeviceView) -> Json:
    return {
        "id": device.key,
        "ward": device.ward,
        "device": device.device,
        "stay": device.stay,
        "online": device.online,
        "session": device.session,
        "first_seen_at": iso(device.first_seen),
        "last_seen_at": iso(device.last_seen),
        "last_time": iso(device.last_time),
        "offset_s": device.offset / 1000,
        "intervals": {SIGNALS[s].name: seconds for s, seconds in device.intervals.items()},
        "readings": device.readings,
        "duplicates": device.duplicates,
    }
