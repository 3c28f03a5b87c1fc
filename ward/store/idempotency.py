"""Answers kept by ``Idempotency-Key``: the same request twice acts once and answers the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, delete, select, update

from ward.store.sql import insert_into
from ward.store.tables import idempotency

ABANDONED_MS: Final = 60_000
"""A claim without an answer for so long was left by a process that died."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """``digest`` is of the first request; ``status`` None: it is still being answered; ``body`` None beside
    a status: it was done, and what it was answered with was lost."""

    digest: str
    status: int | None
    body: Any


@dataclass(frozen=True, slots=True)
class Act:
    """What a key stands for while it is done. ``status``: of its answer; ``at``: ms."""

    key: str
    actor: str
    route: str
    digest: str
    status: int
    at: int

    def is_same(self, other: Act) -> bool:
        """Another attempt at it, or this."""
        return (self.key, self.actor, self.route) == (other.key, other.actor, other.route)


_RIDING: ContextVar[tuple[Act, ...]] = ContextVar("riding", default=())


@contextmanager
def riding(acts: Sequence[Act]) -> Iterator[None]:
    """Until the end of the block every transaction that is committed, in this context, says that these were
    done (``note_done``): an act and its key are durable together, or neither is."""
    before = _RIDING.set(tuple(acts))
    try:
        yield
    finally:
        _RIDING.reset(before)


def present() -> tuple[Act, ...]:
    """What is being done in this context."""
    return _RIDING.get()


def note_done(tx: Connection) -> None:
    """Called as a transaction commits (``ward.store.database``)."""
    for act in _RIDING.get():
        row = {"key": act.key, "actor": act.actor, "route": act.route, "digest": act.digest, "at": act.at}
        noted = insert_into(tx, idempotency).values(**row, status=act.status)
        tx.execute(
            noted.on_conflict_do_update(
                index_elements=["key", "actor", "route"],
                set_={"status": act.status},
                where=idempotency.c.status.is_(None),
            )
        )


def is_done(connection: Connection, act: Act) -> bool:
    """Whether it is written that the act was done."""
    found = select(idempotency.c.status).where(_mine(act.key, act.actor, act.route))
    return connection.execute(found).scalar_one_or_none() is not None


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
