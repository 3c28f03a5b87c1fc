"""Held signals: what each signal of each stay is at every instant, from valid readings.

A valid reading holds from its time to the next valid one, at most for its hold. Where two devices
measure the same signal, the one that has it keeps it until its hold ends; then the other's last
reading takes over, if that still holds.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.scoring.readings import Bool, Float, Int, Readings
from ward.signals import N_OBSERVED

NEVER: Final = np.iinfo(np.int64).max
_NONE: Final = -1


@dataclass(frozen=True, slots=True)
class Timeline:
    """Rows at which anything may change, sorted by slot and time; each lasts until the slot's next.

    slot [n], time [n] ms; value [n, signals] last known (NaN: never); fresh [n, signals]: within its
    hold; expires [n, signals] ms (-1: never known).
    """

    slot: Int
    time: Int
    value: Float
    fresh: Bool
    expires: Int

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, slots=True)
class Moment(Timeline):
    """One row a slot, with when each value was read: taken [n, signals] ms."""

    taken: Int


@dataclass(frozen=True, slots=True)
class Effective:
    """Readings that set their signal's value, and take-overs, which are no readings (``read`` False).

    Sorted by signal, slot and time; one an instant. cell: number of slot and signal, sorted.
    """

    cell: Int
    slot: Int
    signal: NDArray[np.int8]
    time: Int
    value: Float
    expires: Int
    taken: Int
    device: NDArray[Any]
    read: Bool

    def __len__(self) -> int:
        return len(self.time)

    def take(self, index: Any) -> Effective:
        return Effective(*(getattr(self, f.name)[index] for f in fields(self)))


def _grid(slots: int, fill: float) -> NDArray[Any]:
    """[slots, signals], the slots of a signal side by side: readings come signal by signal."""
    return np.full((N_OBSERVED, slots), fill).T


def _flat(grid: NDArray[Any]) -> NDArray[Any]:
    """A view by cell, signal * slots + slot."""
    return grid.T.reshape(-1)


def _running(expires: Int, time: Int) -> Bool:
    # Before a stay's first reading its time lies before all times, also before 'never'.
    running: Bool = (time[:, None] < expires) & (expires >= 0)
    return running


class Held:
    """The last valid value of every slot and signal, and the runner-up of another device."""

    def __init__(self, slots: int) -> None:
        self.value: Float = _grid(slots, np.nan)
        self.taken: Int = _grid(slots, _NONE)
        self.expires: Int = _grid(slots, _NONE)
        self.device: Int = _grid(slots, _NONE)
        self.other_value: Float = _grid(slots, np.nan)
        self.other_taken: Int = _grid(slots, _NONE)
        self.other_expires: Int = _grid(slots, _NONE)
        self.other_device: Int = _grid(slots, _NONE)
        self._wake: Int = np.zeros(slots, np.int64)
        """Of each slot: no hold that is still running ends before this. Looked at again when it has come."""
        self._contested = False
        """Whether any runner-up is known."""

    _ARRAYS: Final = (
        "value", "taken", "expires", "device", "other_value", "other_taken", "other_expires", "other_device",
    )  # fmt: skip

    def resize(self, slots: int) -> None:
        fresh = Held(slots - len(self.value))
        for name in self._ARRAYS:
            setattr(
                self, name, np.asfortranarray(np.concatenate([getattr(self, name), getattr(fresh, name)]))
            )
        self._wake = np.concatenate([self._wake, fresh._wake])

    def forget(self, slot: int) -> None:
        self.adopt(slot, Held(1))

    def adopt(self, slot: int, other: Held) -> None:
        """What the only slot of ``other`` holds."""
        for name in self._ARRAYS:
            getattr(self, name)[slot] = getattr(other, name)[0]
        self._look_again(np.array([slot]))

    def _look_again(self, slots: Int) -> None:
        self._wake[slots] = 0
        self._contested = bool((self.other_device != _NONE).any())

    def readings(self, slot: int) -> Readings:
        """The last valid reading of each signal that the slot ever had, as slot 0."""
        known = np.flatnonzero(self.taken[slot] != _NONE)
        taken = self.taken[slot, known]
        return Readings.of(
            len(known),
            slot=0,
            signal=known,
            time=taken,
            value=self.value[slot, known],
            device=self.device[slot, known],
            hold=self.expires[slot, known] - taken,
        )

    def snapshot(self) -> dict[str, NDArray[Any]]:
        return {f"held.{name}": getattr(self, name).copy() for name in self._ARRAYS}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        for name in self._ARRAYS:
            setattr(self, name, state[f"held.{name}"].copy(order="F"))
        self._wake = np.zeros(len(self.value), np.int64)
        self._look_again(np.empty(0, np.int64))

    # ------------------------------------------------------------------ the flow of time

    def take(self, readings: Readings, until: Int) -> Effective:
        """What valid readings come to, later than any taken before and not later than ``until`` [slots].

        Where two devices measure one signal, this decides who has it. ``settle`` makes it the past.
        """
        order = readings.cell_order()
        some: Any = slice(None) if order is None else order
        slot, signal, time = readings.slot[some].astype(np.int64), readings.signal[some], readings.time[some]
        cell = signal.astype(np.int64) * len(self.value) + slot
        plain = Effective(
            cell,
            slot,
            signal,
            time,
            readings.value[some],
            (readings.time + readings.hold)[some],
            time,
            readings.device[some],
            np.ones(len(time), np.bool_),
        )
        if not len(time) and not self._contested:
            return plain
        first = np.ones(len(time), np.bool_)
        first[1:] = cell[1:] != cell[:-1]
        mixed = self._mixed(plain, first)
        repeated = ~first[1:] & (time[1:] == time[:-1])
        if not (mixed.any() or self._contested or repeated.any()):
            return plain
        starts = np.flatnonzero(first)
        kept = ~np.repeat(mixed, np.diff(np.append(starts, len(time))))
        kept[:-1] &= ~repeated
        parts = [plain.take(kept), *self._contests(plain, starts, mixed, until)]
        if len(parts) == 1:
            return parts[0]
        every = Effective(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Effective)))
        return every.take(np.lexsort((every.time, every.cell)))

    def settle(self, new: Effective, until: Int) -> None:
        """Remember the last of each slot and signal; all up to ``until`` [slots] is the past."""
        over = np.flatnonzero(self._wake <= until)
        if len(new):
            last = np.append(new.cell[1:] != new.cell[:-1], True)
            some = slice(None) if last.all() else np.flatnonzero(last)
            cell, slot, expires = new.cell[some], new.slot[some], new.expires[some]
            _flat(self.expires)[cell] = expires
            for name in ("value", "taken", "device"):
                _flat(getattr(self, name))[cell] = getattr(new, name)[some]
            sooner = expires < self._wake[slot]
            if sooner.any():
                np.minimum.at(self._wake, slot[sooner], expires[sooner])
        if len(over):
            running = self.expires[over]
            running[running <= until[over, None]] = NEVER
            self._wake[over] = running.min(axis=1)

    def ending(self, since: Int, until: Int) -> tuple[Int, Int, Int]:
        """Holds that end in (since, until] (both [slots]) unless a new value begins before: slot, signal,
        when."""
        some = np.flatnonzero(self._wake <= until)
        ends = self.expires[some]
        row, signal = np.nonzero((ends > since[some, None]) & (ends <= until[some, None]))
        return some[row], signal, ends[row, signal]

    def at(self, slots: Int, time: Int) -> Moment:
        """What these slots hold at these times (ms), by all that was taken; one row a slot."""
        expires = self.expires[slots]
        return Moment(slots, time, self.value[slots], _running(expires, time), expires, self.taken[slots])

    def fresh(self, time: Int) -> Bool:
        """Whether the holds of all slots run at these times (ms, one a slot); [slots, signals]."""
        return _running(self.expires, time)

    # ------------------------------------------------------------------ two devices, one signal

    def _mixed(self, new: Effective, first: Bool) -> Bool:
        """Of each group (one slot and signal; ``first``: where one begins) whether devices compete."""
        starts = np.flatnonzero(first)
        cell, device = new.cell if first.all() else new.cell[starts], new.device
        mixed: Bool = _flat(self.device)[cell] != (device if first.all() else device[starts])
        mixed[mixed] = _flat(self.expires)[cell[mixed]] > new.time[starts[mixed]]
        changed = np.flatnonzero(~first[1:] & (device[1:] != device[:-1]))
        if len(changed):
            mixed[np.searchsorted(starts, changed + 1, side="right") - 1] = True
        if self._contested:
            mixed |= _flat(self.other_device)[cell] != _NONE
        return mixed

    def _contests(self, new: Effective, starts: Int, mixed: Bool, until: Int) -> list[Effective]:
        groups = {(int(new.slot[starts[g]]), int(new.signal[starts[g]])): g for g in np.flatnonzero(mixed)}
        if self._contested:
            waiting = np.nonzero((self.other_device != _NONE) & (self.expires <= until[:, None]))
            for cell in zip(*(w.tolist() for w in waiting), strict=True):
                groups.setdefault(cell, np.intp(-1))
        bounds = np.append(starts, len(new))
        parts = []
        for (slot, signal), number in groups.items():
            here = slice(bounds[number], bounds[number + 1]) if number >= 0 else slice(0, 0)
            columns = (a[here].tolist() for a in (new.time, new.value, new.expires, new.device))
            parts.append(self._contest(slot, signal, list(zip(*columns, strict=True)), int(until[slot])))
        self._contested = bool((self.other_device != _NONE).any())
        return parts

    def _contest(
        self, slot: int, signal: int, rows: list[tuple[int, float, int, int]], until: int
    ) -> Effective:
        """One signal that two devices measure: who has it, reading by reading."""
        holder, expires = int(self.device[slot, signal]), int(self.expires[slot, signal])
        other: tuple[float, int, int, int] | None = None  # value, taken, expires, device
        if self.other_device[slot, signal] != _NONE:
            other = (
                float(self.other_value[slot, signal]),
                int(self.other_taken[slot, signal]),
                int(self.other_expires[slot, signal]),
                int(self.other_device[slot, signal]),
            )
        found: list[tuple[int, float, int, int, int, bool]] = []  # time, value, expires, taken, device, read

        def hand_over(now: int) -> None:
            nonlocal holder, expires, other
            if other is not None and expires <= now:
                if other[2] > expires:
                    found.append((expires, other[0], other[2], other[1], other[3], False))
                    holder, expires = other[3], other[2]
                other = None

        for time, value, ends, device in rows:
            hand_over(time)
            if device == holder or time >= expires:
                if found and found[-1][0] == time:
                    found.pop()
                found.append((time, value, ends, time, device, True))
                holder, expires = device, ends
                if other is not None and other[3] == device:
                    other = None
            else:
                other = (value, time, ends, device)
        hand_over(until)
        self.other_value[slot, signal] = other[0] if other else np.nan
        self.other_taken[slot, signal] = other[1] if other else _NONE
        self.other_expires[slot, signal] = other[2] if other else _NONE
        self.other_device[slot, signal] = other[3] if other else _NONE
        columns = list(zip(*found, strict=True)) if found else [()] * 6
        n = len(found)
        return Effective(
            np.full(n, signal * len(self.value) + slot, np.int64),
            np.full(n, slot, np.int64),
            np.full(n, signal, np.int8),
            np.array(columns[0], np.int64),
            np.array(columns[1], np.float64),
            np.array(columns[2], np.int64),
            np.array(columns[3], np.int64),
            np.array(columns[4], np.int64),
            np.array(columns[5], np.bool_),
        )
