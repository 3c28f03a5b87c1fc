"""A known stream: what every device of a ward measures, sample by sample, from one seed.

Breaches last either clearly too short or clearly long enough for their rule, also when the last value
before an outage is held for 2.5 s more. So what must be raised does not depend on when an outage comes. And
no value leaps so far that the filter would wait for what follows: that an outage changes, too.
"""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ward.clock import iso
from ward.signals import INDEX

WARD: Final = "w"
SIGNALS: Final = ("hr", "pr", "spo2", "rr", "temp")
INDICES: Final = tuple(INDEX[name] for name in SIGNALS)

PACK: Final = """
id = "faults"
title = "Rules that need seconds, so that minutes hold many alerts"
source = "tests"

[[rule]]
id = "spo2-low"
title = "SpO2 below 88 % for 6 s"
priority = "high"
when = ["spo2 < 88"]
for = "6s"
clear_for = "4s"

[[rule]]
id = "rr-high"
title = "Respiratory rate 24 or more for 7 s"
priority = "medium"
when = ["rr >= 24"]
for = "7s"
clear_for = "4s"
"""
ADDING_UP: Final = """
[[rule]]
id = "hr-often"
title = "Heart rate 120 or more for 12 s of 30 s"
priority = "medium"
when = ["hr >= 120"]
for = "12s"
within = "30s"
gap = "30s"
clear_for = "4s"
"""
"""What short breaches add up to does depend on the readings that an outage delays; a crash delays none."""

LOW_SPO2, HIGH_RR, OFTEN_HR = 0, 1, 2
"""Kinds of stays, by their number modulo 3. The last kind has all three: the high alert comes first, so
that who is interrupted never hangs on the order within one second."""


@dataclass(frozen=True, slots=True)
class Plan:
    """``stays`` devices, one a stay, each with a sample of five signals every ``interval_ms``."""

    seed: int
    stays: int
    samples: int
    interval_ms: int = 1_000
    wards: tuple[str, ...] = (WARD,)
    """Stays are in them in turn."""
    calm: int = 1
    """So many times as long are the pauses between breaches; the first come over as long a time."""

    def ward(self, number: int) -> str:
        return self.wards[number % len(self.wards)]

    def device(self, number: int) -> str:
        return f"mon-{number:05}"

    def phase(self, number: int) -> int:
        """When in its interval a device measures, ms."""
        return random.Random(f"{self.seed}/{number}/phase").randrange(self.interval_ms)

    def times(self, number: int, origin: int) -> NDArray[np.int64]:
        return origin + self.phase(number) + np.arange(self.samples, dtype=np.int64) * self.interval_ms

    def values(self, number: int) -> NDArray[np.float64]:
        """[sample, signal], in the order of ``SIGNALS``."""
        rng = random.Random(f"{self.seed}/{number}/values")
        kind, n = number % 3, self.samples
        steady = [0] * n
        spo2 = _course(rng, n, 8, self.calm) if kind in (LOW_SPO2, OFTEN_HR) else steady
        first = 10 + number // 3 % 10 * (self.calm - 1)
        later = 50 + first if kind == OFTEN_HR else 8
        rr = _course(rng, n, later, self.calm) if kind in (HIGH_RR, OFTEN_HR) else steady
        hr = _course(rng, n, later, self.calm) if kind in (HIGH_RR, OFTEN_HR) else steady
        if kind == OFTEN_HR:
            spo2[first : first + 15] = [1] * len(spo2[first : first + 15])
        found = np.empty((n, len(SIGNALS)))
        for k in range(n):
            beat = (122 if hr[k] else 105) + rng.randrange(3)
            found[k] = (beat, beat - 1, 87 if spo2[k] else 88, 25 if rr[k] else 20, 36.8)
        return found

    def birth(self, number: int, state: str = "online") -> bytes:
        said = {"state": state, "session": "s", "interval_s": dict.fromkeys(SIGNALS, self.interval_ms / 1000)}
        return json.dumps(said).encode()


def pack_for(interval_ms: int) -> str:
    """``PACK`` for devices that measure so often: as many samples make a breach, and end it."""
    seconds = interval_ms // 1000
    return re.sub(r'"(\d+)s"', lambda found: f'"{int(found[1]) * seconds}s"', PACK)


def payload(seq: int, time: int, values: NDArray[np.float64]) -> bytes:
    readings = dict(zip(SIGNALS, values.tolist(), strict=True))
    return json.dumps({"seq": seq, "time": iso(time), "readings": readings}).encode()


def _course(rng: random.Random, n: int, calm: int, rare: int) -> list[int]:
    """0 and 1 (in breach) for each sample: calm first, then breaches and pauses, each short or long."""
    found = [0] * (calm + rng.randrange(10) * rare)
    while len(found) < n:
        found += [1] * (2 if rng.random() < 0.4 else rng.randrange(12, 22))
        found += [0] * (1 if rng.random() < 0.2 else rng.randrange(9, 30) * rare)
    return found[:n]
