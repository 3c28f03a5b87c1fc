"""What speaks against a reading before its own past is asked: the device's words and other signals.

All vectorised over the readings of one push. Everything is judged from what has the same or an earlier
time, so that the result does not depend on how a stream is cut into pushes.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.scoring import limits
from ward.scoring.readings import Bool, Float, Int, Readings
from ward.scoring.streams import LONG_AGO, Registry, device_keys
from ward.signals import SECOND, STATUS_INDEX

REASONS: Final[tuple[str, ...]] = (
    "",
    "impossible",
    "implausible",
    "spike",
    "rate",
    "flat-line",
    "hr-against-pr",
    "leads-off",
    "pressures",
    "device-status",
    "device-quality",
    "low-perfusion",
    "fast-fall",
    "parts-missing",
    "parts-stale",
)
"""Why a reading is doubted or refused, the last two only of scores; index 0: no reason. Only ever appended
to: history keeps numbers."""
REASON: Final[dict[str, int]] = {word: i for i, word in enumerate(REASONS)}

_NO_MEASUREMENT = [STATUS_INDEX[w] for w in ("probe-off", "leads-off", "calibrating", "invalid")]
_DOUBTFUL = [STATUS_INDEX[w] for w in ("motion", "low-perfusion", "out-of-range", "unknown")]
_TIME_BITS: Final = 44
FINE: Final = 10_000
"""Fractions of a unit in which heights are counted."""
_HIGHEST: Final = 1_000.0


@dataclass(frozen=True, slots=True)
class Doubts:
    """Of n readings.

    refused: invalid, whatever follows; frozen: from a device that shows no sign of life; reason: index
    into ``REASONS`` for these and for doubts. ``strong`` doubts hold whatever the signal's past says,
    the others only where the value departs from it.
    """

    refused: Bool
    frozen: Bool
    strong: Bool
    reason: NDArray[np.uint8]

    @classmethod
    def none(cls, reason: NDArray[np.uint8]) -> Doubts:
        """Nothing but these."""
        refused, frozen, strong = np.zeros((3, len(reason)), np.bool_)
        return cls(refused, frozen, strong, reason)

    def put(self, rows: Int, some: Doubts) -> None:
        """In place of what was said of these rows."""
        for name in self.__slots__:
            getattr(self, name)[rows] = getattr(some, name)


class Latest:
    """The last value of one signal of each slot, whichever device it came from."""

    def __init__(self, slots: int) -> None:
        self.time: Int = np.full(slots, LONG_AGO, np.int64)
        self.value: Float = np.full(slots, np.nan)
        self.good: Bool = np.zeros(slots, np.bool_)
        self._keys: Int = np.empty(0, np.int64)
        self._rows: tuple[Int, Float, Bool] = (self._keys, np.empty(0), np.empty(0, np.bool_))

    def resize(self, slots: int) -> None:
        more = slots - len(self.time)
        self.time = np.concatenate([self.time, np.full(more, LONG_AGO, np.int64)])
        self.value = np.concatenate([self.value, np.full(more, np.nan)])
        self.good = np.concatenate([self.good, np.zeros(more, np.bool_)])

    def adopt(self, slot: int, other: Latest, source: int) -> None:
        for name in ("time", "value", "good"):
            getattr(self, name)[slot] = getattr(other, name)[source]

    def forget(self, slot: int) -> None:
        self.time[slot], self.value[slot], self.good[slot] = LONG_AGO, np.nan, False

    def begin(self, readings: Readings, good: Bool) -> None:
        """This push's readings of the signal, in order."""
        keys = _slot_time(readings.slot, readings.time)
        order = np.argsort(keys, kind="stable")
        self._keys = keys[order]
        self._rows = (readings.time[order], readings.value[order], good[order])

    def at(self, slot: NDArray[np.int32], time: Int) -> tuple[Int, Float, Bool]:
        """Time, value and goodness of the last reading up to and including ``time``, [n]."""
        at = np.searchsorted(self._keys, _slot_time(slot, time), side="right") - 1
        here = at >= 0
        here[here] = self._keys[at[here]] >> _TIME_BITS == slot[here]
        found = (self.time[slot], self.value[slot], self.good[slot])
        for old, new in zip(found, self._rows, strict=True):
            old[here] = new[at[here]]
        return found

    def commit(self) -> None:
        """What came with this push is now the past."""
        slots = self._keys >> _TIME_BITS
        last = np.append(slots[1:] != slots[:-1], True)[: len(slots)]
        for own, new in zip((self.time, self.value, self.good), self._rows, strict=True):
            own[slots[last]] = new[last]
        self._keys = self._keys[:0]

    def snapshot(self) -> dict[str, NDArray[Any]]:
        return {"time": self.time.copy(), "value": self.value.copy(), "good": self.good.copy()}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        self.time, self.value, self.good = (state[name].copy() for name in ("time", "value", "good"))


