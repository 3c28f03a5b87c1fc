"""Streams of which nothing needs to be doubted, found in a few passes over all readings of a push.

Most patients' readings are possible, near the ones before them, and at peace with each other. A slot against
whose readings neither the device nor another signal says anything is *quiet*: each of its streams is judged
by its own past alone. Of those that are calm, too, the filter has to remember where they stand, and nothing
else. Who is not found quiet here is judged in full; both ways lead to the same marks and the same state.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ward.scoring import limits
from ward.scoring.detectors import REASON, Others, fallen, leapt
from ward.scoring.readings import Bool, Float, Int, Readings
from ward.scoring.streams import LONG_AGO, SIGNAL_MASK, Registry, device_keys, stream_keys
from ward.signals import SIGNALS

LEAST: Final = 64
"""Fewer readings are judged one by one as quickly."""
_N: Final = len(SIGNALS)
NEVER: Final = int(np.iinfo(np.int64).max)
_FAST: Final = {
    limits.SPO2: (fallen, limits.FAST_NEAR, REASON["fast-fall"]),
    limits.RR: (leapt, limits.RR_NEAR, REASON["rate"]),
}
"""Signals that may move too fast: how such readings are found, how near the level they need not wait, and
what is said against them."""


class Screen:
    """One push of the filter: finds the quiet slots, and remembers their readings (``pass_over``)."""

    def __init__(self, readings: Readings, streams: Registry, devices: Registry, others: Others) -> None:
        """Of readings sorted by signal, slot, time, seq."""
        self.readings, self._streams, self._devices, self._others = readings, streams, devices, others
        slot, signal, device = readings.slot, readings.signal, readings.device
        first = np.ones(len(readings), np.bool_)
        first[1:] = (slot[1:] != slot[:-1]) | (signal[1:] != signal[:-1]) | (device[1:] != device[:-1])
        self._first, self._at = first, np.flatnonzero(first)
        self._last = np.append(self._at[1:], len(readings)) - 1
        heads = readings.take(self._at)
        self._slot, self._signal = heads.slot.astype(np.int64), heads.signal.astype(np.int64)
        self._stream = streams.find(stream_keys(heads))
        self._beats = limits.IS_BEATING[self._signal]
        self._device = np.full(len(self._at), -1, np.int64)
        self._device[self._beats] = devices.find(device_keys(heads)[self._beats])
        self._low = np.minimum.reduceat(readings.value, self._at)
        self._high = np.maximum.reduceat(readings.value, self._at)
        self._level: Float = readings.value[self._last].copy()
        self._extremes = streams["peak"][self._stream], streams["trough"][self._stream]
        self.reason = np.zeros(len(readings), np.uint8)
        """Said against readings that moved faster than bodies do, as ``find_fast``."""
        self._restless = self._find_restless() | (streams["run_start"][self._stream] != LONG_AGO)

    def quiet(self, slots: int) -> Bool:
        """Of which slots nothing but its own past can speak against a reading, [slots]; those without
        readings here may be among them."""
        bad = self._out_of_range() | self._frozen()
        if self.readings.status.any():
            bad |= self._any(self.readings.status != 0)
        with np.errstate(invalid="ignore"):
            poor = self.readings.quality < limits.LOW_QUALITY
        if poor.any():
            bad |= self._any(poor)
        twice = np.bincount(self._stream, minlength=1)[self._stream] > 1  # two devices take turns
        heart = self._streams.key & SIGNAL_MASK == limits.HR  # a pulse may prove that it beats
        waits = heart & (self._streams["run_start"] != LONG_AGO)
        quiet = np.ones(slots, np.bool_)
        quiet[self._slot[bad | twice]] = False
        quiet[self._streams.slot[waits]] = False
        return quiet & self._at_peace(slots)

    def pass_over(self, quiet: Bool) -> Int:
        """Remember the readings of these slots, as valid beyond doubt where their streams are calm. Returns
        the rows of those that are not."""
        mine = quiet[self._slot]
        measured = mine & ~self._restless & (self._signal < limits.N_MEASURED)
        last, s = self._last, self._streams
        time, value = self.readings.time, self.readings.value
        rows = self._stream[measured]
        s["level"][rows] = self._level[measured]
        s["level_time"][rows] = s["seen"][rows] = time[last[measured]]
        for name, kept in zip(("peak", "trough"), self._extremes, strict=True):
            s[name][self._stream[mine]] = kept[mine]

        beats = mine & self._beats
        rows, device = self._stream[beats], self._device[beats]
        np.add.at(self._devices["signals"], device[s["raw_time"][rows] == LONG_AGO], 1)
        np.maximum.at(self._devices["changed"], device, self._alive[beats])
        s["raw"][rows], s["raw_time"][rows] = value[last[beats]], time[last[beats]]

        for number, latest in self._others.all():
            one = np.flatnonzero(mine & (self._signal == number))
            slot, end = self._slot[one], last[one]
            latest.time[slot], latest.value[slot] = time[end], value[end]
            good = (value[end] >= limits.GOOD_PULSE[0]) & (value[end] <= limits.GOOD_PULSE[1])
            latest.good[slot] = good & (number == limits.PR)
        walked = mine & self._restless
        return np.flatnonzero(np.repeat(walked, self._last + 1 - self._at))

    # ------------------------------------------------------------------ each stream by itself

    def _any(self, rows: Bool) -> Bool:
        found: Bool = np.logical_or.reduceat(rows, self._at)
        return found

    def _out_of_range(self) -> Bool:
        """Beyond what is possible or plausible, no heart beat, no breath."""
        low = np.maximum(limits.POSSIBLE[:, 0], limits.PLAUSIBLE[:, 0])
        high = np.minimum(limits.POSSIBLE[:, 1], limits.PLAUSIBLE[:, 1])
        low[limits.HR] = max(low[limits.HR], limits.NO_BEAT)
        low[limits.RR] = max(low[limits.RR], np.nextafter(0, 1))
        bad: Bool = (self._low < low[self._signal]) | (self._high > high[self._signal])
        return bad

    def _find_restless(self) -> Bool:
        """Changes that may have to wait; notes where each stream will stand and when it last changed."""
        time, value, s = self.readings.time, self.readings.value, self._streams
        before, elapsed = np.empty_like(value), np.empty_like(time)
        before[1:], elapsed[1:] = value[:-1], time[1:] - time[:-1]
        before[self._at] = s["raw"][self._stream]
        new = s["raw_time"][self._stream] == LONG_AGO
        elapsed[self._at] = np.where(new, 0, time[self._at] - s["raw_time"][self._stream])
        alive = (value != before) | (elapsed > limits.CONTINUOUS)
        alive[self._at] |= new
        self._alive: Int = np.maximum.reduceat(np.where(alive, time, LONG_AGO), self._at)
        self._changes = alive

        before[self._at] = s["level"][self._stream]
        bad = np.zeros(len(self._at), np.bool_)
        bounds = np.searchsorted(self._signal, np.arange(limits.N_MEASURED + 1))
        with np.errstate(invalid="ignore"):
            for signal in range(limits.N_MEASURED):
                group = slice(bounds[signal], bounds[signal + 1])
                if group.start == group.stop:
                    continue
                rows = slice(self._at[group][0], self._last[group][-1] + 1)
                if signal in _FAST:
                    moved = self._fast(signal, group, rows, before[rows])
                else:
                    moved = np.abs(value[rows] - before[rows]) > limits.JUMP[signal]
                bad[group] = np.logical_or.reduceat(moved, self._at[group] - rows.start)
        return bad

    def _fast(self, signal: int, group: slice, rows: slice, before: Float) -> Bool:
        """Changes that may have to wait, also those that are only faster than bodies are."""
        value, at = self.readings.value[rows], self._at[group] - rows.start
        stream = np.cumsum(self._first[rows]) - 1
        find, near, reason = _FAST[signal]
        fast = find(self.readings.take(rows), stream, *(kept[group] for kept in self._extremes))
        self.reason[rows][fast] = reason
        if fast.any():  # such a one is not where the stream stands
            sure = np.maximum.accumulate(np.where(fast, -1, np.arange(len(value))))
            begin = np.repeat(at, np.diff(np.append(at, len(value))))
            known = np.where(sure >= begin, value[sure], before[begin])
            before = before.copy()
            inside = ~self._first[rows]
            before[inside] = known[:-1][inside[1:]]
            self._level[group] = known[self._last[group] - rows.start]
        change = np.abs(value - before)
        moved: Bool = (change > limits.JUMP[signal]) | (fast & ~(change <= near))
        return moved

    def _frozen(self) -> Bool:
        """Devices that may show no sign of life by one of their readings here."""
        frozen = np.zeros(len(self._at), np.bool_)
        device, time = self._device[self._beats], self.readings.time
        newest = np.full(len(self._devices.key), LONG_AGO)
        np.maximum.at(newest, device, time[self._last[self._beats]])
        still = newest - self._devices["changed"] >= limits.FROZEN
        if still[device].any():
            still[device[self._longest_rest(newest) < limits.FROZEN]] = False
        frozen[self._beats] = still[device]
        return frozen

    def _longest_rest(self, newest: Int) -> Int:
        """Of each beating stream the longest time (ms) without a change, from its device's last change before
        to its device's ``newest`` reading. One stream that lives is enough for a device."""
        device, time = self._device[self._beats], self.readings.time
        oldest = np.full(len(newest), NEVER)
        np.minimum.at(oldest, device, time[self._at[self._beats]])
        known = self._devices["changed"]
        since = np.where(known == LONG_AGO, oldest, known)[device]
        rest: Int = newest[device] - np.maximum(self._alive[self._beats], since)
        number = np.cumsum(self._beats) - 1
        rows = np.flatnonzero(self._changes & np.repeat(self._beats, self._last + 1 - self._at))
        own = number[np.cumsum(self._first)[rows] - 1]
        before = np.where(
            np.append(True, own[1:] != own[:-1])[: len(own)], since[own], np.roll(time[rows], 1)
        )
        np.maximum.at(rest, own, time[rows] - before)
        return rest

    # ------------------------------------------------------------------ a slot's signals beside each other

    def _at_peace(self, slots: int) -> Bool:
        """Which slots' signals agree, whichever of their values are compared, [slots]."""
        low, high = np.full((_N, slots), np.nan), np.full((_N, slots), np.nan)
        for number, latest in self._others.all():
            low[number] = high[number] = latest.value
        np.fmin.at(low, (self._signal, self._slot), self._low)
        np.fmax.at(high, (self._signal, self._slot), self._high)
        hr, pr, pi = limits.HR, limits.PR, limits.PI
        sbp, dbp, mean = limits.SBP, limits.DBP, limits.MAP
        with np.errstate(invalid="ignore"):  # NaN: nothing to compare with
            odd: Bool = (high[hr] - low[pr] > limits.RATES_APART) | (high[pr] - low[hr] > limits.RATES_APART)
            odd |= low[pi] < limits.LOW_PERFUSION
            odd |= low[sbp] - high[dbp] < limits.PULSE_PRESSURE
            odd |= (high[mean] >= low[sbp]) | (low[mean] <= high[dbp])
        return ~odd
