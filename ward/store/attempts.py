"""How often somebody tried to log in and failed, by account and by address. Kept over restarts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Final

from sqlalchemy import Connection, delete, select

from ward.store.sql import insert_into, upsert
from ward.store.tables import attempts


@dataclass(frozen=True, slots=True)
class Attempt:
    """``failed`` times in vain, ``last`` at; none is heard before ``until``. Times in ms."""

    key: str
    failed: int = 0
    last: int = 0
    until: int = 0
    succeeded: int | None = None


COLUMNS: Final = [attempts.c[field.name] for field in fields(Attempt)]


def look(connection: Connection, keys: Iterable[str]) -> dict[str, Attempt]:
    """What is known of those keys of which anything is."""
    query = select(*COLUMNS).where(attempts.c.key.in_(list(keys)))
    return {row.key: Attempt(*row) for row in connection.execute(query)}


def hold(tx: Connection, keys: Iterable[str], now: int) -> dict[str, Attempt]:
    """What is known of each key, held until ``tx`` ends: of two attempts at once one waits for the other."""
    listed = sorted(keys)  # always in one order, so that two can not wait for each other
    fresh = insert_into(tx, attempts).values([asdict(Attempt(key, last=now)) for key in listed])
    tx.execute(fresh.on_conflict_do_nothing())
    query = select(*COLUMNS).where(attempts.c.key.in_(listed)).order_by(attempts.c.key).with_for_update()
    return {row.key: Attempt(*row) for row in tx.execute(query)}


def save(tx: Connection, changed: Iterable[Attempt]) -> None:
    upsert(tx, attempts, [asdict(attempt) for attempt in changed])


def forget(tx: Connection, *, before: int, keys: Iterable[str] = ()) -> None:
    """Drop what is older than ``before``, and ``keys``."""
    old = (attempts.c.last < before) | attempts.c.key.in_(list(keys))
    tx.execute(delete(attempts).where(old))
