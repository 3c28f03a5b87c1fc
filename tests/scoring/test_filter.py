"""The filter by example: each artefact of a stable patient goes, and says why."""

import numpy as np
import pytest

from ward.scoring.detectors import REASON
from ward.scoring.filter import INVALID, MARKS, QUESTIONABLE, REASONS, VALID, Filter
from ward.scoring.limits import DETECTORS, LIMITS
from ward.scoring.readings import Readings
from ward.signals import INDEX, MEASURED, SIGNALS, STATUS_WORDS

RNG = np.random.default_rng(7)


def series(name, values, *, start=0, step=1000, **more):
    values = np.asarray(values, float)
    signal = INDEX[name]
    time = start + np.arange(len(values)) * step
    return Readings.of(
        n=len(values),
        **{"slot": 0, "signal": signal, "time": time, "value": values, "hold": SIGNALS[signal].hold, **more},
    )


def judge(*parts, until=None):
    """Final (mark, reason) words of the first part's readings, in order; others are only company."""
    readings = Readings.concat(
        [Readings(**{**p.columns(), "seq": np.arange(len(p)) + 10**6 * i}) for i, p in enumerate(parts)]
    ).in_order()
    marked = Filter(1).push(readings, int(readings.time[-1]) if until is None else until)
    own = marked.readings.seq < 10**6
    order = np.argsort(marked.readings.seq[own])
    words = [(MARKS[m], REASONS[r]) for m, r in zip(marked.mark[own], marked.reason[own], strict=True)]
    return [words[i] for i in order]


def stable(name, n, level=None):
    level = {"hr": 78, "pr": 78, "spo2": 97, "rr": 15, "pi": 2.0}[name] if level is None else level
    return level + np.round(RNG.normal(0, 0.3 if name == "spo2" else 0.5, n), 1)


def cuff(sbp, dbp, mean, at):
    return Readings.concat(
        [series(name, [v], start=at, step=1) for name, v in (("sbp", sbp), ("dbp", dbp), ("map", mean))]
    )


GOOD = ("valid", "")


# --------------------------------------------------------------------------- what cannot be


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("spo2", 100.1),
        ("spo2", -1),
        ("hr", 351),
        ("hr", -1),
        ("rr", 151),
        ("sbp", 401),
        ("dbp", -21),
        ("temp", 19.9),
        ("temp", 46.1),
    ],
)
def test_only_the_impossible_is_invalid_at_once(name, value):
    assert judge(series(name, [value]), until=0) == [("invalid", "impossible")]


@pytest.mark.parametrize(
    ("name", "value"),
    [("spo2", 30), ("spo2", 0), ("hr", 320), ("rr", 80), ("sbp", 310), ("temp", 29), ("dbp", -5)],
)
def test_the_implausible_waits_and_is_believed_when_it_repeats(name, value):
    assert judge(series(name, [value]), until=0) == [("questionable", "implausible")]
    assert judge(series(name, [value, value], step=60_000)) == [GOOD, GOOD]


def test_zero_is_a_value():
    assert judge(series("hr", [0] * 20)) == [GOOD] * 20
    assert judge(series("rr", [0] * 20)) == [GOOD] * 20


# --------------------------------------------------------------------------- spikes and steps


@pytest.mark.parametrize(
    ("name", "spike"), [("hr", 247), ("pr", 243), ("spo2", 41), ("spo2", 85), ("rr", 58)]
)
@pytest.mark.parametrize("length", [1, 3, 14])
def test_a_dense_spike_goes(name, spike, length):
    values = stable(name, 60)
    values[30 : 30 + length] = spike
    marks = judge(series(name, values))
    assert {m for m, _ in marks[30 : 30 + length]} == {"invalid"}
    assert {r for _, r in marks[30 : 30 + length]} <= {"spike", "implausible"}
    assert set(marks[:30] + marks[30 + length :]) == {GOOD}


@pytest.mark.parametrize(
    ("name", "step", "base", "spike"), [("hr", 60, 80, 247), ("rr", 60, 16, 88), ("temp", 60, 37, 33)]
)
def test_a_sparse_spike_goes_with_the_next_reading(name, step, base, spike):
    values = [base, base, spike, base, base]
    assert judge(series(name, values[:3], step=step * 1000))[2][0] == "questionable"
    assert judge(series(name, values, step=step * 1000))[2][0] == "invalid"


