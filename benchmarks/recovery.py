"""How long a start takes: a ward's journal since the last snapshot, written and then folded.

Every stay has one monitor that sends a sample each so many seconds, as a ward's do: mostly normal, some
patients low for a while. The journal is of the shape that the live service writes, on SQLite.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import structlog
from sqlalchemy import insert

from benchmarks.figures import ROUNDS, Figure, Part, Series, at_most, processor, table
from ward.clock import wall_ms
from ward.config import Settings
from ward.ingest.packed import Packed
from ward.live import recovery
from ward.live.runner import GATHER_S
from ward.scoring.engine import Engine
from ward.scoring.filter import Filter
from ward.service import WardService
from ward.signals import INDEX
from ward.store.stays import admit
from ward.store.tables import journal

SIGNALS = ("hr", "spo2", "rr", "pr", "pi")
USUAL = {"hr": (80, 4), "spo2": (96.5, 1), "rr": (16, 2), "pr": (80, 4), "pi": (4, 0.5)}
BATCHES_A_SECOND = round(1 / GATHER_S)
"""As the service gathers messages (a broker that sends few before an acknowledgement makes them more)."""
PATIENTS = 0.95
"""How alike a patient's values are from one second to the next (correlation)."""
READY_S = 5.0
READ = "the same journal read and made columns, and nothing else"
TEXT = """\
A journal of the shape that the service writes, on SQLite: every stay has one monitor with a sample of three
signals each second, values as restless as patients' (a correlation of 0.95 from one second to the next), a
tenth of the stays low for a while. A start is the whole of it: stays and rules from the database, the
journal since the last snapshot, alerts, the board. Noise is values without any correlation, which no
patient shows and which give the filter the most to do; it is measured in turn with as many values of
patients."""
WHY = "reading, filter and rules of ten million readings take more than two cores do in that time"


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
                                names="\n".join(f"bench/mon-{m}" for m in mine.tolist()),
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


@dataclass(frozen=True, slots=True)
class Journal:
    """A folder with a written journal of a ward, which every start gets a copy of."""

    folder: Path
    samples: int
    readings: int
    bytes: int

    @classmethod
    def write(
        cls, folder: Path, stays: int, seconds: int, every_s: float, signals: int = 3, calm: float = 0.0
    ) -> Journal:
        service = WardService(Settings(data_dir=folder))
        admitted(service, stays)
        samples = written(service, stays, seconds, every_s, SIGNALS[:signals], calm)
        service.engine_db.dispose()
        return cls(folder, samples, samples * signals, (folder / "ward.db").stat().st_size)


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds: of the wall's clock until it was ready, of both threads' processor, of the core's thread."""

    wall: float
    processor: float
    core: float
    alerts: int


def started(journal: Journal, watch: Callable[[WardService], None] = lambda _: None) -> Start:
    """One start on a copy of the journal. ``watch`` may look at the service before it recovers."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(journal.folder, folder, dirs_exist_ok=True)
        begun, cpu, own = time.perf_counter(), time.process_time(), time.thread_time()
        service = WardService(Settings(data_dir=Path(folder)))
        watch(service)
        service.recover()
        took = (time.perf_counter() - begun, time.process_time() - cpu, time.thread_time() - own)
        alerts = len(service.core.book.open_alerts())
        service.engine_db.dispose()
    return Start(*took, alerts)


def read_only(journal: Journal) -> float:
    """Seconds of processor in which the journal's bytes are read and made columns, and nothing else."""
    service = WardService(Settings(data_dir=journal.folder))

    def work() -> None:
        after = 0
        while rows := service._journal.read_parts(after, recovery.ROWS):
            recovery.Run.of([part for _, own in rows for part in own or () if isinstance(part, Packed)])
            after = rows[-1][0]

    taken = processor(work)
    service.engine_db.dispose()
    return taken


