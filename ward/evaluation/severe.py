"""Sustained severe events in a recording, found by a slow and obvious reference: the yardstick for silence.

It shares nothing with the engine, the filter or any pack. Each signal is laid on a grid of seconds, where a
reading speaks for its second and for at most ``CARRY`` after it, and smoothed by a median over a minute,
which no lone spike survives. An event is a time in which that is beyond a limit and never known to be within
it, for as long as ``EVENTS`` says. Seconds in which nothing is known do not count; more than ``BRIDGE`` of
them on end are the end. Blood pressure is looked at measurement by measurement.

The limits are those where a patient is in danger by common emergency criteria (the extreme band of NEWS2, or
beyond WARD's most severe rules), not those of the pack that is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ward.ingest.recordings import Recording
from ward.signals import INDEX, MINUTE, SECOND

CARRY: Final = 10
"""s"""
BRIDGE: Final = 120
"""s"""
SMOOTH: Final = 60
"""s"""
PULSE: Final = 45
"""A pulse that speaks against a heart that hardly beats; 1/min."""
LONGEST_STEP: Final = 60
"""Median seconds between readings of a signal beyond which a grid of seconds makes no sense."""

Grid = NDArray[np.float64]
Beyond = Callable[[dict[str, Grid]], Grid]


@dataclass(frozen=True, slots=True)
class Kind:
    """``beyond`` takes the smoothed signals, by name, on a grid of seconds (NaN: not known), and says 1 or 0,
    NaN where that is not known."""

    name: str
    words: str
    signals: tuple[str, ...]
    seconds: int
    beyond: Beyond


@dataclass(frozen=True, slots=True)
class Event:
    """``start``: when it began; ``due``: when it had lasted as long as makes it one; ``end`` (ms of the
    recording's time)."""

    kind: Kind
    start: int
    due: int
    end: int


def _below(name: str, number: float) -> Beyond:
    return lambda grid: np.where(np.isnan(grid[name]), np.nan, grid[name] < number)


def _above(name: str, number: float) -> Beyond:
    return lambda grid: np.where(np.isnan(grid[name]), np.nan, grid[name] > number)


def _heart_below(number: float) -> Beyond:
    """Unless the oximeter counts a pulse: then an electrode is off. Where there is no HR its pulse counts."""

    def beyond(grid: dict[str, Grid]) -> Grid:
        beats, pulse = grid["hr"], grid["pr"]
        found = np.where(np.isnan(beats), pulse < number, (beats < number) & ~(pulse >= PULSE))
        return np.where(np.isnan(beats) & np.isnan(pulse), np.nan, found)

    return beyond


EVENTS: Final[tuple[Kind, ...]] = (
    Kind("spo2-below-85", "SpO2 below 85 % for 5 min", ("spo2",), 300, _below("spo2", 85)),
    Kind("spo2-below-80", "SpO2 below 80 % for 2 min", ("spo2",), 120, _below("spo2", 80)),
    Kind("rr-up-to-5", "RR 5 or less for 90 s", ("rr",), 90, _below("rr", 5.5)),
    Kind("rr-from-30", "RR 30 or more for 10 min", ("rr",), 600, _above("rr", 29.5)),
    Kind("hr-below-40", "HR below 40 for 5 min", ("hr", "pr"), 300, _heart_below(40)),
    Kind("hr-below-30", "HR below 30 (0 included) for 90 s", ("hr", "pr"), 90, _heart_below(30)),
    Kind("hr-above-130", "HR above 130 for 30 min", ("hr",), 1800, _above("hr", 130)),
    Kind("sbp-below-80", "SBP below 80 for 30 min (two measurements)", ("sbp",), 1800, _below("sbp", 80)),
)


def events(recording: Recording, kinds: Sequence[Kind] = EVENTS) -> list[Event]:
    """All of them, in order of time."""
    if not len(recording):
        return []
    zero = int(recording.time[0]) // SECOND
    length = int(recording.rows[-1]) // SECOND - zero + 1
    names = dict.fromkeys(name for kind in kinds for name in kind.signals)
    grid = {name: smoothed(recording, name, zero, length) for name in names}
    found = []
    for kind in kinds:
        with np.errstate(invalid="ignore"):
            beyond = kind.beyond(grid)
        for begin, end in runs(beyond, _bridge(kind.signals[0])):
            lasted = np.cumsum(np.nan_to_num(beyond[begin:end]))
            if lasted[-1] >= kind.seconds:
                due = begin + int(np.searchsorted(lasted, kind.seconds)) + 1
                found.append(Event(kind, *((zero + second) * SECOND for second in (begin, due, end))))
    return sorted(found, key=lambda event: (event.start, event.end))


def _carry(name: str) -> int:
    return 65 * MINUTE // SECOND if name == "sbp" else CARRY


def _bridge(name: str) -> int:
    return 0 if name == "sbp" else BRIDGE


def smoothed(recording: Recording, name: str, zero: int, length: int) -> Grid:
    """The signal on a grid of seconds; a median over a minute where it is measured more often than that."""
    mine = recording.signal == INDEX[name]
    seconds, values = recording.time[mine] // SECOND - zero, recording.value[mine]
    grid = np.full(length, np.nan)
    inside = (seconds >= 0) & (seconds < length)
    grid[seconds[inside]] = values[inside]
    grid = carried(grid, _carry(name))
    if len(seconds) < 2 or name == "sbp":
        return grid
    if np.median(np.diff(seconds)) > LONGEST_STEP:
        return np.full(length, np.nan)
    return rolling_median(grid, SMOOTH)


def carried(grid: Grid, longest: int) -> Grid:
    """Each known value stands until the next, for ``longest`` cells at the most."""
    place = np.where(np.isnan(grid), -1, np.arange(len(grid)))
    last = np.maximum.accumulate(place)
    near = (last >= 0) & (np.arange(len(grid)) - last <= longest)
    return np.where(near, grid[np.maximum(last, 0)], np.nan)


def rolling_median(grid: Grid, width: int) -> Grid:
    """Of the cells around each one, those that are known; NaN where the cell itself is not."""
    half = width // 2
    padded = np.pad(grid, half, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    result = np.full(len(grid), np.nan)
    known = np.flatnonzero(~np.isnan(grid))
    for part in np.array_split(known, max(1, len(known) // 20_000)):
        result[part] = np.nanmedian(windows[part], axis=1)
    return result


def runs(beyond: Grid, bridge: int) -> list[tuple[int, int]]:
    """(begin, end) of the stretches of ones; two with at most ``bridge`` cells of NaN between are one."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], beyond == 1, [0]])))
    found: list[tuple[int, int]] = []
    for begin, end in edges.reshape(-1, 2).tolist():
        last = found[-1] if found else None
        if last and begin - last[1] <= bridge and np.isnan(beyond[last[1] : begin]).all():
            found[-1] = (last[0], end)
        else:
            found.append((begin, end))
    return found
