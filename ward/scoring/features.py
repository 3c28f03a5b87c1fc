"""What the score is computed from: one table of features, for training and for the running ward alike.

A feature is a *series* (a signal, or a quantity of several) seen by a *view* (its newest value, a mean of
hours before, the difference of the two …). Hour of stay, length of the record, ages and counts of
measurements are in none of them: in records of intensive care they tell who is watched closely, which
means nothing on a ward.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ward.scoring.news2 import cuts, points
from ward.scoring.trends import HOURS, TRACKED, Float32, Inputs

_PARTS: Final = ("rr", "spo2", "sbp", "hr", "temp")
"""Of NEWS2, those that are measured: consciousness and oxygen are in hardly any record to learn from."""


WINDOWS: Final = (6, 12, 24)
"""Hours over which history is summed up."""
_TREND: Final = (4, 12)
"""The newest hours of the trend, and where the older ones begin."""
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
    "map_share": Series("mean / systolic pressure", ("map", "sbp", "dbp")),
    "hr_temp": Series("heart rate less 9 for each degree above 37", ("hr", "temp")),
    "sirs": Series("how many of HR > 90, RR > 20, temperature beyond 36 to 38", ("hr", "rr", "temp")),
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
    "trend": View("{}, mean of the 4 h before less that of 13 to 24 h before", now=False),
    "unrest": View("{}, mean difference from hour to hour over the 24 h before", now=False),
}

_COUNTED: Final = (*(f"news_{name}" for name in _PARTS), "sirs")
"""Series that are counts of points."""
CHOSEN: Final[dict[str, str]] = {
    "hr": "last mean6 mean12 mean24 std6 std12 std24 change24 trend unrest",
    "spo2": "last mean6 mean24 std6 std12 std24 unrest trend",
    "rr": "last mean6 mean12 mean24 std6 std24 drift trend",
    "temp": "last mean6 mean12 mean24 change12 change24 trend",
    "sbp": "last mean6 mean24 std6 std12 std24 trend unrest",
    "map": "last mean6 mean24 std6 std24 trend",
    "shock_index": "last mean6 mean24 std12 std24 change12 change24 trend",
    "pulse_pressure": "last mean6 mean12 mean24 trend",
    "map_share": "last mean6 mean12 mean24 trend",
    "spo2_rr": "last mean6 mean12 mean24 drift trend",
    "hr_temp": "last mean12 mean24 std24 unrest trend",
    "news": "last mean6 mean12 mean24 trend",
    **dict.fromkeys(_COUNTED, "last mean12 mean24"),
}
"""The views of each series that a model is trained on. Extremes are not among them: out of fold they made it
worse. An extreme is an artefact more often than not, and grows with how often one measures."""
_ORDER: Final = {series: i for i, series in enumerate(SERIES)}


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


BY_NAME: Final[dict[str, Feature]] = {
    feature.name: feature
    for feature in (Feature(series, view) for series in SERIES for view in VIEWS if view != "now")
}
"""All that can be computed."""
FEATURES: Final[tuple[Feature, ...]] = tuple(
    Feature(series, view) for series, views in CHOSEN.items() for view in views.split()
)
NAMES: Final[tuple[str, ...]] = tuple(feature.name for feature in FEATURES)


def monotone(features: Sequence[Feature] = FEATURES) -> list[int]:
    """The constraint on each feature, as scikit-learn's ``monotonic_cst`` wants it."""
    return [feature.monotone for feature in features]


def matrix(inputs: Inputs, features: Sequence[Feature] = FEATURES) -> Float32:
    """The features [n, features] of n inputs, NaN where not known; each row depends on its own input only."""
    names = sorted({feature.series for feature in features}, key=_ORDER.__getitem__)
    kinds = [
        [(i, f) for i, f in enumerate(features) if (f.series in _COUNTED) is counted]
        for counted in (False, True)
    ]
    result = np.empty((len(inputs), len(features)), np.float32)
    for begin in range(0, len(inputs), _AT_ONCE):
        rows = slice(begin, begin + _AT_ONCE)
        now = _series(inputs.present[rows].T, names)
        hours = _series(inputs.hourly[rows].transpose(2, 1, 0), names)
        for columns in kinds:
            own = list(dict.fromkeys(feature.series for _, feature in columns))
            at = [names.index(series) for series in own]
            views = _views(now[at], hours[at], {feature.view for _, feature in columns})
            for column, feature in columns:
                result[rows, column] = views[feature.view][own.index(feature.series)]
    return result


def _series(values: Float32, names: Sequence[str]) -> NDArray[np.float64]:
    """The named series [names, ...] of the signals [TRACKED, ...]."""
    known = dict(zip(TRACKED, np.ascontiguousarray(values, np.float64), strict=True))
    found = np.empty((len(names), *values.shape[1:]))
    for i, name in enumerate(names):
        found[i] = known[name] = _MADE[name](known)
    return found


