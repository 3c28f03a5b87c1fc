"""The way of audit lines from the web into the database: many waiting requests, one transaction.

An answer waits until its line is durable, for ``LIMIT_S`` at most. When the database does not take it in
time, a change is refused (``must``), and a view is answered all the same: a nurse must see the ward, and the
line is written as soon as the database is back. If so many wait that some must be given up, a line
``audit.gap`` says how many and when.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

import structlog
from prometheus_client import Counter, Gauge
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ward.errors import UnavailableError
from ward.store.audit import GAP, Entry, append

log: Final = structlog.get_logger(__name__)

LIMIT_S: Final = 2.0
MOST: Final = 10_000
"""Lines that may wait for the database; at 300 bytes each, 3 MB."""
AT_ONCE: Final = 500
PAUSE_S: Final = 0.25
"""Between two tries while the database does not answer."""

written: Final = Counter(
    "ward_audit_lines_total", "Lines of the audit trail written by the web", ("outcome",)
)
waiting: Final = Gauge("ward_audit_waiting", "Lines of the audit trail that wait for the database")
lost: Final = Counter("ward_audit_lost_total", "Lines of the audit trail that could not be kept")


class Ticket:
    """One line on its way."""

    __slots__ = ("done", "entry")

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.done: Future[None] = Future()


class Trail:
    """Thread-safe. The writing thread lives while there is something to write."""

    def __init__(
        self, engine: Engine, wall: Callable[[], int], *, limit_s: float = LIMIT_S, most: int = MOST
    ) -> None:
        self.wall = wall
        self._engine = engine
        self._limit_s = limit_s
        self._most = most
        self._lock = threading.Lock()
        self._waiting: list[Ticket] = []
        self._gap: tuple[int, int, int] | None = None  # how many, first, last
        self._writer: threading.Thread | None = None
        self._hurry = threading.Event()

    async def write(self, entry: Entry, *, must: bool = False) -> None:
        """Return when the line is durable, or when the limit is over and the line may come later.

        With ``must`` the line is taken back then. Raises UnavailableError: do not go on.
        """
        ticket = self._offer(entry)
        if ticket is None:
            if must:
                raise UnavailableError("the audit trail cannot be written; nothing was changed")
            return
        try:
            await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(ticket.done)), self._limit_s)
        except TimeoutError:
            if must and self._withdraw(ticket):
                raise UnavailableError("the audit trail cannot be written; nothing was changed") from None

    def drain(self, seconds: float) -> None:
        """Wait until all is written, at the end."""
        writer = self._writer
        if writer is not None:
            writer.join(seconds)

    def _offer(self, entry: Entry) -> Ticket | None:
        ticket = Ticket(entry)
        with self._lock:
            if len(self._waiting) >= self._most:
                count, first, _ = self._gap or (0, entry.at, entry.at)
                self._gap = (count + 1, first, entry.at)
                lost.inc()
                return None
            self._waiting.append(ticket)
            waiting.set(len(self._waiting))
            if self._writer is None:
                self._writer = threading.Thread(target=self._write_all, name="audit", daemon=True)
                self._writer.start()
        return ticket

    def _withdraw(self, ticket: Ticket) -> bool:
        """False: it is being written, or is written already."""
        with self._lock:
            if ticket not in self._waiting:
                return False
            self._waiting.remove(ticket)
            return True

    def _write_all(self) -> None:
        failing = False
        while True:
            with self._lock:
                taken, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
                gap, self._gap = self._gap, None
                if not taken and gap is None:
                    self._writer = None
                    waiting.set(0)
                    return
            try:
                with self._engine.begin() as tx:
                    append(tx, [*(ticket.entry for ticket in taken), *_of_gap(gap)])
            except SQLAlchemyError as error:
                if not failing:
                    log.error("the audit trail cannot be written", error=type(error).__name__)
                failing = True
                with self._lock:
                    self._waiting = taken + self._waiting
                    if gap is not None:
                        more = self._gap or (0, gap[1], gap[2])
                        self._gap = (gap[0] + more[0], gap[1], max(gap[2], more[2]))
                    waiting.set(len(self._waiting))
                self._hurry.wait(PAUSE_S)
                continue
            failing = False
            for ticket in taken:
                written.labels(ticket.entry.outcome).inc()
                ticket.done.set_result(None)


def _of_gap(gap: tuple[int, int, int] | None) -> list[Entry]:
    if gap is None:
        return []
    count, first, last = gap
    return [
        Entry(last, "ward", None, GAP, outcome="failed", detail={"lost": count, "from": first, "to": last})
    ]
