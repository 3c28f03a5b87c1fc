"""The clocks of one stay built again, for readings that came late, from what is stored."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

import numpy as np

from ward.live.earlier import Earlier
from ward.live.history import identity, stored_readings, unique_readings
from ward.scoring.filter import Marked
from ward.scoring.readings import Readings
from ward.scoring.sustain import Transitions
from ward.signals import HOUR

if TYPE_CHECKING:
    from ward.live.core import Core

MEMORY: Final = 2 * HOUR
"""What a rebuild reads at the least before the first late reading."""


def built_again(core: Core, earlier: Earlier, slot: int, late: Readings) -> tuple[Transitions, Marked]:
    """What is now found sustained, and the marks of the late readings, which are of that slot."""
    stay, engine = core.stays[core.slots.stay(slot)], core.engine
    since = int(late.time.min())
    reach = max((r.within_ms + r.gap_ms + r.clear_for_ms for r in engine.rules), default=0)
    start = (since - max(MEMORY, 2 * reach)) // HOUR * HOUR  # the risk remembers whole hours
    intervals = core.router.intervals()
    known = engine.held.readings(slot)
    newer = known.signal[known.time >= start].tolist()
    with core.db.connect() as connection:

        def read(signals: Collection[int], begin: int, end: int) -> Readings:
            span = (stay.id, begin, end - 1, intervals, signals)
            return stored_readings(connection, core.history, *span, only_valid=True)

        before = earlier.before(slot, start, newer, stay.start, read)
        stored = stored_readings(connection, core.history, stay.id, start, engine.until, intervals)
    # What is older than that still counts, stale or held.
    every = unique_readings([known.take(known.time < start), before, stored, late.at_slot(0)])
    transitions, marked = engine.rebuild(slot, every, since, start)
    came = late.take(late.time <= engine.until)
    mine = np.isin(identity(marked.readings), identity(came))
    kept = Marked(
        marked.readings.take(mine).at_slot(slot), marked.mark[mine], marked.reason[mine], marked.first[mine]
    )
    return transitions, kept
