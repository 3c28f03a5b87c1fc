"""Forgetting what is older than the ward wants to keep. Open stays, open alerts and rules stay."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, Table, delete, exists, select

from ward.store.tables import (
    alerts,
    dead_letters,
    events,
    history,
    idempotency,
    login_codes,
    outbox,
    sessions,
    stays,
)

BATCH: Final = 500
"""Rows deleted in one transaction: a writer that waits for its turn waits for moments only."""


def retain(engine: Engine, before_ms: int, *, log_before_ms: int | None = None) -> dict[str, int]:
    """Delete readings, refused messages, sent letters and access that ended before ``before_ms``;
    closed alerts, their events and discharged stays from before ``log_before_ms`` (default: the same).

    A stay goes only when nothing of it is left. Says how many rows of each table went.
    """
    log_before = before_ms if log_before_ms is None else log_before_ms
    nothing_left = (
        ~exists().where(alerts.c.stay == stays.c.id)
        & ~exists().where(history.c.stay == stays.c.id)
        & ~exists().where(events.c.stay == stays.c.id)
    )
    # The order matters: events wait for their alert, stays for all that is theirs.
    plan: tuple[tuple[Table, ColumnElement[bool]], ...] = (
        (history, history.c.end < before_ms),
        (dead_letters, dead_letters.c.received < before_ms),
        (outbox, outbox.c.sent < before_ms),
        (idempotency, idempotency.c.at < before_ms),
        (sessions, sessions.c.expires < before_ms),
        (login_codes, login_codes.c.expires < before_ms),
        (alerts, (alerts.c.state == "closed") & (alerts.c.closed_at < log_before)),
        (events, (events.c.at < log_before) & ~exists().where(alerts.c.id == events.c.alert)),
        (stays, (stays.c.end < log_before) & nothing_left),
    )
    return {table.name: _delete(engine, table, old) for table, old in plan}


def _delete(engine: Engine, table: Table, old: ColumnElement[bool]) -> int:
    key: ColumnElement[Any] = next(iter(table.primary_key))
    total = 0
    while True:
        with engine.begin() as tx:
            batch = tx.scalars(select(key).where(old).limit(BATCH)).all()
            if batch:
                total += tx.execute(delete(table).where(key.in_(batch), old)).rowcount
        if len(batch) < BATCH:
            return total
