"""Publishes alert changes from the outbox: at least once, in order, tried again with growing pauses."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

import structlog
from sqlalchemy import Engine as Database

from ward.clock import wall_ms
from ward.ingest.connection import Sent
from ward.live import metrics
from ward.live.faults import told
from ward.store.outbox import backlog, mark_failed, mark_sent, waiting

IDLE_S: Final = 1.0
"""So often it looks by itself: for what is to be tried again, or was written by another process."""
BROKEN_S: Final = 2.0
ANSWER_S: Final = 5.0
"""So long one round waits for the broker's answers."""

log = structlog.get_logger(__name__)


class OutboxSender:
    """One thread; ``send(topic, payload)`` puts a message on its way, None where there is none."""

    def __init__(
        self,
        db: Database,
        send: Callable[[str, bytes], Sent | None],
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._db, self._send, self._beat = db, send, beat
        self._flying: dict[int, Sent] = {}
        """Letters on their way, by number."""
        self._stop, self._wake = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self.fault: str | None = None

    def start(self) -> None:
        self.thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        self._stop.set()
        self._wake.set()
        if self.thread.is_alive():
            self.thread.join(timeout_s)

    def wake(self) -> None:
        """Something was written into the outbox."""
        self._wake.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._beat()
            self._wake.clear()
            try:
                sent = self.send_due(wall_ms())
                self.fault = None
            except Exception as error:  # the database may be away for a while
                if self.fault is None:
                    log.exception("the outbox cannot be read")
                self.fault = told("outbox", error)
                metrics.ERRORS.labels("outbox").inc()
                self._stop.wait(BROKEN_S)
                continue
            if not sent:
                self._wake.wait(IDLE_S)

    def send_due(self, now: int) -> int:
        """Publish what is due, many at once and in order; how many the broker has taken. ``now``: wall ms.

        What it has not answered yet stays on its way as long as the connection holds: published again it
        would only come twice. Where the connection is gone, order begins anew with the oldest.
        """
        with self._db.connect() as connection:
            letters = waiting(connection, now)
            metrics.OUTBOX.set(backlog(connection)[0])
        if any(sent.is_lost for sent in self._flying.values()):
            self._flying.clear()
        refused = None
        for letter in letters:
            if letter.id in self._flying:
                continue
            sent = self._send(letter.topic, letter.payload.encode())
            if sent is None:
                refused = letter
                break
            self._flying[letter.id] = sent
        taken = self._answered()
        if taken or refused:
            with self._db.begin() as tx:
                mark_sent(tx, taken, now)
                if refused:
                    mark_failed(tx, refused, "the broker did not take it", now)
        for letter_id in taken:
            del self._flying[letter_id]
        return len(taken)

    def _answered(self) -> list[int]:
        """Those that the broker has taken, after a moment of waiting for the others."""
        taken = []
        deadline = time.monotonic() + ANSWER_S
        for letter_id, sent in self._flying.items():
            self._beat()
            if sent.wait(max(deadline - time.monotonic(), 0.0)):
                taken.append(letter_id)
            elif self._stop.is_set() or sent.is_lost:
                break
        return taken
