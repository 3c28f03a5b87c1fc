"""Forgetting what is older than the ward wants to keep: one table says what, and by which setting.

Open stays, open alerts, what is still to be told, rules and plans in force are never forgotten.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Engine, Table, delete, exists, func, select, tuple_

from ward.signals import HOUR
from ward.store import audit as trail
from ward.store import schema
from ward.store.tables import (
    alerts,
    attempts,
    audit,
    baselines,
    dead_letters,
    deliveries,
    events,
    history,
    idempotency,
    login_codes,
    meta,
    outbox,
    rules,
    sessions,
    stays,
    tallies,
)

BATCH: Final = 500
"""Rows deleted in one transaction: a writer that waits for its turn waits for moments only."""
DAY: Final = 24 * HOUR
AUDIT_STEP: Final = 7 * DAY
"""The audit trail is read to its end before some of it goes; so it goes by the week, not by the minute."""
BOOK: Final = "book:"
_OF_STAY: Final = "stay:"


@dataclass(frozen=True, slots=True)
class Kind:
    """What is forgotten together. ``old`` makes the condition for a time (ms) of the ``clock``: the ward's,
    or the machine's, which differ in demos. ``setting`` is in days."""

    name: str
    setting: str
    what: str
    table: Table
    clock: Literal["ward", "machine"]
    old: Callable[[int], ColumnElement[bool]]


def _no_stay(stay: ColumnElement[Any]) -> ColumnElement[bool]:
    return ~exists().where(stays.c.id == stay)


_NOTHING_LEFT: Final = (
    ~exists().where(alerts.c.stay == stays.c.id)
    & ~exists().where(history.c.stay == stays.c.id)
    & ~exists().where(events.c.stay == stays.c.id)
)

# The order matters: events wait for their alert, stays for all that is theirs, the rest for its stay.
KINDS: Final = (
    Kind(
        "readings", "retention_days", "readings, with the filter's marks",
        history, "ward", lambda t: history.c.end < t,
    ),
    Kind(
        "refused", "refused_retention_days", "refused messages (dead letters)",
        dead_letters, "ward", lambda t: dead_letters.c.received < t,
    ),
    Kind(
        "published", "published_retention_days", "alert changes that the broker has",
        outbox, "machine", lambda t: outbox.c.sent < t,
    ),
    Kind(
        "deliveries", "delivery_retention_days", "what was told to whom, and what could not be",
        deliveries, "machine", lambda t: (deliveries.c.created < t) & (deliveries.c.state != "waiting")
        & ~exists().where((alerts.c.id == deliveries.c.alert) & (alerts.c.state != "closed")),
    ),
    Kind(
        "requests", "request_retention_days", "answers to requests with an Idempotency-Key",
        idempotency, "machine", lambda t: idempotency.c.at < t,
    ),
    Kind(
        "sessions", "session_retention_days", "sessions that are over",
        sessions, "machine", lambda t: sessions.c.expires < t,
    ),
    Kind(
        "login links", "session_retention_days", "login links that were used or are too old",
        login_codes, "machine", lambda t: login_codes.c.expires < t,
    ),
    Kind(
        "attempts", "session_retention_days", "failed attempts to log in",
        attempts, "machine", lambda t: (attempts.c.last < t) & (attempts.c.until < t),
    ),
    Kind(
        "alerts", "log_retention_days", "alerts that are closed",
        alerts, "ward", lambda t: (alerts.c.state == "closed") & (alerts.c.closed_at < t),
    ),
    Kind(
        "events", "log_retention_days", "the log of what happened to alerts that are gone",
        events, "ward", lambda t: (events.c.at < t) & ~exists().where(alerts.c.id == events.c.alert),
    ),
    Kind(
        "stays", "stay_retention_days", "ended stays with beds and devices, when nothing of theirs is left",
        stays, "ward", lambda t: (stays.c.end < t) & _NOTHING_LEFT,
    ),
    Kind(
        "books", "stay_retention_days", "the state of alerts of stays that are gone",
        meta, "ward", lambda t: meta.c.key.startswith(BOOK) & (meta.c.key != BOOK)
        & _no_stay(func.substr(meta.c.key, len(BOOK) + 1)),
    ),
    Kind(
        "limits", "stay_retention_days", "limits of one patient whose stay is gone",
        rules, "ward", lambda t: rules.c.scope.startswith(_OF_STAY)
        & _no_stay(func.substr(rules.c.scope, len(_OF_STAY) + 1)),
    ),
    Kind(
        "tallies", "tally_retention_days", "what was seen on a ward, by the day; references are kept",
        tallies, "ward", lambda t: (tallies.c.day < t) & ~exists().where(
            (baselines.c.ward == tallies.c.ward) & (baselines.c.start <= tallies.c.day)
            & (baselines.c.end > tallies.c.day)
        ),
    ),
)  # fmt: skip

