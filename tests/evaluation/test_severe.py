"""The reference for severe events: what lasts is found, with its times, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from ward.evaluation.severe import BRIDGE, events, rolling_median, runs
from ward.ingest.recordings import Recording
from ward.signals import INDEX


def recording(**signals: list[tuple[int, float]]) -> Recording:
    """Signals as (second, value)."""
    rows = sorted((t * 1000, INDEX[name], v) for name, given in signals.items() for t, v in given)
    time, signal, value = (np.array(column) for column in zip(*rows, strict=True))
    return Recording("r", signal.astype(np.int8), time, value.astype(float), np.unique(time))


def steady(begin: int, end: int, value: float) -> list[tuple[int, float]]:
    return [(t, value) for t in range(begin, end)]


def found(own: Recording) -> list[tuple[str, int, int]]:
    return [(e.kind.name, e.start // 1000, e.end // 1000) for e in events(own)]


def test_a_lasting_fall_is_an_event_and_a_short_one_is_not():
    long = recording(spo2=[*steady(0, 600, 97), *steady(600, 1200, 82), *steady(1200, 1500, 97)])
    short = recording(spo2=[*steady(0, 600, 97), *steady(600, 850, 82), *steady(850, 1500, 97)])
    assert found(long) == [("spo2-below-85", 600, 1200)]
    assert found(short) == []


def test_spikes_neither_make_nor_end_an_event():
    falls = [(t, 40.0 if t % 100 == 0 else 97.0) for t in range(1500)]
    low = [(t, 99.0 if t % 100 == 0 else 82.0) for t in range(1500)]
    assert found(recording(spo2=falls)) == []
    assert [name for name, *_ in found(recording(spo2=low))] == ["spo2-below-85"]


@pytest.mark.parametrize(("pulse", "expected"), [(80, []), (0, ["hr-below-30"]), (None, ["hr-below-30"])])
def test_a_heart_that_stands_still_is_one_unless_a_pulse_is_there(pulse, expected):
    signals = {"hr": [*steady(0, 300, 80), *steady(300, 500, 0), *steady(500, 800, 80)]}
    if pulse is not None:
        signals["pr"] = [*steady(0, 300, 80), *steady(300, 500, pulse), *steady(500, 800, 80)]
    assert [name for name, *_ in found(recording(**signals))] == expected


def test_what_is_not_known_counts_for_nothing():
    """Five minutes of SpO2 of which 50 s are known are no event."""
    seen = [(t, 82.0) for t in range(600, 900) if t % 60 == 0]
    own = recording(spo2=[*steady(0, 600, 97), *seen, *steady(900, 1200, 97)])
    assert found(own) == []


def test_runs_bridge_what_is_unknown_and_nothing_else():
    state = np.array([0, 1, 1, np.nan, np.nan, 1, 0, 1, np.nan, 0, 1.0])
    assert runs(state, 2) == [(1, 6), (7, 8), (10, 11)]
    assert runs(state, 1) == [(1, 3), (5, 6), (7, 8), (10, 11)]
    assert runs(np.full(BRIDGE, np.nan), 5) == []


def test_the_rolling_median_is_that_of_what_is_known_around():
    grid = np.array([1.0, 9.0, np.nan, 3.0, 5.0])
    assert np.array_equal(rolling_median(grid, 2), [5.0, 5.0, np.nan, 4.0, 4.0], equal_nan=True)
