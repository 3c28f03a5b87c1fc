"""How long a trial takes: other settings of one rule over a ward's stored history, as the API runs it.

30 beds, 90 days, a value of each signal a minute, cuff pressures each half hour: the simulator's patients
with their courses and a monitor's noise, in a SQLite database as the service writes it (a chunk an hour, with
the filter's marks). The trial runs in its processes, as in the service: once with one other setting, as who
moves a slider asks for, and with ``--map`` with a map of settings. `--load` keeps so many other processes
busy meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import Figure, Part, Table, table, under
from benchmarks.figures import number as digits
from simulator.courses import SCRIPTS, Course
from simulator.noise import generator, normal
from simulator.patients import draw_patient
from ward.alerts.packs import load_pack
from ward.live.history import as_history, as_readings
from ward.scoring.engine import PIECE
from ward.scoring.filter import Filter
from ward.signals import HOUR, INDEX, MINUTE
from ward.store.chunks import History
from ward.store.database import migrate, open_database
from ward.store.history import latest, write_chunks
from ward.store.stays import admit
from ward.trial.process import Trials
from ward.trial.worker import Job

START = 1_800_000_000_000
DAY = 24 * HOUR
NOISE = {
    "hr": 1.5,
    "pr": 1.5,
    "spo2": 0.6,
    "rr": 1.2,
    "pi": 0.2,
    "sbp": 4.0,
    "dbp": 3.0,
    "map": 3.0,
    "temp": 0.1,
}
"""Spread of a monitor's readings around the truth."""
STEPS = {"sbp": 30, "dbp": 30, "map": 30, "temp": 60}
"""Minutes between readings; of the others one."""
LONG_ROUNDS = 3
"""Of what takes half a minute; they differ by a twentieth."""
THRESHOLDS = [*range(80, 100)]
LENGTHS = ["1m", "2m", "3m", "5m", "10m", "15m", "20m", "30m", "45m", "60m"]
MAPS, SLIDER = "200 settings", "one setting"
PATIENCE_S = 10.0
"""How long somebody waits without looking away (Nielsen 1993)."""


def readings(seed: int, bed: int, days: int) -> History:
    """What the monitor of one bed would have sent."""
    key = (seed, 77, bed)
    source = generator(key)
    courses, at = [], 0
    while (at := at + int(source.exponential(3 * DAY))) < days * DAY:
        kind = list(SCRIPTS)[source.integers(len(SCRIPTS))]
        courses.append(Course(kind, at, lasts=int(source.uniform(2, 5) * HOUR)))
        at = courses[-1].end or at
    patient = replace(draw_patient(key), courses=tuple(courses))
    t = np.arange(0, days * DAY, MINUTE, dtype=np.int64)
    truth = patient.truth(t, START)
    parts = []
    for number, (name, spread) in enumerate(NOISE.items()):
        step = STEPS.get(name, 1)
        mine = t[::step]
        value = truth[name][::step] + spread * normal((*key, number), np.arange(len(mine)))
        value = np.clip(
            np.round(value, 1 if name in ("temp", "pi") else 0), 0, 100 if name == "spo2" else 400
        )
        parts.append(
            History.of(
                len(mine),
                signal=INDEX[name],
                time=mine + START,
                value=value,
                device=1,
                seq=np.arange(len(mine)),
            )
        )
    every = History.concat(parts)
    return judged(every.take(np.argsort(every.time, kind="stable")))


def judged(sent: History) -> History:
    """With the marks of the filter, as the service writes them; each reading once, as after compacting."""
    gate, readings = Filter(1), as_readings(sent, {}).in_order()
    cuts = [*np.unique(readings.time[PIECE::PIECE]).tolist(), int(readings.time[-1])]
    edges = [0, *np.searchsorted(readings.time, cuts, side="right").tolist()]
    marked = [
        gate.push(readings.take(slice(*edge)).in_cell_order(), cut)
        for edge, cut in zip(pairwise(edges), cuts, strict=True)
    ]
    return latest(History.concat(as_history(m.readings, mark=m.mark, reason=m.reason) for m in marked))


