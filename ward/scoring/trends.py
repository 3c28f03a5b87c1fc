"""What the score remembers of a stay: its newest values, and one mean an hour over the last day.

Only what does not depend on how often a signal is measured is given out: the mean of an hour's valid
readings and the mean of the newest five minutes that have any. A monitor that measures each second, a
nurse who does each hour and a signal that is missing look alike but for noise; counts, ages and the
length of the record cannot be seen.

Hour k is the time (k-1, k] of absolute hours, so that a reading exactly on the hour belongs to the hour
that ends there; likewise for the steps of five minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.scoring.held import Effective
from ward.scoring.readings import Bool, Float, Int
from ward.signals import HOUR, INDEX, MINUTE, N_OBSERVED

Float32 = NDArray[np.float32]

TRACKED: Final = ("hr", "spo2", "rr", "sbp", "dbp", "map", "temp")
"""The signals of the score, the order of its inputs. While ``hr`` is not known, ``pr`` stands in."""
STEP: Final = 5 * MINUTE
"""The score is computed at whole steps of absolute time; readings of one step count as one value."""
HOURS: Final = 24
"""Completed hours that are given out."""
FRESH: Final = np.array([{"temp": 8 * HOUR}.get(name, 75 * MINUTE) for name in (*TRACKED, "pr")], np.int64)
"""How long the newest value of each channel is the present one, ms: as hourly charting needs."""

_CHANNELS: Final = (*TRACKED, "pr")
_HR, _PR = 0, len(TRACKED)
_RING: Final = 32
"""Hours remembered: those given out, the one that runs, and some for readings that come late."""
_NONE: Final = -1
_GRAIN: Final = 256.0
"""Values are kept in steps of 1/256: sums of those are exact, so no order of adding shows in them."""

_AT_ONCE: Final = 1_024
"""Rows computed together: what fits into a processor's cache."""

_SIGNALS: Final = np.array([INDEX[name] for name in _CHANNELS])
CHANNEL: Final = np.full(N_OBSERVED, _NONE)
CHANNEL[_SIGNALS] = np.arange(len(_CHANNELS))
"""Index into ``SIGNALS`` to channel; -1: the score does not look at it."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that the score may look at, of n (stay, instant).

    present [n, signals]: the newest value, NaN where there is none or it is too old; hourly
    [n, hours, signals]: means of completed hours, the newest first, NaN where nothing was valid. Signals
    in the order of ``TRACKED``. While a reading is the present one the hour that it belongs to is not
    given out: it shows in ``present`` and nowhere else.
    """

    present: Float32
    hourly: Float32

    def __len__(self) -> int:
        return len(self.present)

    def take(self, index: Any) -> Inputs:
        return Inputs(self.present[index], self.hourly[index])

    @classmethod
    def unknown(cls, n: int) -> Inputs:
        shape = (n, HOURS, len(TRACKED))
        return cls(np.full((n, len(TRACKED)), np.nan, np.float32), np.full(shape, np.nan, np.float32))


