"""How long a start takes: a ward's journal since the last snapshot, written and then folded.

Every stay has one monitor that sends a sample each so many seconds, as a ward's do: mostly normal, some
patients low for a while. The journal is of the shape that the live service writes, on SQLite.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import structlog
from sqlalchemy import insert

from ward.clock import wall_ms
from ward.config import Settings
from ward.ingest.packed import Packed
from ward.live import recovery
from ward.scoring.engine import Engine
from ward.scoring.filter import Filter
from ward.service import WardService
from ward.signals import INDEX
from ward.store.stays import admit
from ward.store.tables import journal

SIGNALS = ("hr", "spo2", "rr", "pr", "pi")
USUAL = {"hr": (80, 4), "spo2": (96.5, 1), "rr": (16, 2), "pr": (80, 4), "pi": (4, 0.5)}
BATCHES_A_SECOND = 20


def admitted(service: WardService, stays: int) -> None:
    with service.engine_db.begin() as tx:
        for n in range(stays):
            given = {"stay": f"stay-{n}", "patient_ref": f"p-{n}", "ward": "bench", "bed": str(n)}
            admit(tx, **given, devices=[f"mon-{n}"], at=0)


def written(
    service: WardService,
    stays: int,
    seconds: int,
    every_s: float,
    signals: tuple[str, ...],
    calm: float = 0.0,
) -> int:
    """A journal that ends now; returns how many samples it holds. calm: correlation of one sample with the
    next; 0 is noise that no patient shows and that gives the filter and the rules the most to do."""
    rng = np.random.default_rng(1)
    now = wall_ms()
    rounds = int(seconds / every_s)
    step = round(every_s * 1000)
    phase = rng.integers(0, step, stays)
    ill = rng.random(stays) < 0.1
    lines = np.array([INDEX[name] for name in signals], "<i1")
    done = 0
    usual = np.array([USUAL[name] for name in signals])
    apart = rng.normal(size=(stays, len(signals)))
    for n in range(rounds):
        time_ = now - (rounds - n) * step + phase
        order = np.argsort(time_)
        cuts = np.array_split(order, max(1, min(round(BATCHES_A_SECOND * every_s), stays // 8)))
        low = ill & (np.sin(n * every_s / 900 + np.arange(stays)) > 0.6)
        apart = calm * apart + (1 - calm**2) ** 0.5 * rng.normal(size=apart.shape)
        rows = []
        for mine in cuts:
            size = len(mine)
            values = usual[:, 0] + usual[:, 1] * apart[mine]
            values[low[mine], 1] -= 12
            rows.append(
                {
                    "written": int(time_[mine].max()),
                    "payload": msgspec.msgpack.encode(
                        [
                            Packed(
                                names=[f"bench/mon-{m}" for m in mine.tolist()],
                                device=np.arange(size, dtype="<u4").tobytes(),
                                received=(time_[mine] + 50).astype("<i8").tobytes(),
                                time=time_[mine].astype("<i8").tobytes(),
                                seq=np.full(size, n, "<i8").tobytes(),
                                counts=np.full(size, len(signals), "<u2").tobytes(),
                                signal=np.tile(lines, size).tobytes(),
                                value=values.round().astype("<f8").tobytes(),
                                sessions=["s"],
                            )
                        ]
                    ),
                }
            )
            done += size
        with service.engine_db.begin() as tx:
            tx.execute(insert(journal), rows)
    return done


def timed(table: dict[str, float], name: str, work: Callable[..., Any]) -> Callable[..., Any]:
    """Adds up the processor time of its own thread."""

    @wraps(work)
    def measured(*args: Any, **kwargs: Any) -> Any:
        begun = time.thread_time()
        try:
            return work(*args, **kwargs)
        finally:
            table[name] += time.thread_time() - begun

    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stays", type=int, default=1_000)
    parser.add_argument("--seconds", type=int, default=3_600, help="of journal since the last snapshot")
    parser.add_argument("--every", type=float, default=10.0, help="seconds between a monitor's samples")
    parser.add_argument("--signals", type=int, default=3, choices=range(1, 6))
    parser.add_argument("--calm", type=float, default=0.0, help="correlation of a sample with the next (0)")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        service = WardService(settings)
        admitted(service, asked.stays)
        samples = written(
            service, asked.stays, asked.seconds, asked.every, SIGNALS[: asked.signals], asked.calm
        )
        service.engine_db.dispose()

        table: dict[str, float] = defaultdict(float)
        begun, cpu, own = time.perf_counter(), time.process_time(), time.thread_time()
        service = WardService(settings)
        service._journal.read_parts = timed(table, "read", service._journal.read_parts)  # type: ignore[method-assign]
        recovery.route = timed(table, "route", recovery.route)  # type: ignore[assignment]
        recovery.Run.of = timed(table, "columns", recovery.Run.of)  # type: ignore[method-assign]
        Filter.judge = timed(table, "filter", Filter.judge)  # type: ignore[method-assign]
        Engine._evaluate_in_parts = timed(table, "rules", Engine._evaluate_in_parts)  # type: ignore[method-assign]
        service.core._follow = timed(table, "alerts", service.core._follow)  # type: ignore[method-assign]
        service.recover()
        took, cpu = time.perf_counter() - begun, time.process_time() - cpu
        core = time.thread_time() - own
        size = (Path(folder) / "ward.db").stat().st_size >> 20
        alerts = len(service.core.book.open_alerts())
        service.engine_db.dispose()
    readings = samples * asked.signals
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(
        f"{asked.stays:,} stays, {asked.seconds:,} s of journal, a sample of {asked.signals} signals each "
        f"{asked.every:g} s: {samples:,} samples, {readings:,} readings, {size} MB; {alerts} open alerts; "
        f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    print(f"ready after {took:.2f} s ({cpu:.2f} s of processor), peak memory {peak} MB")
    reader = {name: table.pop(name, 0.0) for name in ("read", "columns", "route")}
    table["rest"] = core - sum(table.values())
    for thread, parts, total in (("reader", reader, cpu - core), ("core", table, core)):
        print(
            f"{thread}'s thread: {total:.2f} s of processor; "
            + ", ".join(f"{k} {v:.2f}" for k, v in parts.items())
        )
    print(f"{samples / took:,.0f} samples/s, {readings / took:,.0f} readings/s")


if __name__ == "__main__":
    main()
