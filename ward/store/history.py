"""The stored readings: written in chunks, read back for any span in one query, binned for trends."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)

from ward.errors import InvalidError
from ward.signals import SIGNALS
from ward.store.chunks import History, decode, encode
from ward.store.tables import history, stays

log = structlog.get_logger(__name__)

COMPACT_SPAN: Final = 3_600_000
"""A chunk lies within one hour, and compacting makes one of what a stay has in it."""
MOST_AT_ONCE: Final = 2_000
"""Chunks that become one in one step; more wait for the next time."""
_HOUR: Final[ColumnElement[int]] = history.c.start // literal_column(str(COMPACT_SPAN), BigInteger)


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
    """Store many batches ``(stay, device, readings)`` in one statement; empty ones are left out. What reaches
    over several hours becomes a chunk in each."""
    rows = [
        {
            "stay": stay,
            "device": device,
            "start": int(readings.time.min()),
            "end": int(readings.time.max()),
            "count": len(readings),
            "payload": encode(readings),
        }
        for stay, device, batch in batches
        for readings in _by_hour(batch)
    ]
    if rows:
        tx.execute(insert(history), rows)


def _by_hour(readings: History) -> Iterable[History]:
    if not len(readings):
        return ()
    hour = readings.time // COMPACT_SPAN
    if hour.min() == hour.max():
        return (readings,)
    return (readings.take(hour == one) for one in np.unique(hour))


def read_history(
    connection: Connection, stay: str, signals: Iterable[int] | None, start: int, end: int
) -> History:
    """Readings of a stay with ``start <= time < end``, of ``signals`` (indexes; None is all).

    Sorted by time, and within one instant by seq, then as written. A reading (same signal, time,
    device and seq) that was written again, because its mark was resolved, is there once: as last
    written.
    """
    return _read(connection, history.c.stay == stay, signals, start, end)


def read_histories(
    connection: Connection, stays: Iterable[str], signals: Iterable[int] | None, start: int, end: int
) -> dict[str, History]:
    """The same of many stays, in one query."""
    wanted = _wanted(signals)
    chunks = chunks_of(connection, stays, start, end)
    return {stay: _assembled(rows, wanted, start, end) for stay, rows in chunks.items()}


def chunks_of(connection: Connection, stays: Iterable[str], start: int, end: int) -> dict[str, list[Chunk]]:
    """Of each stay the chunks that touch ``[start, end)``, in the order of writing."""
    found: dict[str, list[Chunk]] = {stay: [] for stay in stays}
    query = (
        select(history.c.stay, history.c.start, history.c.end, history.c.payload)
        .where(history.c.stay.in_(found), history.c.end >= start, history.c.start < end)
        .order_by(history.c.id)
    )
    for row in connection.execute(query):
        found[row.stay].append(Chunk(row.start, row.end, row.payload))
    return found


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
        select(history.c.start, history.c.end, history.c.payload)
        .where(whose, history.c.end >= start, history.c.start < end)
        .order_by(history.c.id)
    )
    return _assembled([Chunk(*row) for row in connection.execute(query)], _wanted(signals), start, end)


def _wanted(signals: Iterable[int] | None) -> NDArray[np.bool_] | None:
    """Whether a signal is asked for, by its number; None: all are."""
    if signals is None:
        return None
    wanted = np.zeros(len(SIGNALS), np.bool_)
    wanted[list(signals)] = True
    return wanted


class Chunk(NamedTuple):
    """``start`` and ``end``: times (ms) of its first and last reading."""

    start: int
    end: int
    payload: bytes


def apart(chunks: Sequence[Chunk]) -> list[list[Chunk]]:
    """Chunks in the order of writing -> in order of time; those that overlap are together, as written."""
    found: list[list[int]] = []
    reached = -1
    for i in sorted(range(len(chunks)), key=lambda i: chunks[i].start):
        if not found or chunks[i].start > reached:
            found.append([])
        found[-1].append(i)
        reached = max(reached, chunks[i].end)
    return [[chunks[i] for i in sorted(group)] for group in found]


def _assembled(rows: Sequence[Chunk], wanted: NDArray[np.bool_] | None, start: int, end: int) -> History:
    """Chunks in the order of writing -> readings. Only those whose times overlap are sorted together."""
    return History.concat(latest(History.concat(_parts(group, wanted, start, end))) for group in apart(rows))


def _parts(
    rows: Iterable[Chunk], wanted: NDArray[np.bool_] | None, start: int, end: int
) -> Iterator[History]:
    for row in rows:
        if (part := _decoded(row.payload)) is None:
            continue
        keep = np.ones(len(part), np.bool_) if wanted is None else wanted[part.signal]
        if row.start < start or row.end >= end:
            keep &= (part.time >= start) & (part.time < end)
        yield part if keep.all() else part.take(keep)


def _decoded(payload: bytes) -> History | None:
    try:
        return decode(payload)
    except ValueError:  # a damaged chunk costs its own readings, not all the others
        log.error("a chunk of the history cannot be read and is passed over")
        return None


def latest(written: History) -> History:
    """Rows in the order of writing → each reading once, as last written, sorted by time, seq, writing."""
    if len(written) < 2 or _is_in_order(written):
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


def _is_in_order(readings: History) -> bool:
    """Whether they are sorted already and each is there once: so a chunk is that was compacted."""
    later = np.zeros(len(readings) - 1, np.bool_)
    same = np.ones(len(readings) - 1, np.bool_)
    for column in (readings.time, readings.seq, readings.device, readings.signal):
        later |= same & (column[1:] > column[:-1])
        same &= column[1:] == column[:-1]
    return bool(later.all())


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


@dataclass(frozen=True, slots=True)
class Compacted:
    """``gone``: chunks that are no more; ``upto``: the last chunk (id) that was looked at."""

    gone: int
    upto: int


def compact(
    engine: Engine, after: int = 0, since: int = 0, rest: Callable[[float], object] = lambda took_s: None
) -> Compacted:
    """Make one dense chunk of the many of each stay and hour that got any after the chunk ``after`` (id),
    where their readings end at ``since`` (ms) or later.

    So reading stays as quick, and a reading as small, however often the service writes. A step is one stay
    and hour: its chunks are read and packed while others write, and only to put one in their place it takes
    the writers' turn. ``rest`` is called after each step with how long that took (s), for where writers try
    again and again for their turn they must find it free; if it answers true, the rest is left as it is.
    """
    with engine.connect() as connection:
        upto = connection.scalar(select(func.max(history.c.id))) or after
        new = (history.c.id > after) & (history.c.id <= upto) & (history.c.end >= since)
        groups = select(history.c.stay, history.c.device, _HOUR).where(new).distinct()
        found = connection.execute(groups).all()
    gone = 0
    for group in found:
        went = MOST_AT_ONCE
        while went >= MOST_AT_ONCE - 1:
            begun = time.monotonic()
            went = _compact_hour(engine, *group)
            gone += went
            if rest(time.monotonic() - begun):
                return Compacted(gone, after)
    return Compacted(gone, upto)


def _compact_hour(engine: Engine, stay: str | None, device: str | None, hour: int) -> int:
    start, end = hour * COMPACT_SPAN, (hour + 1) * COMPACT_SPAN
    whose = history.c.stay == stay if stay is not None else history.c.stay.is_(None)
    whose &= history.c.device == device if device is not None else history.c.device.is_(None)
    with engine.connect() as connection:
        rows = connection.execute(
            select(history.c.id, history.c.start, history.c.end)
            .where(whose, history.c.end >= start, history.c.start < end)
            .order_by(history.c.id)
            .limit(MOST_AT_ONCE)
        ).all()
    # A chunk that reaches beyond the hour (ward once wrote such) stays, and what was written before it must
    # remain before it: the later written wins. So only neighbours become one.
    inside = groupby(rows, key=lambda row: bool(row.start >= start and row.end < end))
    runs = [run for run in ([row.id for row in group] for within, group in inside if within) if len(run) > 1]
    return sum(_merge(engine, run) for run in runs)


def _merge(engine: Engine, run: Sequence[int]) -> int:
    """One chunk in the place of the last of ``run`` (ids, in their order); says how many went."""
    with engine.connect() as connection:
        payloads = select(history.c.payload).where(history.c.id.in_(run)).order_by(history.c.id)
        merged = latest(History.concat(decode(payload) for payload in connection.scalars(payloads)))
    one = {
        "start": int(merged.time.min()),
        "end": int(merged.time.max()),
        "count": len(merged),
        "payload": encode(merged, is_dense=True),
    }
    *others, last = run
    with engine.begin() as tx:
        gone = tx.execute(delete(history).where(history.c.id.in_(others))).rowcount
        put = tx.execute(update(history).where(history.c.id == last).values(one)).rowcount
        if (gone, put) != (len(others), 1):  # erased, or forgotten, since they were read: so it remains
            tx.rollback()
            return 0
    return gone
