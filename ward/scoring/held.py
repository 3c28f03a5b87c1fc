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
    hold; read [n, signals]: a reading was taken at this very instant; expires [n, signals] ms;
    taken [n, signals] ms: when the value was read.
    """

    slot: NDArray[np.int64]
    time: Int
    value: Float
    fresh: Bool
    read: Bool
    expires: Int
    taken: Int

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, slots=True)
class _Effective:
    """Readings that set their signal's value (and take-overs, which are no readings)."""

    slot: NDArray[np.int64]
    signal: NDArray[np.int64]
    time: Int
    value: Float
    expires: Int
    taken: Int
    device: NDArray[np.int64]
    read: Bool

    def take(self, index: Any) -> _Effective:
        return _Effective(*(getattr(self, f.name)[index] for f in fields(self)))


class Held:
    """The last valid value of every slot and signal, and the runner-up of another device."""

    def __init__(self, slots: int) -> None:
        shape = (slots, N_OBSERVED)
        self.value: Float = np.full(shape, np.nan)
        self.taken: Int = np.full(shape, _NONE, np.int64)
        self.expires: Int = np.full(shape, _NONE, np.int64)
        self.device: Int = np.full(shape, _NONE, np.int64)
        self.other_value: Float = np.full(shape, np.nan)
        self.other_taken: Int = np.full(shape, _NONE, np.int64)
        self.other_expires: Int = np.full(shape, _NONE, np.int64)
        self.other_device: Int = np.full(shape, _NONE, np.int64)

    _ARRAYS: Final = (
        "value", "taken", "expires", "device", "other_value", "other_taken", "other_expires", "other_device",
    )  # fmt: skip

    def resize(self, slots: int) -> None:
        fresh = Held(slots - len(self.value))
        for name in self._ARRAYS:
            setattr(self, name, np.concatenate([getattr(self, name), getattr(fresh, name)]))

    def forget(self, slot: int) -> None:
        fresh = Held(1)
        for name in self._ARRAYS:
            getattr(self, name)[slot] = getattr(fresh, name)[0]

    def adopt(self, slot: int, other: Held) -> None:
        """What the only slot of ``other`` holds."""
        for name in self._ARRAYS:
            getattr(self, name)[slot] = getattr(other, name)[0]

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
            setattr(self, name, state[f"held.{name}"].copy())

    # ------------------------------------------------------------------ the flow of time

    def advance(self, readings: Readings, since: Int, until: Int, extra: tuple[Int, Int]) -> Timeline:
        """Take valid readings with since < time <= until (ms per slot), in the contract's order.

        Returns the rows at which a value began or ended in that span, and those of ``extra`` (slots,
        times), wanted for another reason. Slots with no row do not appear.
        """
        new = self._effective(readings, until)
        more = [self._own_expiries(new, since, until), extra]
        pack = _Packing.of(new.time, new.expires, *(times for _, times in more))
        slot, time = self._rows(new, more, until, pack)
        n = len(time)
        shape = (n, N_OBSERVED)
        value, expires, taken = np.empty(shape), np.empty(shape, np.int64), np.empty(shape, np.int64)
        read = np.zeros(shape, np.bool_)
        if n:
            key = pack.key(slot, time)
            by_signal = np.argsort(new.signal, kind="stable")
            bounds = np.searchsorted(new.signal[by_signal], np.arange(N_OBSERVED + 1))
            for s in range(N_OBSERVED):
                value[:, s] = self.value[slot, s]
                expires[:, s] = self.expires[slot, s]
                taken[:, s] = self.taken[slot, s]
                mine = by_signal[bounds[s] : bounds[s + 1]]
                if not len(mine):
                    continue
                at = np.searchsorted(key, pack.key(new.slot[mine], new.time[mine]))
                read[at[new.read[mine]], s] = True
                last = np.searchsorted(at, np.arange(n), side="right") - 1
                hit = last >= 0
                hit[hit] = new.slot[mine][last[hit]] == slot[hit]
                source = mine[last[hit]]
                value[hit, s] = new.value[source]
                expires[hit, s] = new.expires[source]
                taken[hit, s] = new.taken[source]
        self._settle(new)
        return Timeline(slot, time, value, time[:, None] < expires, read, expires, taken)

    def _settle(self, new: _Effective) -> None:
        """Remember the last of each slot and signal (rows are in order, so the last one wins)."""
        self.value[new.slot, new.signal] = new.value
        self.taken[new.slot, new.signal] = new.taken
        self.expires[new.slot, new.signal] = new.expires
        self.device[new.slot, new.signal] = new.device

    def _own_expiries(self, new: _Effective, since: Int, until: Int) -> tuple[Int, Int]:
        """Holds carried in that end in the span, before a new value of their signal begins."""
        slot, signal = np.nonzero((self.expires > since[:, None]) & (self.expires <= until[:, None]))
        first = np.full(self.value.shape, NEVER)
        back = slice(None, None, -1)  # so that the earliest is written last
        first[new.slot[back], new.signal[back]] = new.time[back]
        ends = self.expires[slot, signal]
        real = first[slot, signal] > ends
        return slot[real], ends[real]

    def _rows(
        self, new: _Effective, more: list[tuple[Int, Int]], until: Int, pack: _Packing
    ) -> tuple[Int, Int]:
        """Unique (slot, time) at which a value begins or ends, sorted."""
        order = np.lexsort((new.time, new.signal, new.slot))
        slot, signal, time, expires = (a[order] for a in (new.slot, new.signal, new.time, new.expires))
        following = np.full(len(time), NEVER)
        same = (slot[1:] == slot[:-1]) & (signal[1:] == signal[:-1])
        following[:-1][same] = time[1:][same]
        ends = (expires < following) & (expires <= until[slot])
        more = [(slot, time), (slot[ends], expires[ends]), *more]
        return pack.open(np.unique(np.concatenate([pack.key(*where) for where in more])))

    # ------------------------------------------------------------------ two devices, one signal

    def _effective(self, readings: Readings, until: Int) -> _Effective:
        """Readings that set the value: of the device that has the signal; one an instant."""
        slot, signal = readings.slot.astype(np.int64), readings.signal.astype(np.int64)
        device = readings.device.astype(np.int64)
        order = np.lexsort((np.arange(len(slot)), readings.seq, readings.time, signal, slot))
        slot, signal, device, time = (a[order] for a in (slot, signal, device, readings.time))
        value, hold = readings.value[order], readings.hold[order]
        kept = np.ones(len(time), np.bool_)
        same_group = (slot[1:] == slot[:-1]) & (signal[1:] == signal[:-1])

        group = np.concatenate([[0], np.cumsum(~same_group)]) if len(time) else np.empty(0, np.int64)
        starts = np.flatnonzero(np.concatenate([[True], ~same_group])) if len(time) else np.empty(0, np.int64)
        owner = self.device[slot[starts], signal[starts]]
        mixed = np.zeros(len(starts), np.bool_)
        changes = group[1:][same_group & (device[1:] != device[:-1])]
        mixed[changes] = True
        held = self.expires[slot[starts], signal[starts]] > time[starts]
        mixed |= held & (owner != device[starts])
        mixed |= self.other_device[slot[starts], signal[starts]] != _NONE

        contested = mixed[group] if len(time) else kept
        instant = same_group & (time[1:] == time[:-1])
        kept[:-1] = ~instant
        kept &= ~contested
        plain = _Effective(slot, signal, time, value, time + hold, time, device, np.ones(len(time), np.bool_))
        parts = [plain.take(kept)]

        groups = {(int(slot[starts[g]]), int(signal[starts[g]])): g for g in np.flatnonzero(mixed)}
        waiting = np.nonzero((self.other_device != _NONE) & (self.expires <= until[:, None]))
        for cell in zip(*(w.tolist() for w in waiting), strict=True):
            groups.setdefault(cell, np.intp(-1))
        bounds = np.append(starts, len(time))
        for (s, g), number in groups.items():
            here = slice(bounds[number], bounds[number + 1]) if number >= 0 else slice(0, 0)
            columns = (a[here].tolist() for a in (time, value, hold, device))
            rows = list(zip(*columns, strict=True))
            parts.append(self._contest(s, g, rows, int(until[s])))
        if len(parts) == 1:
            return parts[0]
        every = _Effective(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(_Effective)))
        return every.take(np.lexsort((every.time, every.signal, every.slot)))

    def _contest(
        self, slot: int, signal: int, rows: list[tuple[int, float, int, int]], until: int
    ) -> _Effective:
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

        for time, value, hold, device in rows:
            hand_over(time)
            if device == holder or time >= expires:
                if found and found[-1][0] == time:
                    found.pop()
                found.append((time, value, time + hold, time, device, True))
                holder, expires = device, time + hold
                if other is not None and other[3] == device:
                    other = None
            else:
                other = (value, time, time + hold, device)
        hand_over(until)
        self.other_value[slot, signal] = other[0] if other else np.nan
        self.other_taken[slot, signal] = other[1] if other else _NONE
        self.other_expires[slot, signal] = other[2] if other else _NONE
        self.other_device[slot, signal] = other[3] if other else _NONE
        columns = list(zip(*found, strict=True)) if found else [()] * 6
        n = len(found)
        return _Effective(
            np.full(n, slot, np.int64),
            np.full(n, signal, np.int64),
            np.array(columns[0], np.int64),
            np.array(columns[1], np.float64),
            np.array(columns[2], np.int64),
            np.array(columns[3], np.int64),
            np.array(columns[4], np.int64),
            np.array(columns[5], np.bool_),
        )


@dataclass(frozen=True, slots=True)
class _Packing:
    """Slot and time as one sortable number; its bits are dealt out by the times at hand."""

    base: int
    bits: int

    @classmethod
    def of(cls, *times: Int) -> _Packing:
        some = [t for t in times if len(t)]
        base = min((int(t.min()) for t in some), default=0)
        return cls(base, (max((int(t.max()) for t in some), default=0) - base).bit_length())

    def key(self, slot: Int, time: Int) -> Int:
        return (slot << self.bits) | (time - self.base)

    def open(self, key: Int) -> tuple[Int, Int]:
        return key >> self.bits, (key & ((1 << self.bits) - 1)) + self.base
