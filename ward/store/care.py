"""Deliveries: what is to be told to whom, through which channel, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, fields
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, update

from ward.alerts.deliver import Delivery
from ward.store.partition import partition_of
from ward.store.sql import insert_into
from ward.store.tables import alerts, deliveries

__all__ = ["Delivery"]

PAUSED: Final = "the stay is paused"
"""Why a delivery was dropped that comes back when the pause ends."""
NAMES: Final = tuple(field.name for field in fields(Delivery))
COLUMNS: Final = [deliveries.c[name] for name in NAMES]


def enqueue_deliveries(tx: Connection, new: Iterable[Delivery]) -> None:
    """Put them in line; one whose key is there already, whatever became of it, changes nothing."""
    number = partition_of(tx).number
    rows = [{**asdict(delivery), "partition": number, "state": "waiting"} for delivery in new]
    if rows:
        tx.execute(insert_into(tx, deliveries).on_conflict_do_nothing(index_elements=["key"]), rows)


def drop_waiting(tx: Connection, alert: str, why: str) -> int:
    """Nobody need be told of the alert any more; returns how many were dropped.

    One that a sender holds just now is dropped too: if it gets through, the sender marks it as sent. What
    a pause holds back does not come back any more: the alert may have gone to another ward meanwhile.
    """
    held = and_(deliveries.c.state == "dropped", deliveries.c.error == PAUSED)
    mine = and_(deliveries.c.alert == alert, or_(deliveries.c.state == "waiting", held))
    return tx.execute(update(deliveries).where(mine).values(state="dropped", error=why)).rowcount


def drop_of_stay(tx: Connection, stay: str) -> int:
    """What waits for a stay that is paused; ``resume_stay`` brings it back. A note that all is over is
    not held back."""
    mine = and_(deliveries.c.stay == stay, deliveries.c.state == "waiting", deliveries.c.reason != "resolved")
    return tx.execute(update(deliveries).where(mine).values(state="dropped", error=PAUSED)).rowcount


def resume_stay(tx: Connection, stay: str) -> int:
    """The pause is over: what waited when it began waits again, as far as its alert is still active."""
    active = select(alerts.c.id).where(alerts.c.stay == stay, alerts.c.state == "active")
    held = and_(
        deliveries.c.stay == stay,
        deliveries.c.state == "dropped",
        deliveries.c.error == PAUSED,
        deliveries.c.alert.in_(active),
    )
    return tx.execute(update(deliveries).where(held).values(state="waiting", error=None)).rowcount


def resume_alert(tx: Connection, alert: str, why: str) -> int:
    """What was dropped for ``why`` is to be told after all: that was taken back."""
    mine = and_(deliveries.c.alert == alert, deliveries.c.state == "dropped", deliveries.c.error == why)
    return tx.execute(update(deliveries).where(mine).values(state="waiting", error=None)).rowcount


def told_of_episode(connection: Connection, episode: str, wall: int) -> list[Delivery]:
    """The last delivery of each person and channel that was told of the episode, or is being told by a
    sender whose lease runs at ``wall``.

    An alert that stayed open while its episode ended goes on in the next: who heard of it in the
    earlier one is among them.
    """
    of_alerts = select(alerts.c.id).where(alerts.c.episode == episode)
    earlier = select(deliveries.c.episode).where(deliveries.c.alert.in_(of_alerts))
    through: ColumnElement[bool] = or_(deliveries.c.state == "sent", deliveries.c.lease_until > wall)
    query = (
        select(*COLUMNS)
        .where(or_(deliveries.c.episode == episode, deliveries.c.episode.in_(earlier)), through)
        .where(deliveries.c.reason.not_in(("resolved", "test")))
        .order_by(deliveries.c.id)
    )
    found = {(row.person, row.channel): _delivery(row) for row in connection.execute(query)}
    return [found[who] for who in sorted(found)]


def level_of(connection: Connection, alert: str, person: str, channel: str) -> int | None:
    """The level of the latest delivery of an alert to a person through a channel that is not sent."""
    query = select(func.max(deliveries.c.level)).where(
        deliveries.c.alert == alert,
        deliveries.c.person == person,
        deliveries.c.channel == channel,
        deliveries.c.sent.is_(None),
    )
    level: int | None = connection.scalar(query)
    return level


def _delivery(row: Any) -> Delivery:
    return Delivery(**{name: getattr(row, name) for name in NAMES})