def _views(
    now: NDArray[np.float64], hours: NDArray[np.float64], wanted: Collection[str]
) -> dict[str, NDArray[np.float64]]:
    """Views of newest values [series, n] and hours [series, HOURS, n], each [series, n]; at least the wanted.

    Hour by hour, so that a row's sums are made in one order whatever else is in the table.
    """
    shape = now.shape
    known, total, squares = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    least, most = np.full(shape, np.nan), np.full(shape, np.nan)
    steps, stepped = np.zeros(shape), np.zeros(shape)
    at: dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
    last = now.copy()
    views = {"now": now, "last": last}
    spreads, extremes = (any(view.startswith(kinds) for view in wanted) for kinds in ("std", ("min", "max")))
    for hour in range(HOURS):
        value = hours[:, hour]
        ok = ~np.isnan(value)
        filled = np.where(ok, value, 0.0)
        np.copyto(last, value, where=np.isnan(last))
        known += ok
        total += filled
        if spreads:
            squares += filled * filled
        if extremes:
            np.fmin(least, value, out=least)
            np.fmax(most, value, out=most)
        if hour and "unrest" in wanted:
            step = np.abs(value - hours[:, hour - 1])
            moved = ~np.isnan(step)
            np.add(steps, step, out=steps, where=moved)
            stepped += moved
        window = hour + 1
        if window in _TREND:
            at[window] = total.copy(), known.copy()
        if window in WINDOWS:
            mean = _share(total, known)
            views[f"mean{window}"] = mean
            views[f"min{window}"], views[f"max{window}"] = least.copy(), most.copy()
            spread = np.maximum(squares - known * mean * mean, 0) / np.maximum(known - 1, 1)
            views[f"std{window}"] = np.where(known > 2, np.sqrt(spread), np.nan)
    for window in WINDOWS:
        views[f"change{window}"] = last - views[f"mean{window}"]
    views["drift"] = views["mean6"] - views["mean24"]
    new, old = at[_TREND[0]], at[_TREND[1]]
    views["trend"] = _share(*new) - _share(total - old[0], known - old[1])
    views["unrest"] = np.where(stepped > 2, _share(steps, stepped), np.nan)
    return views


def _share(total: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means; NaN where nothing is known."""
    mean: NDArray[np.float64] = np.divide(total, known, out=np.full(total.shape, np.nan), where=known > 0)
    return mean


Signals = dict[str, NDArray[np.float64]]


def _ratio(above: Any, below: Any) -> Any:
    return np.divide(above, below, out=np.full(np.shape(above), np.nan), where=np.asarray(below) > 0)


def _map(x: Signals) -> Any:
    """Measured, or from the other two pressures."""
    return np.where(np.isnan(x["map"]), (x["sbp"] + 2 * x["dbp"]) / 3, x["map"])


def _own(name: str) -> Callable[[Signals], Any]:
    return lambda x: x[name]


def _points(name: str) -> Callable[[Signals], Any]:
    """NEWS2's points, step by step of the chart: a few comparisons, in place of a search for each value."""
    edges = sorted(cuts(name, scale=1))
    least, *rest = points(name, [edges[0] - 1, *edges]).tolist()
    steps = np.diff([least, *rest]).astype(np.int8)

    def made(x: Signals) -> Any:
        found = np.full(x[name].shape, least, np.int8)
        for edge, step in zip(edges, steps, strict=True):
            found += (x[name] >= edge).view(np.int8) * step
        return np.where(np.isnan(x[name]), np.nan, found)

    return made


def _news(x: Signals) -> Any:
    """The sum of the parts that are known; NaN where none is."""
    parts = [x[f"news_{name}"] if f"news_{name}" in x else _points(name)(x) for name in _PARTS]
    none = np.logical_and.reduce([np.isnan(part) for part in parts])
    return np.where(none, np.nan, np.nansum(parts, axis=0))


def _sirs(x: Signals) -> Any:
    """Of those that are known; NaN where none is."""
    met = [x["hr"] > 90, x["rr"] > 20, (x["temp"] > 38) | (x["temp"] < 36)]
    none = np.isnan(x["hr"]) & np.isnan(x["rr"]) & np.isnan(x["temp"])
    return np.where(none, np.nan, np.sum(met, axis=0))


_MADE: Final[dict[str, Callable[[Signals], Any]]] = {
    **{name: _own(name) for name in TRACKED},
    "map": _map,
    "shock_index": lambda x: _ratio(x["hr"], x["sbp"]),
    "pulse_pressure": lambda x: x["sbp"] - x["dbp"],
    "spo2_rr": lambda x: _ratio(x["spo2"], x["rr"]),
    "map_share": lambda x: _ratio(_map(x), x["sbp"]),
    "hr_temp": lambda x: x["hr"] - 9 * (x["temp"] - 37),
    "sirs": _sirs,
    **{f"news_{name}": _points(name) for name in _PARTS},
    "news": _news,
}
