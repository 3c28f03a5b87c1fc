"""A batch of the journal into the core: routed, then what its entries change, then its readings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ward.ingest.bulk import route_parts
from ward.ingest.packed import Part
from ward.ingest.records import Entry, Observation, RulesChanged, StayChanged
from ward.ingest.router import Routed
from ward.store.stays import get_stay

if TYPE_CHECKING:
    from ward.live.core import Core


def taken(core: Core, parts: Sequence[Part], position: int, now: int) -> list[Routed]:
    """See ``Core.take``."""
    found = []
    for entries, routed in route_parts(core.router, parts, core.measure_offset):
        core.position = position
        _take(core, entries, routed, now)
        found.append(routed)
    return found


def _take(core: Core, entries: Sequence[Entry], routed: Routed, now: int) -> None:
    """Entries that were routed; none where they were samples in columns."""
    core.reached = int(np.median(routed.rows.readings.time)) if len(routed.rows) else core.reached
    for entry in entries:
        if isinstance(entry, StayChanged):
            with core.db.connect() as connection:
                core.load_stay(get_stay(connection, entry.stay), now)
        elif isinstance(entry, RulesChanged):
            core.rules_changed(now)
    if len(routed.rows):
        readings = core.to_slots(routed.rows)
        core.engine.add(readings.take(readings.slot >= 0))
        if not entries or not all(isinstance(entry, Observation) for entry in entries):
            core.note_heard(routed.rows.stays, now)
    core.note_routed(routed)
