"""NEWS2, the National Early Warning Score (Royal College of Physicians, 2017), over arrays.

NaN is 'not known': it counts 0 and is listed as missing, so a score with missing parts is a lower bound.
Zero is a value: a respiratory rate of 0 scores 3. For adults, not in pregnancy.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

PARTS: Final[tuple[str, ...]] = ("rr", "spo2", "oxygen", "sbp", "hr", "consciousness", "temp")
"""The seven parts, in the order of the chart; also the signals' names."""
RISKS: Final[tuple[str, ...]] = ("low", "low-medium", "medium", "high")
"""Clinical risk: 0–4, any single part of 3, 5–6, 7 and more."""
NOT_FOR: Final[tuple[str, ...]] = ("under-16", "pregnant")
"""Flags of stays whom no score for adults is for: NEWS2 "should not be used in children (i.e. aged <16 years)
or women who are pregnant" (RCP 2017). What is normal for them is not what the chart says."""
SCALE_2: Final = "spo2-scale-2"
"""The flag by which SpO2 is scored by the second scale."""
NOT_SCORED: Final = 0
"""In the place of a scale: the score is UNKNOWN."""


def scale_of(flags: Collection[str]) -> int:
    """1 or 2, or ``NOT_SCORED``, for a stay with these flags."""
    if any(flag in flags for flag in NOT_FOR):
        return NOT_SCORED
    return 2 if SCALE_2 in flags else 1


@dataclass(frozen=True, slots=True)
class Bands:
    """One row of the chart: up to ``upper[i]`` (inclusive) a value scores ``points[i]``, above all the last.

    ``decimals`` is the chart's step, to which a value is rounded first.
    """

    upper: tuple[float, ...]
    points: tuple[int, ...]
    decimals: int = 0


CHART: Final[dict[str, Bands]] = {
    "rr": Bands((8, 11, 20, 24), (3, 1, 0, 2, 3)),
    "spo2": Bands((91, 93, 95), (3, 2, 1, 0)),
    "oxygen": Bands((0,), (0, 2)),
    "sbp": Bands((90, 100, 110, 219), (3, 2, 1, 0, 3)),
    "hr": Bands((40, 50, 90, 110, 130), (3, 1, 0, 1, 2, 3)),
    "consciousness": Bands((0,), (0, 3)),
    "temp": Bands((35.0, 36.0, 38.0, 39.0), (3, 1, 0, 1, 2), decimals=1),
}
SCALE_2_AIR: Final = Bands((83, 85, 87), (3, 2, 1, 0))
SCALE_2_OXYGEN: Final = Bands((83, 85, 87, 92, 94, 96), (3, 2, 1, 0, 1, 2, 3))


@dataclass(frozen=True, slots=True)
class Score:
    """Of n patients.

    parts: points, int8 [n, 7] in the order of ``PARTS``, 0 where missing; total: int16 [n];
    missing: bool [n, 7]; risk: int8 [n], index into ``RISKS``; known: bool [n], False where not one
    physiological part is known, so that the total says nothing.
    """

    parts: NDArray[np.int8]
    total: NDArray[np.int16]
    missing: NDArray[np.bool_]
    risk: NDArray[np.int8]
    known: NDArray[np.bool_]


def points(
    part: str, values: ArrayLike, *, on_oxygen: ArrayLike = False, scale: ArrayLike = 1
) -> NDArray[np.int8]:
    """Points of one part; NaN scores 0. ``on_oxygen`` and ``scale`` matter to spo2 only."""
    numbers = np.asarray(values, np.float64)
    if part != "spo2":
        return _banded(CHART[part], numbers)
    second = np.where(
        np.asarray(on_oxygen, bool), _banded(SCALE_2_OXYGEN, numbers), _banded(SCALE_2_AIR, numbers)
    )
    return np.where(np.asarray(scale) == 2, second, _banded(CHART["spo2"], numbers)).astype(np.int8)


