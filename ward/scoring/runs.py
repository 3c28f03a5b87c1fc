"""Runs of doubtful readings: how what follows confirms or contradicts them, one stream at a time.

A run begins with a reading that departs from what its stream led to expect. It ends

- contradicted, when a reading is back where the stream was: all of the run is invalid;
- confirmed, when it has lasted ``PERSIST``, or with the next reading where they are further apart, or
  when nothing has come until its hold (``LONGEST_WAIT`` at most) ends: all of it is valid from its own
  time.

Steady streams never come here: only suspicious readings, and what follows them, are walked one by one. Where
there are many such streams ``abreast`` does the same with all of them at once.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.scoring import limits
from ward.scoring.detectors import REASON, REASONS, Others
from ward.scoring.readings import Bool, Float, Int, Readings
from ward.scoring.streams import LONG_AGO, Registry
from ward.signals import MEASURED

VALID: Final = 0
QUESTIONABLE: Final = 1
INVALID: Final = 2

RATE, SPIKE, LEADS, IMPLAUSIBLE, FAST, PRESSURES = (
    REASON[w] for w in ("rate", "spike", "leads-off", "implausible", "fast-fall", "pressures")
)
RUN_STATE: Final = (
    "level",
    "level_time",
    "seen",
    "run_start",
    "run_value",
    "run_last",
    "run_end",
    "run_count",
    "run_dense",
    "off_since",
    "off_last",
)


def suspicious(
    signal: NDArray[np.int8],
    value: Float,
    elapsed: Int,
    level: Float,
    doubt: NDArray[np.uint8],
    strong: Bool,
    active: Set[str],
) -> Bool:
    """Which readings must wait, [n], given their stream's level and the ms since the last valid reading.

    The vectorised twin of ``_Stream.suspects``; a property test holds the two together.
    """
    with np.errstate(invalid="ignore"):
        change = np.abs(value - level)
        allowed = limits.JUMP[signal] + limits.GROWTH[signal] * elapsed
        remembered = elapsed <= limits.MEMORY[signal]
        jumped = remembered & (change > allowed) & ("jump" in active)
        mute = (signal == limits.RR) & (value == 0) & (level > limits.NEAR[signal])
        jumped |= remembered & mute & ("no-breath" in active)
        # What was confirmed once need not be again, however long ago.
        usual = change <= limits.JUMP[signal]
        fast = np.where(level >= limits.NORMAL[signal, 0], limits.FAST_NEAR, limits.FAST_LOW)
        near = change <= np.where(doubt == FAST, fast, limits.NEAR[signal])
        leapt = (change > limits.RR_NEAR) & _outward(value, level, *limits.NORMAL[signal].T)
    near = np.where(doubt == RATE, ~leapt, near)
    usual |= "implausible" not in active
    plausible = (value >= limits.PLAUSIBLE[signal, 0]) & (value <= limits.PLAUSIBLE[signal, 1])
    result: Bool = strong | jumped | (~plausible & ~usual) | ((doubt != 0) & ~near)
    return result


def _outward(value: Any, level: Any, low: Any, high: Any) -> Any:
    """Whether a value leaves its level for what is not normal, [n] or one."""
    return ((value > level) & (value > high)) | ((value < level) & (value < low))


class Runs:
    """The runs of one push. ``table`` holds the unresolved rows of earlier pushes, then the new ones."""

    def __init__(
        self,
        table: Readings,
        mark: NDArray[np.uint8],
        reason: NDArray[np.uint8],
        streams: Registry,
        others: Others,
        pending: dict[int, list[int]],
        active: Set[str],
    ) -> None:
        self.table, self.mark, self.reason = table, mark, reason
        self.streams, self.others, self.active = streams, others, active
        self.pending = pending
        """Stream → rows of ``table`` in its open run."""
        self.confirmed = np.zeros(len(REASONS), np.int64)
        """How many readings had to wait and were then believed, by what was said against them."""

    def follow(
        self, stream: int, rows: Int, strong: Bool, level: Float, suspects: Bool, steady: bool | None = None
    ) -> None:
        """Walk one stream's new readings (rows of the table, in order).

        level: before each reading, [n], if all before it were valid; suspects: what ``suspicious`` then
        says of each; steady: whether the level now is that before the first (None: it is if no run is open).
        """
        state = _Stream(self, stream, int(self.table.signal[rows[0]]))
        if steady is None:
            steady = state.run_start == LONG_AGO
        suspected = np.flatnonzero(suspects).tolist()
        state.walk(rows.tolist(), strong.tolist(), level.tolist(), suspected, steady)
        state.store()

    def settle(self, until: int) -> None:
        """Close the runs whose time has come although no reading did."""
        s = self.streams
        open_ = s["run_start"] != LONG_AGO
        decide = s["run_start"] + limits.PERSIST
        dense = (s["run_count"] > 1) & (s["run_last"] >= decide - limits.PERSIST // 2)
        due = open_ & (decide <= until) & (dense | (s["run_end"] <= until))
        for stream in np.flatnonzero(due).tolist():
            state = _Stream(self, stream, int(self.table.signal[self.pending[stream][0]]))
            state.expire(until + 1)
            state.store()


class _Stream:
    """One stream on its walk: its state as plain numbers."""

    def __init__(self, runs: Runs, number: int, signal: int) -> None:
        self.runs, self.number, self.signal = runs, number, signal
        s = runs.streams
        self.level = float(s["level"][number])
        self.level_time = int(s["level_time"][number])
        self.seen = int(s["seen"][number])
        self.run_start = int(s["run_start"][number])
        self.run_value = float(s["run_value"][number])
        self.run_last = int(s["run_last"][number])
        self.run_end = int(s["run_end"][number])
        self.run_count = int(s["run_count"][number])
        self.run_dense = bool(s["run_dense"][number])
        self.off_since = int(s["off_since"][number])
        self.off_last = int(s["off_last"][number])
        self.limit = limits.LIMITS[MEASURED[signal]]
        self.growth = float(limits.GROWTH[signal])
        self.plausible = tuple(limits.PLAUSIBLE[signal].tolist())
        self.breathes = signal == limits.RR and "no-breath" in runs.active
        self.averages = signal == limits.SPO2 and "fast-fall" in runs.active
        self.jumps, self.ranges, self.mutes = (
            name in runs.active for name in ("jump", "implausible", "leads-off")
        )

    def store(self) -> None:
        for name in RUN_STATE:
            self.runs.streams[name][self.number] = getattr(self, name)

    def walk(
        self, rows: list[int], strong: list[bool], levels: list[float], suspects: list[int], steady: bool
    ) -> None:
        table = self.runs.table
        times, values, holds = (
            table.time[rows].tolist(),
            table.value[rows].tolist(),
            table.hold[rows].tolist(),
        )
        doubts = self.runs.reason[rows].tolist()
        coming = iter(suspects)
        suspect = next(coming, len(rows))
        i = 0
        while i < len(rows):
            if steady:  # the level is what ``levels`` says, so that ``suspects`` is right
                while suspect < i:
                    suspect = next(coming, len(rows))
                i = max(i, min(suspect, len(rows) - 1))
                self.level = levels[i]
                if i:
                    self.seen = self.level_time = times[i - 1]
            steady = self.take(rows[i], times[i], values[i], holds[i], doubts[i], strong[i])
            self.seen = times[i]
            i += 1

    def take(self, row: int, time: int, value: float, hold: int, doubt: int, strong: bool) -> bool:
        """One reading. True where it is valid beyond doubt, so that it is the new level."""
        self.expire(time)
        if self.run_start != LONG_AGO:
            if not self.contradicted(value, strong):
                self.join(row, time, value, hold, doubt)
                if time >= self.run_start + limits.PERSIST:
                    self.confirm(time)
                return False
            trailing = self.trails(value)
            self.close(INVALID, SPIKE)
        else:
            trailing = False
        if not trailing and not self.suspects(time, value, doubt, strong):
            self.level_time = time
            if doubt:  # near enough to be valid, but it must not draw the level after it
                return False
            self.level = value
            return True
        self.run_start, self.run_value, self.run_count = time, value, 0
        self.run_dense = time - self.seen <= limits.PERSIST or self.seen == LONG_AGO
        self.join(row, time, value, hold, doubt)
        return False

    def suspects(self, time: int, value: float, doubt: int, strong: bool) -> bool:
        limit, elapsed = self.limit, time - self.level_time
        change = abs(value - self.level)  # nan, and no comparison true, where there is no level
        return (
            strong
            or (self.jumps and elapsed <= limit.memory and change > limit.jump + self.growth * elapsed)
            or (self.breathes and value == 0 and self.level > limit.near and elapsed <= limit.memory)
            or not (self.is_plausible(value) or change <= limit.jump or not self.ranges)
            or (doubt != 0 and not self.is_near(value, change, doubt))
        )

    def is_near(self, value: float, change: float, doubt: int) -> bool:
        if doubt == RATE:
            return not (change > limits.RR_NEAR and _outward(value, self.level, *self.limit.normal))
        if doubt == FAST:
            return change <= (limits.FAST_NEAR if self.level >= self.limit.normal[0] else limits.FAST_LOW)
        return change <= self.limit.near

    def contradicted(self, value: float, strong: bool) -> bool:
        """Whether the stream is back where it was before the run."""
        if strong:
            return False
        last = self.runs.pending[self.number][-1]
        moved = abs(value - float(self.runs.table.value[last])) > self.limit.near
        if moved and self.runs.reason[last] == PRESSURES:  # it could not be, whatever the level was
            return True
        if self.run_start - self.level_time <= self.limit.memory:
            # From where the run stands now, not where it began: an extreme may follow upon a spike.
            latest = float(self.runs.table.value[last])
            change, was = value - self.level, latest - self.level
            if 2 * abs(change) <= self.limit.near:
                return True
            # Most of the way back, or beyond. An extreme is not a way back from another one.
            back = 3 * abs(change) <= abs(was) or change * was < 0
            if self.is_normal(value):
                return back or self.is_half_way_back(change)
            return back and not self.is_normal(self.level)
        # Nothing was known before: a normal value speaks against one that is not.
        away = abs(value - self.run_value) > self.limit.near
        return away and self.is_normal(value) and not self.is_normal(self.run_value)

    def is_fall(self) -> bool:
        """Whether the run is SpO2 that fell fast, with nothing else said against it."""
        first = self.runs.pending[self.number][0]
        return self.averages and self.runs.reason[first] in (FAST, RATE)

    def is_half_way_back(self, change: float) -> bool:
        """An oximeter averages: SpO2 that fell faster than bodies fall comes back over some seconds."""
        if not self.is_fall():
            return False
        rows = self.runs.pending[self.number]
        off = float(np.median(self.runs.table.value[rows])) - self.level
        return 2 * abs(change) <= abs(off) and change * off > 0

    def trails(self, value: float) -> bool:
        """Whether the value that contradicts the run is still on its way back, and waits as well."""
        return self.run_dense and self.is_fall() and abs(value - self.level) >= limits.FAST_NEAR

    def join(self, row: int, time: int, value: float, hold: int, doubt: int) -> None:
        self.run_last = time
        self.run_end = max(time + min(hold, limits.LONGEST_WAIT), self.run_start + limits.PERSIST)
        self.run_count += 1
        self.runs.pending.setdefault(self.number, []).append(row)
        self.runs.mark[row] = QUESTIONABLE
        self.runs.reason[row] = doubt or (RATE if self.is_plausible(value) else IMPLAUSIBLE)

    def expire(self, before: int) -> None:
        """Close the run if its time came before ``before``."""
        if self.run_start == LONG_AGO:
            return
        decide = self.run_start + limits.PERSIST
        if decide < before and self.run_count > 1 and self.run_last >= decide - limits.PERSIST // 2:
            self.confirm(decide)
        elif self.run_end < before:
            self.confirm(self.run_end)

    def confirm(self, time: int) -> None:
        """The run has lasted: it is the new level, unless a good pulse says that a lead came off."""
        rows = self.runs.pending[self.number]
        table = self.runs.table
        silent = self.signal == limits.HR and self.mutes and table.value[rows].max() < limits.NO_BEAT
        if silent and self.pulse_outlasts(table.slot[rows[:1]], time):
            if self.off_last <= self.level_time:
                self.off_since = self.run_start
            self.off_last = self.run_last
            self.close(INVALID, LEADS)
            return
        self.level, self.level_time = float(np.median(table.value[rows])), int(table.time[rows[-1]])
        np.add.at(self.runs.confirmed, self.runs.reason[rows], 1)
        self.close(VALID, 0)

    def pulse_outlasts(self, slot: NDArray[np.int32], time: int) -> bool:
        since, now = np.array([self.run_start]), np.array([time])
        return bool(self.runs.others.pulse_outlasts(slot, since, now)[0])

    def close(self, mark: int, reason: int) -> None:
        rows = self.runs.pending.pop(self.number)
        self.runs.mark[rows] = mark
        if mark == INVALID:  # what was only a change has turned out to be a spike; other reasons stay
            for row in rows:
                if reason == LEADS or self.runs.reason[row] in (RATE, FAST):
                    self.runs.reason[row] = reason
        self.run_start = LONG_AGO

    def is_normal(self, value: float) -> bool:
        return self.limit.normal[0] <= value <= self.limit.normal[1]

    def is_plausible(self, value: float) -> bool:
        return bool(self.plausible[0] <= value <= self.plausible[1])
