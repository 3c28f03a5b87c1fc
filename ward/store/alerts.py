"""Alerts as last changed; how they became so is in ``events``."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, fields
from typing import Any, Final

from sqlalchemy import Connection, or_, select

from ward.alerts.model import Alert, Undelivered
from ward.errors import NotFoundError
from ward.store.sql import Page, page, upsert
from ward.store.tables import alerts

MOST: Final = 5_000
"""Alerts of one shift that are read."""
NAMES: Final = tuple(field.name for field in fields(Alert))
COLUMNS: Final = [alerts.c[name] for name in NAMES]


def save_alerts(tx: Connection, changed: Iterable[Alert]) -> None:
    """Insert or update by id; of one alert given twice, the later counts."""
    latest = {alert.id: alert for alert in changed}
    upsert(tx, alerts, [_row(alert) for alert in latest.values()])


def get_alert(connection: Connection, alert: str, wards: Collection[str] | None = None) -> Alert:
    """One alert. Raises NotFoundError, also for one outside ``wards`` (None: all wards are seen)."""
    query = select(*COLUMNS).where(alerts.c.id == alert)
    if wards is not None:
        query = query.where(alerts.c.ward.in_([*wards, ""]))
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFoundError(f"no alert {alert}")
    return _alert(row)


def get_alerts(connection: Connection, ids: Iterable[str]) -> dict[str, Alert]:
    """Those of ``ids`` that exist, by id."""
    query = select(*COLUMNS).where(alerts.c.id.in_(list(ids)))
    return {row.id: _alert(row) for row in connection.execute(query)}


def open_alerts(connection: Connection) -> list[Alert]:
    """Every alert that is not closed, the earliest first: what a start gives back to the book."""
    query = select(*COLUMNS).where(alerts.c.state != "closed").order_by(alerts.c.listed_at, alerts.c.id)
    return [_alert(row) for row in connection.execute(query)]


def list_alerts(
    connection: Connection,
    *,
    states: Collection[str] | None = None,
    wards: Collection[str] | None = None,
    stay: str | None = None,
    since: int | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Page[Alert]:
    """A page of alerts, the latest raised first (what was never raised: by its breach).

    ``since``: only those raised, acknowledged, cleared or closed at or after it.
    """
    query = select(*COLUMNS, alerts.c.listed_at)
    if states is not None:
        query = query.where(alerts.c.state.in_(states))
    if wards is not None:
        query = query.where(alerts.c.ward.in_([*wards, ""]))
    if stay is not None:
        query = query.where(alerts.c.stay == stay)
    if since is not None:
        moments = (alerts.c.listed_at, alerts.c.acknowledged_at, alerts.c.cleared_at, alerts.c.closed_at)
        query = query.where(or_(*(moment >= since for moment in moments)))
    order = (alerts.c.listed_at, alerts.c.id)
    return page(connection, query, order, _alert, cursor=cursor, limit=limit, descending=True)


def alerts_between(connection: Connection, stay_ids: Collection[str], start: int, end: int) -> list[Alert]:
    """Of these stays, those that were raised before ``end`` and open at some time in ``[start, end)``; by
    time, at most ``MOST``."""
    raised = alerts.c.raised_at.is_not(None) & (alerts.c.raised_at < end)
    lasting = or_(alerts.c.closed_at.is_(None), alerts.c.closed_at >= start)
    query = select(*COLUMNS).where(alerts.c.stay.in_(list(stay_ids)), raised, lasting)
    rows = connection.execute(query.order_by(alerts.c.raised_at, alerts.c.id).limit(MOST))
    return [_alert(row) for row in rows]


def _row(alert: Alert) -> dict[str, Any]:
    row = {name: getattr(alert, name) for name in NAMES}
    moments = (alert.raised_at, alert.breach_since, alert.closed_at)
    row["titles"] = dict(alert.titles) or None
    row["undelivered"] = [asdict(one) for one in alert.undelivered] or None
    row["signals"] = list(alert.signals) or None
    row["listed_at"] = next((moment for moment in moments if moment is not None), 0)
    return row


def _alert(row: Any) -> Alert:
    values = dict(zip(NAMES, row, strict=False))
    values["undelivered"] = tuple(Undelivered(**one) for one in values["undelivered"] or ())
    values["titles"] = tuple((values["titles"] or {}).items())
    values["signals"] = tuple(values["signals"] or ())
    return Alert(**values)
