"""Made-up stays for trials: steady where nothing is said, with falls of a signal at stated minutes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ward.alerts.packs import parse_pack
from ward.scoring.readings import Readings
from ward.scoring.rules import Rule
from ward.signals import INDEX, MINUTE, hold_of
from ward.trial.candidates import Candidates, candidates_of
from ward.trial.run import Patient, Wanted, run

PACK = parse_pack(
    """
    id = "made"
    title = "Of every kind of rule one"
    [[rule]]
    id = "spo2-below-92"
    priority = "medium"
    when = ["spo2 < 92"]
    for = "60m"
    unless = ["copd"]
    [[rule]]
    id = "spo2-below-88"
    title = "SpO2 below 88 % for 10 min"
    priority = "high"
    when = ["spo2 < 88"]
    for = "10m"
    clear_when = ["spo2 >= 90"]
    inhibits = ["spo2-below-92"]
    [[rule]]
    id = "spo2-below-85"
    priority = "high"
    when = ["spo2 < 85"]
    for = "5m"
    inhibits = ["spo2-below-88", "spo2-below-92"]
    [[rule]]
    id = "rr-up-to-5"
    priority = "high"
    when = ["rr <= 5", "hr > 20"]
    for = "1m"
    [[rule]]
    id = "rr-from-24"
    priority = "medium"
    when = ["rr >= 24"]
    for = "5m"
    [[rule]]
    id = "hr-30-to-39"
    priority = "high"
    when = ["hr >= 30", "hr < 40"]
    for = "5m"
    [[rule]]
    id = "hr-from-111"
    priority = "medium"
    when = ["hr >= 111"]
    for = "20m"
    within = "40m"
    [[rule]]
    id = "sbp-below-100-hr-above-110"
    priority = "high"
    when = ["sbp < 100", "hr > 110"]
    for = "30m"
    [[rule]]
    id = "news2-from-5"
    priority = "medium"
    when = ["news2 >= 5"]
    for = "30m"
    [[rule]]
    id = "spo2-absent"
    priority = "low"
    kind = "technical"
    when = ["spo2 absent"]
    for = "5m"
    """,
    "made.toml",
)
RULES = PACK.rules
START = 1_800_000_000_000
CALM = {"hr": 80.0, "spo2": 97.0, "rr": 16.0}


def steady(minutes: int, falls: Sequence[tuple[int, int, str, float]] = (), **values: float) -> Readings:
    """A value a minute of each signal; ``falls``: (from minute, to minute, signal, value)."""
    parts = []
    for name, value in {**CALM, **values}.items():
        own = np.full(minutes, value)
        for low, high, signal, fallen in falls:
            if signal == name:
                own[low:high] = fallen
        parts.append(
            Readings.of(
                minutes,
                slot=0,
                signal=INDEX[name],
                time=START + np.arange(minutes) * MINUTE,
                value=own,
                seq=np.arange(minutes),
                hold=hold_of(INDEX[name]),
                device=1,
            )
        )
    return Readings.concat(parts).in_order()


def wandering(seed: int, minutes: int) -> Readings:
    """Signals that wander over many thresholds, with gaps."""
    rng = np.random.default_rng(seed)
    parts = []
    for name, middle, spread in (("hr", 90, 20), ("spo2", 91, 4), ("rr", 20, 5)):
        walk = np.convolve(rng.normal(size=minutes + 20), np.ones(20) / np.sqrt(20), "valid")[:minutes]
        value = np.round(np.clip(middle + spread * walk, 1, 100 if name == "spo2" else 200))
        kept = rng.random(minutes) > 0.1
        for _ in range(3):
            at = int(rng.integers(minutes))
            kept[at : at + int(rng.integers(2, 30))] = False
        time = START + np.flatnonzero(kept) * MINUTE
        parts.append(
            Readings.of(
                len(time),
                slot=0,
                signal=INDEX[name],
                time=time,
                value=value[kept],
                seq=np.arange(len(time)),
                hold=hold_of(INDEX[name]),
                device=1,
            )
        )
    return Readings.concat(parts).in_order()


def tried(
    stays: dict[str, Readings], in_force: Sequence[Rule], candidates: Candidates | None = None, **given: Any
) -> dict[str, Any]:
    """The answer of a trial over these stays; by default of nothing but what is in force."""
    end = max(int(r.time.max()) for r in stays.values())
    patients = [Patient(name, START, end, len(r), tuple(in_force)) for name, r in stays.items()]
    wanted = Wanted(
        candidates or candidates_of([{"id": r.id} for r in in_force[:1]], None, tuple(in_force)), **given
    )

    def moment(ms: int) -> int:
        return (ms - START) // 1000

    return run(patients, lambda some: [stays[p.id] for p in some], wanted, lambda *_: None, moment)
