"""Two hours of each signal, minute by minute: for the small lines on the board and the word beside them.

A minute holds the last valid value measured in it; NaN where there was none, so that a gap stays a gap. What
the filter holds for an artefact is not in it. Memory is bounded: about 3 kB a stay, which the board shares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.clock import iso
from ward.scoring.readings import Bool, Readings
from ward.scoring.tendency import STEPS, WORDS, Words, tendency
from ward.signals import INDEX, MINUTE, N_OBSERVED

Json = dict[str, Any]
Values = NDArray[np.float32]
SHOWN: Final = tuple(STEPS)
MOST: Final = 1e9
"""Beyond what any signal is."""
BINS: Final = 120
DECIMALS: Final = {"temp": 1}

_COLUMN: Final = np.full(N_OBSERVED, -1, np.int64)
_COLUMN[[INDEX[name] for name in SHOWN]] = np.arange(len(SHOWN))


class Minutes:
    """A ring of ``BINS`` minutes of all slots and signals; one clock for all slots.

    Each minute is an array of its own [slots, shown]. Whoever is shown one keeps it: from then on it is
    read-only, and what comes late for it goes into a copy in its place. Minutes without any value share one.
    """

    def __init__(self, slots: int) -> None:
        self._nothing = _nothing(slots)
        self._ring = [self._nothing] * BINS
        self.untold: Bool = np.zeros((slots, BINS), np.bool_)
        self.until = np.int64(-1)
        """The newest minute (since 1970) that has a place; the ``BINS`` up to it are there."""

    @property
    def value(self) -> Values:
        """All of it, a copy: [slots, shown, places], a minute's place its number modulo ``BINS``."""
        return np.stack(self._ring, axis=2)

    def of(self, minutes: NDArray[np.int64]) -> list[Values]:
        """These minutes, in any order, each [slots, shown]; they do not change any more."""
        found = [
            self._ring[minute % BINS] if 0 <= self.until - minute < BINS else self._nothing
            for minute in minutes.tolist()
        ]
        for values in found:
            values.flags.writeable = False
        return found

    def resize(self, slots: int) -> None:
        more = Minutes(slots - len(self.untold))
        before, self._nothing = self._nothing, _nothing(slots)
        self._ring = [
            self._nothing if values is before else np.concatenate([values, more._nothing])
            for values in self._ring
        ]
        self.untold = np.concatenate([self.untold, more.untold])

    def forget(self, slot: int) -> None:
        for place, values in enumerate(self._ring):
            if not np.isnan(values[slot]).all():
                self._own(place)[slot] = np.nan
        self.untold[slot] = False

    def _own(self, place: int) -> Values:
        """A minute to write into: nobody was shown it."""
        if not self._ring[place].flags.writeable:
            self._ring[place] = self._ring[place].copy()
        return self._ring[place]

    def take(self, readings: Readings, valid: Bool) -> None:
        """Readings in any order; of those that count, the last of each minute stays."""
        column, minute = _COLUMN[readings.signal], readings.time // MINUTE
        wanted = valid & (column >= 0)
        if not wanted.any():
            return
        self.advance(int(minute.max(where=wanted, initial=0)))
        wanted &= minute > self.until - BINS
        # Of what stands together only the last: a start takes many thousands at once, signal by signal.
        some: Any = slice(None) if wanted.all() else wanted
        slot, column, minute, time = readings.slot[some], column[some], minute[some], readings.time[some]
        last = np.ones(len(time), np.bool_)
        last[:-1] = (slot[1:] != slot[:-1]) | (column[1:] != column[:-1]) | (minute[1:] != minute[:-1])
        last[:-1] |= time[1:] < time[:-1]
        rows = np.flatnonzero(last)
        rows = rows[np.argsort(time[rows], kind="stable")]
        slot, column, place = slot[rows], column[rows], minute[rows] % BINS
        # What a device that is nobody's says was not judged: it may be larger than any number here.
        value = np.clip(readings.value[some][rows], -MOST, MOST)
        edges = [0, *(np.flatnonzero(np.diff(place)) + 1).tolist(), len(place)]
        for begin, end in pairwise(edges):
            if begin < end:
                self._own(int(place[begin]))[slot[begin:end], column[begin:end]] = value[begin:end]
        self.untold[slot, place] = True

    def advance(self, minute: int) -> None:
        """Make room up to this minute; what is older than ``BINS`` minutes leaves."""
        steps = min(minute - int(self.until), BINS)
        if steps > 0:
            gone = np.arange(minute - steps + 1, minute + 1) % BINS
            for place in gone.tolist():
                self._ring[place] = self._nothing
            self.untold[:, gone] = False
            self.until = np.int64(minute)

    def show(self, now: int, slots: Mapping[str, int]) -> Recent:
        """What is over by ``now`` (ms) of the stays in these slots, and which of it is news."""
        last = now // MINUTE - 1
        self.advance(last + 1)
        minutes = np.arange(last - BINS + 1, last + 1)
        here = self.until - minutes < BINS  # the ring may be ahead of this clock
        values = self.of(minutes)
        untold = self.untold[:, minutes % BINS] & here
        self.untold[:, minutes[here] % BINS] = False
        first = np.where(untold.any(axis=1), minutes[0] + untold.argmax(axis=1), last + 1).tolist()
        words = np.stack(
            [tendency(np.stack([v[:, i] for v in values], axis=1), name) for i, name in enumerate(SHOWN)],
            axis=1,
        )
        news = {stay: first[slot] for stay, slot in slots.items() if first[slot] <= last}
        return Recent(last, values, words, dict(slots), news)

    def dump(self) -> dict[str, NDArray[Any]]:
        return {"value": self.value, "untold": self.untold, "until": np.array(self.until)}

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        value = arrays["value"]
        if value.shape == (*self._nothing.shape, BINS):  # of another version: the lines begin anew
            known = ~np.isnan(value).all(axis=(0, 1))
            self._ring = [
                value[:, :, place].copy() if known[place] else self._nothing for place in range(BINS)
            ]
            self.untold = arrays["untold"].copy()
            self.until = np.int64(arrays["until"])


