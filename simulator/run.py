"""A simulated ward against a broker: what ``ward simulate`` and ``ward demo`` call."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

from simulator.messages import messages
from simulator.publisher import Pace, Progress, Publisher
from simulator.truth import write_truth
from simulator.ward_plan import Plan
from ward.clock import WallClock
from ward.ingest.broker_url import BrokerUrl

BATCH_MS: Final = 400
"""Wall time whose samples share a message when the clock runs fast."""


class Simulation:
    """A plan being played. ``run`` blocks until ``stop`` (or the duration's end); ``start`` does the
    same in a thread of its own. ``progress`` may be read from any thread."""

    def __init__(
        self,
        plan: Plan,
        *,
        url: str = "mqtt://127.0.0.1:1883",
        ca_file: str | None = None,
        clock: Pace | None = None,
        start_ms: int | None = None,
        duration_ms: int | None = None,
        truth: str | Path | None = None,
    ) -> None:
        """``clock``: the ward's time (a ReplayClock for demos); ``start_ms``: the simulation's time 0,
        now by default; ``duration_ms``: of the ward's time, None for ever; ``truth``: a file to write."""
        self.plan = plan
        self.clock: Pace = clock or WallClock()
        self.start_ms = self.clock.now() if start_ms is None else start_ms
        self.duration_ms = duration_ms
        self._publisher = Publisher(BrokerUrl.parse(url), self.clock, ca_file)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        if truth is not None:
            write_truth(truth, plan, self.start_ms, duration_ms)

    @property
    def progress(self) -> Progress:
        return self._publisher.progress

    def run(self) -> Progress:
        batch = max(1_000, round(BATCH_MS * self.clock.speed))
        return self._publisher.run(messages(self.plan, self.start_ms, self.duration_ms, batch), self._stop)

    def start(self) -> None:
        self._thread = threading.Thread(target=self.run, name="simulator", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Say goodbye at the broker and end; safe to call twice."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout)
