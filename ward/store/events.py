"""The append-only log of every change: who, when, what, before, after. Nothing here updates a row."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select

from ward.alerts.model import Event
from ward.store.partition import partition_of
from ward.store.sql import Page, page
from ward.store.tables import events

MOST: Final = 5_000
"""Events of one shift that are read: more than a ward of 50 beds has in a week."""
NAMES: Final = tuple(field.name for field in fields(Event))
COLUMNS: Final = [events.c.seq, *(events.c[name] for name in NAMES)]


@dataclass(frozen=True, slots=True)
class Logged:
    """An event and its place in the log; places grow, with holes."""

    seq: int
    event: Event


def append_events(tx: Connection, happened: Iterable[Event]) -> list[int]:
    """Write events in the order given; their places in the log, in the same order.

    A partition has one writer at a time by design (the core): with more, a reader that has seen place n
    could miss a smaller one that commits later. So who reads on from a place does so in each partition.
    """
    number = partition_of(tx).number
    rows = [asdict(event) | {"partition": number} for event in happened]
    if not rows:
        return []
    statement = insert(events).returning(events.c.seq, sort_by_parameter_order=True)
    return list(tx.scalars(statement, rows))


def events_after(
    connection: Connection,
    seq: int,
    *,
    wards: Collection[str] | None = None,
    alerts_only: bool = False,
    limit: int = 1000,
    partition: int | None = None,
) -> list[Logged]:
    """Events after a place in the log, in order: what a stream that was cut has missed."""
    query = select(*COLUMNS).where(events.c.seq > seq)
    if partition is not None:
        query = query.where(events.c.partition == partition)
    if wards is not None:
        query = query.where(events.c.ward.in_([*wards, ""]))
    if alerts_only:
        query = query.where(events.c.alert.is_not(None))
    return [_logged(row) for row in connection.execute(query.order_by(events.c.seq).limit(limit))]


def list_events(
    connection: Connection,
    *,
    wards: Collection[str] | None = None,
    stay: str | None = None,
    alert: str | None = None,
    of_stay_only: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page[Logged]:
    """A page of the log, the latest first, of one stay or alert if asked for, or of what is no alert's."""
    query = select(*COLUMNS)
    if wards is not None:
        query = query.where(events.c.ward.in_([*wards, ""]))
    if stay is not None:
        query = query.where(events.c.stay == stay)
    if alert is not None:
        query = query.where(events.c.alert == alert)
    if of_stay_only:
        query = query.where(events.c.alert.is_(None), events.c.kind != "episode-ended")
    order = (events.c.seq,)
    return page(connection, query, order, _logged, cursor=cursor, limit=limit, descending=True)


def events_between(connection: Connection, stays: Collection[str], start: int, end: int) -> list[Event]:
    """What happened in ``[start, end)`` to these stays beside their alerts, in order, at most ``MOST``."""
    mine = events.c.stay.in_(list(stays)) & events.c.alert.is_(None)
    when = (events.c.at >= start) & (events.c.at < end)
    query = select(*COLUMNS).where(mine, when).order_by(events.c.seq).limit(MOST)
    return [_logged(row).event for row in connection.execute(query)]


def newest_before(
    connection: Connection, stays: Collection[str], kinds: Collection[str], before: int
) -> dict[str, Event]:
    """By stay, the newest event of these kinds before a time, where there is one."""
    mine = events.c.stay.in_(list(stays)) & events.c.kind.in_(list(kinds)) & (events.c.at < before)
    newest = select(func.max(events.c.seq)).where(mine).group_by(events.c.stay)
    rows = connection.execute(select(*COLUMNS).where(events.c.seq.in_(newest)))
    return {event.stay: event for event in (_logged(row).event for row in rows)}


def last_event(connection: Connection, partition: int | None = None) -> int:
    """The log's newest place, or a partition's; 0 while it is empty."""
    query = select(func.max(events.c.seq))
    if partition is not None:
        query = query.where(events.c.partition == partition)
    return connection.scalar(query) or 0


def _logged(row: Any) -> Logged:
    seq, *values = row
    return Logged(seq, Event(*values))
