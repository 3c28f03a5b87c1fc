"""Many streams walked at once against one stream after the other: the same marks, the same memory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scoring.test_screen import START, told
from ward.scoring import abreast
from ward.scoring import filter as filter_module
from ward.scoring.filter import Filter, Marked
from ward.scoring.readings import Readings
from ward.signals import INDEX

STAYS = 5
LEVELS = {
    "spo2": [97, 96, 95, 94, 93, 92, 90, 88, 85, 79, 70, 40],
    "rr": [16, 14, 20, 21, 24, 26, 30, 9, 8, 4, 0, 70],
    "hr": [80, 84, 60, 110, 112, 140, 30, 15, 0, 0, 320],
    "pr": [80, 84, 60, 110, 112, 140, 30],
    "sbp": [120, 125, 90, 80, 60, 170, 220],
    "dbp": [70, 75, 85, 60, 88, 92, 119],
    "map": [88, 92, 66, 95, 72, 126],
}


def ward(rng: np.random.Generator, seconds: int, restless: float) -> Readings:
    """Monitors whose values fall, leap, come back slowly or in steps, stay away, or fall silent."""
    parts = []
    for slot in range(STAYS):
        for name, levels in LEVELS.items():
            if rng.random() < 0.25:
                continue
            every = int(rng.choice([1, 1, 1, 2, 5, 20, 60]))
            if name in ("dbp", "map") and rng.random() < 0.8 and parts:
                times = parts[-1].time - START  # of one measurement
            else:
                times = np.arange(0, seconds, every) * 1000 + int(rng.integers(0, 900))
            times = times[rng.random(len(times)) < rng.choice([1, 1, 0.6])]
            n = len(times)
            moves = rng.random(n) < restless
            target = np.array(rng.choice(levels, n), np.float64)
            target[rng.random(n) < 0.5] = levels[0]
            held = np.maximum.accumulate(np.where(moves, np.arange(n), 0)) if n else np.empty(0, int)
            values = np.where(np.cumsum(moves) > 0, target[held], levels[0]) + rng.choice([0, 0, 1, -1, 2], n)
            if n and rng.random() < 0.3:  # as an oximeter averages
                values = np.convolve(np.append([levels[0]] * 3, values), np.ones(4) / 4, "valid").round(1)
            doubt = rng.random(n) < rng.choice([0, 0, 0.1])
            parts.append(
                Readings.of(
                    n,
                    slot=slot,
                    signal=INDEX[name],
                    time=START + times,
                    value=values,
                    device=rng.integers(1, 3, n) if rng.random() < 0.1 else np.ones(n),
                    hold=int(rng.choice([5_000, 90_000])),
                    status=np.where(doubt, rng.integers(0, 9, n), 0),
                    quality=np.where(doubt, rng.choice([0.1, 0.5, 0.95], n), np.nan),
                )
            )
    return Readings.concat(parts)


@settings(max_examples=70, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.02, 0.1, 0.4, 1.0]), st.sampled_from([0, 1, 3]))
def test_streams_walked_at_once_end_as_those_walked_alone(seed, restless, few):
    rng = np.random.default_rng(seed)
    seconds = int(rng.integers(5, 150))
    every = ward(rng, seconds, restless)
    quick, plain = Filter(STAYS), Filter(STAYS)
    found: tuple[list[Marked], list[Marked]] = ([], [])
    since = START - 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(filter_module, "LEAST", 1)
        while since < START + 1000 * seconds + 70_000:
            until = since + int(rng.choice([500, 1_000, 7_000, 20_000, 70_000]))
            part = every.take((every.time > since) & (every.time <= until)).in_cell_order()
            patch.setattr(abreast, "FEW", few)
            found[0].append(quick.push(part, until))
            patch.setattr(abreast, "FEW", 10**6)
            found[1].append(plain._push(part, until))
            since = until
    assert told(found[0]) == told(found[1])
    np.testing.assert_array_equal(quick.confirmed, plain.confirmed)
    own, other = quick.snapshot(), plain.snapshot()
    for name, column in other.items():
        if not name.startswith("open."):  # sorted differently
            np.testing.assert_array_equal(own[name], column, err_msg=name)