def measure(stays: int, seconds: int, part_s: int, rounds: int) -> Part:
    """An hour of patients; then patients beside noise over ``part_s``; then growth with stays."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder)
        hour = Journal.write(made / "hour", stays, seconds, 1.0, calm=PATIENTS)
        starts = [(started(hour), read_only(hour)) for _ in range(rounds)]
        quiet = Journal.write(made / "quiet", stays, part_s, 1.0, calm=PATIENTS)
        noisy = Journal.write(made / "noisy", stays, part_s, 1.0)
        pairs = [(started(noisy).processor, started(quiet).processor) for _ in range(rounds)]
        sizes = [stays // 4, stays // 2, stays, stays * 2]
        wards = [Journal.write(made / f"{n}", n, part_s // 2, 2.0, calm=PATIENTS) for n in sizes]
        grown = np.array([[started(ward).processor for ward in wards] for _ in range(rounds)])
    what = f"{stays:,} stays, {seconds:,} s of journal, {hour.readings:,} readings"
    of_hour = [start for start, _ in starts]
    cpu = np.array([start.processor for start in of_hour])
    return Part(
        "recovery",
        "Recovery",
        TEXT,
        "python -m benchmarks.recovery --suite",
        (
            Figure.of(f"ready again: {what}", [s.wall for s in of_hour], "s", "", at_most(READY_S), WHY),
            Figure.of("a start: processor of both threads", cpu, "s"),
            Figure.of("a start: processor of the engine's thread", [s.core for s in of_hour], "s"),
            Figure.ratio("a start: processor", cpu, [read for _, read in starts], READ),
            Figure.of("a start: readings a second of processor", hour.readings / cpu, "1/s"),
            Figure.ratio(
                f"noise, {part_s} s",
                [n for n, _ in pairs],
                [q for _, q in pairs],
                "as many values of patients",
            ),
        ),
        series=(
            Series(
                f"A start with {part_s // 2} s at a sample each 2 s",
                "stays",
                "s of processor",
                tuple(map(float, sizes)),
                tuple(np.median(grown, axis=0).tolist()),
            ),
        ),
    )


def part(quick: bool = False) -> Part:
    """For the suite."""
    return measure(40, 60, 40, 1) if quick else measure(1_000, 3_600, 600, ROUNDS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stays", type=int, default=1_000)
    parser.add_argument("--seconds", type=int, default=3_600, help="of journal since the last snapshot")
    parser.add_argument("--every", type=float, default=10.0, help="seconds between a monitor's samples")
    parser.add_argument("--signals", type=int, default=3, choices=range(1, 6))
    parser.add_argument("--calm", type=float, default=0.0, help="correlation of a sample with the next (0)")
    parser.add_argument("--rounds", type=int, default=1, help="starts, of which the median is told")
    parser.add_argument("--suite", action="store_true", help="what the suite measures")
    asked = parser.parse_args()
    if asked.suite:
        print(table(part()))
        return
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    parts: dict[str, float] = defaultdict(float)

    def watch(service: WardService) -> None:
        journal_, core = service._journal, service.core
        journal_.read_parts = timed(parts, "read", journal_.read_parts)  # type: ignore[method-assign]
        core._follow = timed(parts, "alerts", core._follow)  # type: ignore[method-assign]

    with tempfile.TemporaryDirectory() as folder:
        made = Journal.write(Path(folder), asked.stays, asked.seconds, asked.every, asked.signals, asked.calm)
        recovery.route = timed(parts, "route", recovery.route)  # type: ignore[assignment]
        recovery.Run.of = timed(parts, "columns", recovery.Run.of)  # type: ignore[method-assign]
        Filter.judge = timed(parts, "filter", Filter.judge)  # type: ignore[method-assign]
        Engine._evaluate_in_parts = timed(parts, "rules", Engine._evaluate_in_parts)  # type: ignore[method-assign]
        starts = [started(made, watch) for _ in range(asked.rounds)]
    took, cpu, core = (
        float(np.median([getattr(start, name) for start in starts])) for name in ("wall", "processor", "core")
    )
    parts = defaultdict(float, {name: spent / len(starts) for name, spent in parts.items()})
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(
        f"{asked.stays:,} stays, {asked.seconds:,} s of journal, a sample of {asked.signals} signals each "
        f"{asked.every:g} s: {made.samples:,} samples, {made.readings:,} readings, {made.bytes >> 20} MB; "
        f"{starts[0].alerts} open alerts; Python {platform.python_version()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}"
    )
    print(f"ready after {took:.2f} s ({cpu:.2f} s of processor), peak memory {peak} MB")
    reader = {name: parts.pop(name, 0.0) for name in ("read", "columns", "route")}
    parts["rest"] = core - sum(parts.values())
    for thread, spent, total in (("reader", reader, cpu - core), ("core", parts, core)):
        print(
            f"{thread}'s thread: {total:.2f} s of processor; "
            + ", ".join(f"{k} {v:.2f}" for k, v in spent.items())
        )
    print(f"{made.samples / took:,.0f} samples/s, {made.readings / took:,.0f} readings/s")


if __name__ == "__main__":
    main()