ELSEWHERE: Final[Mapping[str, tuple[str, str]]] = {
    "audit": ("audit_retention_days", "the beginning of the audit trail, if it verifies"),
    "copies": ("copy_retention_days", "copies of a SQLite file from before a change of its schema"),
    "journal": ("snapshot_s", "received messages, as soon as a snapshot holds what they came to"),
}
"""What is not rows to be deleted one by one: setting, and what goes. The journal's is in seconds."""


Rest = Callable[[float], object]


def retain(
    engine: Engine,
    days: Mapping[str, float],
    *,
    ward: int,
    machine: int,
    rest: Rest = lambda took_s: None,
) -> dict[str, int]:
    """Delete what is older than its setting says; how many of each kind went.

    ``days`` by setting; ``ward`` and ``machine`` are now on the two clocks, ms. ``rest`` is called after each
    batch with how long it took (s), so that others find their turn to write; if it answers true, what is left
    of that kind waits for the next time. A kind that cannot be deleted does not keep the others: the first
    error is raised at the end.
    """
    gone: dict[str, int] = {}
    failed: list[Exception] = []
    now = {"ward": ward, "machine": machine}
    for kind in KINDS:
        before = now[kind.clock] - round(days[kind.setting] * DAY)
        _try(gone, failed, kind.name, lambda k=kind, b=before: _delete(engine, k.table, k.old(b), rest))  # type: ignore[misc]
    before = machine - round(days["audit_retention_days"] * DAY)
    _try(gone, failed, "audit", lambda: _prune(engine, before, machine))
    old_copies = machine - round(days["copy_retention_days"] * DAY)
    _try(gone, failed, "copies", lambda: _drop_copies(engine, old_copies))
    if failed:
        raise failed[0]
    return gone


def _try(gone: dict[str, int], failed: list[Exception], name: str, work: Callable[[], int]) -> None:
    try:
        gone[name] = work()
    except Exception as error:
        failed.append(error)


def _delete(engine: Engine, table: Table, old: ColumnElement[bool], rest: Rest) -> int:
    keys = list(table.primary_key)
    key: Any = keys[0] if len(keys) == 1 else tuple_(*keys)
    total = 0
    while True:
        begun = time.monotonic()
        with engine.begin() as tx:
            found = tx.execute(select(*keys).where(old).limit(BATCH)).all()
            batch = [row[0] if len(keys) == 1 else tuple(row) for row in found]
            if batch:
                total += tx.execute(delete(table).where(key.in_(batch), old)).rowcount
        if len(batch) < BATCH or rest(time.monotonic() - begun):
            return total


def _prune(engine: Engine, before: int, now: int) -> int:
    with engine.connect() as connection:
        oldest = connection.scalar(select(audit.c.at).order_by(audit.c.seq).limit(1))
    if oldest is None or oldest >= before - AUDIT_STEP:
        return 0
    return trail.prune(engine, before, trail.Entry(now, "", None, trail.PRUNE))


def _drop_copies(engine: Engine, before: int) -> int:
    old = [path for path in schema.copies(engine) if path.stat().st_mtime * 1000 < before]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
