"""Readings that came late, by slot, until the clocks of their stay are built again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.scoring.readings import DTYPES, Readings
from ward.scoring.sustain import RAISED, Transitions
from ward.signals import SECOND

SETTLE: Final = SECOND
LONGEST_WAIT: Final = 5 * SECOND
"""A rebuild waits until no more late readings come, not longer than this (ms, times the clock's speed)."""
AT_ONCE: Final = 4
"""Stays built again in one tick at the most, each some tenths of a second: when a whole ward reconnects the
ticks go on between."""


class Late:
    def __init__(self, speed: float) -> None:
        self.settle, self._longest = round(SETTLE * speed), round(LONGEST_WAIT * speed)
        self._readings: dict[int, list[Readings]] = {}
        self._first: dict[int, int] = {}
        self._last: dict[int, int] = {}

    def __len__(self) -> int:
        """Slots that have some."""
        return len(self._readings)

    def note(self, late: Readings, now: int) -> None:
        for slot, own in _by_slot(late):
            self._readings.setdefault(slot, []).append(own)
            self._first.setdefault(slot, now)
            self._last[slot] = now

    def due(self, now: int, at_most: int | None = None) -> list[int]:
        """Slots whose readings have waited long enough, who waits longest first."""
        return list(islice((slot for slot in self._readings if self._is_due(slot, now)), at_most))

    def raising(self, found: Transitions) -> list[int]:
        """Slots of which something is to be told while readings wait: built again first, lest a newer breach
        be told before an older one of its rule, which nobody could be told of then."""
        return [
            slot for slot in np.unique(found.slot[found.kind == RAISED]).tolist() if slot in self._readings
        ]

    def slots(self) -> list[int]:
        """All that have some."""
        return list(self._readings)

    def waiting_for(self) -> list[int]:
        """When each may be due, if no more comes (ms)."""
        return [last + self.settle for last in self._last.values()]

    def _is_due(self, slot: int, now: int) -> bool:
        return now - self._last[slot] >= self.settle or now - self._first[slot] >= self._longest

    def of(self, slot: int) -> Readings:
        return Readings.concat(self._readings[slot])

    def drop(self, slot: int) -> None:
        for table in (self._readings, self._first, self._last):
            table.pop(slot, None)

    def dump(self) -> dict[str, NDArray[Any]]:
        """Everything as arrays: a snapshot need not wait until a whole ward is built again."""
        slots = self.slots()
        return Readings.concat(part for slot in slots for part in self._readings[slot]).columns() | {
            "slots": np.array(slots, np.int64),
            "first": np.array([self._first[slot] for slot in slots], np.int64),
            "last": np.array([self._last[slot] for slot in slots], np.int64),
        }

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """What ``dump`` gave."""
        own = dict(_by_slot(Readings(**{name: arrays[name] for name in DTYPES})))
        slots = arrays["slots"].tolist()
        self._readings = {slot: [own[slot]] for slot in slots}
        self._first = dict(zip(slots, arrays["first"].tolist(), strict=True))
        self._last = dict(zip(slots, arrays["last"].tolist(), strict=True))


def _by_slot(readings: Readings) -> Iterator[tuple[int, Readings]]:
    order = np.argsort(readings.slot, kind="stable")
    slots, begins = np.unique(readings.slot[order], return_index=True)
    for slot, rows in zip(slots.tolist(), np.split(order, begins)[1:], strict=True):
        yield slot, readings.take(rows)
