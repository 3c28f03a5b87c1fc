"""Long spans of the stored readings of many stays, signal by signal: how a trial reads months of history.

Nearly all of it is there once and in order of time, signal by signal. So all chunks of a stay become columns
in one go, and only what shares its signal and time with another reading is looked at again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import structlog
from sqlalchemy import Connection

from ward.store.chunks import History, decode_all
from ward.store.history import Chunk, apart, chunks_of, latest

log = structlog.get_logger(__name__)


def read_by_signal(
    connection: Connection, stays: Iterable[str], signals: int, start: int, end: int
) -> dict[str, History]:
    """Readings of each stay with ``start <= time < end``, of signals below ``signals``: sorted by signal,
    time, seq, as written; each is there once, as last written."""
    found = chunks_of(connection, stays, start, end)
    return {stay: _of_stay(chunks, signals, start, end) for stay, chunks in found.items()}


def _of_stay(chunks: Sequence[Chunk], signals: int, start: int, end: int) -> History:
    """From chunks in the order of writing."""
    rows, damaged = decode_all(chunk.payload for group in apart(chunks) for chunk in group)
    if damaged:
        log.error("chunks of the history cannot be read and are passed over", chunks=damaged)
    wanted = (rows.signal < signals) & (rows.time >= start) & (rows.time < end)
    if not wanted.all():
        rows = rows.take(wanted)
    return each_once(rows.take(np.argsort(rows.signal, kind="stable")))


def each_once(rows: History) -> History:
    """Rows by signal, each signal's in the order of writing -> sorted by signal, time, seq, writing; each
    reading once, as last written."""
    same = rows.signal[1:] == rows.signal[:-1]
    if (~same | (rows.time[1:] > rows.time[:-1])).all():
        return rows
    rows = rows.take(np.lexsort((rows.time, rows.signal)))
    same = (rows.signal[1:] == rows.signal[:-1]) & (rows.time[1:] == rows.time[:-1])
    shared = np.append(False, same) | np.append(same, False)
    if not shared.any():
        return rows
    every = History.concat([rows.take(~shared), latest(rows.take(shared))])
    return every.take(np.lexsort((every.time, every.signal)))