def test_a_step_counts_from_its_own_time_once_it_has_lasted_15_s():
    values = [97] * 30 + [80] * 30
    filter_ = Filter(1)
    all_ = series("spo2", values)
    for k in range(30, 46):
        marked = filter_.push(all_.take(slice(0, 31) if k == 30 else slice(k, k + 1)), k * 1000)
        assert filter_.waiting()[0] == (30_000 if k < 45 else 2**63 - 1)
    assert marked.readings.time.tolist() == [t * 1000 for t in range(30, 46)]
    assert (marked.mark == VALID).all()
    assert marked.first.tolist() == [False] * 15 + [True]


@pytest.mark.parametrize("breathing", [8, 15])
def test_a_breath_that_is_not_counted_waits_and_an_apnoea_counts_from_its_beginning(breathing):
    lost = [breathing] * 30 + [0] * 4 + [breathing] * 10
    assert judge(series("rr", lost))[30:34] == [("invalid", "spike")] * 4
    apnoea = [breathing] * 30 + [0] * 16
    assert judge(series("rr", apnoea)) == [GOOD] * 46
    sparse = series("rr", [breathing, breathing, 0, breathing, 0, 0, 0], step=60_000)
    assert [mark for mark, _ in judge(sparse)] == ["valid", "valid", "invalid", *["valid"] * 4]


def test_a_fall_as_fast_as_bodies_fall_never_waits():
    assert judge(series("spo2", np.arange(98, 58, -0.8))) == [GOOD] * 50
    assert judge(series("hr", np.arange(80, 0, -4.0))) == [GOOD] * 20


def test_a_deviation_cut_off_by_silence_is_believed_when_its_hold_ends():
    readings = series("hr", [80] * 20 + [0] * 5)
    assert judge(readings, until=24_000 + 89_999)[20:] == [("questionable", "rate")] * 5
    assert judge(readings, until=24_000 + 90_000)[20:] == [GOOD] * 5


def test_nothing_waits_longer_than_for_an_hourly_cuff():
    readings = series("temp", [31.0])
    assert judge(readings, until=65 * 60_000 - 1) == [("questionable", "implausible")]
    assert judge(readings, until=65 * 60_000) == [GOOD]


def test_a_gap_does_not_make_the_next_value_a_jump():
    readings = Readings.concat([series("hr", [80] * 5), series("hr", [135], start=600_000)])
    assert judge(readings)[-1] == GOOD


def test_each_device_has_a_level_of_its_own():
    one, two = series("hr", [80] * 20, device=1), series("hr", [120] * 20, start=500, device=2)
    assert judge(one, two) == [GOOD] * 20
    assert judge(two, one) == [GOOD] * 20


# --------------------------------------------------------------------------- what the device says


@pytest.mark.parametrize("word", ["probe-off", "leads-off", "calibrating", "invalid"])
def test_no_measurement_by_the_devices_own_word(word):
    status = STATUS_WORDS.index(word)
    assert judge(series("spo2", [97, 60, 50], status=status)) == [("invalid", "device-status")] * 3


@pytest.mark.parametrize("word", ["motion", "low-perfusion", "out-of-range", "unknown"])
def test_a_doubtful_word_makes_a_reading_questionable_never_invalid_by_itself(word):
    status = np.where(np.arange(40) >= 20, STATUS_WORDS.index(word), 0)
    steady = judge(series("spo2", [97] * 40, status=status))
    assert steady == [GOOD] * 40
    changed = series("spo2", [97] * 20 + [92] * 20, status=status)
    assert judge(changed.take(slice(0, 21)))[20:] == [("questionable", "device-status")]
    assert judge(changed) == [GOOD] * 40
    back = series("spo2", [97] * 20 + [92] * 8 + [97] * 12, status=status)
    assert judge(back)[20:28] == [("invalid", "device-status")] * 8


def test_low_quality_is_doubtful_and_high_quality_is_not():
    values = [97] * 20 + [92] * 5 + [97] * 5
    assert judge(series("spo2", values, quality=0.2))[20:25] == [("invalid", "device-quality")] * 5
    assert judge(series("spo2", values, quality=0.9)) == [GOOD] * 30


