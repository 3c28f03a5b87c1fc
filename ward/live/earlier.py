"""What a stay's signals were before a rebuild's first hours: a slow one was last measured long before.

The engine knows each signal's newest value only. One that was entered anew within the hours that are built
again had another value before, and clocks that look at it would begin at the new one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from ward.scoring.held import Held
from ward.scoring.readings import Readings
from ward.signals import HOUR

LOOK_BACK: Final = 12 * HOUR
"""The longest hold: who has a signal that two devices measure is decided in no longer a time. A value counts
longer still, for NEWS2 keeps the points of a part that is stale: what is not found is looked for further
back, each time over twice the span."""

Read = Callable[[Collection[int], int, int], Readings]
"""Valid readings of some signals (indexes) from one time (ms) up to, and without, another; slot 0."""


@dataclass(slots=True)
class _Kept:
    until: int
    held: Held = field(default_factory=lambda: Held(1))
    signals: set[int] = field(default_factory=set)
    """Looked for, found or not."""

    def take(self, readings: Readings, until: int) -> None:
        end = np.array([until - 1])
        self.held.settle(self.held.take(readings, end), end)


class Earlier:
    """Remembers what it found: the next rebuild of a stay begins near the last, and reads only what lies
    between."""

    def __init__(self) -> None:
        self._kept: dict[int, _Kept] = {}

    def before(self, slot: int, start: int, signals: Collection[int], admitted: int, read: Read) -> Readings:
        """The last valid reading before ``start`` (ms) of each of these signals that has one, as slot 0."""
        kept = self._kept.get(slot)
        if kept is None or kept.until > start:  # what came late may have been before what is kept
            kept = self._kept[slot] = _Kept(start)
        elif kept.signals and kept.until < start:
            kept.take(read(kept.signals, kept.until, start), start)
        kept.until = start
        missing, end, span = set(signals) - kept.signals, start, LOOK_BACK
        while missing and end > admitted:
            begin = max(end - span, admitted)
            found = read(missing, begin, end)
            kept.take(found, end)
            kept.signals |= (seen := set(found.signal.tolist()))
            missing -= seen
            end, span = begin, 2 * span
        kept.signals |= missing
        every = kept.held.readings(0)
        return every.where(np.isin(every.signal, list(signals)))

    def drop(self, slot: int) -> None:
        self._kept.pop(slot, None)
