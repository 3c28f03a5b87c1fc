"""Properties of the filter: cut as you like, same marks; a true extreme always passes (law 11)."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ward.scoring.filter import QUESTIONABLE, VALID, Filter
from ward.scoring.readings import Readings
from ward.signals import INDEX, SIGNALS, STATUS_WORDS

HOLD = np.array([s.hold for s in SIGNALS])


def identity(readings):
    return list(
        zip(
            readings.slot.tolist(),
            readings.device.tolist(),
            readings.signal.tolist(),
            readings.time.tolist(),
            readings.seq.tolist(),
            strict=True,
        )
    )


def final_marks(pushes, slots=3, restart_at=()):
    """Fold pushes of (readings, until) into the last mark and reason of every reading."""
    filter_, told = Filter(slots), {}
    for number, (readings, until) in enumerate(pushes):
        if number in restart_at:
            state = filter_.snapshot()
            filter_ = Filter(slots)
            filter_.restore(state)
        marked = filter_.push(readings, until)
        for key, mark, reason, first in zip(
            identity(marked.readings), marked.mark, marked.reason, marked.first, strict=True
        ):
            assert (key not in told) == first
            assert first or told[key][0] == QUESTIONABLE
            assert first or mark != QUESTIONABLE
            told[key] = (int(mark), int(reason))
    return told, filter_


@st.composite
def streams(draw):
    """Readings of a few stays with everything that can go wrong, in order, times in ms."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n = draw(st.integers(1, 120))
    step = draw(st.sampled_from([500, 1000, 4000, 9000, 20_000, 60_000]))
    time = np.sort(rng.integers(0, n, n)) * step
    time += np.where(rng.random(n) < 0.05, 20 * step, 0).cumsum()
    signal = rng.choice(draw(st.sampled_from([(0, 1), (0, 1, 2, 8), (4, 5, 6), (3, 7, 2, 9), (2,)])), n)
    base = np.array([80, 80, 97, 15, 120, 70, 90, 37, 1, 0, 0, 0, 0])[signal]
    value = base + rng.normal(0, 1, n).round(1)
    odd = rng.random(n) < draw(st.sampled_from([0.02, 0.3, 0.8]))
    value[odd] = rng.choice([0, 0, 5, 45, 60, 84, 90, 140, 250, 310, 500], odd.sum())
    block = np.repeat(rng.random(n // 15 + 1) < 0.3, 15)[:n]
    value[block] = np.floor(value[block] * 0.6)
    return Readings.of(
        slot=rng.integers(0, 3, n),
        signal=signal,
        time=time,
        value=value,
        seq=np.arange(n),
        device=rng.integers(0, 2, n),
        hold=np.where(rng.random() < 0.3, 2500, HOLD[signal]),
        status=np.where(rng.random(n) < 0.15, rng.integers(0, len(STATUS_WORDS), n), 0),
        quality=np.where(rng.random(n) < 0.15, rng.random(n), np.nan),
    )


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(streams(), st.data())
def test_marks_do_not_depend_on_how_a_stream_is_cut(readings, data):
    end = int(readings.time[-1]) + data.draw(st.sampled_from([0, 10_000, 200_000, 10**8]))
    whole, one = final_marks([(readings, end)])
    cuts = [*sorted(data.draw(st.lists(st.integers(0, end), max_size=30))), end]
    pushes, before = [], -1
    for cut in cuts:
        pushes.append((readings.take((readings.time > before) & (readings.time <= cut)), cut))
        before = cut
    restarts = data.draw(st.sets(st.integers(0, len(pushes))))
    parts, many = final_marks(pushes, restart_at=restarts)
    assert parts == whole
    assert (one.waiting() == many.waiting()).all()


@settings(max_examples=100, deadline=None)
@given(streams())
def test_reading_by_reading_is_the_same_too(readings):
    end = int(readings.time[-1]) + 10**8
    whole, _ = final_marks([(readings, end)])
    instants = np.unique(readings.time)
    parts, filter_ = final_marks(
        [*((readings.take(readings.time == t), int(t)) for t in instants), (Readings.empty(), end)]
    )
    assert parts == whole
    assert not [mark for mark, reason in whole.values() if mark == QUESTIONABLE and reason == 0]
    assert (filter_.waiting() == np.iinfo(np.int64).max).all()


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([1000, 3000, 7000]), st.floats(0.01, 0.9))
def test_of_dense_streams_nothing_is_resolved_that_was_not_waited_for(seed, spacing, odd):
    """The engine holds a stay back to ``waiting``, at most 15 s: so nothing dense is ever late."""
    rng = np.random.default_rng(seed)
    filter_, n = Filter(3), 60
    for k in range(n):
        waiting, until = filter_.waiting(), k * spacing
        assert (waiting > until - spacing - 15_000).all()
        value = np.where(rng.random(3) < odd, rng.choice([0, 40, 60, 85], 3), 97)
        some = Readings.of(slot=[0, 1, 2], signal=INDEX["spo2"], time=until, value=value, hold=90_000)
        marked = filter_.push(some, until)
        old = ~marked.first
        assert (marked.readings.time[old] >= waiting[marked.readings.slot[old]]).all()
        assert (marked.readings.time >= until - 15_000 - spacing).all()


STABLE = {"hr": 78, "pr": 78, "spo2": 97, "rr": 15, "sbp": 122, "dbp": 74, "map": 92, "temp": 36.9}
NOISE = {**dict.fromkeys(STABLE, 1.0), "temp": 0.05}
EXTREMES = {
    "hr": [0, 15, 25, 38, 131, 180, 290, 320],
    "spo2": [0, 30, 49, 60, 79, 84, 87, 91],
    "rr": [0, 3, 5, 8, 24, 40, 59, 75, 120],
    "sbp": [0, 45, 69, 90, 181, 240, 320],
    "dbp": [0, 20, 35, 130, 210],
    "map": [0, 30, 50, 140, 260],
    "temp": [28, 31, 34, 39.5, 41.5, 44.5],
}
WORDS = [STATUS_WORDS.index(w) for w in ("ok", "motion", "low-perfusion", "out-of-range", "unknown")]


def one_stay(name, time, value, **more):
    signal = INDEX[name]
    return Readings.of(slot=0, signal=signal, time=time, value=value, hold=SIGNALS[signal].hold, **more)


@pytest.mark.parametrize("name", EXTREMES)
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_law_11_dense_extremes_of_30_s_pass_within_15_s(name, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    extreme = data.draw(st.sampled_from(EXTREMES[name]))
    lead, lasts = data.draw(st.integers(0, 60)), data.draw(st.integers(30, 60))
    n = lead + lasts + 40
    time = np.arange(n) * 1000
    value = STABLE[name] + rng.normal(0, NOISE[name], n).round(2)
    if lead and data.draw(st.booleans()):  # a spike at any moment before, also at its edge
        at = data.draw(st.integers(0, lead - 1))
        value[at : min(at + 3, lead)] = data.draw(st.sampled_from([0.0, 40.0, 250.0]))
    injected = slice(lead, lead + lasts)
    value[injected] = extreme + rng.normal(0, NOISE[name] * data.draw(st.sampled_from([0, 0.5])), lasts)
    signal = SIGNALS[INDEX[name]]
    value = np.clip(value, *signal.possible)
    readings = one_stay(
        name,
        time,
        value,
        status=rng.choice(WORDS, n) if data.draw(st.booleans()) else 0,
        quality=rng.random(n) if data.draw(st.booleans()) else np.nan,
    )
    told_valid = {}
    filter_ = Filter(1)
    for i in range(n):
        marked = filter_.push(readings.take(slice(i, i + 1)), i * 1000)
        for t, mark in zip(marked.readings.time.tolist(), marked.mark, strict=True):
            if mark == VALID:
                told_valid[t] = i * 1000
    for t in time[injected].tolist():
        assert t in told_valid, f"hidden at {t}"
        assert told_valid[t] - t <= 15_000


@pytest.mark.parametrize("name", EXTREMES)
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_law_11_two_sparse_extremes_pass_with_the_second(name, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    step = data.draw(st.sampled_from([16, 60, 300, 900, 3600])) * 1000
    before, after = data.draw(st.integers(0, 5)), data.draw(st.integers(0, 3))
    n = before + 2 + after
    value = STABLE[name] + rng.normal(0, NOISE[name], n).round(2)
    value[before : before + 2] = data.draw(st.sampled_from(EXTREMES[name]))
    readings = one_stay(name, np.arange(n) * step, value)
    marked = Filter(1).push(readings.take(slice(0, before + 2)), (before + 1) * step)
    assert (marked.mark[before:] == VALID).all()


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_stopped_heart_is_never_hidden(data):
    """HR 0 with no pulse, with a pulse of 0, or with one that ended before: valid from its own time."""
    lead, lasts = data.draw(st.integers(0, 60)), 60
    n = lead + lasts
    time = np.arange(n) * 1000
    hr = np.where(np.arange(n) < lead, 80.0, data.draw(st.sampled_from([0.0, 10.0])))
    pulse = data.draw(st.sampled_from(["none", "zero", "ends", "lags"]))
    beats = lead + (8 if pulse == "lags" else 0)  # oximeters show an average: the pulse may lag
    pr_time = {"none": time[:0], "zero": time, "ends": time[:beats], "lags": time[:beats]}[pulse]
    pr = np.where(np.arange(len(pr_time)) < beats, 80.0, 0.0)
    readings = Readings.concat([one_stay("hr", time, hr), one_stay("pr", pr_time, pr, device=1)]).in_order()
    told, _ = final_marks([(readings, n * 1000)], slots=1)
    assert all(
        mark == VALID
        for (_, _, signal, t, _), (mark, _) in told.items()
        if signal == INDEX["hr"] and t < n * 1000
    )


@pytest.mark.parametrize("usual", [80.0, 118.0])
def test_a_stopped_heart_is_not_hidden_by_a_pulse_that_is_frozen(usual):
    """An oximeter that has shown the same for minutes bears no witness, whatever it shows."""
    n, stops = 1_000, 900
    second = np.arange(n)
    hr = one_stay("hr", second * 1000, np.where(second < stops, 80.0 + second % 3, 0.0))
    frozen = [
        one_stay(name, second * 1000, np.full(n, v), device=1) for name, v in (("pr", usual), ("spo2", 97))
    ]
    readings = Readings.concat([hr, *frozen])
    for cut in (n, 1):
        ends = range(cut, n + 1, cut)
        parts = [
            readings.take((readings.time < e * 1000) & (readings.time >= (e - cut) * 1000)) for e in ends
        ]
        told, _ = final_marks(
            [(p.in_cell_order(), e * 1000) for p, e in zip(parts, ends, strict=True)], slots=1
        )
        marks = {t: mark for (_, _, signal, t, _), (mark, _) in told.items() if signal == INDEX["hr"]}
        assert len(marks) == n
        assert set(marks.values()) == {VALID}


def test_an_extreme_right_after_a_spike_is_not_taken_for_its_end():
    value = [15.0] * 30 + [40.0] + [8.0, 7.6, 8.4, 7.9] * 5 + [9.1] + [8.0] * 20
    readings = one_stay("rr", np.arange(len(value)) * 1000, value)
    marked = Filter(1).push(readings, len(value) * 1000)
    final = dict(zip(marked.readings.time.tolist(), marked.mark.tolist(), strict=True))
    assert all(final[t * 1000] == VALID for t in range(31, len(value)))


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_law_11_an_extreme_that_was_reached_at_any_speed_passes_when_it_lasts(data):
    """What is doubted for its speed alone counts from its own time, whatever came before and comes after."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    name, usual, extreme = data.draw(st.sampled_from([("spo2", 97, 84), ("spo2", 90, 78), ("rr", 16, 30)]))
    speed = data.draw(st.sampled_from([0.3, 0.7, 1.0, 1.7, 3.0, 6.0, 20.0]))
    step, lasts = data.draw(st.sampled_from([1, 2, 4])), data.draw(st.integers(20, 50))
    way = np.arange(usual, extreme, np.sign(extreme - usual) * speed * step)
    spike = [60.0] * data.draw(st.integers(0, 2))
    values = np.concatenate([[usual] * 20, spike, [usual] * 20, way, [extreme] * lasts, [usual] * 20])
    values = values + np.round(rng.normal(0, 0.3, len(values)))
    readings = one_stay(name, np.arange(len(values)) * step * 1000, values)
    told, _ = final_marks([(readings, len(values) * step * 1000 + 10**8)], slots=1)
    began = 40 + len(spike) + len(way)
    marks = [mark for _, (mark, _) in sorted(told.items(), key=lambda item: item[0][3])]
    assert set(marks[began : began + lasts]) == {VALID}
