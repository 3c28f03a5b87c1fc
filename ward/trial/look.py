"""A span of a recording with what the filter made of each reading: for the trend of an alert."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ward.errors import InvalidError
from ward.replay import as_readings, shift_of
from ward.scoring.filter import Filter, Marked
from ward.scoring.readings import Readings
from ward.signals import HOUR, INDEX, MINUTE
from ward.trial.recorded import read

MOST: Final = 400_000
"""Readings of one answer."""
BEFORE: Final = 2 * HOUR
AFTER: Final = 5 * MINUTE
"""So much around the span is filtered, too: whether a reading counts depends on what is around it."""

Json = dict[str, Any]


def look(request: Json) -> Json:
    """``request``: recording (the file; named: as people call it), stay, start, end (ms, as the recording
    counts; end not included), signals (names). Columns of equal length by time: signal, time, value, mark,
    reason. Raises InvalidError for a stay that it does not have, and for more than ``MOST`` readings."""
    found = read(request)
    mine = next((one for one in found if one.stay == request["stay"]), None)
    if mine is None:
        raise InvalidError(f"no stay {request['stay']} in this recording", field="query.stay")
    shift = shift_of(found)
    start, end = (request[name] + shift for name in ("start", "end"))
    every = as_readings([mine], {}, shift)
    marked = _final(every.take((every.time >= start - BEFORE) & (every.time < end + AFTER)))
    wanted = [INDEX[name] for name in request["signals"]]
    readings = marked.readings
    inside = (readings.time >= start) & (readings.time < end)
    marked = marked.take(inside & np.isin(readings.signal, wanted))
    if len(marked.readings) > MOST:
        raise InvalidError(f"more than {MOST} readings: ask for a shorter time", field="query.start")
    return {
        "signal": marked.readings.signal.tolist(),
        "time": (marked.readings.time - shift).tolist(),
        "value": marked.readings.value.tolist(),
        "mark": marked.mark.tolist(),
        "reason": marked.reason.tolist(),
    }


def _final(readings: Readings) -> Marked:
    """In order of time; of a reading that was told twice only what it came to."""
    gate = Filter(1)
    end = int(readings.time.max(initial=0))
    parts = [gate.push(readings.in_cell_order(), end), gate.push(Readings.empty(), end + BEFORE)]
    marked = Marked.concat(parts)
    order = np.lexsort((np.arange(len(marked.readings)), marked.readings.time, marked.readings.signal))
    told = marked.take(order)
    same = (np.diff(told.readings.time) == 0) & (np.diff(told.readings.signal) == 0)
    last = told.take(np.append(~same, True))
    return last.take(np.argsort(last.readings.time, kind="stable"))
