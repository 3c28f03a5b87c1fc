"""What the report per rule reads: alerts of a span, what people said of them, what they interrupted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Table,
    and_,
    func,
    literal_column,
    or_,
    select,
)

from ward.alerts.model import REPEATS
from ward.errors import InvalidError
from ward.language import Language
from ward.store.tables import alerts, deliveries, events, stays
from ward.store.tallies import DAY

MOST: Final = 50_000
"""Alerts that one report reads: some two seconds of work. A ward of 30 beds has a fifth of it in a year."""
_NOT_OF_AN_ALERT: Final = ("test", "resolved")
_AGAIN: Final = ("raised-again", "sustained")
"""Kinds of events with which an alert's breach is another one: told before and untaken, and under a shelf."""
_TAKING: Final = ("acknowledged", "handed-over")
_SAYING: Final = (*_TAKING, "assessed", "undone")
"""Kinds of events with which somebody takes an alert, says what it was, or takes either back."""
_OF_ALERT: Final = (
    *("id", "stay", "ward", "bed", "rule", "title", "titles", "priority", "kind"),
    *("raised_at", "announced_at"),
)


@dataclass(frozen=True, slots=True)
class Raised:
    """One alert that was raised; times in ms. ``over``: when it cleared or was closed, None: it is there.
    ``earlier``: from when to when it was there before, where it came again before anybody had acknowledged it
    (``raised`` is then of the last time)."""

    id: str
    stay: str
    ward: str
    bed: str
    rule: str
    title: str
    titles: dict[Language, str] | None
    priority: str
    kind: str
    raised: int
    announced: int | None
    over: int | None
    earlier: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody took an alert with this assessment, or gave it later; None: took it and said nothing."""

    alert: str
    at: int
    assessment: str | None
    took: bool = True


@dataclass(frozen=True, slots=True)
class Told:
    """Staff were interrupted with an alert, and why (see ``ward.alerts.model.Notify``)."""

    stay: str
    ward: str
    bed: str
    rule: str
    priority: str
    at: int
    why: str


@dataclass(frozen=True, slots=True)
class Present:
    """A stay that was there; ``end`` None: still."""

    stay: str
    ward: str
    start: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Feedback:
    """All of a span; alerts are those raised in it, with all that was said and told of them."""

    alerts: list[Raised]
    said: list[Said]
    told: list[Told]
    delays: dict[str, int]
    """By alert: from raised to taken by the first person's channel (ms of the machine's clock)."""
    stays: list[Present]


def _of(column: ColumnElement[Any], wards: Collection[str] | None) -> ColumnElement[bool]:
    """The service's own faults belong to no ward, and to no report."""
    return column != "" if wards is None else column.in_(list(wards))


def feedback(connection: Connection, start: int, end: int, wards: Collection[str] | None = None) -> Feedback:
    """Of ``[start, end)``, in these wards (None: all).

    Raises InvalidError where that is more than ``MOST`` alerts.
    """
    # What was raised is listed by its raising, and there is an index for that.
    raised = and_(
        alerts.c.listed_at >= start,
        alerts.c.listed_at < end,
        alerts.c.raised_at.is_not(None),
        _of(alerts.c.ward, wards),
    )
    number = connection.scalar(select(func.count()).select_from(alerts).where(raised)) or 0
    if number > MOST:
        said = f"these are {number} alerts, more than {MOST}: ask for a shorter time or for one ward"
        raise InvalidError(said, field="start", code="report-large", params={"number": number, "most": MOST})
    row = alerts.c
    over = func.coalesce(row.cleared_at, row.closed_at)
    of_alert: Select[Any] = select(*(row[name] for name in _OF_ALERT), over)
    of_event = events.join(alerts, alerts.c.id == events.c.alert)
    acknowledged = select(events.c.alert, events.c.at, events.c.kind, events.c.detail)
    acknowledged = acknowledged.select_from(of_event)
    acknowledged = acknowledged.where(raised, events.c.kind.in_(_SAYING)).order_by(events.c.seq)
    interrupted = select(row.stay, row.ward, row.bed, row.rule, row.priority, events.c.at, events.c.notify)
    interrupted = interrupted.select_from(of_event).where(
        events.c.at >= start, events.c.at < end, events.c.notify.is_not(None), _of(row.ward, wards)
    )
    took = func.min(deliveries.c.sent - deliveries.c.raised_at)
    delays = (
        select(deliveries.c.alert, took)
        .select_from(deliveries.join(alerts, alerts.c.id == deliveries.c.alert))
        .where(raised, deliveries.c.state == "sent", deliveries.c.reason.not_in(_NOT_OF_AN_ALERT))
        .where(deliveries.c.raised_at.is_not(None))
        .group_by(deliveries.c.alert)
    )
    earlier = _earlier(connection, of_event, raised)
    there = connection.execute(of_alert.where(raised).order_by(row.listed_at, row.id))
    return Feedback(
        [replace(Raised(*found), earlier=tuple(earlier.get(found.id, ()))) for found in there],
        _said(connection.execute(acknowledged)),
        [Told(*found) for found in connection.execute(interrupted)],
        {alert: max(int(ms), 0) for alert, ms in connection.execute(delays)},
        present(connection, start, end, wards),
    )