@dataclass(frozen=True, slots=True)
class Steps:
    """Readings gathered by step of five minutes, [n]: all that ``Trends`` and the score look at.

    channel as in ``CHANNEL``; step: five minutes since 1970, at their end; time (ms) and value: of the newest
    reading; total, count: of all. One slot, channel and step may stand in several rows.
    """

    slot: Int
    channel: Int
    step: Int
    time: Int
    value: Float
    total: Float
    count: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.slot)

    @classmethod
    def of(cls, slot: Int, channel: Int, time: Int, value: Float) -> Steps:
        """Of readings in any order; few where those of a slot and channel stand together, as they came."""
        if not len(slot):
            return cls(slot, channel, time, time, value, value, np.empty(0, np.int32))
        step = -(-time // STEP)
        begins = np.ones(len(slot), np.bool_)
        begins[1:] = (step[1:] != step[:-1]) | (slot[1:] != slot[:-1]) | (channel[1:] != channel[:-1])
        begins[1:] |= time[1:] < time[:-1]
        begin = np.flatnonzero(begins)
        last = np.append(begin[1:], len(slot)) - 1
        total = np.add.reduceat(np.rint(value * _GRAIN) / _GRAIN, begin)
        count = (last - begin + 1).astype(np.int32)
        return cls(slot[begin], channel[begin], step[begin], time[last], value[last], total, count)

    def take(self, index: Any) -> Steps:
        """The rows of a mask or index array."""
        return Steps(*(getattr(self, field.name)[index] for field in fields(self)))


class Trends:
    """The memory of all stays of a partition; one slot a stay."""

    _ARRAYS: Final = ("hour", "sealed", "sum", "count", "step", "taken", "step_sum", "step_count")

    def __init__(self, slots: int) -> None:
        channels, hours = (slots, len(_CHANNELS)), (slots, _RING, len(_CHANNELS))
        self.hour: Int = np.full(slots, _NONE, np.int64)  # the newest hour with a reading
        self.sealed: Int = np.full(slots, _NONE, np.int64)  # readings up to this time are in already
        self.sum: Float = np.zeros(hours)
        self.count: NDArray[np.int32] = np.zeros(hours, np.int32)
        self.step: Int = np.full(channels, _NONE, np.int64)  # the newest step with a reading
        self.taken: Int = np.full(channels, _NONE, np.int64)  # the newest reading
        self.step_sum: Float = np.zeros(channels)
        self.step_count: NDArray[np.int32] = np.zeros(channels, np.int32)

    # ------------------------------------------------------------------ in

    def take(self, slot: Int, channel: Int, time: Int, value: Float) -> None:
        """Valid readings [n] in any order; channel as in ``CHANNEL``, time in ms."""
        self.add(Steps.of(slot, channel, time, value))

    def add(self, steps: Steps) -> None:
        """Valid readings, gathered."""
        if (self.sealed >= 0).any():
            new = steps.step * STEP > self.sealed[steps.slot]  # a whole hour, so no step lies on both sides
            self._recall(steps.take(~new))
            steps = steps.take(new)
        if not len(steps):
            return
        hour = -(-steps.step // (HOUR // STEP))
        self._move_to(steps.slot, hour)
        kept = hour > self.hour[steps.slot] - _RING
        place = ((steps.slot * _RING + hour % _RING) * len(_CHANNELS) + steps.channel)[kept]
        np.add.at(self.sum.reshape(-1), place, steps.total[kept])
        np.add.at(self.count.reshape(-1), place, steps.count[kept])

        cell = steps.slot * len(_CHANNELS) + steps.channel
        newest = self.step.reshape(-1)
        before = newest[cell]
        np.maximum.at(newest, cell, steps.step)
        np.maximum.at(self.taken.reshape(-1), cell, steps.time)
        begun = cell[newest[cell] > before]
        self.step_sum.reshape(-1)[begun], self.step_count.reshape(-1)[begun] = 0.0, 0
        own = steps.step == newest[cell]
        np.add.at(self.step_sum.reshape(-1), cell[own], steps.total[own])
        np.add.at(self.step_count.reshape(-1), cell[own], steps.count[own])

    def _recall(self, steps: Steps) -> None:
        """Readings whose hours are known already: the newest of each channel is the present one until there
        is a newer."""
        columns = (steps.slot, steps.channel, steps.step, steps.time, steps.value)
        for s, c, step, at, value in zip(*(column.tolist() for column in columns), strict=True):
            if self.taken[s, c] < min(at, self.sealed[s]):
                self.step[s, c], self.taken[s, c] = step, at
                self.step_sum[s, c], self.step_count[s, c] = value, 1

    def _move_to(self, slot: Int, hour: Int) -> None:
        """Empty the places of hours that begin."""
        newest = self.hour.copy()
        np.maximum.at(newest, slot, hour)
        moved = np.flatnonzero(newest > self.hour)
        if len(moved):
            stale = self._hours_at(newest[moved]) > self.hour[moved, None]
            self._empty(moved, stale)
            self.hour[moved] = newest[moved]

    def _hours_at(self, newest: Int) -> Int:
        """Which hour each place of the ring stands for, [n, places]."""
        return newest[:, None] - (newest[:, None] - np.arange(_RING)) % _RING

    def _empty(self, slots: Int, places: Bool) -> None:
        """places [slots, ring]: those to forget, in every channel."""
        self.sum[slots] = np.where(places[:, :, None], 0.0, self.sum[slots])
        self.count[slots] = np.where(places[:, :, None], 0, self.count[slots])

    # ------------------------------------------------------------------ out

    def inputs(self, slot: Int, at: Int) -> Inputs:
        """Of these slots at these instants [n] (ms, whole steps, none before a reading that was taken)."""
        found = Inputs.unknown(len(slot))
        for begin in range(0, len(slot), _AT_ONCE):
            rows = slice(begin, begin + _AT_ONCE)
            self._fill(found.take(rows), slot[rows], at[rows])
        return found

    def _fill(self, found: Inputs, slot: Int, at: Int) -> None:
        """Into arrays of NaN."""
        wanted = (-(-at // HOUR))[:, None] - np.arange(1, HOURS + 1)
        age = self.hour[slot][:, None] - wanted
        remembered = (age >= 0) & (age < _RING) & (wanted >= 0)
        place = slot[:, None] * _RING + wanted % _RING
        with np.errstate(invalid="ignore"):  # none of an hour: 0 / 0 is NaN, as it is meant
            mean = self.sum.reshape(-1, len(_CHANNELS))[place] / self.count.reshape(-1, len(_CHANNELS))[place]
        taken = self.taken[slot]
        fresh = (taken >= 0) & (at[:, None] - taken <= FRESH)
        shown = fresh[:, None, :] & ((wanted * HOUR)[:, :, None] >= taken[:, None, :])
        mean[~remembered[:, :, None] | shown] = np.nan
        _merge(mean, found.hourly)

        known = fresh & (self.step_count[slot] > 0)
        newest = np.full(known.shape, np.nan)
        np.divide(self.step_sum[slot], self.step_count[slot], out=newest, where=known)
        _merge(newest, found.present)

    # ------------------------------------------------------------------ slots and state

    def resize(self, slots: int) -> None:
        """Make room for more stays."""
        more = Trends(slots - len(self.hour))
        for name in self._ARRAYS:
            setattr(self, name, np.concatenate([getattr(self, name), getattr(more, name)]))

    def forget(self, slot: int) -> None:
        """The slot is free for another stay."""
        self.adopt(slot, Trends(1), 0)

    def adopt(self, slot: int, other: Trends, source: int) -> None:
        """What another memory knows of its slot ``source``, as this one's ``slot``."""
        for name in self._ARRAYS:
            getattr(self, name)[slot] = getattr(other, name)[source]

    def begin(self, slot: int, other: Trends, source: int, since: int) -> None:
        """Only what the other knows from before ``since`` (ms, a whole hour); readings from then on follow.

        Readings up to ``since`` that are given again change nothing.
        """
        self.adopt(slot, other, source)
        at = np.array([slot])
        self._empty(at, self._hours_at(self.hour[at]) * HOUR > since)
        later = self.taken[slot] > since
        self.step[slot, later] = self.taken[slot, later] = _NONE
        self.step_sum[slot, later] = self.step_count[slot, later] = 0
        self.hour[slot] = min(int(self.hour[slot]), since // HOUR)
        self.sealed[slot] = since

    def open(self, slot: int) -> None:
        """Take readings of any time again."""
        self.sealed[slot] = _NONE

    def snapshot(self) -> dict[str, NDArray[Any]]:
        return {f"trends.{name}": getattr(self, name).copy() for name in self._ARRAYS}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        for name in self._ARRAYS:
            setattr(self, name, state[f"trends.{name}"].copy())


def taken(new: Effective) -> tuple[Int, Int, Int, Float]:
    """The readings that set a signal of the score: slot, channel, time, value, for ``Trends.take``."""
    channel = CHANNEL[new.signal]
    mine = (channel >= 0) & new.read
    if mine.all():
        return new.slot, channel, new.time, new.value
    return new.slot[mine], channel[mine], new.time[mine], new.value[mine]


def _merge(channels: Float, signals: Float32) -> None:
    """Channels (the last axis) as the signals of ``TRACKED``: the pulse where there is no heart rate."""
    signals[...] = channels[..., :_PR]
    signals[..., _HR] = np.where(np.isnan(channels[..., _HR]), channels[..., _PR], channels[..., _HR])
