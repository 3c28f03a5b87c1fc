"""The risk of every stay as a held signal: computed anew at whole five minutes of data time, kept in between.

Nothing here depends on how time is cut into steps: at an instant that is left out nothing could have
changed since the one before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.scoring.held import Effective, Held
from ward.scoring.readings import Bool, Float, Int
from ward.scoring.risk import Predicted, RiskModel
from ward.scoring.trends import CHANNEL, FRESH, STEP, Float32, Inputs, Steps, Trends, taken
from ward.signals import HOUR

_STEP_BITS: Final = 31
"""Steps of five minutes fit into so many bits for 20,000 years."""
_LONGEST: Final = int(FRESH.max()) // HOUR + 2
"""For so many hours a reading may be the present one, or its hour not yet be given out."""
_AT_ONCE: Final = 50_000
"""Inputs kept before they are made into risks: a bound on memory."""


@dataclass(frozen=True, slots=True)
class RiskCourse:
    """The risk of each slot over a span: ``before`` [slots], then new values from each (slot, step) on.

    key [n]: slot and step as one number, ascending; value [n].
    """

    before: Float
    key: Int
    value: Float

    def at(self, slot: Int, time: Int) -> Float:
        """The risk at rows [n], time in ms within the span; NaN where it is not known."""
        found = self.before[slot]
        last = np.searchsorted(self.key, _key(slot, time // STEP), side="right") - 1
        own = last >= 0
        own[own] = self.key[last[own]] >> _STEP_BITS == slot[own]
        found[own] = self.value[last[own]]
        return found

    def changes(self) -> tuple[Int, Int]:
        """Slot and time (ms) at which a new value begins."""
        slot, time = _open(self.key)
        previous = self.before[slot]
        follows = slot[1:] == slot[:-1]
        previous[1:][follows] = self.value[:-1][follows]
        new = ~((previous == self.value) | (np.isnan(previous) & np.isnan(self.value)))
        return slot[new], time[new]


def _key(slot: Int, step: Int) -> Int:
    """A slot and a step of five minutes as one number, ordered by slot first."""
    return (slot << _STEP_BITS) | step


def _open(key: Int) -> tuple[Int, Int]:
    """Slot, and the step's time in ms."""
    return key >> _STEP_BITS, (key & (2**_STEP_BITS - 1)) * STEP


