"""The stored readings of some stays, as a trial takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from sqlalchemy import Engine as Database

from ward.live.history import as_readings
from ward.scoring.filter import QUESTIONABLE, Marked
from ward.scoring.readings import Readings
from ward.signals import N_OBSERVED
from ward.store.by_signal import read_by_signal
from ward.store.chunks import History


class Span(msgspec.Struct, frozen=True):
    """Readings in [start, end), ms; intervals (s) of signals (index), by the number of the device that
    declares them."""

    start: int
    end: int
    intervals: Mapping[int, Mapping[int, float]]


def readings_of(db: Database, stays: Sequence[str], span: Span) -> list[Readings | Marked]:
    with db.connect() as connection:
        found = read_by_signal(connection, stays, N_OBSERVED, span.start, span.end)
    return [as_judged(found[stay], span.intervals) for stay in stays]


def as_judged(found: History, intervals: Mapping[int, Mapping[int, float]]) -> Readings | Marked:
    """One stay's history as ``as_readings`` has it, with the marks that the filter made live; without them
    where there are readings that it never saw."""
    readings = as_readings(found, intervals)
    if ((found.mark == QUESTIONABLE) & (found.reason == 0)).any():
        return readings
    return Marked(readings, found.mark, found.reason, np.ones(len(found), np.bool_))
