"""Scores of recordings over time: NEWS2, and what the risk is computed from, at each step of every stay.

The same arrays serve ``ward replay --scores`` and the training of the model, so that what is learned
from is what will be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ward.ingest.recordings import Recording
from ward.replay import Progress, as_readings, groups, shift_of
from ward.scoring.conditions import news2
from ward.scoring.filter import VALID, Filter
from ward.scoring.held import Held, Moment
from ward.scoring.readings import Bool, Int, Readings
from ward.scoring.trends import CHANNEL, STEP, Inputs, Trends, taken
from ward.signals import HOUR

_READINGS: Final = 1_000_000
"""Readings that are scored at once, of several stays ..."""
_STAYS: Final = 2_048
"""... and how many stays at the most."""

Predict = Callable[[Inputs], NDArray[np.float64]]
"""Inputs [n] to risk [n], NaN where there is not enough."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Of n (stay, step), sorted by stay and time.

    stay: index into the recordings given; time: ms as in the recording; news2: -1 where nothing is
    fresh; missing [n, parts of NEWS2]; inputs: what the risk may look at, as of the last whole five
    minutes.
    """

    stay: Int
    time: Int
    news2: NDArray[np.int16]
    missing: Bool
    inputs: Inputs


def steps(
    recordings: Sequence[Recording],
    *,
    every: int = HOUR,
    holds: Mapping[str, int] | None = None,
    filtered: bool = True,
    on_rows: bool = False,
    progress: Progress | None = None,
) -> Iterator[Steps]:
    """Every stay at every step, from what was known at that time and nothing later; some stays at a time.

    Steps are ``every`` ms from a stay's first reading to its last row; ``on_rows``: the rows' own times.
    """
    places = [i for i, r in enumerate(recordings) if len(r)]
    with_data = [recordings[i] for i in places]
    shift = shift_of(with_data)
    done = 0
    for group in groups(with_data, readings=_READINGS, stays=_STAYS):
        own = [
            r.rows if on_rows else np.arange(r.time[0], r.rows[-1] + 1, every, dtype=np.int64) for r in group
        ]
        found = _group([s + shift for s in own], as_readings(group, holds or {}, shift), filtered)
        stay = np.array(places[done : done + len(group)], np.int64)[found.stay]
        yield Steps(stay, found.time - shift, found.news2, found.missing, found.inputs)
        done += len(group)
        if progress:
            progress(done, len(with_data))


def _group(own: Sequence[Int], readings: Readings, filtered: bool) -> Steps:
    """All stays of a group together, from each instant that is a step of any of them to the next."""
    course = _Course(len(own), readings.in_order(), filtered)
    slots = np.repeat(np.arange(len(own)), [len(s) for s in own])
    times = np.concatenate([np.empty(0, np.int64), *own])
    whole = times // STEP * STEP
    instants = np.unique(np.concatenate([times, whole]))
    order = np.lexsort((slots, times))
    ends = np.searchsorted(times[order], instants, side="right")
    before = np.lexsort((slots, whole))
    ends_before = np.searchsorted(whole[before], instants, side="right")
    n = len(slots)
    found = Steps(
        slots,
        times,
        np.full(n, -1, np.int16),
        np.zeros((n, 7), np.bool_),
        Inputs.unknown(n),
    )
    begin = begin_before = 0
    for now, end, end_before in zip(instants.tolist(), ends.tolist(), ends_before.tolist(), strict=True):
        due, begin = order[begin:end], end
        asked, begin_before = before[begin_before:end_before], end_before
        rows = course.advance(now, slots[due])
        if len(asked):
            inputs = course.trends.inputs(slots[asked], np.full(len(asked), now))
            found.inputs.present[asked], found.inputs.hourly[asked] = inputs.present, inputs.hourly
        if len(due):
            score, fresh = news2(rows, course.scale)
            found.news2[due] = np.where(fresh, score.total, -1)
            found.missing[due] = score.missing
    return found


class _Course:
    """What is known of a group of stays, from instant to instant."""

    def __init__(self, stays: int, readings: Readings, filtered: bool) -> None:
        self.trends = Trends(stays)
        self.scale = np.ones(stays, np.int8)
        self._held = Held(stays)
        self._filter = Filter(stays) if filtered else None
        self._readings = readings
        self._read = 0
        self._since = np.full(stays, -1, np.int64)

    def advance(self, now: int, due: Int) -> Moment:
        """Take what came up to ``now``; what each slot of ``due`` then holds."""
        upto = int(np.searchsorted(self._readings.time, now, side="right"))
        new = self._readings.take(slice(self._read, upto))
        self._read = upto
        if self._filter is not None:
            marked = self._filter.push(new, now)
            new = marked.readings.take(marked.mark == VALID)
            overtaken = new.time <= self._since[new.slot]
            # What was confirmed late holds no more, but that hour had it.
            self._remember(new.take(overtaken))
            new = new.take(~overtaken)
        until = np.full(len(self._since), now)
        effective = self._held.take(new, until)
        self._held.settle(effective, until)
        self._since = until
        self.trends.take(*taken(effective))
        return self._held.at(due, until[due])

    def _remember(self, readings: Readings) -> None:
        channel = CHANNEL[readings.signal]
        mine = channel >= 0
        self.trends.take(
            readings.slot[mine].astype(np.int64), channel[mine], readings.time[mine], readings.value[mine]
        )
