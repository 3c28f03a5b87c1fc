"""Two hours of each signal, minute by minute: for the small lines on the board and the word beside them.

A minute holds the last valid value measured in it; NaN where there was none, so that a gap stays a gap. What
the filter holds for an artefact is not in it. Memory is bounded: about 3 kB a stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.clock import iso
from ward.scoring.readings import Bool, Readings
from ward.scoring.tendency import STEPS, WORDS, Words, tendency
from ward.signals import INDEX, MINUTE, N_OBSERVED

Json = dict[str, Any]
SHOWN: Final = tuple(STEPS)
MOST: Final = 1e9
"""Beyond what any signal is."""
BINS: Final = 120
DECIMALS: Final = {"temp": 1}

_COLUMN: Final = np.full(N_OBSERVED, -1, np.int64)
_COLUMN[[INDEX[name] for name in SHOWN]] = np.arange(len(SHOWN))


class Minutes:
    """A ring of ``BINS`` minutes for each slot and signal; one clock for all slots."""

    def __init__(self, slots: int) -> None:
        self.value: NDArray[np.float32] = np.full((slots, len(SHOWN), BINS), np.nan, np.float32)
        self.untold: Bool = np.zeros((slots, BINS), np.bool_)
        self.until = np.int64(-1)
        """The newest minute (since 1970) that has a place; the ``BINS`` up to it are there."""

    def resize(self, slots: int) -> None:
        more = Minutes(slots - len(self.value))
        self.value = np.concatenate([self.value, more.value])
        self.untold = np.concatenate([self.untold, more.untold])

    def forget(self, slot: int) -> None:
        self.value[slot], self.untold[slot] = np.nan, False

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
        place = minute[rows] % BINS
        # What a device that is nobody's says was not judged: it may be larger than any number here.
        self.value[slot[rows], column[rows], place] = np.clip(readings.value[some][rows], -MOST, MOST)
        self.untold[slot[rows], place] = True

    def advance(self, minute: int) -> None:
        """Make room up to this minute; what is older than ``BINS`` minutes leaves."""
        steps = min(minute - int(self.until), BINS)
        if steps > 0:
            gone = np.arange(minute - steps + 1, minute + 1) % BINS
            self.value[:, :, gone], self.untold[:, gone] = np.nan, False
            self.until = np.int64(minute)

    def show(self, now: int, slots: Mapping[str, int]) -> Recent:
        """What is over by ``now`` (ms) of the stays in these slots, and which of it is news."""
        last = now // MINUTE - 1
        self.advance(last + 1)
        minutes = np.arange(last - BINS + 1, last + 1)
        where = np.array(list(slots.values()), np.int64)
        here = self.until - minutes < BINS  # the ring may be ahead of this clock
        values = np.where(here, self.value[where][:, :, minutes % BINS], np.float32(np.nan))
        untold = self.untold[:, minutes % BINS] & here
        self.untold[:, minutes[here] % BINS] = False
        first = np.where(untold.any(axis=1), minutes[0] + untold.argmax(axis=1), last + 1)[where].tolist()
        words = np.stack([tendency(values[:, i], name) for i, name in enumerate(SHOWN)], axis=1)
        rows = {stay: row for row, stay in enumerate(slots)}
        news = {stay: first[row] for stay, row in rows.items() if first[row] <= last}
        return Recent(last, values, words, rows, news)

    def dump(self) -> dict[str, NDArray[Any]]:
        return {"value": self.value, "untold": self.untold, "until": np.array(self.until)}

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        if arrays["value"].shape == self.value.shape:  # of another version: the lines begin anew
            self.value, self.untold = arrays["value"].copy(), arrays["untold"].copy()
            self.until = np.int64(arrays["until"])


@dataclass(frozen=True, slots=True)
class Recent:
    """The minutes up to ``last`` of some stays; does not change any more, safe from any thread."""

    last: int = -1
    values: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, len(SHOWN), BINS), np.float32))
    words: Words = field(default_factory=lambda: np.empty((0, len(SHOWN)), np.int8))
    rows: Mapping[str, int] = field(default_factory=dict)
    news: Mapping[str, int] = field(default_factory=dict)
    """stays with something new -> the first minute that changed"""

    def trends(self, stay: str) -> Mapping[str, str | None]:
        """The word for each signal: rising, falling, steady, or None where that is not known."""
        row = self.rows.get(stay)
        if row is None:
            return {}
        return {name: WORDS[word] for name, word in zip(SHOWN, self.words[row].tolist(), strict=True)}

    def view(self, stay: str, first: int | None = None) -> Json:
        """Values from the minute ``first`` on (by default all), null where there are none; signals without
        any value are left out."""
        row, begin = self.rows.get(stay), self.last - BINS + 1
        skip = 0 if first is None else max(first - begin, 0)
        signals = {}
        if row is not None:
            for name, values in zip(SHOWN, self.values[row, :, skip:], strict=True):
                if not np.isnan(values).all():
                    signals[name] = _numbers(values, DECIMALS.get(name, 0))
        return {"from": iso((begin + skip) * MINUTE), "to": iso(self.last * MINUTE), "signals": signals}


def _numbers(values: NDArray[np.float32], decimals: int) -> list[float | int | None]:
    known = ~np.isnan(values)
    if decimals:
        return [round(v, decimals) if sure else None for v, sure in zip(values.tolist(), known, strict=True)]
    whole = np.rint(np.where(known, values, 0)).astype(np.int64).tolist()
    return whole if known.all() else [v if sure else None for v, sure in zip(whole, known, strict=True)]
