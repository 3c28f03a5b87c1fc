"""Answers kept by ``Idempotency-Key``: the same request twice acts once and answers the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, delete, select, update

from ward.store.sql import insert_into
from ward.store.tables import idempotency

ABANDONED_MS: Final = 60_000
"""A claim without an answer for so long was left by a process that died."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """``digest`` is of the first request; ``status`` None: it is still being answered."""

    digest: str
    status: int | None
    body: Any


def claim(tx: Connection, *, key: str, actor: str, route: str, digest: str, now: int) -> Remembered | None:
    """None: the key is now the caller's, who acts and then calls ``remember`` or ``forget``.
    Otherwise what is known of the first request with this key."""
    mine = _mine(key, actor, route)
    unanswered = idempotency.c.status.is_(None) & (idempotency.c.at <= now - ABANDONED_MS)
    tx.execute(delete(idempotency).where(mine, unanswered))
    row = {"key": key, "actor": actor, "route": route, "digest": digest, "at": now}
    inserted = insert_into(tx, idempotency).values(row).on_conflict_do_nothing()
    if tx.execute(inserted.returning(idempotency.c.key)).first() is not None:
        return None
    columns = (idempotency.c.digest, idempotency.c.status, idempotency.c.body)
    return Remembered(*tx.execute(select(*columns).where(mine)).one())


def remember(tx: Connection, *, key: str, actor: str, route: str, status: int, body: Any) -> None:
    """Keep the answer of a claimed key."""
    tx.execute(update(idempotency).where(_mine(key, actor, route)).values(status=status, body=body))


def forget(tx: Connection, *, key: str, actor: str, route: str) -> None:
    """Give a claimed key back: the request failed and may be tried again."""
    tx.execute(delete(idempotency).where(_mine(key, actor, route), idempotency.c.status.is_(None)))


def _mine(key: str, actor: str, route: str) -> Any:
    return (idempotency.c.key == key) & (idempotency.c.actor == actor) & (idempotency.c.route == route)
