"""Every scripted course reaches its thresholds, holds them, and fades when treated."""

import operator
from dataclasses import replace

import numpy as np
import pytest

from simulator import SCRIPTS, Course, messages, scene
from simulator.patients import draw_patient
from simulator.ward_plan import EARLY
from tests.simulator.reading import HOUR, MINUTE, START, samples, values, within

OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def holds(clause, signs):
    signal, op, number = clause.split()
    return OPERATORS[op](signs[signal], float(number))


@pytest.mark.parametrize("kind", SCRIPTS)
@pytest.mark.parametrize("seed", range(12))
def test_true_values_hold_the_thresholds_from_full_to_treated(kind, seed):
    course = Course(kind, HOUR, lasts=2 * HOUR)
    patient = replace(draw_patient((seed, 11)), courses=(course,))
    signs = patient.truth(np.arange(course.full, course.treated, 2_000), START + seed * 3_700_000)
    for condition in course.script.reaches:
        for clause in condition.when:
            assert holds(clause, signs).all(), clause


@pytest.mark.parametrize("kind", SCRIPTS)
def test_before_and_after_the_patient_is_well(kind):
    course = Course(kind, 2 * HOUR, lasts=HOUR)
    patient = draw_patient((4, 11))
    sick = replace(patient, courses=(course,))
    for t in (np.arange(0, course.onset, 60_000), np.arange(course.end, course.end + HOUR, 60_000)):
        well, same = patient.truth(t, START), sick.truth(t, START)
        assert all(np.allclose(well[s], same[s]) for s in well)


@pytest.mark.parametrize(
    ("kind", "clause"),
    [
        ("respiratory-failure", "rr >= 24"),
        ("respiratory-failure", "spo2 < 88"),
        ("sepsis", "rr >= 24"),
        ("arrhythmia", "hr > 130"),
        ("bradycardia", "hr < 40"),
        ("opioid", "spo2 < 88"),
        ("opioid", "rr < 11"),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_a_monitor_shows_it_without_a_break(kind, clause, seed):
    course = Course(kind, 0, lasts=HOUR)
    found = samples(messages(scene(seed=seed, courses=[course]), START, course.treated, 30_000), "monitor")
    shown = within(found, course.full, course.full + 40 * MINUTE)
    signal = clause.split()[0]
    assert len(shown) == 40 * 60
    assert holds(clause, {signal: np.array(values(shown, signal))}).mean() > 0.998


def test_severity_rises_holds_and_fades():
    course = Course("bleeding", -HOUR, lasts=HOUR, fades=HOUR)
    at = course.severity(
        np.array([-HOUR, -HOUR + 1, course.full, course.treated, course.end - 1, course.end])
    )
    assert at[0] == at[-1] == 0
    assert at[2] == at[3] == 1
    assert 0 < at[1] < 0.01 > at[4] > 0


def test_a_demo_begins_with_courses_under_way():
    under_way = [c for c in EARLY if c.onset < 0 and c.full < 20 * MINUTE]
    assert len(under_way) >= 2
    assert all(c.full <= 20 * MINUTE for c in under_way)