def _nothing(slots: int) -> Values:
    values = np.full((slots, len(SHOWN)), np.nan, np.float32)
    values.flags.writeable = False
    return values


@dataclass(frozen=True, slots=True)
class Recent:
    """The minutes up to ``last`` of some stays; does not change any more, safe from any thread."""

    last: int = -1
    values: Sequence[Values] = ()
    """``BINS`` minutes, each [slots, shown]"""
    words: Words = field(default_factory=lambda: np.empty((0, len(SHOWN)), np.int8))
    slots: Mapping[str, int] = field(default_factory=dict)
    news: Mapping[str, int] = field(default_factory=dict)
    """stays with something new -> the first minute that changed"""

    def trends(self, stay: str) -> Mapping[str, str | None]:
        """The word for each signal: rising, falling, steady, or None where that is not known."""
        slot = self.slots.get(stay)
        if slot is None:
            return {}
        return {name: WORDS[word] for name, word in zip(SHOWN, self.words[slot].tolist(), strict=True)}

    def view(self, stay: str, first: int | None = None) -> Json:
        """Values from the minute ``first`` on (by default all), null where there are none; signals without
        any value are left out."""
        slot, begin = self.slots.get(stay), self.last - BINS + 1
        skip = 0 if first is None else max(first - begin, 0)
        signals = {}
        if slot is not None and skip < BINS:
            lines = np.array([values[slot] for values in self.values[skip:]]).T
            for name, values in zip(SHOWN, lines, strict=True):
                if not np.isnan(values).all():
                    signals[name] = _numbers(values, DECIMALS.get(name, 0))
        return {"from": iso((begin + skip) * MINUTE), "to": iso(self.last * MINUTE), "signals": signals}


def _numbers(values: NDArray[np.float32], decimals: int) -> list[float | int | None]:
    known = ~np.isnan(values)
    if decimals:
        return [round(v, decimals) if sure else None for v, sure in zip(values.tolist(), known, strict=True)]
    whole = np.rint(np.where(known, values, 0)).astype(np.int64).tolist()
    return whole if known.all() else [v if sure else None for v, sure in zip(whole, known, strict=True)]
