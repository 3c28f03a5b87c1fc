"""Dead letters: what was received and refused, with the reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, fields
from typing import Final

from sqlalchemy import Connection, func, insert, select

from ward.store.sql import Page, page
from ward.store.tables import dead_letters


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A refusal: received (ms), the stable word of its reason, details, the payload's beginning."""

    received: int
    topic: str
    reason: str
    detail: str
    payload: bytes
    ward: str | None = None
    device: str | None = None
    id: int | None = None


COLUMNS: Final = [dead_letters.c[field.name] for field in fields(DeadLetter)]


def add_letters(tx: Connection, letters: Iterable[DeadLetter]) -> None:
    """Keep refusals; ids are given by the database."""
    rows = [asdict(letter) for letter in letters]
    for row in rows:
        del row["id"]
    if rows:
        tx.execute(insert(dead_letters), rows)


def list_letters(
    connection: Connection,
    *,
    wards: Collection[str] | None = None,
    reason: str | None = None,
    device: str | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Page[DeadLetter]:
    """A page of dead letters, the latest first. Those of no ward are seen by who sees all wards."""
    query = select(*COLUMNS)
    if wards is not None:
        query = query.where(dead_letters.c.ward.in_(wards))
    if reason is not None:
        query = query.where(dead_letters.c.reason == reason)
    if device is not None:
        query = query.where(dead_letters.c.device == device)
    order = (dead_letters.c.id,)
    return page(
        connection, query, order, lambda row: DeadLetter(*row), cursor=cursor, limit=limit, descending=True
    )


def count_letters(connection: Connection, since: int = 0) -> dict[str, int]:
    """Reason → how many were received at or after ``since``."""
    query = select(dead_letters.c.reason, func.count().label("total")).where(dead_letters.c.received >= since)
    rows = connection.execute(query.group_by(dead_letters.c.reason))
    return {row.reason: row.total for row in rows}
