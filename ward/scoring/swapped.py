"""Whether a stay's signals look like another patient's since a gap: a device may be on somebody else.

A device that changes patients is silent for a while. What its signals were before and are afterwards is
compared, signal by signal: how much more often is a difference of that size found between two patients than
within one? The logarithms of these ratios add up. Bodies change, too: so it is said only of what is far more
often seen between patients, and it is only a hint that somebody should look whose device this is.

The tables are those that ``python -m benchmarks.swapped`` makes (differences of charted values about an hour
apart within patients, and between any two patients of the Challenge 2019); the bound is chosen there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ward.scoring.readings import Float, Int

EDGES: Final[Mapping[str, tuple[float, ...]]] = {
    "hr": (4.0, 8.0, 14.0, 20.0, 28.0, 38.0),
    "rr": (2.0, 4.0, 6.0, 9.0, 12.0),
    "spo2": (1.0, 2.0, 3.0, 5.0, 7.0),
    "temp": (0.2, 0.4, 0.7, 1.1, 1.6),
    "sbp": (8.0, 15.0, 25.0, 35.0, 50.0),
}
"""Differences of these sizes begin a bin, in the signal's unit."""
WEIGHTS: Final[Mapping[str, tuple[float, ...]]] = {
    "hr": (-0.66, -0.32, 0.11, 0.57, 0.97, 1.33, 1.49),
    "rr": (-0.33, -0.12, 0.19, 0.45, 0.58, 0.7),
    "spo2": (-0.4, -0.17, 0.09, 0.38, 0.65, 0.59),
    "temp": (-0.64, -0.07, 0.47, 0.82, 1.18, 1.44),
    "sbp": (-0.42, -0.23, 0.06, 0.39, 0.76, 1.12),
}
"""By bin: log10 of how much more often such a difference is seen between patients than within one."""
BOUND: Final = 2.0
"""So much weight in all, and"""
SIGNALS: Final = 2
"""so many signals that each speak for another patient by"""
LEAST: Final = 0.5
"""are wanted: one signal alone is an illness, or a loose probe."""
BEFORE: Final = 30
AFTER: Final = 5
"""Minutes that are looked at before and after the gap."""
KNOWN: Final = 3
"""Minutes with a value that a median is made of, at the least (of temperature and pressure: one)."""
LASTS: Final = 60
"""Minutes for which it is said."""
_OFTEN: Final = ("hr", "rr", "spo2")


@dataclass(frozen=True, slots=True)
class Change:
    """One signal before and after the gap (its unit), and what that weighs."""

    signal: str
    before: float
    after: float
    weight: float


@dataclass(frozen=True, slots=True)
class Looks:
    """Like another patient since ``since``: the number of the first minute after the gap."""

    since: int
    weight: float
    changes: tuple[Change, ...]


def looks_like_another(values: Float, names: Sequence[str]) -> Looks | None:
    """Of values [signals, minutes], the newest minute last, NaN where nothing valid; names: of the rows.

    ``since`` counts from the first minute given. Only the newest gap is looked at, once ``AFTER`` minutes
    have passed since it, at most ``LASTS``, and only where the heart rate, or a pulse in its place, is known
    on both sides.
    """
    rows = {name: values[i] for i, name in enumerate(names)}
    if "pr" in rows:
        heart = rows.get("hr", np.full(values.shape[1], np.nan))
        rows["hr"] = np.where(np.isnan(heart), rows["pr"], heart)
    often = np.array([rows[name] for name in _OFTEN if name in rows])
    silent = np.isnan(often).all(axis=0)
    since = _gap_end(silent)
    if since is None or not AFTER <= values.shape[1] - since <= LASTS:
        return None
    begin = since - int(np.argmin(silent[:since][::-1]))
    changes = compare(
        {name: row[max(begin - BEFORE, 0) : begin] for name, row in rows.items() if name in EDGES},
        {name: row[since : since + AFTER] for name, row in rows.items() if name in EDGES},
    )
    if all(change.signal != "hr" for change in changes):
        return None
    weight = sum(change.weight for change in changes)
    speaking = sum(change.weight >= LEAST for change in changes)
    if weight < BOUND or speaking < SIGNALS:
        return None
    return Looks(since, weight, tuple(sorted(changes, key=lambda change: -change.weight)))


def compare(before: Mapping[str, Float], after: Mapping[str, Float]) -> list[Change]:
    """Of every signal that is known enough on both sides."""
    found = []
    for name in EDGES:
        if name not in before or name not in after:
            continue
        need = KNOWN if name in _OFTEN else 1
        old, new = before[name][~np.isnan(before[name])], after[name][~np.isnan(after[name])]
        if len(old) < need or len(new) < need:
            continue
        was, now = float(np.median(old)), float(np.median(new))
        found.append(Change(name, was, now, WEIGHTS[name][int(bins(name, np.array([now - was]))[0])]))
    return found


def bins(name: str, differences: Float) -> Int:
    """The bin of each difference, whichever way it goes."""
    return np.searchsorted(np.array(EDGES[name]), np.abs(differences), side="right").astype(np.int64)


def _gap_end(silent: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> int | None:
    """The first minute after the newest silence that has something before it; None where there is none."""
    ends = np.flatnonzero(silent[:-1] & ~silent[1:]) + 1
    if not len(ends):
        return None
    end = int(ends[-1])
    return end if not silent[:end].all() else None
