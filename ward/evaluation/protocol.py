"""How an hourly score of deterioration is judged: by rows, and by events as an alerting system would.

The protocol, all of it (so that two people get the same number):

* hour: whole hours of stay. A score of hour t may use rows of hours <= t only.
* onset: the first row with a label, plus 6 h. One event per stay with any label.
* at risk: every row up to the onset; all rows of a stay without one. Patient-days are such rows / 24.
* alert: a score at or above the cut-off, at least 8 h after that stay's previous alert.
* caught: at least one alert in the 12 h up to the onset. Recall: caught / events. Precision: alerts in
  such a window / alerts. Lead: onset less the first alert in the window, median over caught events.
* burden: alerts per patient-day. For a wanted burden: the lowest cut-off that does not exceed it,
  interpolated linearly with the next lower one, so that coarse scores compare with continuous ones.
* AUROC: of rows against labels; AUROC_t: within each hour of stay, weighted by its positives, so that
  time in stay predicts nothing. AUPRC: average precision.
* Intervals: 95 % percentiles of a bootstrap over stays.

A row without a score (NaN) never alerts and ranks lowest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Bool = NDArray[np.bool_]

WINDOW: Final = 12
"""Hours before the onset in which an alert is useful."""
SILENCE: Final = 8
"""Hours after an alert in which the stay gives no other."""
SHIFT: Final = 6
"""Hours by which the labels begin before the onset."""
_LEVELS: Final = 400
_QUANTILES: Final = 4_000
"""Cut-offs that are tried: all, or of a continuous score so many."""


# ---------------------------------------------------------------- rows


def ranks(score: Float) -> Float:
    """1 for the lowest; equal scores share the mean of their ranks."""
    _, at, counts = np.unique(score, return_inverse=True, return_counts=True)
    end = np.cumsum(counts)
    mean: Float = (end - (counts - 1) / 2)[at]
    return mean


def auroc(label: Bool, score: Float) -> float:
    """The share of (positive, negative) pairs in order, ties as one half; NaN without both."""
    positive = int(label.sum())
    negative = len(label) - positive
    if not positive or not negative:
        return float("nan")
    above = ranks(score)[label].sum() - positive * (positive + 1) / 2
    return float(above / (positive * negative))


def auroc_within_hour(label: Bool, score: Float, hour: Int) -> float:
    """AUROC of each hour of stay, averaged with its positives as weights."""
    order = np.argsort(hour, kind="stable")
    borders = np.flatnonzero(np.diff(hour[order])) + 1
    total = weight = 0.0
    for rows in np.split(order, borders):
        found = auroc(label[rows], score[rows])
        if not np.isnan(found):
            positive = int(label[rows].sum())
            total, weight = total + positive * found, weight + positive
    return total / weight if weight else float("nan")


def average_precision(label: Bool, score: Float) -> float:
    """Area under precision and recall by steps; equal scores are one step."""
    order = np.argsort(-score, kind="stable")
    own = score[order]
    last = np.append(own[1:] != own[:-1], True)
    hits = np.cumsum(label[order])[last]
    taken = np.flatnonzero(last) + 1
    gained = np.diff(hits, prepend=0)
    return float(np.sum(gained * hits / taken) / max(1, int(label.sum())))


# ---------------------------------------------------------------- events


@dataclass(frozen=True, slots=True)
class Point:
    """What one cut-off gives. lead: hours; cutoff: the upper one where two are mixed."""

    cutoff: float
    burden: float
    recall: float
    precision: float
    lead: float


class Course:
    """The truth of stays: build once, judge many scores.

    stay, hour, label [n]: one row per recorded hour. Scores [n] come in the same order.
    """

    def __init__(self, stay: Int, hour: Int, label: Bool) -> None:
        self._order = np.lexsort((hour, stay))
        _, own = np.unique(stay[self._order], return_inverse=True)
        self.stay: Int = own.astype(np.int64)
        self.hour: Int = hour[self._order].astype(np.int64)
        self.label: Bool = label[self._order]
        self.stays = int(self.stay[-1]) + 1 if len(own) else 0
        never = 10**9
        onset = np.full(self.stays, never, np.int64)
        np.minimum.at(onset, self.stay[self.label], self.hour[self.label] + SHIFT)
        self.event: Bool = onset < never
        self.ahead: Int = onset[self.stay] - self.hour
        """Hours until the onset."""
        self.useful: Bool = (self.ahead >= 0) & (self.ahead <= WINDOW)
        self.at_risk: Bool = self.ahead >= 0
        self.hours: Float = np.bincount(self.stay[self.at_risk], minlength=self.stays).astype(np.float64)
        self._key = self.stay * 10**6 + self.hour

    def sorted(self, score: Float) -> Float:
        """As this course keeps its rows; NaN becomes the lowest."""
        own = np.asarray(score, np.float64)[self._order]
        return np.where(np.isnan(own), -np.inf, own)

    # Scores below are as ``sorted`` gives them.

    def rows(self, score: Float) -> dict[str, float]:
        """AUROC, AUROC_t and AUPRC."""
        return {
            "auroc": auroc(self.label, score),
            "auroc_t": auroc_within_hour(self.label, score, self.hour),
            "auprc": average_precision(self.label, score),
        }

    def alerts(self, score: Float, cutoff: float) -> Int:
        """The rows that alert: of each stay the first at the cut-off, then the first after each silence."""
        rows = np.flatnonzero(self.at_risk & (score >= cutoff))
        key, stay = self._key[rows], self.stay[rows]
        at = np.flatnonzero(np.diff(stay, prepend=-1))
        found = []
        while len(at):
            found.append(at)
            after = np.searchsorted(key, key[at] + SILENCE)
            inside = after < len(key)
            at, after = at[inside], after[inside]
            at = after[stay[after] == stay[at]]
        return rows[np.sort(np.concatenate(found))] if found else rows

    def per_stay(self, score: Float, cutoff: float) -> tuple[Float, Float, Float]:
        """Of each stay: alerts, useful ones, and hours from the first useful one to the onset (-1: none)."""
        alerts = self.alerts(score, cutoff)
        useful = alerts[self.useful[alerts]]
        lead = np.full(self.stays, -1.0)
        np.maximum.at(lead, self.stay[useful], self.ahead[useful].astype(np.float64))
        count = np.bincount(self.stay[alerts], minlength=self.stays).astype(np.float64)
        return count, np.bincount(self.stay[useful], minlength=self.stays).astype(np.float64), lead

    def point(self, score: Float, cutoff: float) -> Point:
        count, useful, lead = self.per_stay(score, cutoff)
        caught, total = lead >= 0, float(count.sum())
        return Point(
            cutoff,
            total / (self.hours.sum() / 24),
            float(caught.sum()) / max(1, int(self.event.sum())),
            float(useful.sum()) / total if total else float("nan"),
            float(np.median(lead[caught])) if caught.any() else float("nan"),
        )

    def at_burden(self, score: Float, wanted: float) -> Point | None:
        """At so many alerts per patient-day; None where no cut-off gives as many."""
        return self._mixed(score, wanted, lambda point: point.burden)

    def at_recall(self, score: Float, wanted: float) -> Point | None:
        """Where so many events are caught; None where no cut-off does."""
        return self._mixed(score, wanted, lambda point: point.recall)

    def bracket(
        self, score: Float, wanted: float, what: Callable[[Point], float]
    ) -> tuple[Point | None, Point | None]:
        """The points of the neighbouring cut-offs with less than wanted, and with as much or more."""
        levels = self._levels(score)
        low, high = 0, len(levels) - 1
        below, above = self.point(score, levels[high]), self.point(score, levels[low])
        if what(above) < wanted:
            return above, None
        if what(below) >= wanted:
            return None, below
        while high - low > 1:
            middle = (low + high) // 2
            point = self.point(score, levels[middle])
            if what(point) >= wanted:
                low, above = middle, point
            else:
                high, below = middle, point
        return below, above

    def _mixed(self, score: Float, wanted: float, what: Callable[[Point], float]) -> Point | None:
        below, above = self.bracket(score, wanted, what)
        if above is None:
            return None
        if below is None:  # mixed with never alerting
            below = Point(above.cutoff, 0.0, 0.0, float("nan"), float("nan"))
        share = (wanted - what(below)) / (what(above) - what(below))
        burden = (1 - share) * below.burden + share * above.burden
        useful = share * above.precision * above.burden
        if below.burden:
            useful += (1 - share) * below.precision * below.burden
        return Point(
            below.cutoff,
            burden,
            (1 - share) * below.recall + share * above.recall,
            useful / burden,
            below.lead if share < 0.5 and below.burden else above.lead,
        )

    def _levels(self, score: Float) -> Float:
        known = score[self.at_risk & np.isfinite(score)]
        levels = np.unique(known)
        if len(levels) <= _LEVELS:
            return levels
        share = 1 - np.geomspace(2e-5, 1, _QUANTILES)
        return np.unique(np.quantile(known, share, method="higher"))

    # ------------------------------------------------------------ intervals

    def intervals(
        self, score: Float, *, seed: int, times: int, burdens: tuple[float, ...]
    ) -> dict[str, tuple[float, float]]:
        """95 % over drawings of stays: 'auroc', and 'recall@b' and 'precision@b' of each burden.

        The cut-offs stay as they are for all stays; AUROC through counts in 2,000 bins of rank.
        """
        rng = np.random.default_rng(seed)
        bins = np.minimum((ranks(score) / (len(score) + 1) * 2000).astype(np.int64), 1999)
        stays = {b: self._stays_at(score, b) for b in burdens}
        drawn: dict[str, list[float]] = {}
        for _ in range(times):
            weight = np.bincount(rng.integers(0, self.stays, self.stays), minlength=self.stays)
            row = weight[self.stay].astype(np.float64)
            positive = np.bincount(bins, row * self.label, 2000)
            negative = np.bincount(bins, row * ~self.label, 2000)
            lower = np.cumsum(negative) - negative / 2
            pairs = positive.sum() * negative.sum()
            drawn.setdefault("auroc", []).append(float(positive @ lower / pairs) if pairs else np.nan)
            for b, found in stays.items():
                if found is not None:
                    count, useful, caught = (float(weight @ part) for part in found)
                    drawn.setdefault(f"recall@{b:g}", []).append(
                        caught / max(1.0, float(weight @ self.event))
                    )
                    drawn.setdefault(f"precision@{b:g}", []).append(useful / count if count else np.nan)
        ends = {name: np.nanpercentile(values, [2.5, 97.5]) for name, values in drawn.items()}
        return {name: (float(low), float(high)) for name, (low, high) in ends.items()}

    def _stays_at(self, score: Float, burden: float) -> tuple[Float, Float, Float] | None:
        """Of each stay alerts, useful ones and whether caught, at a burden (mixed as in ``at_burden``)."""
        below, above = self.bracket(score, burden, lambda point: point.burden)
        if above is None:
            return None
        count, useful, lead = self.per_stay(score, above.cutoff)
        if below is None:
            share = burden / above.burden
            return share * count, share * useful, share * (lead >= 0).astype(np.float64)
        share = (burden - below.burden) / (above.burden - below.burden)
        fewer, useful_fewer, lead_fewer = self.per_stay(score, below.cutoff)
        caught: Float = (1 - share) * (lead_fewer >= 0) + share * (lead >= 0)
        return (
            (1 - share) * fewer + share * count,
            (1 - share) * useful_fewer + share * useful,
            caught,
        )
