"""The watchdog: looks at the heartbeats and at the threads, and ends a process that cannot watch any more.

Everything that counts is durable, and a start takes seconds: a service that has lost a thread, or whose
core hangs for minutes, is worth more dead. Whoever supervises it (systemd, Docker) starts it again.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from ward.live import metrics
from ward.live.heartbeats import Heartbeats

LOOK_S: Final = 1.0
HUNG_S: Final = 180.0
"""The core's thread comes round at least so often, also while its database is away and times out."""
FROZEN_S: Final = 30.0
"""Who looks each second and finds so much gone has not been run itself: the process was stopped or its
machine suspended. Then the core has its time anew."""
EXIT: Final = 70
"""EX_SOFTWARE of sysexits.h: a fault of the program, start it again."""
CORE: Final = "core"

log = structlog.get_logger(__name__)


def end_process(reason: str) -> None:
    """End at once, without waiting for a thread that may never answer."""
    log.critical("the service ends itself", reason=reason)
    sys.stderr.flush()
    os._exit(EXIT)


class Watchdog:
    """One thread. ``threads`` are those without which nothing is watched; ``fail`` is told why it ends.
    ``vital``: the part whose heartbeat must not stay away."""

    def __init__(
        self,
        beats: Heartbeats,
        threads: Callable[[], Mapping[str, threading.Thread]],
        fail: Callable[[str], None] = end_process,
        *,
        hung_s: float = HUNG_S,
        vital: str = CORE,
    ) -> None:
        self._beats, self._threads, self._fail, self._hung_s = beats, threads, fail, hung_s
        self._vital = vital
        self._stop = threading.Event()
        self._late: set[str] = set()
        self._looked = self._awake = float("-inf")
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_S):
            self.look(time.monotonic())

    def look(self, now: float) -> None:
        """Once: note who is late, and end what is beyond help."""
        if now - self._looked > FROZEN_S:
            self._awake = now
        self._looked = now
        for name, age in self._beats.ages(now).items():
            metrics.HEARTBEAT.labels(name).set(age)
        late = self._beats.late(now)
        for name in late.keys() - self._late:
            log.error("a heartbeat is late", part=name, seconds=round(late[name], 1))
        for name in self._late - late.keys():
            log.info("a heartbeat is back", part=name)
        self._late = set(late)
        for name, thread in self._threads().items():
            was_started = thread.ident is not None
            if was_started and not thread.is_alive() and not self._stop.is_set():
                self._fail(f"the thread {name} has died")
        stood = min(late.get(self._vital, 0.0), now - self._awake)
        if stood > self._hung_s and not self._stop.is_set():
            self._fail(f"the {self._vital} has stood still for {late[self._vital]:.0f} s")
