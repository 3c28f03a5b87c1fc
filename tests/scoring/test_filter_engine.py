"""The filter inside the engine: second by second gives what offline gives, at most 15 s after it."""

import numpy as np
import pytest

from ward.alerts.packs import load_pack
from ward.scoring.engine import Engine
from ward.scoring.readings import Readings
from ward.signals import INDEX, STATUS_INDEX

START, N = 1_700_000_000_000, 1000
ODD = {"hr": (80, [0, 25, 140, 35]), "pr": (80, [0, 80]), "spo2": (97, [78, 84, 60]), "rr": (15, [0, 4, 28])}


def troubled_stay(seed):
    """1 Hz readings with extremes and spikes of 1 to 400 s at random, and motion now and then."""
    rng = np.random.default_rng(seed)
    parts = []
    for name, (base, odd) in ODD.items():
        value = base + np.round(rng.normal(0, 1, N))
        for length in rng.choice([1, 3, 10, 20, 90, 400], 6):
            at = rng.integers(0, N)
            value[at : at + length] = rng.choice(odd)
        parts.append(
            Readings.of(
                slot=0,
                signal=INDEX[name],
                time=START + np.arange(N) * 1000,
                value=value,
                hold=90_000,
                seq=np.arange(N),
                status=np.where(rng.random(N) < 0.1, STATUS_INDEX["motion"], 0),
            )
        )
    return Readings.concat(parts).in_order()


def told(step):
    t = step.transitions
    return [tuple(map(int, row)) for row in zip(t.rule, t.kind, t.at, t.since, strict=True)]


@pytest.mark.parametrize("seed", range(6))
def test_live_and_offline_agree_with_the_filter_between(seed):
    rules, readings, end = load_pack("ward-rct-2025").rules, troubled_stay(seed), N + 200
    offline = Engine(rules, 1, lateness=0)
    offline.add(readings)
    expected = told(offline.step(START + end * 1000))

    live, found = Engine(rules, 1, lateness=2000), []
    for second in range(end + 3):
        now = START + second * 1000
        live.add(readings.take(readings.time == now))
        for row in told(live.step(now)):
            assert now - row[2] <= 15_000 + 2000
            found.append(row)
    assert sorted(found) == sorted(expected)
    assert seed or len(expected) > 3  # the first stay has something to tell