def _said(rows: Iterable[Any]) -> list[Said]:
    """Without what was taken back, and what was said with it."""
    found: dict[str, list[Said]] = defaultdict(list)
    for alert, at, kind, detail in rows:
        told = detail or {}
        if kind != "undone":
            found[alert].append(Said(alert, at, told.get("assessment"), kind in _TAKING))
        elif told.get("undone") in ("acknowledge", "hand-over"):
            while found[alert] and not found[alert].pop().took:
                pass
    return sorted((said for all_of_it in found.values() for said in all_of_it), key=lambda said: said.at)


def _earlier(
    connection: Connection, of_event: FromClause, raised: ColumnElement[bool]
) -> dict[str, list[tuple[int, int]]]:
    """By alert that was raised again: from when to when it was there before."""
    again = select(events.c.alert).select_from(of_event).where(raised, events.c.kind.in_(_AGAIN))
    steps = select(events.c.alert, events.c.kind, events.c.at, events.c.detail).where(
        events.c.alert.in_(again), events.c.kind.in_(("raised", "cleared", *_AGAIN))
    )
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    since: dict[str, int] = {}
    for alert, kind, at, detail in connection.execute(steps.order_by(events.c.seq)):
        if kind != "cleared":
            since[alert] = (detail or {}).get("at", at)
        elif alert in since:
            found[alert].append((since.pop(alert), at))
    # What was last cleared is told by the alert itself.
    return {alert: spans if alert in since else spans[:-1] for alert, spans in found.items()}


def present(
    connection: Connection, start: int, end: int, wards: Collection[str] | None = None
) -> list[Present]:
    """Stays that were there at some time of ``[start, end)``, by the ward that they are, or were last, in."""
    there = and_(stays.c.start < end, or_(stays.c.end.is_(None), stays.c.end > start))
    query = select(stays.c.id, stays.c.ward, stays.c.start, stays.c.end).where(
        there, _of(stays.c.ward, wards)
    )
    return [Present(*found) for found in connection.execute(query.order_by(stays.c.start, stays.c.id))]


PerDay = dict[str, dict[int, dict[str, int]]]
"""By ward, day (its first ms) and stay."""


def per_day(
    connection: Connection, start: int, end: int, wards: Collection[str] | None = None
) -> tuple[PerDay, PerDay]:
    """How many alerts were raised, and how often staff were interrupted, in ``[start, end)``."""
    raised = (alerts.c.listed_at >= start, alerts.c.listed_at < end, alerts.c.raised_at.is_not(None))
    told = (events.c.at >= start, events.c.at < end, events.c.notify.is_not(None))
    return (
        _counted(connection, alerts, alerts.c.listed_at, wards, *raised),
        _counted(connection, events, events.c.at, wards, *told, events.c.notify.not_in(REPEATS)),
    )


def _counted(
    connection: Connection,
    table: Table,
    at: ColumnElement[int],
    wards: Collection[str] | None,
    *which: ColumnElement[bool],
) -> PerDay:
    day: ColumnElement[int] = at // literal_column(str(DAY), BigInteger)
    keys = (table.c.ward, day, table.c.stay)
    query = select(*keys, func.count()).where(*which, _of(table.c.ward, wards)).group_by(*keys)
    found: PerDay = {}
    for ward, number, stay, count in connection.execute(query):
        found.setdefault(ward, {}).setdefault(int(number) * DAY, {})[stay] = int(count)
    return found
