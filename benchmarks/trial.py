"""How long a trial takes: a grid of one rule over a ward's stored history, as the API runs it.

30 beds, 30 days, a value of each signal a minute, cuff pressures each half hour: the simulator's patients
with their courses and a monitor's noise, in a SQLite database as the service writes it (a chunk an hour). The
trial runs in its process, as in the service; `--load` keeps so many other processes busy meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import resource
import tempfile
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from simulator.courses import SCRIPTS, Course
from simulator.noise import generator, normal
from simulator.patients import draw_patient
from ward.alerts.packs import load_pack
from ward.signals import HOUR, INDEX, MINUTE
from ward.store.chunks import History
from ward.store.database import migrate, open_database
from ward.store.history import write_chunks
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
THRESHOLDS = [*range(80, 100)]
LENGTHS = ["1m", "2m", "3m", "5m", "10m", "15m", "20m", "30m", "45m", "60m"]


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
    return every.take(np.argsort(every.time, kind="stable"))


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


def request(days: int) -> dict[str, Any]:
    return {
        "grid": {"rule": "spo2-below-88", "thresholds": THRESHOLDS, "for": LENGTHS},
        "rules": [],
        "start": START,
        "end": START + days * DAY,
        "wards": None,
        "stays": None,
        "suggest": {"per_day": 3},
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beds", type=int, default=30)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--load", type=int, default=0, help="other processes that are busy")
    given = parser.parse_args()
    others = [multiprocessing.Process(target=busy, daemon=True) for _ in range(given.load)]
    with tempfile.TemporaryDirectory() as folder:
        url = stored(Path(folder), given.seed, given.beds, given.days)
        for other in others:
            other.start()
        begun = time.perf_counter()
        answer, silence = asyncio.run(tried(url, request(given.days)))
        took = time.perf_counter() - begun
        for other in others:
            other.kill()
            other.join()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"{len(answer['settings'])} settings x {given.beds} beds x {given.days} days, {answer['readings']:,} "
        f"readings: {took:.1f} s ({used.ru_utime + used.ru_stime:.1f} s of processor, "
        f"{used.ru_maxrss / 1024:.0f} MiB at the most, {silence:.1f} s longest without a word)"
    )
    chosen = (answer["suggestion"] or {}).get("chosen") or {}
    print(
        f"in force: {answer['in_force']['alerts_per_day']} alerts of the rule a patient-day, recall "
        f"{answer['in_force']['recall']}; suggested for 3 a day: {chosen.get('label')}"
    )


if __name__ == "__main__":
    main()
