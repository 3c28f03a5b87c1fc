"""One tick of the engine beside one copy of as much memory as its state takes, in the same run.

A tick evaluates every rule of every stay: held signals, NEWS2, what is sustained. Two forms: one in which
nothing arrived, so that only time has passed, and one in which every stay got a sample of five signals, as
of monitors that measure each second. Copy and tick are measured in turn and compared pair by pair.
"""

from __future__ import annotations

import argparse
import gc
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Figure, Part, Series, at_most, processor, table
from ward.alerts.packs import load_pack
from ward.scoring.engine import Engine
from ward.scoring.readings import Readings
from ward.scoring.rules import Rule
from ward.signals import INDEX, SECOND

RULES = 32
BYTES = 512
STAYS = 100_000
ROUNDS = 9
TENTH = 10
COPIES, LINEAR = 3.0, 10.5
SIGNALS = ("hr", "pr", "spo2", "rr", "sbp")
USUAL = {"hr": (80, 4), "pr": (80, 4), "spo2": (97, 1), "rr": (16, 2), "sbp": (125, 8)}
ILL, DEEP = 0.05, 12
"""Share of stays whose SpO2 is low, and by how much."""
CALM = 0.98
"""How alike a stay's values are from one second to the next (correlation)."""
WARM_UP = 12
FORMS = {"tick_with_samples": "every stay a sample of five signals", "tick_alone": "nothing arrived"}
COPY = f"one copy of {BYTES} bytes a stay"
TEXT = f"""\
One evaluation of {RULES} rules of every stay: held signals, NEWS2, what is sustained. In one form every
stay got a sample of five signals since the last tick, as of monitors that measure each second, a
twentieth of them with low saturation; in the other only time has passed. Ticks of both sizes and copies
of {BYTES} bytes a stay are measured in turn. A copy goes into memory that is there. One into fresh
memory, as the engine's own columns do, is given, too, and carries no target: it takes from once to ten
times as long, as the system happens to find large pages. The targets are for the step without the
artefact filter; with it is what a ward runs."""
WHY = "a sample is 46 bytes a reading in nine columns, which have to be sorted and gathered some times"
WHY_GROWTH = "a tenth of the stays fits into the processor's cache, all of them do not"


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
        return processor(lambda: self.engine.step(self.now))

    def tick_alone(self) -> float:
        self.now += SECOND
        return processor(lambda: self.engine.step(self.now))


def rounds_of(small: Ward, large: Ward, rounds: int) -> dict[str, NDArray[np.float64]]:
    """By form, ms of processor [4, rounds]: a tick of each ward, then a copy of ``BYTES`` for each of the
    large one's stays, into memory that is there and into fresh memory; all in turn."""
    source = np.ones((large.stays, BYTES), np.uint8)
    target = np.zeros_like(source)
    found = {}
    for form in FORMS:
        took = []
        for _ in range(rounds):
            ticks = [getattr(ward, form)() for ward in (small, large)]
            took.append([*ticks, processor(lambda: np.copyto(target, source)), processor(source.copy)])
        found[form] = np.array(took).T * 1000
    return found


def warm(stays: int, *, filtered: bool) -> Ward:
    ward = Ward(stays, filtered=filtered)
    for _ in range(WARM_UP):
        ward.tick_with_samples()
    return ward


def figures(stays: int, rounds: int, *, filtered: bool) -> list[Figure]:
    wards = (warm(stays // TENTH, filtered=filtered), warm(stays, filtered=filtered))
    found = rounds_of(*wards, rounds)
    with_filter = ", with the filter" if filtered else ""
    made = []
    for form, (small, large, into, fresh) in found.items():
        what = f"{FORMS[form]}{with_filter}"
        wanted = at_most(COPIES) if not filtered else None
        made += [
            Figure.of(f"{stays:,} stays, {what}", large, "ms of processor"),
            Figure.ratio(f"{what}: copies", large, into, COPY, wanted, WHY),
            Figure.ratio(f"{what}: copies into fresh memory", large, fresh, COPY),
            Figure.ratio(
                f"{what}: growth", large, small, "a tenth of the stays", at_most(LINEAR), WHY_GROWTH
            ),
        ]
    return made


def growth(stays: int, rounds: int) -> Series:
    sizes = [stays // 27, stays // 9, stays // 3, stays]
    wards = [warm(n, filtered=True) for n in sizes]
    took = np.array([[ward.tick_with_samples() for ward in wards] for _ in range(rounds)])
    medians = tuple((np.median(took, axis=0) * 1000).tolist())
    name = "Tick with a sample of each stay and the filter"
    return Series(name, "stays", "ms of processor", tuple(map(float, sizes)), medians)


def measure(stays: int, rounds: int) -> Part:
    gc.disable()
    made = [figure for filtered in (False, True) for figure in figures(stays, rounds, filtered=filtered)]
    return Part(
        "tick",
        "Tick",
        TEXT,
        "python -m benchmarks.tick",
        tuple(made),
        series=(growth(stays // 4, max(rounds // 2, 1)),),
    )


def part(quick: bool = False) -> Part:
    """For the suite."""
    return measure(2_700, 2) if quick else measure(STAYS, ROUNDS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stays", type=int, default=STAYS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args()
    print(table(measure(asked.stays, asked.rounds)))


if __name__ == "__main__":
    main()
