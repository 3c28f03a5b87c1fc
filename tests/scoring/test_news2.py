"""NEWS2 against the printed chart (RCP 2017), every boundary from both sides."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ward.scoring import news2

NORMAL = {"rr": 16, "spo2": 98, "oxygen": 0, "sbp": 120, "hr": 70, "consciousness": 0, "temp": 37.0}

# part -> (lowest, highest, points) of each band, as printed.
CHART = {
    "rr": [(0, 8, 3), (9, 11, 1), (12, 20, 0), (21, 24, 2), (25, 150, 3)],
    "spo2": [(0, 91, 3), (92, 93, 2), (94, 95, 1), (96, 100, 0)],
    "sbp": [(0, 90, 3), (91, 100, 2), (101, 110, 1), (111, 219, 0), (220, 400, 3)],
    "hr": [(0, 40, 3), (41, 50, 1), (51, 90, 0), (91, 110, 1), (111, 130, 2), (131, 350, 3)],
    "temp": [(20, 35.0, 3), (35.1, 36.0, 1), (36.1, 38.0, 0), (38.1, 39.0, 1), (39.1, 46, 2)],
    "oxygen": [(0, 0, 0), (1, 1, 2)],
    "consciousness": [(0, 0, 0), (1, 4, 3)],
}
SCALE_2 = {
    0: [(0, 83, 3), (84, 85, 2), (86, 87, 1), (88, 92, 0), (93, 100, 0)],
    1: [(0, 83, 3), (84, 85, 2), (86, 87, 1), (88, 92, 0), (93, 94, 1), (95, 96, 2), (97, 100, 3)],
}


def score_of(**changes):
    return news2.score(**{**NORMAL, **changes})


@pytest.mark.parametrize(
    ("part", "value", "expected"),
    [(part, value, p) for part, bands in CHART.items() for low, high, p in bands for value in (low, high)],
)
def test_every_edge_of_the_chart(part, value, expected):
    result = score_of(**{part: value})
    assert result.parts[0, news2.PARTS.index(part)] == expected
    assert result.total[0] == expected


@pytest.mark.parametrize(
    ("oxygen", "value", "expected"),
    [(o, value, p) for o, bands in SCALE_2.items() for low, high, p in bands for value in (low, high)],
)
def test_every_edge_of_scale_2(oxygen, value, expected):
    result = score_of(spo2=value, oxygen=oxygen, scale=2)
    assert result.parts[0, 1] == expected
    assert result.total[0] == expected + 2 * oxygen


@pytest.mark.parametrize(
    ("part", "value", "expected"),
    [
        ("temp", 35.04, 3),
        ("temp", 35.05, 1),
        ("temp", 36.05, 0),
        ("temp", 38.049, 0),
        ("temp", 38.05, 1),
        ("temp", 39.05, 2),
        ("spo2", 91.49, 3),
        ("spo2", 91.5, 2),
        ("rr", 8.5, 1),
        ("rr", 24.5, 3),
        ("hr", 90.5, 1),
        ("sbp", 219.5, 3),
    ],
)
def test_values_are_rounded_half_up_to_the_charts_step(part, value, expected):
    assert news2.points(part, value) == expected


def test_rr_of_zero_is_a_value_and_scores_three():
    result = score_of(rr=0)
    assert result.total[0] == 3
    assert not result.missing.any()


def test_missing_parts_count_zero_and_are_named():
    result = score_of(consciousness=math.nan, oxygen=math.nan, rr=25)
    assert result.total[0] == 3
    assert news2.missing_names(result.missing[0]) == "oxygen consciousness"
    assert result.known[0]


def test_a_score_of_nothing_is_not_known():
    nothing = dict.fromkeys(NORMAL, math.nan)
    assert not news2.score(**nothing).known[0]
    assert not news2.score(**{**nothing, "oxygen": 1}).known[0]
    assert news2.score(**{**nothing, "consciousness": 3}).known[0]


@pytest.mark.parametrize(
    ("changes", "risk"),
    [
        ({}, "low"),
        ({"hr": 91, "rr": 21, "temp": 38.5}, "low"),  # 4, no single 3
        ({"rr": 8}, "low-medium"),
        ({"rr": 8, "hr": 91}, "low-medium"),  # 4 with a single 3
        ({"rr": 21, "hr": 111, "temp": 38.5}, "medium"),  # 5
        ({"rr": 8, "sbp": 90}, "medium"),  # 6
        ({"rr": 8, "sbp": 90, "hr": 91}, "high"),  # 7
        ({"rr": 8, "sbp": 90, "consciousness": 4, "oxygen": 1}, "high"),
    ],
)
def test_risk(changes, risk):
    assert news2.RISKS[score_of(**changes).risk[0]] == risk


maybe = st.one_of(st.just(math.nan), st.floats(-20, 400))


@given(
    st.lists(
        st.tuples(maybe, maybe, st.sampled_from([0, 1, math.nan]), maybe, maybe, maybe, maybe), max_size=20
    ),
    st.sampled_from([1, 2]),
)
def test_arrays_score_as_each_patient_alone(rows, scale):
    table = np.array(rows, float).reshape(-1, 7)
    together = news2.score(**dict(zip(news2.PARTS, table.T, strict=True)), scale=scale)
    for i, row in enumerate(table):
        alone = news2.score(**dict(zip(news2.PARTS, row, strict=True)), scale=scale)
        assert together.total[i] == alone.total[0] == together.parts[i].sum()
        assert (together.parts[i] == alone.parts[0]).all()
        assert together.risk[i] == alone.risk[0]


@given(maybe, maybe, maybe, maybe, maybe, st.sampled_from([0, 1]), st.sampled_from([1, 2]))
def test_what_is_not_known_never_adds_points(rr, spo2, sbp, hr, temp, oxygen, scale):
    full = {"rr": rr, "spo2": spo2, "sbp": sbp, "hr": hr, "temp": temp, "oxygen": oxygen, "consciousness": 1}
    whole = news2.score(**full, scale=scale).total[0]
    for part in full:
        assert news2.score(**{**full, part: math.nan}, scale=scale).total[0] <= whole
