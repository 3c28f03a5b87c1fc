"""Readings that are too old go while the ward is live: how long that takes, and what the live part feels."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from sqlalchemy import Engine, func, insert, select

from benchmarks import hours as kinds
from benchmarks.figures import Figure, clock
from ward.clock import WallClock, iso
from ward.config import Settings
from ward.ingest.intake import Incoming
from ward.service import WardService
from ward.signals import HOUR
from ward.store.chunks import History, encode
from ward.store.history import compact
from ward.store.retention import DAY, retain
from ward.store.tables import history

STAYS_OF_OLD: Final = 97
LIVE_BEDS: Final = 24
TICK_S: Final = 0.1
PATIENCE_S: Final = 60.0
SAMPLE: Final = '{"seq": %d, "time": "%s", "readings": {"hr": 82, "pr": 82, "spo2": 97, "rr": 16, "pi": 4.2}}'


class Live:
    """A service with its core's thread, fed 24 beds' samples each second, without broker and web. ``ticks``
    and ``writes``: how late each evaluation was, and how long each batch took into the journal (s)."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        url = engine.url.render_as_string(False)
        settings = Settings(data_dir=folder, database_url=url, risk_model="none")
        self.service = WardService(settings, WallClock())
        self.service.recover()
        runner = self.service.runner
        runner._ack = lambda items: None
        runner._tick_s = TICK_S
        runner._is_connected = lambda: True
        self.ticks: list[float] = []
        self.writes: list[float] = []
        self._last = 0.0
        self._stop = threading.Event()
        tick, append = runner.tick, runner._journal.append
        runner.tick = lambda: self._ticked(tick)  # type: ignore[method-assign]
        runner._journal.append = lambda *given: self._wrote(append, *given)  # type: ignore[method-assign]
        for bed in range(LIVE_BEDS):
            stay = {"patient_ref": f"p{bed}", "ward": "live", "bed": str(bed), "devices": [f"m{bed}"]}
            runner._commands.run("admit", self.service.clock.now(), {"by": "b", "flags": [], **stay})
        self._feeder = threading.Thread(target=self._feed, daemon=True)

    def _ticked(self, tick: Callable[[], None]) -> None:
        now = time.monotonic()
        self.ticks.append(max(now - self._last - TICK_S, 0.0) if self._last else 0.0)
        tick()
        self._last = now

    def _wrote(self, append: Callable[..., int], *given: Any) -> int:
        begun = time.monotonic()
        try:
            return append(*given)
        finally:
            self.writes.append(time.monotonic() - begun)

    def _feed(self) -> None:
        seq = 0
        while not self._stop.wait(1.0 / LIVE_BEDS):
            bed, seq = seq % LIVE_BEDS, seq + 1
            now = self.service.clock.now()
            payload = (SAMPLE % (seq, iso(now))).encode()
            self.service.link.intake.put(Incoming(f"ward/v1/live/m{bed}/vitals", payload, now, 1, False, seq))

    def __enter__(self) -> Live:
        self.service.runner.start()
        self._feeder.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._feeder.join()
        self.service.runner.stop()
        self.service.stop()

    def wait_for_ticks(self) -> None:
        """Until the clock has taken over from what a start has to read."""
        until = time.monotonic() + PATIENCE_S
        while len(self.ticks) < 10:
            if time.monotonic() > until:
                raise RuntimeError("the service does not evaluate")
            time.sleep(TICK_S)

    def felt(self, work: Callable[[], float]) -> tuple[float, float, float]:
        """What ``work`` answers, the latest evaluation and the longest writing meanwhile (s)."""
        ticks, writes = len(self.ticks), len(self.writes)
        took = work()
        time.sleep(2 * TICK_S)
        return took, max(self.ticks[ticks:], default=0.0), max(self.writes[writes:], default=0.0)


def old_history(engine: Engine, hours: Sequence[History], readings: int) -> int:
    """So many readings, compacted, that are older than they are kept; how many chunks those are."""
    payloads = [(len(each), encode(each, is_dense=True)) for each in hours]
    rows, left, n = [], readings, 0
    while left > 0:
        count, payload = payloads[n % len(payloads)]
        start = kinds.START - 1000 * DAY + n // STAYS_OF_OLD * HOUR
        span = {"start": start, "end": start + HOUR - 1}
        rows.append({"stay": f"old{n % STAYS_OF_OLD:09d}", **span, "count": count, "payload": payload})
        n, left = n + 1, left - count
    with engine.begin() as tx:
        tx.execute(insert(history), rows)
    return n


def forgotten(live: Live, engine: Engine) -> float:
    """Seconds of retention, which leaves nothing that is too old."""
    house, now = live.service.house, live.service.clock.now()
    days = live.service.settings.model_dump()
    took = clock(lambda: retain(engine, days, ward=now, machine=now, rest=house._rest))
    with engine.connect() as connection:
        left = connection.scalar(select(func.count()).where(history.c.end < kinds.START - 900 * DAY))
    if left:
        raise RuntimeError(f"{left} chunks that are too old are still there")
    return took


def compacted(live: Live, engine: Engine) -> float:
    """Seconds of compacting what the live beds' readings have become since the last time."""
    house = live.service.house
    return clock(lambda: compact(engine, since=live.service.clock.now() - DAY, rest=house._rest))


def quiet(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def while_live(
    name: str, engine: Engine, hours: Sequence[History], readings: int, rounds: int, quiet_s: float
) -> list[Figure]:
    """How long it takes to forget so many readings, made of such hours, on a database of this name; and how
    late an evaluation is meanwhile, and how long the journal waits."""
    felt = []
    with tempfile.TemporaryDirectory() as folder, Live(engine, Path(folder)) as live:
        live.wait_for_ticks()
        for _ in range(rounds):
            old_history(engine, hours, readings)
            works = (
                partial(quiet, quiet_s),
                partial(forgotten, live, engine),
                partial(compacted, live, engine),
            )
            felt.append([live.felt(work) for work in works])
    calm, going, packing = np.array(felt).transpose(1, 2, 0) * 1000
    old = f"{readings / 1e6:g} million old readings on {name}"
    beside = [f"{np.median(each):.0f} ms without" for each in calm]
    return [
        Figure.of(f"{old} forgotten while {LIVE_BEDS} beds are live", going[0], "ms"),
        Figure.of(f"{old} forgotten: the latest evaluation meanwhile", going[1], "ms", beside[1]),
        Figure.of(f"{old} forgotten: the longest write into the journal", going[2], "ms", beside[2]),
        Figure.of(f"compacting on {name}: the latest evaluation meanwhile", packing[1], "ms", beside[1]),
        Figure.of(f"compacting on {name}: the longest write into the journal", packing[2], "ms", beside[2]),
    ]
