"""A pack held against stays whose outcome is known: how often it calls, whom, and how early.

Of a stay with an event (cinc2019: the onset of sepsis) what counts is the time up to the event; later calls
and days are left out. An event is caught by an interruption in the ``WINDOW`` before it, and such an
interruption is a useful one. Of a stay whose end is known without its hour (cinc2012: death in hospital) an
interruption at any time counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ward.evaluation.section import Json
from ward.scoring.readings import Bool, Float, Int
from ward.signals import HOUR

WINDOW: Final = 12 * HOUR
DAY: Final = 24 * HOUR
RESAMPLES: Final = 400


@dataclass(frozen=True, slots=True)
class Stays:
    """Arrays over stays [n]. days: monitored and at risk; event: whether there is one; onset: ms, or the
    largest integer where there is none or its time is not known; timed: onsets are known."""

    days: Float
    event: Bool
    onset: Int
    timed: bool


NEVER: Final = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Called:
    """Of one pack, arrays over stays [n]: calls at risk, useful ones, whether the event was caught, lead in
    hours (NaN: not caught), alerts at risk."""

    calls: Float
    useful: Float
    caught: Bool
    lead: Float
    alerts: Float


def called(stays: Stays, calls: Sequence[NDArray[np.int64]], alerts: Sequence[NDArray[np.int64]]) -> Called:
    """calls, alerts: their times (ms) by stay."""
    n = len(stays.days)
    number, useful, count = np.zeros(n), np.zeros(n), np.zeros(n)
    lead = np.full(n, np.nan)
    for i, (own, told) in enumerate(zip(calls, alerts, strict=True)):
        onset = int(stays.onset[i])
        at_risk = own[own <= onset]
        number[i], count[i] = len(at_risk), int((told <= onset).sum())
        if not stays.event[i]:
            continue
        within = at_risk[at_risk >= onset - WINDOW] if stays.timed else at_risk
        useful[i] = len(within)
        if len(within):
            lead[i] = (onset - within[0]) / HOUR if stays.timed else 0.0
    return Called(number, useful, stays.event & (useful > 0), lead, count)


def figures(stays: Stays, found: Called, seed: int, resamples: int = RESAMPLES) -> Json:
    """Per patient-day, recall, precision, lead, and how calls are spread over stays; 95 % intervals from a
    bootstrap over stays (the same draws for every pack of a seed)."""
    n = len(stays.days)
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / max(1, n)), resamples)
    weights: Float = drawn.astype(np.float64)
    one = np.ones((1, n))
    point, spread = _rates(stays, found, one), _rates(stays, found, weights)
    result: Json = {}
    for name, value in point.items():
        known = spread[name][np.isfinite(spread[name])]
        result[name] = _rounded(float(value[0]))
        result[f"{name}_ci"] = (
            [_rounded(float(x)) for x in np.percentile(known, (2.5, 97.5))] if len(known) else None
        )
    leads = found.lead[found.caught]
    result["lead_h"] = round(float(np.median(leads)), 2) if stays.timed and len(leads) else None
    result["never_called"] = round(float((found.calls == 0).mean()), 4)
    result["top_tenth"] = _top_tenth(found.calls)
    return result


def _rates(stays: Stays, found: Called, weights: Float) -> dict[str, Float]:
    with np.errstate(invalid="ignore", divide="ignore"):
        days = weights @ stays.days
        calls = weights @ found.calls
        return {
            "alerts_a_day": (weights @ found.alerts) / days,
            "calls_a_day": calls / days,
            "recall": (weights @ found.caught) / (weights @ stays.event),
            "precision": (weights @ found.useful) / calls,
        }


def _rounded(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None


def _top_tenth(calls: Float) -> float | None:
    """The share of all calls that the tenth of stays with the most of them causes."""
    total = calls.sum()
    most = np.sort(calls)[::-1][: max(1, len(calls) // 10)]
    return round(float(most.sum() / total), 3) if total else None
