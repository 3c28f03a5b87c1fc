"""The stored readings: written in chunks, read back for any span in one query, binned for trends."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    Row,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)

from ward.errors import InvalidError
from ward.store.chunks import History, decode, encode
from ward.store.tables import history, stays

log = structlog.get_logger(__name__)

COMPACT_SPAN: Final = 3_600_000
"""Compacting makes one chunk of what a stay has in each hour."""


@dataclass(frozen=True, slots=True)
class Bins:
    """Bins as columns of equal length, sorted by signal, then time: the bin's start (ms)."""

    signal: NDArray[np.int8]
    time: NDArray[np.int64]
    min: NDArray[np.float64]
    median: NDArray[np.float64]
    max: NDArray[np.float64]
    count: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.time)


def write_chunk(tx: Connection, stay: str | None, readings: History, *, device: str | None = None) -> None:
    """Store a batch of a stay, or of an unassigned ``device`` (``ward/device``) with stay None."""
    write_chunks(tx, [(stay, device, readings)])


def write_chunks(tx: Connection, batches: Iterable[tuple[str | None, str | None, History]]) -> None:
    """Store many batches ``(stay, device, readings)`` in one statement; empty ones are left out."""
    rows = [
        {
            "stay": stay,
            "device": device,
            "start": int(readings.time.min()),
            "end": int(readings.time.max()),
            "count": len(readings),
            "payload": encode(readings),
        }
        for stay, device, readings in batches
        if len(readings)
    ]
    if rows:
        tx.execute(insert(history), rows)


def read_history(
    connection: Connection, stay: str, signals: Iterable[int] | None, start: int, end: int
) -> History:
    """Readings of a stay with ``start <= time < end``, of ``signals`` (indexes; None is all).

    Sorted by time, and within one instant by seq, then as written. A reading (same signal, time,
    device and seq) that was written again, because its mark was resolved, is there once: as last
    written.
    """
    return _read(connection, history.c.stay == stay, signals, start, end)


def read_histories(connection: Connection, stays: Iterable[str], start: int, end: int) -> dict[str, History]:
    """The same of many stays and all signals, in one query."""
    parts: dict[str, list[History]] = {stay: [] for stay in stays}
    query = (
        select(history.c.stay, history.c.payload)
        .where(history.c.stay.in_(parts), history.c.end >= start, history.c.start < end)
        .order_by(history.c.id)
    )
    for stay, payload in connection.execute(query):
        if (part := _decoded(payload)) is not None:
            keep = (part.time >= start) & (part.time < end)
            parts[stay].append(part if keep.all() else part.take(keep))
    return {stay: latest(History.concat(found)) for stay, found in parts.items()}


def count_history(connection: Connection, start: int, end: int) -> dict[str, int]:
    """About how many readings each stay has in a span: of all chunks that touch it."""
    query = (
        select(history.c.stay, func.sum(history.c.count))
        .where(history.c.stay.is_not(None), history.c.end >= start, history.c.start < end)
        .group_by(history.c.stay)
    )
    return {stay: int(n) for stay, n in connection.execute(query)}


def newest_time(connection: Connection, before: int) -> int | None:
    """The latest reading of any stay in a chunk that begins before ``before`` (ms)."""
    query = select(func.max(history.c.end)).where(history.c.stay.is_not(None), history.c.start < before)
    newest: int | None = connection.scalar(query)
    return newest


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of stays: the first and the last time (ms, None: nothing), how many readings and stays."""

    start: int | None
    end: int | None
    readings: int
    stays: int


def kept_of(connection: Connection, wards: Collection[str] | None = None) -> Kept:
    """Of these wards; None: all."""
    query = select(
        func.min(history.c.start),
        func.max(history.c.end),
        func.coalesce(func.sum(history.c.count), 0),
        func.count(history.c.stay.distinct()),
    ).where(history.c.stay.is_not(None))
    if wards is not None:
        mine = select(stays.c.id).where(stays.c.ward.in_(wards))
        query = query.where(history.c.stay.in_(mine))
    start, end, readings, many = connection.execute(query).one()
    return Kept(start, end, int(readings), many)


def read_unassigned(connection: Connection, device: str, start: int, end: int) -> History:
    """The same for a device's readings (``ward/device``) that belong to no stay."""
    return _read(connection, history.c.stay.is_(None) & (history.c.device == device), None, start, end)


@dataclass(frozen=True, slots=True)
class Unassigned:
    """What is kept of a device (``ward/device``) that belonged to no stay: first and last time (ms)
    and how many readings were written."""

    device: str
    start: int
    end: int
    count: int


def list_unassigned(connection: Connection, since: int = 0) -> list[Unassigned]:
    """Devices with readings of nobody, from chunks that end at or after ``since``, by name."""
    query = (
        select(
            history.c.device, func.min(history.c.start), func.max(history.c.end), func.sum(history.c.count)
        )
        .where(history.c.stay.is_(None), history.c.end >= since)
        .group_by(history.c.device)
        .order_by(history.c.device)
    )
    return [Unassigned(device, start, end, int(n)) for device, start, end, n in connection.execute(query)]


