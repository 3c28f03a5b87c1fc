"""The durable log of entries; the service's state is its fold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import msgspec
from sqlalchemy import Connection, Engine, delete, func, insert, select

from ward.ingest.packed import Part, decode, encode, newest_received, parts_of
from ward.ingest.records import EXCERPT, Entry, Refusal
from ward.store.credentials import Heard, add_heard
from ward.store.partition import own, partition_of
from ward.store.tables import dead_letters, journal

T = TypeVar("T")


class JournalAwayError(Exception):
    """The journal takes nothing now; what it was given is to be given again."""


class Journal(Protocol):
    """Batches of entries at growing positions. A clustered log may stand in for the database."""

    def append(
        self, entries: Sequence[Part], refusals: Sequence[Refusal] = (), heard: Sequence[Heard] = ()
    ) -> int:
        """Write one batch (samples in columns, or entries), what was refused beside it and the numbers of
        its signed messages, all or nothing; durable on return.

        Returns the batch's position, or the last one where there were no entries. Raises JournalAwayError (or
        the database's own errors) where nothing can be written now: the same batch is given again until it
        is written, and meanwhile nothing more is read from the network. Raises FencedError where another
        service has taken the journal over: nothing more may be written, ever.
        """
        ...

    def read(self, after: int, limit: int = 1000) -> list[tuple[int, list[Entry] | None]]:
        """Up to ``limit`` batches after a position, in order; None for one that cannot be read."""
        ...

    def read_parts(self, after: int, limit: int = 1000) -> list[tuple[int, list[Part] | None]]:
        """The same, with samples still in columns: the way to read very many."""
        ...

    def last(self) -> int:
        """The newest position; 0 where nothing was ever written."""
        ...

    def trim(self, upto: int) -> None:
        """Forget batches up to and including a position; the newest batch always stays."""
        ...

    def close(self) -> None:
        """Let go of what the journal holds beside the database."""
        ...


class SqlJournal:
    """The journal in the service's own database: one row a batch, one transaction a call."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def append(
        self, entries: Sequence[Part], refusals: Sequence[Refusal] = (), heard: Sequence[Heard] = ()
    ) -> int:
        """See ``Journal``. ``written`` is the newest received time in the batch: no clock is asked."""
        with self._engine.begin() as tx:
            if letters := [letter_of(refusal) for refusal in refusals if refusal.kept]:
                tx.execute(insert(dead_letters), letters)
            if not entries:
                return _last(tx)
            row = insert(journal).values(
                partition=partition_of(tx).number,
                written=newest_received(entries),
                payload=encode(entries),
            )
            position: int = tx.execute(row.returning(journal.c.position)).scalar_one()
            if heard:
                add_heard(tx, position, heard)
            return position

    def read(self, after: int, limit: int = 1000) -> list[tuple[int, list[Entry] | None]]:
        return [(position, careful(decode, payload)) for position, payload in self._rows(after, limit)]

    def read_parts(self, after: int, limit: int = 1000) -> list[tuple[int, list[Part] | None]]:
        return [(position, careful(parts_of, payload)) for position, payload in self._rows(after, limit)]

    def _rows(self, after: int, limit: int) -> Sequence[Any]:
        query = select(journal.c.position, journal.c.payload).where(journal.c.position > after)
        with self._engine.connect() as connection:
            query = query.where(own(journal, connection))
            return connection.execute(query.order_by(journal.c.position).limit(limit)).all()

    def last(self) -> int:
        with self._engine.connect() as connection:
            return _last(connection)

    def trim(self, upto: int) -> None:
        with self._engine.begin() as tx:
            end = min(upto, _last(tx) - 1)
            tx.execute(delete(journal).where(journal.c.position <= end, own(journal, tx)))

    def close(self) -> None:
        """The database is not the journal's own."""


def careful(read: Callable[[bytes], T], payload: bytes) -> T | None:
    """What ``read`` makes of a batch; None where it cannot be read."""
    try:
        return read(payload)
    except (msgspec.DecodeError, ValueError):
        return None


def _last(connection: Connection) -> int:
    return connection.scalar(select(func.max(journal.c.position)).where(own(journal, connection))) or 0


def letter_of(refusal: Refusal) -> dict[str, Any]:
    """A row of ``dead_letters``."""
    times = f" ({refusal.count} times)" if refusal.count > 1 else ""
    return {
        "received": refusal.received,
        "ward": refusal.ward,
        "device": refusal.device,
        "topic": refusal.topic,
        "reason": refusal.reason,
        "detail": refusal.detail + times,
        "payload": refusal.payload[:EXCERPT],
    }
