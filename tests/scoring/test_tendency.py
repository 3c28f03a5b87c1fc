"""The word for where a signal goes: a quarter of an hour, gaps, cuffs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ward.scoring.tendency import STEPS, WORDS, tendency

NAN = float("nan")


def word(values: list[float], signal: str = "spo2") -> str | None:
    row = np.array([[NAN] * (120 - len(values)) + values])
    return WORDS[int(tendency(row, signal)[0])]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([95.0] * 15, "steady"),
        ([95.0] * 5 + [90.0] * 5 + [84.0] * 5, "falling"),
        ([84.0] * 5 + [90.0] * 5 + [95.0] * 5, "rising"),
        ([95.0] * 12 + [84.0] * 3, "falling"),  # within the last minutes
        ([95.0] * 13 + [84.0] * 2, "steady"),  # two minutes make no trend
        ([95.0] * 10 + [93.0] * 5, "falling"),  # exactly a step
        ([95.0] * 10 + [93.5] * 5, "steady"),
        ([95.0] * 10 + [NAN] * 5, None),  # a gap is not steady
        ([NAN] * 10 + [84.0] * 5, None),
        ([95.0, 95.0, 95.0, NAN, NAN, *[NAN] * 5, 84.0, NAN, 84.0, NAN, 84.0], "falling"),
        ([95.0, 95.0, NAN, NAN, NAN, *[NAN] * 5, 84.0, NAN, 84.0, NAN, 84.0], None),
        ([0.0] * 10 + [95.0] * 5, "rising"),  # zero is a value
        ([], None),
    ],
)
def test_a_signal_measured_often(values, expected):
    assert word(values) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([120.0, *[NAN] * 29, 104.0, *[NAN] * 20], "falling"),
        ([120.0, *[NAN] * 29, 110.0, *[NAN] * 20], "steady"),
        ([90.0, *[NAN] * 59, 120.0], "rising"),
        ([120.0, *[NAN] * 60], None),
    ],
)
def test_a_cuff_is_compared_with_its_reading_before(values, expected):
    assert word(values, "sbp") == expected


@given(st.sampled_from(sorted(STEPS)), st.lists(st.just(NAN) | st.floats(20, 200), min_size=15, max_size=120))
def test_upside_down_it_is_the_other_word(signal, values):
    other = {"rising": "falling", "falling": "rising"}
    found = word(values, signal)
    assert word([-v for v in values], signal) == other.get(found, found)
