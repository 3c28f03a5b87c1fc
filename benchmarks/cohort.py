"""Patients for comparisons: the simulator's own with their courses, and a monitor's noise, as wide rows.

A row is one sample of one monitor, as a database would hold it: stay, time and a column a signal, NaN where
it was not measured. Probes come off for minutes, samples go missing, single values are nonsense. So that an
evaluation has something to hold, to bridge and to lose.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from simulator.courses import SCRIPTS, Course
from simulator.noise import generator
from simulator.patients import draw_patient
from ward.ingest.recordings import Origin, Recording
from ward.signals import HOUR, INDEX, MINUTE, SECOND

START: Final = 1_800_000_000_000
DAY: Final = 24 * HOUR
SIGNALS: Final = ("hr", "spo2", "rr", "sbp")
"""What the rules of WARD's trial look at."""
CUFF: Final = 30 * MINUTE
_NOISE: Final = {"hr": 1.5, "spo2": 0.6, "rr": 1.2, "sbp": 4.0}
"""Spread of a monitor's readings around the truth."""
_MEMORY: Final = 20 * SECOND
"""How long that noise goes the same way: monitors average."""
_COURSES_EACH: Final = 2 * DAY
_OFF_EACH: Final = 5 * HOUR
_OFF_FOR: Final = 6 * MINUTE
"""A probe comes off, on average so often and for so long."""
_MISSING: Final = 0.005
_NONSENSE: Final = 0.0002
"""Parts of the readings that do not come, and that are anything."""


@dataclass(frozen=True, slots=True)
class Cohort:
    """Samples sorted by stay and time. stay [n] position; time [n] ms; value: by signal, [n], NaN: none."""

    stay: NDArray[np.int32]
    time: NDArray[np.int64]
    value: dict[str, NDArray[np.float64]]
    stays: int

    @property
    def end(self) -> int:
        """The newest time, until which every stay is evaluated."""
        return int(self.time.max())

    @property
    def readings(self) -> int:
        return sum(int((~np.isnan(column)).sum()) for column in self.value.values())

    def recordings(self) -> list[Recording]:
        """The same as ``ward replay`` has them after reading its files."""
        edges = np.searchsorted(self.stay, np.arange(self.stays + 1)).tolist()
        return [self._recording(slice(*edge), n) for n, edge in enumerate(pairwise(edges))]

    def _recording(self, rows: slice, number: int) -> Recording:
        time = self.time[rows]
        columns = np.stack([self.value[name][rows] for name in SIGNALS], axis=1)
        row, column = np.nonzero(~np.isnan(columns))
        signal = np.array([INDEX[name] for name in SIGNALS], np.int8)[column]
        return Recording(str(number), signal, time[row], columns[row, column], time, Origin())


def cohort(stays: int, days: float, step: int, seed: int = 1) -> Cohort:
    """``step``: ms between the samples of a monitor."""
    found = list(_columns(stays, int(days * DAY), step, seed))
    stay = np.repeat(np.arange(stays, dtype=np.int32), [len(time) for time, _ in found])
    value = {name: np.concatenate([values[name] for _, values in found]) for name in SIGNALS}
    return Cohort(stay, np.concatenate([time for time, _ in found]), value, stays)


def _columns(stays: int, span: int, step: int, seed: int) -> Iterator[tuple[Any, dict[str, Any]]]:
    for number in range(stays):
        source = generator((seed, 78, number))
        courses: list[Course] = []
        at = 0
        while (at := at + int(source.exponential(_COURSES_EACH))) < span:
            kind = list(SCRIPTS)[source.integers(len(SCRIPTS))]
            courses.append(Course(kind, at, lasts=int(source.uniform(2, 5) * HOUR)))
            at = courses[-1].end or at
        patient = replace(draw_patient((seed, 78, number)), courses=tuple(courses))
        begin = int(source.integers(0, step)) if step > SECOND else 0
        time = np.arange(begin, span, step, dtype=np.int64)
        truth = patient.truth(time, START)
        values = {name: _measured(name, truth[name], step, source) for name in SIGNALS}
        some = ~np.isnan(np.stack(list(values.values()))).all(axis=0)
        yield time[some] + START, {name: column[some] for name, column in values.items()}


def _measured(name: str, truth: NDArray[np.float64], step: int, source: np.random.Generator) -> Any:
    n = len(truth)
    keep = np.exp(-step / _MEMORY)
    noise = lfilter([np.sqrt(1 - keep**2)], [1, -keep], source.standard_normal(n)) * _NOISE[name]
    value = np.round(truth + noise)
    value = np.clip(value, 0, 100 if name == "spo2" else 300)
    odd = source.random(n) < _NONSENSE
    value[odd] = np.round(source.uniform(0, 100 if name == "spo2" else 250, int(odd.sum())))
    gone = source.random(n) < _MISSING
    for begin in np.flatnonzero(source.random(n) < step / _OFF_EACH).tolist():
        gone[begin : begin + 1 + int(source.exponential(_OFF_FOR) / step)] = True
    if name == "sbp":
        every = CUFF // step
        gone |= np.arange(n) % every != int(source.integers(every))
    value[gone] = np.nan
    return value
