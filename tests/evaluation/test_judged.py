"""Packs held against outcomes: what counts for what, by hand."""

from __future__ import annotations

import numpy as np

from ward.evaluation.judged import NEVER, Stays, called, figures
from ward.signals import HOUR


def hours(*at: float) -> np.ndarray:
    return np.array([round(h * HOUR) for h in at], np.int64)


ONSET = 20
STAYS = Stays(
    days=np.array([1.0, 1.0, 2.0]),
    event=np.array([True, True, False]),
    onset=np.array([ONSET * HOUR, ONSET * HOUR, NEVER]),
    timed=True,
)
CALLS = [hours(2, 9, 15, 21), hours(3), hours(1, 40)]


def test_only_calls_before_the_event_count_and_those_in_its_window_are_useful():
    found = called(STAYS, CALLS, CALLS)
    assert found.calls.tolist() == [3, 1, 2]
    assert found.useful.tolist() == [2, 0, 0]
    assert found.caught.tolist() == [True, False, False]
    assert found.lead[0] == ONSET - 9


def test_figures_are_those_one_counts_by_hand():
    f = figures(STAYS, called(STAYS, CALLS, CALLS), seed=1)
    assert (f["calls_a_day"], f["recall"], f["precision"]) == (1.5, 0.5, round(2 / 6, 4))
    assert (f["lead_h"], f["never_called"], f["top_tenth"]) == (11.0, 0.0, 0.5)
    low, high = f["calls_a_day_ci"]
    assert low <= 1.5 <= high
    assert f == figures(STAYS, called(STAYS, CALLS, CALLS), seed=1)
    few, other = (figures(STAYS, called(STAYS, CALLS, CALLS), seed, resamples=3) for seed in (1, 2))
    assert few != other


def test_where_the_hour_of_the_event_is_not_told_any_call_counts():
    stays = Stays(STAYS.days, STAYS.event, np.full(3, NEVER), timed=False)
    f = figures(stays, called(stays, CALLS, CALLS), seed=1)
    assert (f["recall"], f["precision"], f["lead_h"]) == (1.0, round(5 / 7, 4), None)


def test_a_pack_that_never_calls_has_no_precision():
    none = [hours()] * 3
    f = figures(STAYS, called(STAYS, none, none), seed=1)
    assert (f["calls_a_day"], f["recall"], f["precision"], f["top_tenth"]) == (0.0, 0.0, None, None)
    assert f["precision_ci"] is None