def test_motion_bursts_go_though_their_values_jump_about():
    rows = np.arange(600)
    burst = (rows // 4 % 3 == 1) & (rows > 60)
    values = np.where(burst, 97 - np.abs(RNG.normal(0, 9, 600)) - 2, stable("spo2", 600))
    marks = judge(series("spo2", values, status=np.where(rows > 60, STATUS_WORDS.index("motion"), 0)))
    kept = np.array([m == "valid" for m, _ in marks])
    assert (values[kept] >= 91).all()
    assert kept[~burst].all()


# --------------------------------------------------------------------------- frozen devices


def frozen_monitor(minutes, names=("hr", "spo2", "rr", "pi"), **values):
    level = {"hr": 78, "spo2": 97, "rr": 15, "pi": 2.0, **values}
    return [series(n, [*stable(n, 59), level[n] + 0.3, *[level[n]] * 60 * minutes]) for n in names]


def test_a_frozen_device_does_not_look_normal_for_ever():
    marks = judge(*frozen_monitor(15))
    assert marks[: 60 + 600] == [GOOD] * 660
    assert marks[662:] == [("questionable", "flat-line")] * (60 * 15 - 602)


def test_one_signal_that_moves_shows_that_the_device_lives():
    hr, spo2, rr, _ = frozen_monitor(15)
    assert judge(hr, spo2, rr, series("pi", stable("pi", 960))) == [GOOD] * 960


def test_a_frozen_extreme_is_never_hidden():
    assert judge(*frozen_monitor(40, names=("hr", "spo2"), hr=150)) == [GOOD] * (60 + 2400)
    assert judge(*frozen_monitor(40, names=("spo2", "hr"), spo2=84)) == [GOOD] * (60 + 2400)


def test_a_paced_heart_on_a_device_of_one_signal_has_longer():
    marks = judge(*frozen_monitor(40, names=("hr",)))
    assert marks[: 60 + 1800] == [GOOD] * 1860
    assert marks[-1] == ("questionable", "flat-line")


def test_a_device_that_wakes_is_believed_at_once():
    hr, spo2 = (np.append([v] * 900, [w] * 30) for v, w in ((78, 79), (97, 97)))
    assert judge(series("hr", hr), series("spo2", spo2))[-30:] == [GOOD] * 30
    assert judge(series("spo2", spo2), series("hr", hr))[-30:] == [GOOD] * 30


def test_sparse_readings_that_repeat_are_no_flat_line():
    assert judge(series("hr", [78] * 60, step=60_000), series("rr", [15] * 60, step=60_000)) == [GOOD] * 60


# --------------------------------------------------------------------------- many stays


def test_every_measured_signal_has_limits_and_every_reason_is_stable():
    assert tuple(LIMITS) == MEASURED
    assert REASONS[0] == ""
    assert [REASON[w] for w in ("impossible", "implausible", "spike", "rate", "flat-line")] == [1, 2, 3, 4, 5]
    assert (VALID, QUESTIONABLE, INVALID) == (0, 1, 2)


def test_a_forgotten_slot_starts_anew_and_others_go_on():
    filter_ = Filter(2)
    both = Readings.concat(
        [series("hr", [80] * 5 + [200]), series("hr", [80] * 5 + [200], slot=1)]
    ).in_order()
    filter_.push(both, 5000)
    filter_.forget(0)
    assert filter_.waiting().tolist() == [2**63 - 1, 5000]
    marked = filter_.push(
        Readings.concat([series("hr", [200], start=6000), series("hr", [80], start=6000, slot=1)]), 6000
    )
    assert list(zip(marked.readings.slot.tolist(), marked.mark.tolist(), strict=True)) == [
        (1, INVALID),
        (0, VALID),
        (1, VALID),
    ]


def test_a_filter_adopts_a_stay_from_another():
    readings = Readings.concat(
        [series("hr", [80] * 30 + [0] * 10), series("pr", [80] * 40, device=2)]
    ).in_order()
    trial, live = Filter(1), Filter(3)
    live.push(Readings(**{**readings.columns(), "slot": np.full(len(readings), 2, np.int32)}), 39_000)
    trial.push(readings, 39_000)
    live.adopt(1, trial)
    rest = Readings.concat(
        [series("hr", [0] * 20, start=40_000), series("pr", [80] * 20, start=40_000, device=2)]
    )
    both = [Readings(**{**rest.columns(), "slot": np.full(len(rest), s, np.int32)}) for s in (1, 2)]
    marked = live.push(Readings.concat(both).in_order(), 59_000)
    of = [marked.mark[marked.readings.slot == s].tolist() for s in (1, 2)]
    assert of[0] == of[1]
    assert INVALID in of[0]


def test_resizing_keeps_what_is_known():
    filter_ = Filter(1)
    filter_.push(series("hr", [80] * 5 + [200]), 5000)
    filter_.resize(4)
    assert filter_.waiting().tolist() == [5000, *[2**63 - 1] * 3]
    marked = filter_.push(series("hr", [80], start=6000, slot=3), 30_000)
    assert set(marked.readings.slot.tolist()) == {3}


def test_observed_values_pass():
    assert judge(series("consciousness", [3, 0, 4])) == [GOOD] * 3
    assert judge(series("oxygen", [1, 0])) == [GOOD] * 2
    assert judge(series("oxygen", [2]), until=0) == [("invalid", "impossible")]


# --------------------------------------------------------------------------- falls faster than bodies fall


def oximeter_dip(per_second, seconds, depth=8.0):
    """Saturation that falls at a speed, stays down and comes back as fast, as oximeters show movement."""
    fall = np.minimum(np.arange(1, 40) * per_second, depth)
    down = 97 - fall[: int(np.ceil(depth / per_second))]
    return np.concatenate([[97.0] * 30, down, [97 - depth] * seconds, down[::-1], [97.0] * 40])


def test_a_fall_of_2_percent_a_second_waits_and_goes_with_its_return():
    values = oximeter_dip(2.0, 5)
    marks = judge(series("spo2", values))
    assert {m for m, v in zip(marks, values, strict=True) if v < 92} == {("invalid", "spike")}
    assert {m for m, v in zip(marks, values, strict=True) if v >= 97} == {GOOD}


def test_the_same_fall_is_believed_when_it_lasts_or_is_slow():
    assert judge(series("spo2", oximeter_dip(2.0, 30))) == [GOOD] * len(oximeter_dip(2.0, 30))
    assert judge(series("spo2", oximeter_dip(0.8, 2))) == [GOOD] * len(oximeter_dip(0.8, 2))


def test_a_fall_that_is_coming_back_when_its_time_is_up_goes_and_one_that_stays_low_does_not():
    down = [97.0] * 30 + [94, 91, *[89] * 9, 91, 92, 93, 94]
    gone = judge(series("spo2", [*down, 94, 95, 96, *[97] * 30]))
    assert {m for m, v in zip(gone, [*down, 94, 95, 96], strict=False) if v < 94} == {("invalid", "spike")}
    assert gone[-30:] == [GOOD] * 30
    lasts = [*down[:-1], *[92] * 60]  # the same, but it stays beyond what is normal
    assert judge(series("spo2", lasts)) == [GOOD] * len(lasts)


def test_what_is_on_its_way_back_from_a_fast_fall_waits_too_and_is_believed_when_it_stays():
    values = [97] * 30 + [94, 90, 88, 88, 91, 94] + [94] * 20
    assert judge(series("spo2", values[:36])) == [GOOD] * 30 + [("invalid", "spike")] * 5 + [
        ("questionable", "rate")
    ]
    assert judge(series("spo2", values))[35:] == [GOOD] * 21


def test_a_fall_after_a_silence_is_none():
    marks = judge(Readings.concat([series("spo2", [97] * 30), series("spo2", [90] * 20, start=60_000)]))
    assert marks == [GOOD] * 50


# --------------------------------------------------------------------------- rates that leap


def test_a_rate_that_leaps_in_steps_goes_with_its_return_and_stays_when_it_lasts():
    leap = [16] * 30 + [22, 28, 28, 27, 27, 22, 18]
    assert judge(series("rr", [*leap, *[16] * 20])) == [
        *[GOOD] * 30,
        *[("invalid", "spike")] * 6,
        *[GOOD] * 21,
    ]
    assert judge(series("rr", [*leap[:34], *[27] * 30])) == [GOOD] * 64


def test_a_rate_that_falls_in_steps_before_its_signal_is_lost_goes_with_it():
    lost = Readings.concat([series("rr", [14] * 30 + [8]), series("rr", [0] * 4 + [14] * 20, start=34_000)])
    assert [mark for mark, _ in judge(lost)] == ["valid"] * 30 + ["invalid"] * 5 + ["valid"] * 20


@pytest.mark.parametrize(("usual", "then"), [(33, 27), (5, 10), (9, 15), (15, 18)])
def test_a_rate_that_becomes_more_normal_or_hardly_moves_does_not_wait(usual, then):
    assert judge(series("rr", [usual] * 30 + [then])) == [GOOD] * 31


# --------------------------------------------------------------------------- leads off, told


def told_off(filter_, until):
    filter_.push(Readings.empty(), until)
    slots, since = filter_.leads_off()
    return list(zip(slots.tolist(), since.tolist(), strict=True))


def test_leads_that_are_off_are_known_after_30_s_until_they_are_on_again():
    hr = series("hr", [80] * 30 + [0] * 60 + [82] * 30)
    both = Readings.concat([hr, series("pr", stable("pr", 120), device=1)]).in_order()
    filter_ = Filter(1)
    known = {}
    for second in range(120):
        filter_.push(both.take(both.time == second * 1000), second * 1000)
        known[second] = filter_.leads_off()[1].tolist()
    assert [s for s, since in known.items() if since] == list(range(60, 90))
    assert all(since in ([], [30_000]) for since in known.values())


def test_leads_of_which_nothing_more_is_heard_are_unknown_and_a_stopped_heart_has_its_leads_on():
    filter_ = Filter(2)
    off = Readings.concat([series("hr", [80] * 30 + [0] * 60), series("pr", [80.0] * 90, device=1)])
    stops = Readings.concat([series("hr", [80] * 30 + [0] * 60), series("pr", [80.0] * 40, device=1)])
    filter_.push(Readings.concat([off, stops.at_slot(1)]).in_order(), 89_000)
    assert told_off(filter_, 90_000) == [(0, 30_000)]
    assert told_off(filter_, 80_000 + 90_000 + 10_000) == []


@pytest.mark.parametrize("name", [n for n in DETECTORS if n not in ("impossible", "no-measurement")])
def test_each_detector_can_be_left_out(name):
    """And is then the one that is missing: what it alone catches passes."""
    caught = {
        "doubtful-word": [series("hr", [80] * 20 + [93] * 5 + [80] * 9, status=STATUS_WORDS.index("motion"))],
        "low-quality": [series("hr", [80] * 20 + [93] * 5 + [80] * 9, quality=0.1)],
        "implausible": [series("temp", [37, 31, 37], step=3_600_000)],
        "jump": [series("hr", [80] * 20 + [120] * 5 + [80] * 9)],
        "fast-fall": [series("spo2", oximeter_dip(2.0, 5))],
        "fast-breath": [series("rr", [15] * 20 + [20, 26, 26, 20] + [15] * 9)],
        "no-breath": [series("rr", [8] * 20 + [0] * 2 + [8] * 9, step=5_000)],
        "low-perfusion": [
            series("spo2", [92] * 20 + [96] * 5 + [92] * 20),
            series("pi", [0.1] * 45),
        ],
        "hr-against-pr": [
            series("spo2", [92] * 20 + [96] * 5 + [92] * 20),
            series("hr", [80] * 45),
            series("pr", [110] * 45),
        ],
        "leads-off": [series("hr", [80] * 30 + [0] * 60), series("pr", [80] * 90, device=1)],
        "pressures": [
            Readings.concat([cuff(122, 74, 90, 0), cuff(100, 95, 97, 900_000), cuff(121, 75, 91, 1_800_000)])
        ],
        "flat-line": frozen_monitor(15),
    }[name]
    readings = Readings.concat(caught).in_order()
    end = int(readings.time[-1])
    assert (Filter(1).push(readings, end).mark != VALID).any()
    assert (Filter(1, without=[name]).push(readings, end).mark == VALID).all()
