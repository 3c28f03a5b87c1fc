"""What the score remembers: the same whatever the order and the cuts, and nothing of how often it is fed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ward.scoring.features import BY_NAME, FEATURES, SERIES, matrix, monotone
from ward.scoring.news2 import points
from ward.scoring.trends import FRESH, HOURS, STEP, TRACKED, Inputs, Trends
from ward.signals import HOUR, MINUTE

START = 480_000 * HOUR
PR = len(TRACKED)

readings = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(0, PR),
        st.integers(0, 40 * 60).map(lambda m: START + m * MINUTE + 1000 * (m % 7)),
        st.integers(20, 2000).map(lambda v: v / 16),
    ),
    max_size=60,
)


def columns(rows):
    slot, channel, time, value = zip(*rows, strict=True) if rows else ((),) * 4
    return np.array(slot, np.int64), np.array(channel, np.int64), np.array(time), np.array(value, np.float64)


def plainly(rows, slot: int, at: int):
    """The definition, one reading at a time: (present, hourly) of the signals."""
    channels = [[(t, v) for s, c, t, v in rows if (s, c) == (slot, k) and t <= at] for k in range(PR + 1)]

    def of(k):
        present, hourly = np.nan, [np.nan] * HOURS
        newest = max((t for t, _ in channels[k]), default=None)
        fresh = newest is not None and at - newest <= FRESH[k]
        if fresh:
            own = [v for t, v in channels[k] if -(-t // STEP) == -(-newest // STEP)]
            present = sum(own) / len(own)
        for n in range(HOURS):
            end = (-(-at // HOUR) - 1 - n) * HOUR
            own = [v for t, v in channels[k] if end - HOUR < t <= end]
            if own and not (fresh and end >= newest):
                hourly[n] = sum(own) / len(own)
        return [present, *hourly]

    values = np.array([of(k) for k in range(PR + 1)], np.float32)
    values[0] = np.where(np.isnan(values[0]), values[PR], values[0])
    return values[:PR, 0], values[:PR, 1:].T


@settings(max_examples=150, deadline=None)
@given(readings, st.randoms(use_true_random=False))
def test_it_is_what_it_says_in_whatever_order_it_was_told(rows, random):
    at = max((t for _, _, t, _ in rows), default=START) // STEP * STEP + STEP
    shuffled = rows.copy()
    random.shuffle(shuffled)
    cut = random.randint(0, len(rows))
    trends = Trends(2)
    trends.take(*columns(shuffled[:cut]))
    trends.take(*columns(shuffled[cut:]))
    found = trends.inputs(np.array([0, 1]), np.array([at, at]))
    for slot in (0, 1):
        present, hourly = plainly(rows, slot, at)
        np.testing.assert_array_equal(found.present[slot], present)
        np.testing.assert_array_equal(found.hourly[slot], hourly)


def test_a_place_is_used_again_after_more_hours_than_are_remembered():
    trends = Trends(1)
    for hour in range(100):
        trends.take(*columns([(0, 0, START + hour * HOUR, 60.0 + hour)]))
    found = trends.inputs(np.array([0]), np.array([START + 99 * HOUR]))
    assert found.present[0, 0] == 159
    assert found.hourly[0, :, 0].tolist() == [float(158 - n) for n in range(HOURS)]
    trends.take(*columns([(0, 1, START + 300 * HOUR, 97.0)]))
    assert np.isnan(trends.inputs(np.array([0]), np.array([START + 300 * HOUR])).hourly).all()


def every(minutes: float, hours: int = 26, shift: int = 0, of=lambda hour: 60.0 + hour):
    """One signal, measured every so many minutes, its value the hour's."""
    times = np.arange(1, hours * 60 / minutes + 1) * minutes * MINUTE
    return [(0, 0, int(START + shift + t), float(of(int(-(-t // HOUR))))) for t in times.tolist()]


@pytest.mark.parametrize("minutes", [0.5, 1, 5, 10, 30])
def test_it_does_not_show_how_often_one_measures(minutes):
    def seen(step):
        trends = Trends(1)
        trends.take(*columns(every(step)))
        return matrix(trends.inputs(np.array([0]), np.array([START + 26 * HOUR])))

    np.testing.assert_array_equal(seen(minutes), seen(60))


def test_it_does_not_show_how_long_the_record_is_nor_what_time_it_is():
    def seen(rows, at):
        trends = Trends(1)
        trends.take(*columns(rows))
        return matrix(trends.inputs(np.array([0]), np.array([at])))

    day = seen(every(10, of=lambda hour: 70.0), START + 26 * HOUR)
    for shift in (7 * HOUR, 24 * HOUR):
        later = every(10, shift=shift, of=lambda hour: 70.0)
        np.testing.assert_array_equal(seen(later, START + shift + 26 * HOUR), day)
    week = every(10, hours=7 * 24, of=lambda hour: 70.0)
    np.testing.assert_array_equal(seen(week, START + 7 * 24 * HOUR), day)


def test_no_feature_is_a_time_or_a_count():
    forbidden = ("hour of", "length", "count", "age", "number of")
    assert not [
        f.name for f in BY_NAME.values() if any(word in f.words.lower().split() for word in forbidden)
    ]


def some_inputs(n: int, seed: int = 1) -> Inputs:
    random = np.random.default_rng(seed)
    typical = np.array([80, 96, 18, 120, 65, 85, 37.0])
    spread = np.array([20, 4, 6, 20, 15, 15, 0.8])
    present = typical + spread * random.standard_normal((n, 7))
    hourly = typical + spread * random.standard_normal((n, HOURS, 7))
    present[random.random(present.shape) < 0.2] = np.nan
    hourly[random.random(hourly.shape) < 0.3] = np.nan
    return Inputs(present.astype(np.float32), hourly.astype(np.float32))


def test_a_row_depends_on_its_own_input_only():
    inputs = some_inputs(1500)
    together = matrix(inputs)
    assert together.shape == (1500, len(FEATURES))
    for row in (0, 1, 700, 1023, 1024, 1499):
        np.testing.assert_array_equal(matrix(inputs.take([row])), together[[row]])
    np.testing.assert_array_equal(matrix(inputs.take(slice(1111, 1499))), together[1111:1499])


@pytest.mark.parametrize("name", ["hr", "spo2", "rr", "sbp", "temp"])
def test_points_are_those_of_the_chart(name):
    column = TRACKED.index(name)
    values = np.arange(-5, 400, 0.125) if name != "temp" else np.arange(30, 45, 0.0125)
    inputs = Inputs.unknown(len(values))
    inputs.present[:, column] = values
    found = matrix(inputs, [BY_NAME[f"news_{name}.last"]])[:, 0]
    np.testing.assert_array_equal(found, points(name, inputs.present[:, column]))


@pytest.mark.parametrize("some", [["hr.max12"], ["rr.min6"], ["sbp.std24"], ["news.last", "hr.unrest"]])
def test_a_feature_does_not_depend_on_which_others_are_asked_for(some):
    inputs = some_inputs(50, seed=8)
    columns = [list(BY_NAME).index(name) for name in some]
    every = matrix(inputs, list(BY_NAME.values()))
    np.testing.assert_array_equal(matrix(inputs, [BY_NAME[name] for name in some]), every[:, columns])


def test_a_lower_newest_spo2_moves_every_feature_only_as_its_constraint_says():
    inputs = some_inputs(2000, seed=2)
    lower = Inputs(inputs.present.copy(), inputs.hourly)
    lower.present[:, 1] -= np.random.default_rng(3).uniform(0.1, 20, 2000).astype(np.float32)
    features = list(BY_NAME.values())
    before, after = matrix(inputs, features), matrix(lower, features)
    np.testing.assert_array_equal(np.isnan(before), np.isnan(after))
    moved = np.nan_to_num(after - before)
    for column, constraint in enumerate(monotone(features)):
        # ``monotone`` is the way the risk may go with the feature: what rises with a fall of SpO2 is +1.
        expected = moved[:, column] * constraint >= 0 if constraint else moved[:, column] == 0
        assert expected.all(), features[column].name


def test_absent_signals_are_not_known_and_nothing_else():
    inputs = Inputs.unknown(3)
    assert np.isnan(matrix(inputs)).all()
    inputs.present[0, 0] = 80
    table = matrix(inputs)
    known = {f.series for f, there in zip(FEATURES, ~np.isnan(table[0]), strict=True) if there}
    assert {name for name, series in SERIES.items() if series.signals == ("hr",)} <= known
    assert all("hr" in SERIES[name].signals for name in known)
    assert not known & {"shock_index", "hr_temp"}
    assert np.isnan(table[1:]).all()