@dataclass(frozen=True, slots=True)
class Others:
    """The signals that others are compared with."""

    hr: Latest
    pr: Latest
    pi: Latest

    def all(self) -> tuple[tuple[int, Latest], ...]:
        return (limits.HR, self.hr), (limits.PR, self.pr), (limits.PI, self.pi)

    def pulse_is_good(self, slot: NDArray[np.int32], time: Int) -> Bool:
        """Whether a good pulse rate of the last moment says that the heart beats."""
        at, _, good = self.pr.at(slot, time)
        return good & (time - at <= limits.FRESH)

    def pulse_outlasts(self, slot: NDArray[np.int32], since: Int, time: Int) -> Bool:
        """Whether a good pulse proves that the heart beat on after it fell silent at ``since``, [n]."""
        at, _, good = self.pr.at(slot, time)
        return good & (at - since >= limits.LAG) & (time - at <= limits.LAG)


def examine(readings: Readings, others: Others, still: Bool, active: Set[str]) -> Doubts:
    """What the device and the other signals say against each reading, ``frozen`` left out.

    ``others`` is given this push's readings (``begin``); the caller commits them when done. still: as
    ``find_still`` tells, for a pulse that may be frozen is no witness; active: names of ``limits.DETECTORS``.
    """
    signal, value, status = readings.signal, readings.value, readings.status
    reason = np.zeros(len(readings), np.uint8)
    possible = (value >= limits.POSSIBLE[signal, 0]) & (value <= limits.POSSIBLE[signal, 1])
    possible |= "impossible" not in active
    silent = np.isin(status, _NO_MEASUREMENT) & ("no-measurement" in active)
    refused = ~possible | silent

    with np.errstate(invalid="ignore"):
        poor = readings.quality < limits.LOW_QUALITY
    worded = np.isin(status, _DOUBTFUL)
    good_pulse = (
        (signal == limits.PR)
        & ~poor
        & ~worded
        & ~still
        & (value >= limits.GOOD_PULSE[0])
        & (value <= limits.GOOD_PULSE[1])
    )
    for number, latest in others.all():
        rows = (signal == number) & ~refused
        latest.begin(readings.take(rows), good_pulse[rows])

    for detector, word, found in (  # the later ones prevail
        ("low-perfusion", "low-perfusion", _thin(readings, others)),
        ("hr-against-pr", "hr-against-pr", _apart(readings, others)),
        ("low-quality", "device-quality", poor),
        ("doubtful-word", "device-status", worded),
    ):
        if detector in active:
            _say(reason, found, word)
    measured = signal < limits.N_MEASURED
    reason[~measured] = 0

    strong = np.zeros(len(readings), np.bool_)
    for word, rows in (
        ("pressures", _incoherent(readings, refused)),
        ("leads-off", _silent_beside_pulse(readings, others)),
    ):
        if word in active:
            strong |= rows
            _say(reason, rows, word)
    _say(reason, silent, "device-status")
    _say(reason, ~possible, "impossible")
    return Doubts(refused, np.zeros(len(readings), np.bool_), strong & ~refused, reason)


