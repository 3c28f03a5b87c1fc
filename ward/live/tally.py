"""The core's slow beat: what is in force on each ward, once a minute, added to the day's counts.

What was counted is written with each snapshot. A crash loses what was counted since (a minute at the most),
and nothing is counted twice: only time that passed before this process' eyes counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

import numpy as np
from sqlalchemy import Connection

from ward.live.slots import Slots
from ward.live.views import news2_now
from ward.reports.tally import MONITORED, PRESENT, QUANTITIES, VITALS, count, in_hour
from ward.scoring.engine import Engine
from ward.scoring.news2 import NOT_SCORED
from ward.scoring.readings import Float, Int
from ward.signals import HOUR, INDEX, MINUTE, SECOND
from ward.store.stays import Stay
from ward.store.tallies import DAY, Tally, add_tallies

EVERY: Final = MINUTE
LONGEST: Final = 5 * MINUTE
"""So much time counts at one beat at the most: what passed while the core stood still was not watched."""
_COLUMNS: Final = [INDEX[name] for name in VITALS]
_NEWS2, _RISK = ([one.name for one in QUANTITIES].index(name) for name in ("news2", "risk"))


class Beat:
    """``speed``: of the ward's clock; a beat then covers as much more of its time."""

    def __init__(self, speed: float) -> None:
        self._every, self._longest = EVERY, round(LONGEST * max(speed, 1.0))
        self._last: int | None = None
        self._waiting: dict[tuple[str, int], list[Mapping[str, list[int]]]] = defaultdict(list)

    def tick(self, engine: Engine, slots: Slots, stays: Mapping[str, Stay], now: int) -> None:
        """Count, if a minute has passed (ms of the ward's clock)."""
        if self._last is None or now < self._last:
            self._last = now
            return
        if now - self._last < self._every:
            return
        seconds = min(now - self._last, self._longest) // SECOND
        self._last = now
        here = [slot for slot in slots.taken() if stays[slots.stay(slot)].end is None]
        if not here:
            return
        names = sorted({stays[slots.stay(slot)].ward for slot in here})
        place = {name: number for number, name in enumerate(names)}
        ward = np.array([place[stays[slots.stay(slot)].ward] for slot in here], np.int64)
        value = _in_force(engine, np.array(here, np.int64))
        day, hour = now // DAY * DAY, now % DAY // HOUR
        monitored = np.bincount(ward[~np.isnan(value[:, : len(VITALS)]).all(axis=1)], minlength=len(names))
        present = np.bincount(ward, minlength=len(names))
        for number, found in enumerate(count(value, ward, len(names), seconds)):
            times = {
                MONITORED: in_hour(hour, int(monitored[number]) * seconds),
                PRESENT: in_hour(hour, int(present[number]) * seconds),
            }
            self._waiting[names[number], day].append(found | times)

    def write(self, tx: Connection) -> None:
        """What was counted since the last ``forget``; call that when the transaction is through."""
        add_tallies(tx, [Tally(ward, day, _sum(parts)) for (ward, day), parts in self._waiting.items()])

    def forget(self) -> None:
        self._waiting.clear()


def _in_force(engine: Engine, slots: Int) -> Float:
    """[slots, quantities]: what rules see now; NaN: UNKNOWN."""
    rows, score, known = news2_now(engine, slots)
    value = np.full((len(slots), len(QUANTITIES)), np.nan)
    value[:, : len(VITALS)] = np.where(rows.fresh, rows.value, np.nan)[:, _COLUMNS]
    value[:, _NEWS2] = np.where(known, score.total, np.nan)
    if engine.risk:
        value[:, _RISK] = np.where(engine.scale[slots] != NOT_SCORED, engine.risk.value[slots], np.nan)
    return value


def _sum(parts: list[Mapping[str, list[int]]]) -> dict[str, list[int]]:
    names = {name for part in parts for name in part}
    return {
        name: np.sum([part[name] for part in parts if name in part], axis=0).tolist()
        for name in sorted(names)
    }
