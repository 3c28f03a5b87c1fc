"""What was seen on each ward, day by day: lists of counts by name, which only grow; and the days with which
the others are compared. Nothing here is of a patient."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, insert, select

from ward.errors import InvalidError
from ward.signals import HOUR
from ward.store.sql import upsert
from ward.store.tables import baselines, tallies

DAY: Final = 24 * HOUR
"""Days are UTC's: any 24 h hold a whole night and a whole day."""
Counts = Mapping[str, list[int]]


@dataclass(frozen=True, slots=True)
class Tally:
    """One ward's counts of the day that begins at ``day`` (ms)."""

    ward: str
    day: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class Baseline:
    """The days ``[start, end)`` with which a ward's others are compared; ``by`` None: its first ones."""

    ward: str
    start: int
    end: int
    by: str | None
    at: int


def add_tallies(tx: Connection, new: Iterable[Tally]) -> None:
    """Add counts to those of their days. Where a list has another length than before (its bins are others
    now), the day begins anew with it. One writer at a time: the core."""
    listed = list(new)
    keys = [(one.ward, one.day) for one in listed]
    wards, days = {ward for ward, _ in keys}, {day for _, day in keys}
    query = select(tallies).where(tallies.c.ward.in_(wards), tallies.c.day.in_(days))
    known = {(row.ward, row.day): row.counts for row in tx.execute(query)} if listed else {}
    rows = [
        {"ward": one.ward, "day": one.day, "counts": _sum(known.get((one.ward, one.day), {}), one.counts)}
        for one in listed
    ]
    upsert(tx, tallies, rows)


def _sum(before: Counts, more: Counts) -> Counts:
    found = dict(before)
    for name, counts in more.items():
        old = found.get(name, ())
        same = len(old) == len(counts)
        found[name] = [a + b for a, b in zip(old, counts, strict=True)] if same else list(counts)
    return found


def read_tallies(
    connection: Connection, start: int, end: int, wards: Collection[str] | None = None
) -> list[Tally]:
    """Of the days that begin in ``[start, end)``, in order, in these wards (None: all)."""
    query = select(tallies).where(tallies.c.day >= start, tallies.c.day < end)
    if wards is not None:
        query = query.where(tallies.c.ward.in_(list(wards)))
    found = connection.execute(query.order_by(tallies.c.ward, tallies.c.day))
    return [Tally(row.ward, row.day, row.counts) for row in found]


def first_days(connection: Connection, wards: Collection[str] | None = None) -> dict[str, int]:
    """The first day that was counted, by ward."""
    query = select(tallies.c.ward, func.min(tallies.c.day)).group_by(tallies.c.ward)
    if wards is not None:
        query = query.where(tallies.c.ward.in_(list(wards)))
    return {ward: int(day) for ward, day in connection.execute(query)}


def put_baseline(tx: Connection, given: Baseline) -> None:
    """From now on the ward is compared with these days. Raises InvalidError where they hold nothing."""
    if given.start % DAY or given.end % DAY or given.end <= given.start:
        raise InvalidError(
            "a reference is one or more whole days (UTC), and ends after it begins",
            field="end",
            code="baseline-days",
        )
    counted = select(func.count()).select_from(tallies).where(tallies.c.ward == given.ward)
    if not tx.scalar(counted.where(tallies.c.day >= given.start, tallies.c.day < given.end)):
        raise InvalidError(
            f"nothing was counted on ward {given.ward} in these days",
            field="start",
            code="baseline-empty",
            params={"ward": given.ward},
        )
    values = {name: getattr(given, name) for name in ("ward", "start", "end", "by", "at")}
    tx.execute(insert(baselines).values(values))


def current_baselines(connection: Connection, wards: Collection[str] | None = None) -> dict[str, Baseline]:
    """Those in force, by ward."""
    query = select(baselines).order_by(baselines.c.id)
    if wards is not None:
        query = query.where(baselines.c.ward.in_(list(wards)))
    return {
        row.ward: Baseline(row.ward, row.start, row.end, row.by, row.at) for row in connection.execute(query)
    }