def find_still(readings: Readings, order: Int, stream: Int, streams: Registry, devices: Registry) -> Bool:
    """Readings of devices none of whose beating signals has changed for long, [n].

    ``order`` sorts the readings by stream, ``stream`` [n] is their row in ``streams``; both registries are
    brought up to date.
    """
    found = np.zeros(len(readings), np.bool_)
    rows = order[limits.IS_BEATING[readings.signal[order]]]
    if not len(rows):
        return found
    own, time, value = stream[rows], readings.time[rows], readings.value[rows]
    device = devices.find(device_keys(readings)[rows])
    first = np.append(True, own[1:] != own[:-1])
    before = np.where(first, streams["raw"][own], np.roll(value, 1))
    before_time = np.where(first, streams["raw_time"][own], np.roll(time, 1))
    last = np.append(first[1:], True)
    streams["raw"][own[last]], streams["raw_time"][own[last]] = value[last], time[last]

    new = before_time == LONG_AGO
    alive = new | (value != before) | (time - before_time > limits.CONTINUOUS)
    key = _slot_time(device, time)
    lives = np.sort(key[alive])
    at = np.searchsorted(lives, key, side="right") - 1
    changed = devices["changed"][device]
    here = at >= 0
    here[here] = lives[at[here]] >> _TIME_BITS == device[here]
    changed[here] = (lives[at[here]] & (2**_TIME_BITS - 1)) - 2 ** (_TIME_BITS - 1)
    births = np.sort(key[new])
    born = np.searchsorted(births, key, side="right") - np.searchsorted(births, device << _TIME_BITS)
    signals = devices["signals"][device] + born
    np.maximum.at(devices["changed"], device[alive], time[alive])
    np.add.at(devices["signals"], device[new], 1)

    found[rows] = time - changed >= np.where(signals > 1, limits.FROZEN, limits.FROZEN_ALONE)
    return found


def looks_normal(readings: Readings) -> Bool:
    """Measured values that may well be no patient's: a frozen extreme may be a true one, and stays, [n]."""
    found: Bool = readings.signal < limits.N_MEASURED
    normal, value = limits.NORMAL[readings.signal[found]], readings.value[found]
    found[found] = (value >= normal[:, 0]) & (value <= normal[:, 1])
    return found


def find_fast(
    readings: Readings, order: Int, stream: Int, streams: Registry, refused: Bool, active: Set[str]
) -> NDArray[np.uint8]:
    """Reason against readings at the end of a move faster than bodies move, 0 where there is none, [n].

    Arguments as in ``find_still`` and ``examine``.
    """
    reason = np.zeros(len(readings), np.uint8)
    for detector, signal, find, word in (
        ("fast-fall", limits.SPO2, fallen, "fast-fall"),
        ("fast-breath", limits.RR, leapt, "rate"),
    ):
        rows = order[(readings.signal == signal)[order] & ~refused[order]]
        if len(rows) and detector in active:
            part = readings.take(rows)
            fast = find(part, stream[rows], streams["peak"], streams["trough"])
            reason[rows[fast]] = REASON[word]
    return reason


def fallen(readings: Readings, stream: Int, peak: Int, trough: Int) -> Bool:
    """SpO2 that fell faster than bodies fall, [n], but for what the device vouches for.

    Rows are sorted by stream. peak, trough: as ``below_peak`` keeps them by stream, of values and of values
    turned round; they are brought up to date.
    """
    below = below_peak(readings.value, readings.time, stream, peak, limits.SPEED)
    with np.errstate(invalid="ignore"):
        vouched = readings.quality >= limits.GOOD_QUALITY
    found: Bool = (below > limits.FAST * FINE) & ~vouched
    return found


def leapt(readings: Readings, stream: Int, peak: Int, trough: Int) -> Bool:
    """Respiratory rates that moved, up or down, faster than a count of breaths does, [n]; as ``fallen``."""
    off = below_peak(readings.value, readings.time, stream, peak, limits.RR_SPEED)
    np.maximum(off, below_peak(-readings.value, readings.time, stream, trough, limits.RR_SPEED), out=off)
    found: Bool = off > limits.RR_FAST * FINE
    return found


