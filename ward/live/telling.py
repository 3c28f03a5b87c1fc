"""Alert changes to the database, the outbox and the dashboards: written in one transaction, told once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from sqlalchemy import Connection
from sqlalchemy import Engine as Database

from ward.alerts.model import Change, Event
from ward.clock import wall_ms
from ward.ingest.topics import alerts_topic
from ward.live import metrics
from ward.live.carrier import Carrier
from ward.notify.metrics import CONDITION_DELAY
from ward.partitions import Partition
from ward.store.alerts import save_alerts
from ward.store.events import Logged, append_events
from ward.store.meta import put_meta
from ward.store.outbox import Letter, enqueue
from ward.store.partition import partition_of
from ward.store.stays import end_pauses
from ward.web.hub import Hub
from ward.web.views import alert_view, event_view

BOOK = "book:"
"""Where the book of each stay is kept, so that it never differs from the alerts it made."""


def book_key(stay: str, partition: Partition) -> str:
    """A stay's book goes with it from ward to ward; the service's own (no stay) is each engine's."""
    return f"{BOOK}{stay}" if stay else f"book{partition.mark}:"


def logged(change: Change) -> Event:
    """The event as it is stored: with why staff were interrupted."""
    return change.event if change.notify is None else replace(change.event, notify=change.notify.reason)


def write_changes(
    tx: Connection,
    changes: Sequence[Change],
    dump: Callable[[list[str]], list[dict[str, Any]]],
    carrier: Carrier,
) -> list[tuple[int, dict[str, Any] | None]]:
    """All of it in the caller's transaction. Returns each change's number and what to tell of it."""
    final = {c.alert.id: c.alert for c in changes if c.alert is not None}
    save_alerts(tx, final.values())
    happened = [logged(change) for change in changes]
    numbers = append_events(tx, happened)
    told: list[tuple[int, dict[str, Any] | None]] = []
    letters = []
    created = wall_ms()  # sending goes by the machine's clock, also where the ward's runs faster
    for number, change, event in zip(numbers, changes, happened, strict=True):
        if change.alert is None:
            told.append((number, None))
            continue
        body = {"alert": alert_view(change.alert), "event": event_view(Logged(number, event))}
        told.append((number, body))
        if not change.alert.ward:
            continue  # no ward's topic is for the service's own faults
        payload = msgspec.json.encode(body).decode()
        letters.append(Letter(f"event-{number}", alerts_topic(change.alert.ward), payload, created))
    enqueue(tx, letters)
    carrier.write(tx, changes, created)
    for item in dump(sorted({c.event.stay for c in changes})):
        put_meta(tx, book_key(item["stay"]["id"], partition_of(tx)), item)
    return told


def tell(hub: Hub, changes: Sequence[Change], told: Sequence[tuple[int, dict[str, Any] | None]]) -> None:
    """To the open dashboards, once it is written."""
    for change, (number, body) in zip(changes, told, strict=True):
        if body is not None:
            hub.publish("alert", body, change.event.ward, number)
        if change.notify is not None:
            metrics.INTERRUPTIONS.labels(change.notify.reason).inc()
        if change.alert is not None and change.event.after == "active" != change.event.before:
            metrics.RAISED.labels(change.alert.priority, change.alert.kind).inc()
            announced, raised = change.alert.announced_at, change.alert.raised_at
            if announced is not None and raised is not None:
                CONDITION_DELAY.observe(max(announced - raised, 0) / 1000)


def save(
    db: Database,
    hub: Hub,
    changes: Sequence[Change],
    dump: Callable[[list[str]], list[dict[str, Any]]],
    carrier: Carrier,
    back: Iterable[str] = (),
) -> None:
    """``back``: stays whose pause has ended. Raises what the database raises; then nothing is told."""
    if changes:
        with db.begin() as tx:
            end_pauses(tx, back)
            told = write_changes(tx, changes, dump, carrier)
        tell(hub, changes, told)