def score(
    *,
    rr: ArrayLike,
    spo2: ArrayLike,
    oxygen: ArrayLike,
    sbp: ArrayLike,
    hr: ArrayLike,
    consciousness: ArrayLike,
    temp: ArrayLike,
    scale: ArrayLike = 1,
) -> Score:
    """NEWS2 of n patients; each argument is [n] or a scalar, in the signals' own units, NaN = not known.

    oxygen: 0 air, else supplemental; consciousness: 0 alert, 1–4 for C V P U; scale: 1 or 2 (SpO2).
    On scale 2 with oxygen unknown the bands for air are used: they never give more points, and the
    score stays the lower bound that it claims to be.
    """
    given = (rr, spo2, oxygen, sbp, hr, consciousness, temp)
    columns = np.broadcast_arrays(*(np.atleast_1d(np.asarray(column, np.float64)) for column in given))
    missing = np.stack([np.isnan(column) for column in columns], axis=1)
    on_oxygen = np.nan_to_num(columns[2]) > 0
    parts = np.stack(
        [
            points(part, column, on_oxygen=on_oxygen, scale=scale)
            for part, column in zip(PARTS, columns, strict=True)
        ],
        axis=1,
    )
    total = parts.sum(axis=1, dtype=np.int16)
    physiological = np.arange(len(PARTS)) != PARTS.index("oxygen")
    known = np.logical_or.reduce(~missing[:, physiological], axis=1)
    return Score(parts, total, missing, risk_of(parts, total), known)


@cache  # each stay that is built again makes an engine of its own
def cuts(part: str, scale: int = 1) -> tuple[float, ...]:
    """The values at which a part's points may change: the least of each band above the lowest."""
    if part == "oxygen":
        return (float(np.nextafter(0, 1)), *_cuts(CHART[part]))
    if part == "spo2" and scale == 2:
        return (*_cuts(SCALE_2_AIR), *_cuts(SCALE_2_OXYGEN))
    return _cuts(CHART[part])


def risk_of(parts: NDArray[np.int8], total: NDArray[np.int16]) -> NDArray[np.int8]:
    """Clinical risk [n] from points [n, 7] and their sum [n], as index into ``RISKS``."""
    single = (parts == 3).any(axis=1)
    return np.select([total >= 7, total >= 5, single], [3, 2, 1], 0).astype(np.int8)


def missing_names(missing: NDArray[np.bool_]) -> str:
    """One patient's missing parts [7] as text, blank-separated in the order of ``PARTS``."""
    return " ".join(part for part, gone in zip(PARTS, missing, strict=True) if gone)


def _rounded(bands: Bands, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """In whole steps of the chart. Half rounds up; the small addition lets 35.05, which is 35.0499… as a
    float, round as it is written."""
    whole: NDArray[np.float64] = np.floor(values * 10**bands.decimals + 0.5 + 1e-6)
    return whole


def _uppers(bands: Bands) -> NDArray[np.float64]:
    whole: NDArray[np.float64] = np.round(np.array(bands.upper) * 10**bands.decimals)
    return whole


def _cuts(bands: Bands) -> tuple[float, ...]:
    """Rounding never falls as a value grows, so halving finds the very float at which a band begins."""
    low = np.array(bands.upper, np.float64)
    high = low + 1
    while True:
        middle = (low + high) / 2
        apart = (low < middle) & (middle < high)
        if not apart.any():
            return tuple(high.tolist())
        above = _rounded(bands, middle) > _uppers(bands)
        high = np.where(apart & above, middle, high)
        low = np.where(apart & ~above, middle, low)


def _banded(bands: Bands, values: NDArray[np.float64]) -> NDArray[np.int8]:
    rounded, upper = _rounded(bands, values), _uppers(bands)
    found = np.array(bands.points, np.int8)[np.searchsorted(upper, rounded, side="left")]
    return np.where(np.isnan(values), 0, found).astype(np.int8)