def stored(folder: Path, seed: int, beds: int, days: int) -> str:
    url = f"sqlite:///{folder / 'ward.db'}"
    database = open_database(url)
    migrate(database)
    for bed in range(beds):
        found = readings(seed, bed, days)
        edges = np.searchsorted(found.time, np.arange(START, START + days * DAY + 1, HOUR))
        pieces = [found.take(slice(*edge)) for edge in pairwise(edges)]
        with database.begin() as tx:
            admit(tx, stay=f"stay-{bed}", patient_ref=f"p-{bed}", ward="bench", bed=str(bed), at=START)
            write_chunks(tx, ((f"stay-{bed}", None, piece) for piece in pieces))
    database.dispose()
    return url


def request(days: int, settings: str) -> dict[str, Any]:
    several = settings == MAPS
    return {
        "grid": {
            "rule": "spo2-below-88",
            "thresholds": THRESHOLDS if several else [86],
            "for": LENGTHS if several else ["15m"],
        },
        "rules": [],
        "start": START,
        "end": START + days * DAY,
        "wards": None,
        "stays": None,
        "suggest": {"per_day": 3} if several else None,
    }


async def tried(url: str, wanted: dict[str, Any]) -> tuple[dict[str, Any], float]:
    """The answer, and the longest silence between two words of progress."""
    longest, last = 0.0, time.perf_counter()
    job = Job(url, "default", list(load_pack("default").rules), wanted)
    async for kind, value in Trials().run(job):
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
        if kind == "result":
            return value, longest
    raise RuntimeError("no result")


def busy() -> None:
    while True:
        np.sort(np.random.default_rng(1).random(100_000))


@dataclass(frozen=True, slots=True)
class Answered:
    """One trial. clock, processor, silence: s; memory: of the largest process so far, MiB."""

    clock: float
    processor: float
    silence: float
    memory: float
    readings: int


def answered(url: str, wanted: dict[str, Any]) -> Answered:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    answer, silence = asyncio.run(tried(url, wanted))
    took = time.perf_counter() - begun
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    return Answered(took, processor, silence, used.ru_maxrss / 1024, answer["readings"])


@contextlib.contextmanager
def loaded(processes: int) -> Iterator[None]:
    others = [multiprocessing.Process(target=busy, daemon=True) for _ in range(processes)]
    for other in others:
        other.start()
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.join()


def part(
    quick: bool = False,
    rounds: int = LONG_ROUNDS,
    beds: int = 30,
    days: int = 90,
    seed: int = 1,
    load: int = 0,
    several: bool = False,
) -> Part:
    if quick:
        rounds, beds, days = 1, 3, 3
    taken: dict[str, list[Answered]] = {SLIDER: [], **({MAPS: []} if several else {})}
    with tempfile.TemporaryDirectory() as folder:
        url = stored(Path(folder), seed, beds, days)
        with loaded(load):
            for _ in range(rounds):
                for settings, found in taken.items():
                    found.append(answered(url, request(days, settings)))
    readings = taken[SLIDER][0].readings
    figures, rows = [], []
    for settings, found in taken.items():
        clocks, used = ([getattr(each, name) for each in found] for name in ("clock", "processor"))
        target = under(PATIENCE_S) if settings == SLIDER else None
        beside = "the time that a person waits without looking away" if target else ""
        figures.append(Figure.of(f"{settings}: until the answer", clocks, "s", beside, target))
        figures.append(Figure.of(f"{settings}: processor", used, "s"))
        silence, memory = (max(getattr(each, name) for each in found) for name in ("silence", "memory"))
        per = 1e6 * float(np.median(used)) / max(readings, 1)
        rows.append((settings, digits(silence), digits(per), digits(memory)))
    columns = (
        "",
        "longest without a word, s",
        "µs of processor a reading",
        "memory of its largest process, MiB",
    )
    return Part(
        "trial",
        "Trial",
        f"{beds} beds over {days} days, {readings:,} readings: each signal once a minute, cuff pressures "
        "each half hour, in a SQLite database as the service writes it. A trial asks what would have been "
        "raised, in processes of its own as in the service, with one setting of SpO2's rule (`--map`: a map "
        f"of {len(THRESHOLDS)} thresholds × {len(LENGTHS)} durations and a suggestion).",
        "python -m benchmarks.trial",
        tuple(figures),
        (Table("While one waits", columns, tuple(rows)),),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--beds", type=int, default=30)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=LONG_ROUNDS)
    parser.add_argument("--load", type=int, default=0, help="other processes that are busy")
    parser.add_argument("--map", action="store_true", help="also with a map of settings: takes minutes")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    print(table(part(given.quick, given.rounds, given.beds, given.days, given.seed, given.load, given.map)))


if __name__ == "__main__":
    main()
