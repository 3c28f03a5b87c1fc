"""How well a device on the wrong patient is noticed, and how often falsely.

``python -m benchmarks.swapped FOLDER``, where FOLDER holds ``cinc2019``, ``bidmc`` and ``mimic4wdb``.
The tables of ``ward.scoring.swapped`` are made from one half of the stays of the Challenge 2019 (``--tables``
prints them anew); all that is told is of the other half, of the other collections, and of simulated wards.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from simulator.messages import messages
from simulator.ward_plan import plan_ward
from ward.evaluation.datasets import load
from ward.ingest.recordings import Recording, read_all
from ward.scoring.swapped import BOUND, EDGES, LEAST, SIGNALS, WEIGHTS, bins, looks_like_another
from ward.signals import HOUR, INDEX, MINUTE

NAMES = ("hr", "pr", "rr", "spo2", "temp", "sbp")
RING = 120
"""Minutes that the service keeps."""
GAP = 3
"""Minutes without a value where two recordings are put together."""
START = 1_795_262_400_000
"""Of the simulated day, ms."""
SMOOTH = 20.0
"""Added to each count of a bin: none is never."""


def minutes(recording: Recording) -> np.ndarray:
    """[signals, minutes]: the last value in each minute, NaN where there is none."""
    when = (recording.time // MINUTE).astype(np.int64)
    table = np.full((len(NAMES), int(when.max() - when.min()) + 1), np.nan)
    for row, name in enumerate(NAMES):
        mine = np.flatnonzero((recording.signal == INDEX[name]) & np.isfinite(recording.value))
        mine = mine[np.argsort(recording.time[mine], kind="stable")]
        table[row, when[mine] - when.min()] = recording.value[mine]
    return table


# --- tables, and charted values -------------------------------------------------------------------


def hourly(recordings: Sequence[Recording]) -> list[dict[str, np.ndarray]]:
    """Of each stay and signal [hours]: what was charted in that hour, NaN where nothing was."""
    found = []
    for recording in recordings:
        hour = (recording.time // HOUR).astype(np.int64)
        hour -= hour.min()
        table = {}
        for name in EDGES:
            row = np.full(int(hour.max()) + 1, np.nan)
            mine = recording.signal == INDEX[name]
            row[hour[mine]] = recording.value[mine]
            table[name] = row
        found.append(table)
    return found


def pairs(stays: list[dict[str, np.ndarray]], source: np.random.Generator, n: int) -> tuple[dict, dict]:
    """n differences, by signal [n], NaN where one is not known: within a stay from an hour to the next, and
    between two stays."""
    within, between = ({name: np.full(n, np.nan) for name in EDGES} for _ in range(2))
    long = [stay for stay in stays if len(stay["hr"]) > 2]
    for i in range(n):
        one, other = (long[k] for k in source.choice(len(long), 2, replace=False))
        at = int(source.integers(len(one["hr"]) - 1))
        elsewhere = int(source.integers(len(other["hr"])))
        for name in EDGES:
            within[name][i] = one[name][at + 1] - one[name][at]
            between[name][i] = other[name][elsewhere] - one[name][at]
    return within, between


def weights_of(within: dict, between: dict) -> dict[str, tuple[float, ...]]:
    """log10 of the ratio of the two shares of each bin."""
    table = {}
    for name, edges in EDGES.items():
        shares = []
        for found in (between[name], within[name]):
            known = found[~np.isnan(found)]
            counts = np.bincount(bins(name, known), minlength=len(edges) + 1) + SMOOTH
            shares.append(counts / counts.sum())
        table[name] = tuple(np.round(np.log10(shares[0] / shares[1]), 2).tolist())
    return table


def told(differences: dict, bound: float) -> np.ndarray:
    """[n]: whether a gap with these differences would be told."""
    n = len(differences["hr"])
    total, speaking = np.zeros(n), np.zeros(n, np.int64)
    for name in EDGES:
        known = ~np.isnan(differences[name])
        weight = np.array(WEIGHTS[name])[bins(name, np.nan_to_num(differences[name]))]
        total += np.where(known, weight, 0.0)
        speaking += known & (weight >= LEAST)
    return (total >= bound) & (speaking >= SIGNALS) & ~np.isnan(differences["hr"])


# --- recordings by the second ---------------------------------------------------------------------


def spliced(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The first recording, a gap, the second."""
    return np.concatenate([one, np.full((len(NAMES), GAP), np.nan), other], axis=1)


