"""What is to be published: written with the change it tells of, sent at least once, in order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import takewhile
from typing import Final

from sqlalchemy import Connection, bindparam, func, select, update

from ward.store.partition import own, partition_of
from ward.store.sql import insert_into
from ward.store.tables import outbox

RETRY_FIRST_MS: Final = 1_000
RETRY_MAX_MS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to publish; ``key`` says what it tells, and telling the same twice is one letter."""

    key: str
    topic: str
    payload: str
    created: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A letter not yet sent, and how often it was tried."""

    id: int
    key: str
    topic: str
    payload: str
    created: int
    attempts: int


_BACKLOG: Final = select(func.count(), func.min(outbox.c.created)).where(
    outbox.c.sent.is_(None), outbox.c.partition == bindparam("partition")
)
COLUMNS: Final = [outbox.c[name] for name in ("id", "key", "topic", "payload", "created", "attempts")]


def enqueue(tx: Connection, letters: Iterable[Letter]) -> None:
    """Put letters in the outbox; one whose key is there already, sent or not, changes nothing."""
    number = partition_of(tx).number
    rows = [{**asdict(letter), "partition": number, "due": letter.created} for letter in letters]
    if rows:
        tx.execute(insert_into(tx, outbox).on_conflict_do_nothing(index_elements=["key"]), rows)


def waiting(connection: Connection, now: int, limit: int = 100) -> list[Waiting]:
    """The letters to send now, the oldest first: none overtakes one that is not due again yet.

    One that is due later than any pause was written before the clock was set back, and holds up nobody.
    """
    query = select(*COLUMNS, outbox.c.due).where(outbox.c.sent.is_(None), own(outbox, connection))
    query = query.order_by(outbox.c.id).limit(limit)
    due = takewhile(lambda row: not now < row.due <= now + RETRY_MAX_MS, connection.execute(query))
    return [Waiting(*row[:-1]) for row in due]


def mark_sent(tx: Connection, ids: Iterable[int], now: int) -> None:
    """These were delivered."""
    tx.execute(update(outbox).where(outbox.c.id.in_(list(ids))).values(sent=now, error=None))


def mark_failed(tx: Connection, letter: Waiting, error: str, now: int) -> None:
    """This was not delivered: try again after 1 s, 2 s, 4 s, at most 5 s, for ever."""
    pause = min(RETRY_FIRST_MS * 2 ** min(letter.attempts, 16), RETRY_MAX_MS)
    values = {"attempts": letter.attempts + 1, "error": error[:500], "due": now + pause}
    tx.execute(update(outbox).where(outbox.c.id == letter.id).values(values))


def backlog(connection: Connection) -> tuple[int, int | None]:
    """How many letters are not sent, and when the oldest of them was written."""
    count, oldest = connection.execute(_BACKLOG, {"partition": partition_of(connection).number}).one()
    return count, oldest
