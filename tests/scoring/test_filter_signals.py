"""The filter by example: one signal against others, leads off, doubtful oximetry, pressures of one cuff."""

import pytest

from tests.scoring.test_filter import GOOD, cuff, judge, series, stable
from ward.scoring.filter import VALID, Filter
from ward.scoring.readings import Readings


def test_a_silent_lead_beside_a_good_pulse_is_a_lead_that_came_off():
    hr = series("hr", [80] * 30 + [0] * 300)
    marks = judge(hr, series("pr", stable("pr", 330), device=1))
    assert marks[30:315] == [("invalid", "leads-off")] * 285
    assert {m for m, _ in marks[315:]} <= {"invalid", "questionable"}


def test_a_silent_heart_without_pulse_is_not():
    hr = series("hr", [80] * 30 + [0] * 60)
    assert judge(hr) == [GOOD] * 90
    assert judge(hr, series("pr", [80] * 30 + [0] * 60)) == [GOOD] * 90
    assert judge(hr, series("pr", [80] * 30)) == [GOOD] * 90
    assert judge(hr, series("pr", [80] * 90, quality=0.1)) == [GOOD] * 90


@pytest.mark.parametrize("every", [1, 4])
@pytest.mark.parametrize(("beats_on", "hidden"), [(0, False), (6, False), (9, False), (30, True)])
def test_only_a_pulse_from_well_after_the_silence_bears_witness(every, beats_on, hidden):
    """Oximeters average: for some seconds they show a pulse that has gone."""
    hr = series("hr", [80] * 30 + [0] * 20)
    pr = series("pr", [80.0] * ((30 + beats_on) // every), step=every * 1000, device=1)
    first = judge(hr, pr, until=60_000)[30:45]
    assert {mark for mark, _ in first} == {"invalid" if hidden else "valid"}


def test_a_patch_that_shows_silence_each_minute_is_judged_by_the_pulse_between():
    hr = series("hr", [80, 80, 0, 0, 0, 80], step=60_000)
    beats = series("pr", stable("pr", 75), step=4000, device=1)
    assert [mark for mark, _ in judge(hr, beats)][2:5] == ["invalid"] * 3
    stops = series("pr", stable("pr", 31), step=4000, device=1)
    assert judge(hr.take(slice(0, 5)), stops)[2:4] == [GOOD] * 2


def test_the_pulse_of_another_patient_does_not_matter():
    assert (
        judge(series("hr", [80] * 30 + [0] * 60), series("pr", [80] * 90, slot=0, device=3).take([]))
        == [GOOD] * 90
    )
    readings = Readings.concat(
        [series("hr", [80] * 30 + [0] * 60), series("pr", [80] * 90, slot=1)]
    ).in_order()
    marked = Filter(2).push(readings, 90_000)
    assert (marked.mark == VALID).all()


@pytest.mark.parametrize(
    ("other", "values", "reason"),
    [("hr", [78] * 20 + [110] * 40, "hr-against-pr"), ("pi", [2.0] * 20 + [0.1] * 40, "low-perfusion")],
)
def test_saturation_is_doubted_where_rates_differ_or_perfusion_is_low(other, values, reason):
    company = (series("pr", [78] * 60), series(other, values))
    rise = [92] * 30 + [96] * 5 + [92] * 25
    assert judge(series("spo2", rise), *company)[30:35] == [("invalid", reason)] * 5
    assert judge(series("spo2", rise), company[0]) == [GOOD] * 60
    falls = [97] * 30 + [85] * 30
    assert judge(series("spo2", falls), *company) == [GOOD] * 60


@pytest.mark.parametrize("wrong", [(62, 55, 57), (80, 90, 85), (120, 70, 125), (120, 70, 65), (120, 70, 70)])
def test_pressures_that_cannot_be_together_wait_for_the_next_measurement(wrong):
    first, then, again = cuff(122, 74, 90, 0), cuff(*wrong, 900_000), cuff(121, 75, 91, 1_800_000)
    alone = Readings.concat([first, then])
    assert judge(alone)[3:] == [("questionable", "pressures")] * 3
    assert judge(Readings.concat([alone, again]))[3:6] == [("invalid", "pressures")] * 3
    same = Readings.concat([alone, cuff(*wrong, 1_800_000)])
    assert judge(same) == [GOOD] * 9


def test_pressures_that_cannot_be_together_are_contradicted_without_a_level():
    """The first measurement of a stay, and one before a true fall: the next set speaks against it."""
    assert judge(Readings.concat([cuff(98, 56, 107, 0), cuff(120, 69, 86, 900_000)]))[2:3] == [
        ("invalid", "pressures")
    ]
    falls = Readings.concat([cuff(120, 73, 90, 0), cuff(120, 102, 78, 900_000), cuff(113, 36, 65, 1_800_000)])
    assert judge(falls)[3:] == [("invalid", "pressures")] * 3 + [GOOD] * 3


def test_sets_of_deep_shock_that_hardly_can_be_are_believed_though_they_differ():
    """Where the pulse pressure is narrow, noise makes the mean as low as the diastolic: still the patient."""
    sets = [cuff(95, 62, 72, 0), cuff(64, 51, 51, 900_000), cuff(46, 38, 45, 1_800_000)]
    assert judge(Readings.concat(sets))[:6] == [GOOD] * 6


def test_a_narrow_pulse_pressure_that_lasts_is_believed():
    shock = Readings.concat([cuff(120, 73, 90, 0), cuff(62, 55, 57, 900_000), cuff(66, 52, 56, 1_800_000)])
    assert judge(shock) == [GOOD] * 9


def test_a_true_fall_of_pressure_within_an_hour_is_believed_at_once():
    readings = Readings.concat([cuff(130, 75, 93, 0), cuff(84, 48, 60, 3_600_000)])
    assert judge(readings) == [GOOD] * 6
