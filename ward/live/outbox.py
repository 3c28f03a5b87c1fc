"""Publishes alert changes from the outbox: at least once, in order, tried again with growing pauses."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import structlog
from sqlalchemy import Engine as Database

from ward.clock import wall_ms
from ward.live import metrics
from ward.live.faults import told
from ward.store.outbox import backlog, mark_failed, mark_sent, waiting

IDLE_S: Final = 0.25
BROKEN_S: Final = 2.0

log = structlog.get_logger(__name__)


class OutboxSender:
    """One thread; ``publish(topic, payload)`` says whether the broker has it."""

    def __init__(
        self,
        db: Database,
        publish: Callable[[str, bytes], bool],
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._db, self._publish, self._beat = db, publish, beat
        self._stop = threading.Event()
        self.thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self.fault: str | None = None

    def start(self) -> None:
        self.thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        self._stop.set()
        if self.thread.is_alive():
            self.thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._beat()
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
                self._stop.wait(IDLE_S)

    def send_due(self, now: int) -> int:
        """Publish what is due, stopping at the first failure so that order is kept. ``now``: wall ms."""
        with self._db.connect() as connection:
            letters = waiting(connection, now)
            metrics.OUTBOX.set(backlog(connection)[0])
        sent = []
        for letter in letters:
            if self._stop.is_set():
                break
            self._beat()
            if not self._publish(letter.topic, letter.payload.encode()):
                with self._db.begin() as tx:
                    mark_failed(tx, letter, "the broker did not take it", now)
                break
            sent.append(letter.id)
        if sent:
            with self._db.begin() as tx:
                mark_sent(tx, sent, now)
        return len(sent)
