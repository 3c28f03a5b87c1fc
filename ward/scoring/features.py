"""What the score is computed from: one table of features, for training and for the running ward alike.

A feature is a *series* (a signal, or a quantity of several) seen by a *view* (its newest value, a mean of
hours before, the difference of the two …). Hour of stay, length of the record, ages and counts of
measurements are in none of them: in records of intensive care they tell who is watched closely, which
means nothing on a ward.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.scoring.news2 import points
from ward.scoring.trends import HOURS, TRACKED, Float32, Inputs

_PARTS: Final = ("rr", "spo2", "sbp", "hr", "temp")
"""Of NEWS2, those that are measured: consciousness and oxygen are in hardly any record to learn from."""


WINDOWS: Final = (6, 12, 24)
"""Hours over which history is summed up."""
_AT_ONCE: Final = 1_024
"""Rows computed together: what fits into a processor's cache."""


@dataclass(frozen=True, slots=True)
class Series:
    """words: as clinicians say it; signals: what it is made of; spo2: +1 where a higher SpO2 raises it, -1
    where it lowers it, 0 where it has no say."""

    words: str
    signals: tuple[str, ...]
    spo2: int = 0


SERIES: Final[dict[str, Series]] = {
    "hr": Series("heart rate", ("hr",)),
    "spo2": Series("SpO2", ("spo2",), spo2=1),
    "rr": Series("respiratory rate", ("rr",)),
    "sbp": Series("systolic pressure", ("sbp",)),
    "dbp": Series("diastolic pressure", ("dbp",)),
    "map": Series("mean pressure", ("map", "sbp", "dbp")),
    "temp": Series("temperature", ("temp",)),
    "shock_index": Series("shock index (heart rate / systolic pressure)", ("hr", "sbp")),
    "pulse_pressure": Series("pulse pressure (systolic - diastolic)", ("sbp", "dbp")),
    "spo2_rr": Series("SpO2 / respiratory rate", ("spo2", "rr"), spo2=1),
    "hr_rr": Series("heart rate x respiratory rate / 100", ("hr", "rr")),
    "news_hr": Series("NEWS2 points of the heart rate", ("hr",)),
    "news_spo2": Series("NEWS2 points of SpO2", ("spo2",), spo2=-1),
    "news_rr": Series("NEWS2 points of the respiratory rate", ("rr",)),
    "news_sbp": Series("NEWS2 points of the systolic pressure", ("sbp",)),
    "news_temp": Series("NEWS2 points of the temperature", ("temp",)),
    "news": Series("NEWS2 points of what is measured", _PARTS, spo2=-1),
}


@dataclass(frozen=True, slots=True)
class View:
    """now: whether it grows with the series' newest value; else only history is in it."""

    words: str
    now: bool


VIEWS: Final[dict[str, View]] = {
    "now": View("{} now", now=True),
    "last": View("{}, newest known of the last 24 h", now=True),
    **{f"mean{w}": View(f"mean {{}} of the {w} h before", now=False) for w in WINDOWS},
    **{f"min{w}": View(f"least {{}} of the {w} h before", now=False) for w in WINDOWS},
    **{f"max{w}": View(f"most {{}} of the {w} h before", now=False) for w in WINDOWS},
    **{f"std{w}": View(f"spread of {{}} over the {w} h before", now=False) for w in WINDOWS},
    **{f"change{w}": View(f"{{}}, newest less its mean of the {w} h before", now=True) for w in WINDOWS},
    "drift": View("{}, mean of the 6 h before less that of 24 h", now=False),
}


@dataclass(frozen=True, slots=True)
class Feature:
    series: str
    view: str

    @property
    def name(self) -> str:
        return f"{self.series}.{self.view}"

    @property
    def words(self) -> str:
        return VIEWS[self.view].words.format(SERIES[self.series].words)

    @property
    def monotone(self) -> int:
        """Which way the risk may go with it, so that a lower SpO2 never lowers the risk: -1, 0, 1."""
        return -SERIES[self.series].spo2 if VIEWS[self.view].now else 0


FEATURES: Final[tuple[Feature, ...]] = tuple(
    Feature(series, view) for series in SERIES for view in VIEWS if view != "now"
)
NAMES: Final[tuple[str, ...]] = tuple(feature.name for feature in FEATURES)
BY_NAME: Final[dict[str, Feature]] = {feature.name: feature for feature in FEATURES}


