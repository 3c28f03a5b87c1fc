"""Whether the ward is watched, and if not, why not: for ``/readyz``, the dashboards and the alert book."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from ward.clock import Clock
from ward.ingest.connection import REFUSED
from ward.ingest.mqtt import MqttLink
from ward.live import metrics
from ward.live.core import Core
from ward.live.heartbeats import Heartbeats
from ward.live.load import REASON
from ward.live.outbox import OutboxSender
from ward.live.runner import Runner
from ward.live.views import Json

LIMITS: Final = {
    "core": 40.0,
    "engine": 10.0,
    "mqtt": 30.0,
    "outbox": 60.0,
    "notify": 90.0,
    "housekeeping": 7_200.0,
}
"""Seconds without a heartbeat after which a part is late. A writer waits for a locked database up to 30 s,
so the core's thread may; the engine's tick that waits with it is late all the same."""
STILL: Final = frozenset({"core", "engine"})
"""If one of these is late, what the dashboards show is not of now."""
SAYINGS: Final = {"core": "the core stands still", "engine": "the engine stands still"}


class Health:
    """Asks each part. Safe from any thread: it only reads."""

    def __init__(
        self,
        core: Core,
        runner: Runner,
        link: MqttLink,
        outbox: OutboxSender,
        beats: Heartbeats,
        clock: Clock,
    ) -> None:
        self._core, self._runner, self._link, self._outbox = core, runner, link, outbox
        self._beats, self._clock = beats, clock
        self.recovering: Callable[[], str | None] = lambda: None
        """How far the start is, while it lasts."""
        self.channels_failing: Callable[[], list[str]] = list
        """Channels through which nobody can be told. The ward is watched all the same, so it is ready."""
        self.notify_fault: Callable[[], str | None] = lambda: None
        """Why nobody at all can be told."""
        self.machine: Callable[[], tuple[dict[str, str], dict[str, str]]] = lambda: ({}, {})
        """What is wrong with the machine: what makes the service not ready, and what is only a warning."""

    def failing(self) -> list[str]:
        """Names of the parts that do not work now; what lasts is an alert of the service's own."""
        broker = [] if self._link.stats().connected else ["broker"]
        outbox = ["outbox"] if self._outbox.fault else []
        notify = [*self.channels_failing(), *(["notify"] if self.notify_fault() else [])]
        late = self._beats.late(time.monotonic())
        machine = set(self.machine()[0])
        if getattr(self._clock, "behind", 0) or getattr(self._clock, "ahead", 0):
            machine.add("clock")
        if self._runner.load.is_shedding:
            machine.add("overload")
        return sorted({*self._runner.faults, *self._core.faults, *broker, *outbox, *notify, *late, *machine})

    def view(self) -> Json:
        """``live`` is whether the board is of now; also sets the gauges of the link."""
        stats = self._link.stats()
        metrics.QUEUE.set(stats.queue_depth)
        metrics.QUEUE_SIZE.set(stats.queue_size)
        metrics.BLOCKED.set(stats.blocked_s)
        metrics.CONNECTED.set(stats.connected)
        age = stats.last_message_age_s
        metrics.MESSAGE_AGE.set(-1 if age is None else age)
        recovering = self.recovering()
        late = self._beats.late(time.monotonic())
        reasons = [recovering] if recovering else []
        reasons += [*self._runner.faults.values(), *self._core.faults.values()]
        if not stats.connected and not recovering:
            refused = (stats.last_error or "").startswith(REFUSED)
            reasons.append(f"not connected to the broker{': it refuses the service' if refused else ''}")
        if not recovering and not self._runner.is_following:
            reasons.append("taking in what came while the service was away")
        if self._runner.load.is_shedding:
            reasons.append(REASON)
        for part, seconds in sorted(late.items()):
            reasons.append(f"{SAYINGS.get(part, f'{part}: no sign of life')} for {seconds:.0f} s")
        for name, way in (("behind", "back"), ("ahead", "forward")):
            if off := getattr(self._clock, name, 0):
                reasons.append(
                    f"the machine's clock was set {way} by {off / 1000:.0f} s; restart when it is right"
                )
        reasons += [fault for fault in (self._outbox.fault, self.notify_fault()) if fault]
        unready, warnings = self.machine()
        reasons += unready.values()
        return {
            "ready": not reasons,
            "live": not recovering and not STILL & late.keys(),
            "reasons": reasons,
            "failing": self.failing(),
            "detail": {} if stats.connected or not stats.last_error else {"broker": stats.last_error},
            "warnings": list(warnings.values()),
            "last_message_age_s": age,
            "speed": self._clock.speed,
            "queue": stats.queue_depth,
            "channels_failing": self.channels_failing(),
            "pack": self._core.rulebook.pack.id,
        }
