"""One tick of the engine beside one copy of as much memory as its state takes, in the same run.

A tick evaluates every rule of every stay: held signals, NEWS2, what is sustained. Two forms: one in which
nothing arrived, so that only time has passed, and one in which every stay got a sample of five signals, as
of monitors that measure each second. Copy and tick are measured in turn and compared pair by pair.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ward.alerts.packs import load_pack
from ward.scoring.engine import Engine
from ward.scoring.readings import Readings
from ward.scoring.rules import Rule
from ward.signals import INDEX, SECOND

RULES = 32
BYTES = 512
WANTED, LINEAR = 3.0, 10.5
SIGNALS = ("hr", "pr", "spo2", "rr", "sbp")
USUAL = {"hr": (80, 4), "pr": (80, 4), "spo2": (97, 1), "rr": (16, 2), "sbp": (125, 8)}
ILL, DEEP = 0.05, 12
"""Share of stays whose SpO2 is low, and by how much."""
CALM = 0.98
"""How alike a stay's values are from one second to the next (correlation)."""
WARM_UP = 12


def rules() -> tuple[Rule, ...]:
    """The default pack, and of its rules a second, stricter one each until there are enough."""
    own = load_pack("default").rules
    more = [
        replace(rule, id=f"{rule.id}-long", for_ms=2 * rule.for_ms, within_ms=3 * rule.for_ms) for rule in own
    ]
    return (*own, *more)[:RULES]


class Ward:
    """Stays with monitors that measure each second."""

    def __init__(self, stays: int, *, filtered: bool) -> None:
        self.stays = stays
        self.engine = Engine(rules(), stays, lateness=0, filtered=filtered)
        self.now = 1_700_000_000_000
        self._rng = np.random.default_rng(1)
        self._mean = np.tile([mean for mean, _ in USUAL.values()], (stays, 1)).astype(np.float64)
        self._mean[self._rng.random(stays) < ILL, SIGNALS.index("spo2")] -= DEEP
        self._spread = np.array([spread for _, spread in USUAL.values()])
        self._apart = self._rng.normal(size=self._mean.shape)
        self._slot = np.repeat(np.arange(stays, dtype=np.int32), len(SIGNALS))
        self._signal = np.tile(np.array([INDEX[name] for name in SIGNALS], np.int8), stays)

    def sample(self) -> Readings:
        """A sample of every stay, a second after the one before."""
        self.now += SECOND
        self._apart *= CALM
        self._apart += self._rng.normal(scale=(1 - CALM**2) ** 0.5, size=self._mean.shape)
        values = self._mean + self._spread * self._apart
        time_ = np.repeat(self.now - self._rng.integers(0, SECOND, self.stays), len(SIGNALS))
        return Readings.of(
            slot=self._slot,
            signal=self._signal,
            time=time_,
            value=values.round().ravel(),
            seq=np.full(len(time_), self.now // SECOND),
            device=self._slot,
            hold=np.full(len(time_), 90 * SECOND),
        )

    def tick_with_samples(self) -> float:
        self.engine.add(self.sample())
        return taken(lambda: self.engine.step(self.now))

    def tick_alone(self) -> float:
        self.now += SECOND
        return taken(lambda: self.engine.step(self.now))


def taken(work: Callable[[], object]) -> float:
    """Seconds of the process: other work on the machine does not count."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def measure(stays: int, pairs: int, *, filtered: bool) -> dict[str, tuple[float, float, float]]:
    """By form: median ms of a tick, its ratio to a copy into memory that is there, and to one that is not."""
    ward = Ward(stays, filtered=filtered)
    for _ in range(WARM_UP):
        ward.tick_with_samples()
    source, target = np.ones((stays, BYTES), np.uint8), np.zeros((stays, BYTES), np.uint8)
    found = {}
    for form, tick in (("every stay a sample", ward.tick_with_samples), ("nothing arrived", ward.tick_alone)):
        took = np.array(
            [(tick(), taken(lambda: np.copyto(target, source)), taken(source.copy)) for _ in range(pairs)]
        )
        ratios = took[:, :1] / took[:, 1:]
        found[form] = (float(np.median(took[:, 0])) * 1000, *np.median(ratios, axis=0).tolist())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stays", type=int, default=100_000)
    parser.add_argument("--pairs", type=int, default=11)
    asked = parser.parse_args()
    gc.disable()
    print(
        f"{RULES} rules; {asked.pairs} pairs of a tick and a copy of {BYTES} bytes a stay, medians of\n"
        f"processor time; Python {platform.python_version()}, numpy {np.__version__}, "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    print(f"{'':44s}{'tick, ms':>10s}{'to a copy':>11s}{'to a fresh one':>16s}")
    for filtered in (False, True):
        small, large = (measure(n, asked.pairs, filtered=filtered) for n in (asked.stays // 10, asked.stays))
        for form, (ms, into, fresh) in large.items():
            named = f"{asked.stays:,} stays, {form}{', filter too' if filtered else ''}"
            print(f"{named:44s}{ms:10.2f}{into:11.2f}{fresh:16.2f}")
            print(f"{'  times as long as for a tenth of the stays':44s}{ms / small[form][0]:10.1f}")
    print(
        f"wanted: up to {WANTED:g} copies (filter apart), and {LINEAR:g} times as long for 10 times as many"
    )


if __name__ == "__main__":
    main()