def monotone(features: Sequence[Feature] = FEATURES) -> list[int]:
    """The constraint on each feature, as scikit-learn's ``monotonic_cst`` wants it."""
    return [feature.monotone for feature in features]


def matrix(inputs: Inputs, features: Sequence[Feature] = FEATURES) -> Float32:
    """The features [n, features] of n inputs, NaN where not known; each row depends on its own input only."""
    names = list(dict.fromkeys(feature.series for feature in features))
    columns = [(feature.view, names.index(feature.series)) for feature in features]
    result = np.empty((len(inputs), len(features)), np.float32)
    for begin in range(0, len(inputs), _AT_ONCE):
        rows = slice(begin, begin + _AT_ONCE)
        views = _views(
            _series(inputs.present[rows].T, names),
            _series(inputs.hourly[rows].transpose(2, 1, 0), names),
        )
        for column, (view, series) in enumerate(columns):
            result[rows, column] = views[view][series]
    return result


def _series(values: Float32, names: Sequence[str]) -> NDArray[np.float64]:
    """The named series [names, ...] of the signals [TRACKED, ...]."""
    own = dict(zip(TRACKED, np.ascontiguousarray(values, np.float64), strict=True))
    found = np.empty((len(names), *values.shape[1:]))
    for i, name in enumerate(names):
        found[i] = _MADE[name](own)
    return found


def _views(now: NDArray[np.float64], hours: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Every view [series, n] of newest values [series, n] and hours [series, HOURS, n].

    Hour by hour, so that a row's sums are made in one order whatever else is in the table.
    """
    shape = now.shape
    known, total, squares = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    least, most = np.full(shape, np.nan), np.full(shape, np.nan)
    last = now.copy()
    views = {"now": now, "last": last}
    for hour in range(HOURS):
        value = hours[:, hour]
        ok = ~np.isnan(value)
        filled = np.where(ok, value, 0.0)
        known += ok
        total += filled
        squares += filled * filled
        np.fmin(least, value, out=least)
        np.fmax(most, value, out=most)
        np.copyto(last, value, where=np.isnan(last))
        if (window := hour + 1) in WINDOWS:
            some = known > 0
            mean = np.divide(total, known, out=np.full(shape, np.nan), where=some)
            square = np.divide(squares, known, out=np.full(shape, np.nan), where=some)
            spread = np.sqrt(np.maximum(square - mean * mean, 0))
            views[f"mean{window}"] = mean
            views[f"min{window}"], views[f"max{window}"] = least.copy(), most.copy()
            views[f"std{window}"] = np.where(known > 1, spread, np.nan)
    for window in WINDOWS:
        views[f"change{window}"] = last - views[f"mean{window}"]
    views["drift"] = views["mean6"] - views["mean24"]
    return views


Signals = dict[str, NDArray[np.float64]]


def _ratio(above: Any, below: Any) -> Any:
    return np.divide(above, below, out=np.full(np.shape(above), np.nan), where=np.asarray(below) > 0)


def _map(x: Signals) -> Any:
    """Measured, or from the other two pressures."""
    return np.where(np.isnan(x["map"]), (x["sbp"] + 2 * x["dbp"]) / 3, x["map"])


def _own(name: str) -> Callable[[Signals], Any]:
    return lambda x: x[name]


def _points(name: str) -> Callable[[Signals], Any]:
    def made(x: Signals) -> Any:
        return np.where(np.isnan(x[name]), np.nan, points(name, x[name]))

    return made


def _news(x: Signals) -> Any:
    """The sum of the parts that are known; NaN where none is."""
    parts = [points(name, x[name]) for name in _PARTS]
    none = np.logical_and.reduce([np.isnan(x[name]) for name in _PARTS])
    return np.where(none, np.nan, np.sum(parts, axis=0))


_MADE: Final[dict[str, Callable[[Signals], Any]]] = {
    **{name: _own(name) for name in TRACKED},
    "map": _map,
    "shock_index": lambda x: _ratio(x["hr"], x["sbp"]),
    "pulse_pressure": lambda x: x["sbp"] - x["dbp"],
    "spo2_rr": lambda x: _ratio(x["spo2"], x["rr"]),
    "hr_rr": lambda x: x["hr"] * x["rr"] / 100,
    **{f"news_{name}": _points(name) for name in _PARTS},
    "news": _news,
}
