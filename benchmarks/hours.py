"""Hours of readings as ward keeps them, of several kinds: what ``benchmarks.storage`` stores.

Each is one stay's hour as it is after compacting: every reading once, with the filter's mark, in order.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
from sqlalchemy import select

from simulator import messages, plan_ward
from ward.config import Settings
from ward.ingest.intake import Incoming
from ward.ingest.recordings import read_recordings
from ward.live import snapshots
from ward.service import WardService
from ward.signals import HOUR, MINUTE, SECOND
from ward.store.chunks import History, decode
from ward.store.history import latest
from ward.store.tables import history

START: Final = 1_790_000_000_000 // HOUR * HOUR
FLUSH: Final = 10 * SECOND
"""So often the service writes what it has (``ward.live.runner``)."""
WAIT: Final = 30 * SECOND
"""Evaluation waits so long for messages, which hold ten seconds each here: so none of it is late."""
LEAST: Final = 1_000
"""Readings of an hour of a recording that is worth being stored."""
OF_A_MONITOR: Final = 15_000
JITTER: Final = 12
"""ms, the spread of a sample's time around its second."""
MOST_RECORDED: Final = 24


class _Clock:
    speed = 1.0
    time = START

    def now(self) -> int:
        return self.time


def simulated(stays: int, span: int = HOUR) -> list[History]:
    """The simulator's messages through the whole service, but for the broker: journal, filter, flush."""
    clock = _Clock()
    with tempfile.TemporaryDirectory() as folder:
        service = WardService(Settings(data_dir=Path(folder), risk_model="none"), clock)
        service.recover()
        runner, core = service.runner, service.core
        runner._ack = lambda items: None
        core.service_faults = lambda: ()
        core.engine.lateness = WAIT
        # Not every bed of the simulator's plan has a monitor.
        plan = plan_ward(1, 2 * stays + 2)
        for stay in plan.stays():
            runner._commands.run("admit", clock.time, {"by": "bench", **stay})
        due = START + FLUSH
        for number, message in enumerate(messages(plan, START, span, batch_ms=FLUSH)):
            while message.at > due:
                _evaluate(service, clock, due)
                due += FLUSH
            if message.what == "vitals":
                item = Incoming(message.topic, message.payload, message.at, 1, False, number)
                service.link.intake.put(item)
        _evaluate(service, clock, START + span + MINUTE)
        with service.engine_db.connect() as connection:
            rows = connection.execute(select(history.c.stay, history.c.payload).order_by(history.c.id)).all()
        service.stop()
    parts: dict[str, list[History]] = {}
    for stay, payload in rows:
        parts.setdefault(stay, []).append(decode(payload))
    whole = [latest(History.concat(found)) for stay, found in parts.items() if stay]
    least = OF_A_MONITOR * span // HOUR  # patches measure once a minute
    return [kept for each in whole if len(kept := _within(each, span)) >= least][:stays]


def _evaluate(service: WardService, clock: _Clock, upto: int) -> None:
    clock.time = upto + service.core.engine.lateness - 1
    while service.runner.take_messages():
        pass
    service.core.tick(clock.time)
    snapshots.flush(service.core)


def _within(found: History, span: int) -> History:
    return found.take((found.time >= START) & (found.time < START + span))


def jittered(hours: list[History]) -> list[History]:
    """Samples a few milliseconds beside their second, as of devices that measure when they are ready."""
    rng = np.random.default_rng(1)
    made = []
    for hour in hours:
        seconds, sample = np.unique(hour.time, return_inverse=True)
        beside = np.round(rng.normal(0, JITTER, len(seconds))).astype(np.int64)
        last = START + HOUR - 1
        columns = {name: getattr(hour, name) for name in History.__slots__}
        made.append(latest(History(**columns | {"time": np.clip(seconds + beside, START, last)[sample]})))
    return made


def by_minute(hours: list[History]) -> list[History]:
    """The first reading of each signal in each minute."""
    made = []
    for hour in hours:
        _, first = np.unique(hour.time // MINUTE * 100 + hour.signal, return_index=True)
        made.append(hour.take(np.sort(first)))
    return made


def recorded() -> dict[str, list[History]]:
    """Real monitors' numerics (see the collections' licences), where ``WARD_TEST_DATA`` has them."""
    folder = os.environ.get("WARD_TEST_DATA")
    if folder is None:
        return {}
    found = {}
    for name, pattern in (("mimic4wdb", "*n.csv.gz"), ("bidmc", "*_Numerics.csv")):
        hours = [h for p in sorted(Path(folder, name).glob(pattern)) for h in _recorded_hours(p, name)]
        if hours:
            found[name] = hours[:MOST_RECORDED]
    return found


def _recorded_hours(path: Path, kind: str) -> list[History]:
    """A recording has no counts: each instant is taken for a sample of its own."""
    made = []
    for recording in read_recordings(path, kind):
        _, seq = np.unique(recording.time, return_inverse=True)
        columns = {"signal": recording.signal, "time": recording.time, "value": recording.value}
        whole = latest(History.of(len(recording), **columns, seq=seq, device=1))
        hour = whole.time // HOUR
        hours = [whole.take(hour == one) for one in np.unique(hour)]
        made += [
            moved(each, START // HOUR - int(each.time[0] // HOUR)) for each in hours if len(each) >= LEAST
        ]
    return made


def moved(readings: History, hours: int) -> History:
    """So many hours later."""
    columns = {name: getattr(readings, name) for name in History.__slots__}
    return History(**columns | {"time": readings.time + hours * HOUR})
