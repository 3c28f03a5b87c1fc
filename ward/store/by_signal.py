"""Long spans of the stored readings of many stays, signal by signal: how a trial reads months of history.

Nearly all of it is there once and in order of time, signal by signal. So all chunks of a stay become columns
in one go, and only what shares its signal and time with another reading is looked at again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import structlog
from sqlalchemy import Connection, select

from ward.store.chunks import History, decode_all
from ward.store.history import latest
from ward.store.tables import history

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Chunk:
    start: int
    end: int
    payload: bytes


def read_by_signal(
    connection: Connection, stays: Iterable[str], signals: int, start: int, end: int
) -> dict[str, History]:
    """Readings of each stay with ``start <= time < end``, of signals below ``signals``: sorted by signal,
    time, seq, as written; each is there once, as last written."""
    found: dict[str, list[_Chunk]] = {stay: [] for stay in stays}
    query = (
        select(history.c.stay, history.c.start, history.c.end, history.c.payload)
        .where(history.c.stay.in_(found), history.c.end >= start, history.c.start < end)
        .order_by(history.c.id)
    )
    for row in connection.execute(query):
        found[row.stay].append(_Chunk(row.start, row.end, row.payload))
    return {stay: _of_stay(chunks, signals, start, end) for stay, chunks in found.items()}


def _of_stay(chunks: Sequence[_Chunk], signals: int, start: int, end: int) -> History:
    """From chunks in the order of writing."""
    rows, damaged = decode_all(chunk.payload for chunk in _by_time(chunks))
    if damaged:
        log.error("chunks of the history cannot be read and are passed over", chunks=damaged)
    wanted = (rows.signal < signals) & (rows.time >= start) & (rows.time < end)
    if not wanted.all():
        rows = rows.take(wanted)
    return each_once(rows.take(np.argsort(rows.signal, kind="stable")))


def _by_time(chunks: Sequence[_Chunk]) -> list[_Chunk]:
    """In order of time; those whose times overlap stay in the order of writing."""
    keys: list[tuple[int, int]] = []
    group, reached = 0, -1
    for number in sorted(range(len(chunks)), key=lambda n: chunks[n].start):
        group += chunks[number].start > reached
        reached = max(reached, chunks[number].end)
        keys.append((group, number))
    return [chunks[number] for _, number in sorted(keys)]


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
