"""What a shared trial takes: `python -m tests.cluster.trials --beds 200 --days 30 --workers 1 2`.

Beds of which ten differ, as ``benchmarks.trial`` makes them (a value of each signal a minute, cuff pressures
each half hour), in a PostgreSQL of its own; one other setting of one rule; ``ward work`` and nobody else.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from itertools import pairwise

import numpy as np
from sqlalchemy import Engine

from benchmarks.trial import DAY, SLIDER, START, readings, request
from tests.databases import server
from tests.faults.house import stat_of
from ward.alerts.overrides import Rulebook
from ward.alerts.packs import load_pack
from ward.signals import HOUR
from ward.store.database import migrate, open_database
from ward.store.history import write_chunks
from ward.store.partition import settle_partitions
from ward.store.stays import admit
from ward.trial.stored import stored_trial

DIFFERENT = 10
WARDS = 8
TICKS = os.sysconf("SC_CLK_TCK")


def stored(db: Engine, beds: int, days: int) -> None:
    edges = np.arange(START, START + days * DAY + 1, HOUR)
    made = []
    for bed in range(min(beds, DIFFERENT)):
        found = readings(1, bed, days)
        made.append([found.take(slice(*edge)) for edge in pairwise(np.searchsorted(found.time, edges))])
    for bed in range(beds):
        with db.begin() as tx:
            ward = f"W{bed % WARDS}"
            admit(tx, stay=f"stay-{bed}", patient_ref=f"p-{bed}", ward=ward, bed=str(bed), at=START)
            write_chunks(tx, ((f"stay-{bed}", None, piece) for piece in made[bed % DIFFERENT]))


def used_s(pid: int) -> float:
    """Processor time so far."""
    after_name = stat_of(pid)
    return (int(after_name[11]) + int(after_name[12])) / TICKS


def tried(db: Engine, days: int, workers: int) -> dict[str, float]:
    url = db.url.render_as_string(hide_password=False)
    env = os.environ | {"WARD_PARTITIONS": "2", "WARD_DATABASE_URL": url}
    command = [sys.executable, "-m", "ward", "work"]
    running = [subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) for _ in range(workers)]
    try:
        for one in running:
            assert one.stderr is not None
            assert "working on trials" in one.stderr.readline()
        before, own, begun = sum(used_s(one.pid) for one in running), time.process_time(), time.monotonic()
        book, how = Rulebook(load_pack("default")), {"is_shared": True, "most": 10**10, "processes": 0}
        answer = stored_trial(db, book, request(days, SLIDER), lambda part, what: None, **how)
        wall, asks = time.monotonic() - begun, time.process_time() - own
        works = sum(used_s(one.pid) for one in running) - before
    finally:
        for one in running:
            one.kill()
            one.wait()
    return {
        "workers": workers,
        "readings_m": round(answer["readings"] / 1e6, 2),
        "wall_s": round(wall, 1),
        "workers_cpu_s": round(works, 1),
        "asker_cpu_s": round(asks, 1),
        "alerts": answer["settings"][0]["alerts"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.trials")
    parser.add_argument("--beds", type=int, default=200)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    args = parser.parse_args()
    with server() as url:
        db = open_database(url)
        migrate(db)
        with db.begin() as tx:
            settle_partitions(tx, 2)
        stored(db, args.beds, args.days)
        for workers in args.workers:
            print(json.dumps(tried(db, args.days, workers)), flush=True)
        db.dispose()


if __name__ == "__main__":
    main()