class Deterioration:
    """The risk of all stays of a partition; one slot a stay."""

    _ARRAYS: Final = ("value", "low", "high", "present", "hourly")

    def __init__(self, model: RiskModel, slots: int) -> None:
        self.model = model
        self._hours_on = _LONGEST + model.within  # then nothing is known any more, whatever comes
        self.trends = Trends(slots)
        self.value: Float = np.full(slots, np.nan)
        self.low: Float = np.full(slots, np.nan)
        self.high: Float = np.full(slots, np.nan)
        self._anew: Bool = np.zeros(slots, np.bool_)
        """Whose risk is to be computed at the next step, whatever has changed."""
        unknown = Inputs.unknown(slots)
        self.present: Float32 = unknown.present
        """What the risk was computed from, for the reasons."""
        self.hourly: Float32 = unknown.hourly

    def inputs(self, slot: int) -> Inputs:
        """What the present risk of a slot was computed from."""
        return Inputs(self.present[slot : slot + 1], self.hourly[slot : slot + 1])

    # ------------------------------------------------------------------ the flow of time

    def advance(self, new: Effective, since: Int, until: Int) -> RiskCourse:
        """Take the readings that set a signal in (since, until] (ms, [slots]), and compute what is due."""
        steps = Steps.of(*taken(new))
        due = self._due(steps, since, until)
        if not len(due):
            self.trends.add(steps)
            return RiskCourse(self.value, due, np.empty(0))
        before, found = self.value.copy(), np.empty(len(due))
        # Every slot goes to its first instant at once, then every slot to its second …
        own, at = _open(due)
        rank = np.arange(len(due)) - np.searchsorted(due, own << _STEP_BITS)
        by_rank = np.argsort(rank, kind="stable")
        ends = np.searchsorted(rank[by_rank], np.arange(int(rank.max()) + 1), side="right")
        asked = np.zeros(len(self.value), np.bool_)
        asked[own] = True
        mine = np.flatnonzero(asked[steps.slot])
        slot = steps.slot[mine]
        place = np.zeros(len(steps), np.int64)
        place[mine] = np.searchsorted(due, _key(slot, steps.step[mine]))
        place[mine] -= np.searchsorted(due, slot << _STEP_BITS)
        order = np.argsort(place, kind="stable")
        upto = np.searchsorted(place[order], np.arange(len(ends)), side="right")
        waiting: list[tuple[Int, Inputs]] = []
        held = begin = begin_taken = 0
        for end, end_taken in zip(ends.tolist(), upto.tolist(), strict=True):
            self.trends.add(steps.take(order[begin_taken:end_taken]))
            rows = by_rank[begin:end]
            waiting.append((rows, self.trends.inputs(own[rows], at[rows])))
            held, begin, begin_taken = held + end - begin, end, end_taken
            if held >= _AT_ONCE or end == len(due):
                self._compute(waiting, own, found)
                waiting, held = [], 0
        self.trends.add(steps.take(order[begin_taken:]))
        return RiskCourse(before, due, found)

    def _compute(self, waiting: list[tuple[Int, Inputs]], own: Int, found: Float) -> None:
        """The risk of what was gathered, each slot's in order of time."""
        rows = np.concatenate([asked for asked, _ in waiting])
        inputs = Inputs(
            np.concatenate([each.present for _, each in waiting]),
            np.concatenate([each.hourly for _, each in waiting]),
        )
        risk = self.model.predict(inputs)
        found[rows] = risk.value
        slots, back = np.unique(own[rows][::-1], return_index=True)
        self._keep(slots, risk, inputs, len(rows) - 1 - back)

    def _keep(self, slots: Int, risk: Predicted, inputs: Inputs, rows: Int) -> None:
        found: tuple[NDArray[Any], ...] = (
            risk.value, risk.low, risk.high, inputs.present, inputs.hourly,
        )  # fmt: skip
        for name, new in zip(self._ARRAYS, found, strict=True):
            self._put(name, slots, new[rows])

    def _put(self, name: str, slots: Int | int, new: NDArray[Any]) -> None:
        """Arrays are replaced, never changed: who shows a risk keeps what it was."""
        array = getattr(self, name).copy()
        array[slots] = new
        setattr(self, name, array)

    def _due(self, steps: Steps, since: Int, until: Int) -> Int:
        """Keys of the instants in (since, until] at which the risk may change, ascending."""
        moving = until // STEP > since // STEP
        if not moving.any():
            return np.empty(0, np.int64)
        known, of = np.nonzero((self.trends.taken >= 0) & moving[:, None])
        mine = moving[steps.slot]
        slot = np.concatenate([known, steps.slot[mine]])
        channel = np.concatenate([of, steps.channel[mine]])
        time = np.concatenate([self.trends.taken[known, of], steps.time[mine]])
        parts = [_key(slot, -(-time // STEP))]
        # Where a value becomes too old to be the present one.
        order = np.lexsort((time, channel, slot))
        slot, channel, time = slot[order], channel[order], time[order]
        over = (time + FRESH[channel]) // STEP + 1
        last = np.ones(len(slot), np.bool_)
        last[:-1] = (slot[1:] != slot[:-1]) | (channel[1:] != channel[:-1])
        ends = last.copy()
        ends[:-1] |= time[1:] > over[:-1] * STEP
        parts.append(_key(slot[ends], over[ends]))
        # Where the window of hours moves on: the first step of each hour.
        hour = np.unique(_key(slot, -(-time // HOUR)))
        hours = ((hour & (2**_STEP_BITS - 1))[:, None] + np.arange(self._hours_on)).reshape(-1)
        parts.append(_key(np.repeat(hour >> _STEP_BITS, self._hours_on), hours * (HOUR // STEP) + 1))
        anew = np.flatnonzero(self._anew & moving)
        parts.append(_key(anew, since[anew] // STEP + 1))
        self._anew[anew] = False
        found = np.unique(np.concatenate(parts))
        own, at = _open(found)
        due: Int = found[(at > since[own]) & (at <= until[own])]
        return due

    # ------------------------------------------------------------------ slots and state

    def resize(self, slots: int) -> None:
        """Make room for more stays."""
        more = Deterioration(self.model, slots - len(self.value))
        self.trends.resize(slots)
        for name in (*self._ARRAYS, "_anew"):
            setattr(self, name, np.concatenate([getattr(self, name), getattr(more, name)]))

    def forget(self, slot: int) -> None:
        """The slot is free for another stay."""
        self.adopt(slot, Deterioration(self.model, 1))

    def adopt(self, slot: int, other: Deterioration) -> None:
        """What the only slot of ``other`` is."""
        self.trends.adopt(slot, other.trends, 0)
        self.trends.open(slot)
        for name in self._ARRAYS:
            self._put(name, slot, getattr(other, name)[0])

    def as_of(self, slot: int, since: int | None) -> Deterioration:
        """One slot as of a whole hour in the past, to build it again from the readings since then."""
        found = Deterioration(self.model, 1)
        if since is not None:
            found.trends.begin(0, self.trends, slot, since)
        return found

    def seed(self, held: Held) -> None:
        """Begin with what is held now, where nothing is remembered: the hours before are not known."""
        slot, signal = np.nonzero(held.taken >= 0)
        channel = CHANNEL[signal]
        mine: Bool = channel >= 0
        slot, signal = slot[mine], signal[mine]
        self.trends.take(slot, channel[mine], held.taken[slot, signal], held.value[slot, signal])
        self._anew[slot] = True

    def snapshot(self) -> dict[str, NDArray[Any]]:
        own: dict[str, NDArray[Any]] = {name: getattr(self, name).copy() for name in self._ARRAYS}
        return {**own, **self.trends.snapshot(), "anew": self._anew.copy(), "model": np.array(self.model.id)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> bool:
        """Become what gave this snapshot; what another model said of it is not known any more.

        False where it was made without a risk: nothing is remembered then.
        """
        if "model" not in state:
            return False
        self.trends.restore(state)
        self._anew = state["anew"].copy() if "anew" in state else np.zeros(len(state["value"]), np.bool_)
        for name in self._ARRAYS:
            setattr(self, name, state[name].copy())
        if str(state["model"]) != self.model.id:
            self.value[:] = self.low[:] = self.high[:] = np.nan
            self._anew[:] = True
        return True
