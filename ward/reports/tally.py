"""What is counted of a ward: for how long (seconds, summed over its stays) each signal had which value.

Time and not readings: a monitor that sends each second weighs no more than a cuff that measures each half
hour. What counts is the value that rules see: the last valid one, while its hold lasts. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ward.signals import HOUR, INDEX, SECOND, SIGNALS
from ward.store.tallies import Counts, Tally

MONITORED: Final = "monitored"
"""By the hour of the day: time with at least one valid vital sign."""
PRESENT: Final = "present"
"""By the hour of the day: time of stays that were there."""
HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class Watched:
    """Monitored time of a ward in one hour: the sum over its stays of the time with a valid signal (ms)."""

    ward: str
    hour: int
    ms: float


@dataclass(frozen=True, slots=True)
class Quantity:
    """One distribution: ``bins`` of equal ``width`` from ``low`` on; the outer two are open."""

    name: str
    low: float
    width: float
    bins: int

    @property
    def label(self) -> str:
        return SIGNALS[INDEX[self.name]].label

    @property
    def unit(self) -> str:
        return SIGNALS[INDEX[self.name]].unit

    @property
    def centres(self) -> NDArray[np.float64]:
        middles: NDArray[np.float64] = np.arange(self.bins, dtype=np.float64) + 0.5
        return self.low + self.width * middles


QUANTITIES: Final = (
    Quantity("hr", 30, 5, 36),
    Quantity("pr", 30, 5, 36),
    Quantity("spo2", 69.5, 1, 31),
    Quantity("rr", -0.5, 2, 26),
    Quantity("sbp", 60, 5, 32),
    Quantity("dbp", 20, 5, 26),
    Quantity("map", 30, 5, 26),
    Quantity("temp", 33.95, 0.2, 40),
    Quantity("pi", 0, 0.5, 24),
    Quantity("news2", -0.5, 1, 21),
    Quantity("risk", 0, 0.01, 50),  # most of it is below 0.1
)
"""Bins that show a shift of clinical size in each; changing one begins its days anew (``add_tallies``)."""
VITALS: Final = tuple(one.name for one in QUANTITIES if not SIGNALS[INDEX[one.name]].derived)
_LOW: Final = np.array([one.low for one in QUANTITIES])
_WIDTH: Final = np.array([one.width for one in QUANTITIES])
_BINS: Final = np.array([one.bins for one in QUANTITIES])
_FIRST: Final = np.concatenate([[0], np.cumsum(_BINS)])


def count(
    value: NDArray[np.float64], ward: NDArray[np.int64], wards: int, seconds: int
) -> list[dict[str, list[int]]]:
    """Distributions of each ward, by name.

    value [stays, quantities]: in force now, NaN: UNKNOWN; ward [stays]: 0 to ``wards`` - 1; each counts
    ``seconds``. Quantities that nobody has are left out.
    """
    known = ~np.isnan(value)
    row, column = np.nonzero(known)
    bin = np.floor((value[known] - _LOW[column]) / _WIDTH[column]).astype(np.int64)
    place = _FIRST[column] + np.clip(bin, 0, _BINS[column] - 1)
    size = int(_FIRST[-1])
    all_of = np.bincount(ward[row] * size + place, minlength=wards * size).reshape(wards, size) * seconds
    parts = [np.split(own, _FIRST[1:-1]) for own in all_of]
    return [
        {one.name: part.tolist() for one, part in zip(QUANTITIES, own, strict=True) if part.any()}
        for own in parts
    ]


def in_hour(hour: int, seconds: int) -> list[int]:
    """So many seconds in this hour of the day."""
    return [seconds if each == hour else 0 for each in range(HOURS)]


def watched(tallies: Iterable[Tally], start: int, end: int) -> Iterator[Watched]:
    """Monitored time of ``[start, end)``, by ward and hour; of an hour that is cut, the same part of it."""
    for tally in tallies:
        for number, seconds in enumerate(tally.counts.get(MONITORED, ())):
            hour = tally.day + number * HOUR
            inside = min(end, hour + HOUR) - max(start, hour)
            if seconds and inside > 0:
                yield Watched(tally.ward, hour, seconds * SECOND * inside / HOUR)


def total(tallies: Collection[Tally], name: str) -> NDArray[np.int64]:
    """The sum of one list over days; empty where no day has it. Days with other bins are left out."""
    lists: list[Counts | list[int]] = [t.counts[name] for t in tallies if name in t.counts]
    if not lists:
        return np.zeros(0, np.int64)
    size = len(lists[-1])
    found: NDArray[np.int64] = np.array([one for one in lists if len(one) == size], np.int64).sum(axis=0)
    return found