def told_at_any_time(table: np.ndarray) -> int:
    """How many gaps are told in the whole of a table, each once, as the service looks: minute by minute."""
    seen = set()
    for end in range(1, table.shape[1] + 1):
        start = max(end - RING, 0)
        found = looks_like_another(table[:, start:end], NAMES)
        if found is not None:
            seen.add(start + found.since)
    return len(seen)


def gaps(table: np.ndarray) -> int:
    """How many silences of a minute and more end in it."""
    silent = np.isnan(table[:4]).all(axis=0)
    return int((silent[:-1] & ~silent[1:]).sum())


def simulated(seed: int, beds: int, hours: int) -> list[np.ndarray]:
    """Each bed's minutes as its devices send them, faults and lost connections included; what a device itself
    calls no measurement is left out."""
    plan = plan_ward(seed, beds)
    bed_of = {device.name: bed.bed for bed in plan.beds for device in bed.devices}
    tables = {bed.bed: np.full((len(NAMES), hours * 60 + 1), np.nan) for bed in plan.beds}
    for message in messages(plan, START, hours * HOUR, MINUTE):
        device = message.topic.split("/")[-2]
        if not message.topic.endswith("/vitals"):
            continue
        body = json.loads(message.payload)
        for sample in body.get("samples", [body]):
            at = int((datetime.fromisoformat(sample["time"]).timestamp() * 1000 - START) // MINUTE)
            for row, name in enumerate(NAMES):
                value = sample["readings"].get(name)
                doubted = name in sample.get("status", {})
                if value is not None and not doubted and 0 <= at <= hours * 60:
                    tables[bed_of[device]][row, at] = value
    return list(tables.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tables", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--beds", type=int, default=24)
    parser.add_argument("--hours", type=int, default=24)
    given = parser.parse_args()
    source = np.random.default_rng(given.seed)
    found = load("cinc2019", given.folder)
    stays = hourly(found.recordings) if found else []
    within, between = pairs(stays[::2], source, given.pairs)
    if given.tables:
        for name, row in weights_of(within, between).items():
            print(f'    "{name}": {row},')
        return
    within, between = pairs(stays[1::2], source, given.pairs)
    print(f"Challenge 2019, every second stay, charted values an hour apart, {given.pairs} pairs:")
    for bound in (BOUND, BOUND + 0.5, BOUND + 1):
        false, right = told(within, bound).mean(), told(between, bound).mean()
        print(f"  bound {bound}: found {right:.1%} of other patients; false {false:.2%} of gaps")
    short = [minutes(one) for one in read_all(sorted((given.folder / "bidmc").glob("*.csv")))]
    chances = [(one, other) for one in short for other in short if one is not other]
    hits = sum(bool(told_at_any_time(spliced(*both))) for both in chances)
    print(f"bidmc, each of {len(short)} before each other: found {hits / len(chances):.1%} of {len(chances)}")
    ward = simulated(given.seed, given.beds, given.hours)
    false = sum(told_at_any_time(table) for table in ward)
    days, silences = len(ward) * given.hours / 24, sum(gaps(table) for table in ward)
    print(f"simulated: {days:.0f} patient-days, {silences} gaps, {false} falsely told")
    half = given.hours * 30
    halves = [(table[:, half - 90 : half], table[:, half : half + 15]) for table in ward]
    swaps = [(one[0], other[1]) for one in halves for other in halves if one is not other]
    right = sum(bool(told_at_any_time(spliced(*both))) for both in swaps)
    print(f"simulated: found {right / len(swaps):.1%} of {len(swaps)} devices put on another patient")
    for path in sorted((given.folder / "mimic4wdb").glob("*.csv.gz")):
        (one,) = read_all([path])
        table = minutes(one)
        days = table.shape[1] / 1440
        print(f"{path.name}: {days:.2f} days, {gaps(table)} gaps, told {told_at_any_time(table)} times")


if __name__ == "__main__":
    main()
