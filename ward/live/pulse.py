"""The service's own metrics over the last hours, in memory: for whoever looks whether it is well.

What Prometheus asks for is what is kept here, so that both say the same.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import structlog
from prometheus_client import REGISTRY, CollectorRegistry

from ward.signals import HOUR, SECOND

EVERY: Final = 10 * SECOND
LONGEST: Final = 6 * HOUR
KEPT: Final = LONGEST // EVERY
MOST_POINTS: Final = 360

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Series:
    """How a curve comes from the samples of the registry: ``rate``: what a counter gained each second;
    ``mean``: of what was observed meanwhile; ``level``: as it is. ``scale``: times that."""

    name: str
    unit: str
    how: str
    metric: str
    scale: float = 1.0


SERIES: Final = (
    Series("readings", "1/s", "rate", "ward_readings_total"),
    Series("messages", "1/s", "rate", "ward_messages_total"),
    Series("refused", "1/s", "rate", "ward_refused_total"),
    Series("delay", "s", "level", "delay"),
    Series("tick", "ms", "mean", "ward_tick_seconds", 1_000),
    Series("journal", "ms", "mean", "ward_journal_append_seconds", 1_000),
    Series("queue", "", "level", "ward_queue_messages"),
    Series("outbox", "", "level", "ward_outbox_waiting"),
    Series("streams", "", "level", "ward_event_streams"),
    Series("alerts", "", "level", "ward_alerts"),
    Series("requests", "1/s", "rate", "ward_http_requests_total"),
    Series("database", "MB", "level", "database", 1e-6),
    Series("disk", "GB", "level", "ward_disk_free_bytes", 1e-9),
    Series("memory", "MB", "level", "process_resident_memory_bytes", 1e-6),
    Series("cpu", "%", "rate", "process_cpu_seconds_total", 100),
)


def samples(registry: CollectorRegistry = REGISTRY) -> dict[str, float]:
    """Every sample by its name, those of all labels together; of histograms only sum and count. What has
    labels and was never counted is 0."""
    found: dict[str, float] = {}
    for family in registry.collect():
        if not family.samples:
            found[f"{family.name}_total" if family.type == "counter" else family.name] = 0.0
        for sample in family.samples:
            if not sample.name.endswith(("_bucket", "_created")):
                found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found


class Pulse:
    """One thread that looks every ten seconds. ``more`` gives samples that no metric has; ``look`` takes
    the samples and the machine's time in ms."""

    def __init__(self, now: Callable[[], int], more: Callable[[], Mapping[str, float]]) -> None:
        self._now, self._more = now, more
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._time = np.zeros(KEPT, np.int64)
        self._value = np.full((len(SERIES), KEPT), np.nan, np.float32)
        self._looks = 0
        self._before: tuple[int, Mapping[str, float]] | None = None
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while True:
            try:
                self.look(samples() | dict(self._more()), self._now())
            except Exception:  # a curve with a hole is no reason to end anything
                log.warning("the service could not look at itself", exc_info=True)
            if self._stop.wait(EVERY / SECOND):
                return

    def look(self, found: Mapping[str, float], now: int) -> None:
        then, before = self._before or (now, {})
        seconds = (now - then) / SECOND
        with self._lock:
            place = self._looks % KEPT
            self._time[place] = now
            self._value[:, place] = [_point(one, found, before, seconds) for one in SERIES]
            self._looks += 1
        self._before = (now, found)

    def view(self, minutes: int) -> dict[str, Any]:
        """The last minutes, in at most ``MOST_POINTS`` points; of several in a point the highest counts."""
        with self._lock:
            order = np.arange(max(0, self._looks - KEPT), self._looks) % KEPT
            time, value = self._time[order], self._value[:, order]
        recent = time > (time[-1] if len(time) else 0) - minutes * 60 * SECOND
        time, value = time[recent], value[:, recent]
        step = max(1, math.ceil(len(time) / MOST_POINTS))
        starts = np.arange(0, len(time), step)
        series = []
        for one, row in zip(SERIES, value, strict=True):
            highest = np.fmax.reduceat(row, starts).tolist() if len(starts) else []
            values = [None if math.isnan(point) else round(point, 3) for point in highest]
            series.append({"name": one.name, "unit": one.unit, "values": values})
        return {"times": time[starts].tolist(), "series": series}


def _point(one: Series, found: Mapping[str, float], before: Mapping[str, float], seconds: float) -> float:
    """NaN where nothing can be said: no sample, none before, a counter that began anew, nothing observed."""
    if one.how == "level":
        return found.get(one.metric, math.nan) * one.scale
    if one.how == "rate":
        gained = found.get(one.metric, math.nan) - before.get(one.metric, math.nan)
        return gained / seconds * one.scale if seconds > 0 and gained >= 0 else math.nan
    spent, times = (
        found.get(f"{one.metric}{part}", math.nan) - before.get(f"{one.metric}{part}", math.nan)
        for part in ("_sum", "_count")
    )
    return spent / times * one.scale if times > 0 else math.nan