def _read(
    connection: Connection,
    whose: ColumnElement[bool],
    signals: Iterable[int] | None,
    start: int,
    end: int,
) -> History:
    query = (
        select(history.c.payload)
        .where(whose, history.c.end >= start, history.c.start < end)
        .order_by(history.c.id)
    )
    wanted = None if signals is None else np.fromiter(signals, np.int8)
    parts = []
    for (payload,) in connection.execute(query):
        if (part := _decoded(payload)) is None:
            continue
        keep = (part.time >= start) & (part.time < end)
        if wanted is not None:
            keep &= np.isin(part.signal, wanted)
        parts.append(part if keep.all() else part.take(keep))
    return latest(History.concat(parts))


def _decoded(payload: bytes) -> History | None:
    try:
        return decode(payload)
    except (ValueError, zlib.error):  # a damaged chunk costs its own readings, not all the others
        log.error("a chunk of the history cannot be read and is passed over")
        return None


def latest(written: History) -> History:
    """Rows in the order of writing → each reading once, as last written, sorted by time, seq, writing."""
    if len(written) < 2:
        return written
    # lexsort is stable: within one identity the order of writing remains, the last row is the latest.
    order = np.lexsort((written.signal, written.device, written.seq, written.time))
    same = np.ones(len(written) - 1, bool)
    for column in (written.signal, written.device, written.seq, written.time):
        ordered = column[order]
        same &= ordered[1:] == ordered[:-1]
    if not same.any():
        return written.take(np.lexsort((written.seq, written.time)))
    kept = np.sort(order[np.append(~same, True)])
    return written.take(kept[np.lexsort((written.seq[kept], written.time[kept]))])


def bin_history(readings: History, resolution_ms: int, *, doubted: bool = False) -> Bins:
    """Min, median, max and count of the valid readings per signal and bin of ``resolution_ms``; ``doubted``:
    of the others, the questionable and the invalid.

    Bins start at multiples of the resolution since 1970; those without a valid reading are left out.
    Raises InvalidError unless the resolution is positive.
    """
    if resolution_ms <= 0:
        raise InvalidError("resolution must be more than 0", field="resolution")
    valid = readings.take(((readings.mark != 0) == doubted) & ~np.isnan(readings.value))
    start = valid.time // resolution_ms * resolution_ms
    order = np.lexsort((valid.value, start, valid.signal))
    signal, start, value = valid.signal[order], start[order], valid.value[order]
    changes = (np.diff(signal) != 0) | (np.diff(start) != 0)
    first = np.concatenate(([0], np.flatnonzero(changes) + 1)) if len(value) else np.empty(0, np.int64)
    count = np.diff(np.append(first, len(value)))
    low, high = value[first + (count - 1) // 2], value[first + count // 2]
    return Bins(signal[first], start[first], value[first], (low + high) / 2, value[first + count - 1], count)


def compact(engine: Engine, since: int, before: int) -> int:
    """Make one chunk of the many that a stay has in an hour, for the whole hours within ``[since, before)``;
    says how many chunks went.

    Reading stays as quick however often the service writes. One transaction a stay and hour, so
    other writers wait only for moments.
    """
    span = literal_column(str(COMPACT_SPAN), BigInteger)
    hour: ColumnElement[int] = history.c.start // span
    groups = (
        select(history.c.stay, history.c.device, hour)
        .where(history.c.end >= -(-since // COMPACT_SPAN) * COMPACT_SPAN)
        .where(history.c.end < before // COMPACT_SPAN * COMPACT_SPAN)
        .where(history.c.end // span == hour)
        .group_by(history.c.stay, history.c.device, hour)
        .having(func.count() > 1)
    )
    with engine.connect() as connection:
        found = connection.execute(groups).all()
    return sum(_compact_hour(engine, *group) for group in found)


def _compact_hour(engine: Engine, stay: str | None, device: str | None, hour: int) -> int:
    start, end = hour * COMPACT_SPAN, (hour + 1) * COMPACT_SPAN
    gone = 0
    with engine.begin() as tx:
        rows = tx.execute(
            select(history)
            .where(history.c.stay.is_not_distinct_from(stay), history.c.device.is_not_distinct_from(device))
            .where(history.c.end >= start, history.c.start < end)
            .order_by(history.c.id)
            .with_for_update()
        ).all()
        # A chunk that reaches beyond the hour (a backlog) stays, and what was written before it must
        # remain before it: the later written wins. So only neighbours become one.
        inside = groupby(rows, key=lambda row: bool(row.start >= start and row.end < end))
        for run in (list(group) for within, group in inside if within):
            if len(run) > 1:
                _merge(tx, run)
                gone += len(run) - 1
    return gone


def _merge(tx: Connection, run: list[Row[Any]]) -> None:
    """One chunk in the place of the last of ``run``."""
    merged = latest(History.concat(decode(row.payload) for row in run))
    *others, last = run
    tx.execute(
        update(history)
        .where(history.c.id == last.id)
        .values(
            start=min(row.start for row in run),
            end=max(row.end for row in run),
            count=len(merged),
            payload=encode(merged),
        )
    )
    tx.execute(delete(history).where(history.c.id.in_([row.id for row in others])))