def below_peak(value: Float, time: Int, stream: Int, kept: Int, speed: float) -> Int:
    """How far each reading is below the highest before it, each of these falling at ``speed`` a second, [n].

    In whole numbers (``FINE`` to one), so that nothing depends on how a stream is cut. Rows are sorted by
    stream; ``kept``: each stream's highest of value + speed × time, which is brought up to date.
    """
    value = np.clip(value, -_HIGHEST, _HIGHEST)  # what cannot be is refused by others
    height = np.rint(value * FINE).astype(np.int64) + round(speed * FINE / SECOND) * time
    first = np.append(True, stream[1:] != stream[:-1])
    part, begin = np.cumsum(first) - 1, np.flatnonzero(first)
    base = np.maximum(kept[stream[begin]], height[begin])
    # One running maximum for all streams: each is lifted above all that came before it.
    above = height - base[part]
    lift = part * (int(above.max() - above.min()) + 1)
    peak = np.maximum.accumulate(np.where(first, 0, above) + lift) - lift
    last = np.append(first[1:], True)
    kept[stream[last]] = (peak + base[part])[last]
    below: Int = peak - above
    return below


def _silent_beside_pulse(readings: Readings, others: Others) -> Bool:
    """A heart rate of 0 while a good pulse says that the heart beats."""
    rows: Bool = (readings.signal == limits.HR) & (readings.value < limits.NO_BEAT)
    rows[rows] = others.pulse_is_good(readings.slot[rows], readings.time[rows])
    return rows


def _thin(readings: Readings, others: Others) -> Bool:
    """Oximetry while the perfusion index is low."""
    rows = np.isin(readings.signal, (limits.SPO2, limits.PR))
    time = readings.time[rows]
    at, perfusion, _ = others.pi.at(readings.slot[rows], time)
    with np.errstate(invalid="ignore"):
        rows[rows] = (time - at <= limits.FRESH) & (perfusion < limits.LOW_PERFUSION)
    return rows


def _apart(readings: Readings, others: Others) -> Bool:
    """SpO2 while heart rate and pulse rate differ."""
    rows: Bool = readings.signal == limits.SPO2
    slot, time = readings.slot[rows], readings.time[rows]
    hr_at, hr, _ = others.hr.at(slot, time)
    pr_at, pr, _ = others.pr.at(slot, time)
    both = (time - hr_at <= limits.FRESH) & (time - pr_at <= limits.FRESH)
    with np.errstate(invalid="ignore"):
        rows[rows] = both & (np.abs(hr - pr) > limits.RATES_APART)
    return rows


def _incoherent(readings: Readings, refused: Bool) -> Bool:
    """Pressures of one device and instant that cannot be together: DBP < MAP < SBP, SBP − DBP ≥ 10."""
    doubtful = np.zeros(len(readings), np.bool_)
    kinds = np.array([limits.SBP, limits.DBP, limits.MAP])  # ascending
    rows = np.flatnonzero(np.isin(readings.signal, kinds) & ~refused)
    if not len(rows):
        return doubtful
    key, time = device_keys(readings)[rows], readings.time[rows]
    order = np.lexsort((time, key))
    starts = np.append(True, (np.diff(key[order]) != 0) | (np.diff(time[order]) != 0))
    group = np.empty(len(rows), np.int64)
    group[order] = np.cumsum(starts) - 1
    sets = np.full((int(starts.sum()), 3), np.nan)
    sets[group, np.searchsorted(kinds, readings.signal[rows])] = readings.value[rows]
    sbp, dbp, mean = sets.T
    with np.errstate(invalid="ignore"):
        wrong = (sbp - dbp < limits.PULSE_PRESSURE) | (mean >= sbp) | (mean <= dbp)
    doubtful[rows] = wrong[group]
    return doubtful


def _say(reason: NDArray[np.uint8], rows: Bool, word: str) -> None:
    reason[rows] = REASON[word]


def _slot_time(slot: NDArray[Any], time: Int) -> Int:
    """One number that sorts by slot (or device), then time."""
    key: Int = (slot.astype(np.int64) << _TIME_BITS) + time + 2 ** (_TIME_BITS - 1)
    return key
