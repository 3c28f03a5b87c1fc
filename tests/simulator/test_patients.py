"""Physiology that hangs together."""

from dataclasses import replace

import numpy as np
import pytest

from simulator.courses import Course
from simulator.patients import draw_patient, saturation
from tests.simulator.reading import HOUR, MINUTE, START

DAY = np.arange(0, 24 * HOUR, 10_000)


def longest(mask, step_ms=10_000):
    """Longest unbroken run of a mask, in minutes."""
    edges = np.diff(np.concatenate(([0], np.asarray(mask, int), [0])))
    runs = np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)
    return (runs.max() if len(runs) else 0) * step_ms / MINUTE


def mean(truth, signal):
    return float(truth[signal].mean())


def before_and_during(kind, seed=5):
    course = Course(kind, 2 * HOUR)
    patient = replace(draw_patient((seed,)), courses=(course,))
    before = patient.truth(np.arange(HOUR, 2 * HOUR, 5_000), START)
    during = patient.truth(np.arange(course.full, course.full + HOUR, 5_000), START)
    return {s: (mean(before, s), mean(during, s)) for s in before}


@pytest.mark.parametrize(("pao2", "percent"), [(27, 50), (40, 74.5), (60, 90.5), (100, 97.5)])
def test_saturation_follows_the_dissociation_curve(pao2, percent):
    assert saturation(np.array([pao2]))[0] == pytest.approx(percent, abs=1.2)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("copd", [False, True])
def test_a_stable_patient_meets_no_published_rule(seed, copd):
    v = draw_patient((seed, 7), copd=copd).truth(DAY, START)
    assert longest(v["spo2"] < 92) < 60 or copd
    assert longest(v["spo2"] < 88) < 10
    assert longest(v["spo2"] < 85) < 5
    assert longest(v["spo2"] < 80) < 1
    assert longest(v["rr"] >= 24) < 5
    assert longest(v["rr"] <= 5) == 0
    assert longest((v["rr"] < 11) & (v["spo2"] < 88)) < 5
    assert longest(v["hr"] >= 111) < 10
    assert v["hr"].min() > 40
    assert longest((v["sbp"] < 100) & ((v["spo2"] < 92) | (v["hr"] > 110))) < 10
    assert longest(v["sbp"] < 91) < 30
    assert v["sbp"].max() < 180


@pytest.mark.parametrize("seed", range(6))
def test_signs_are_possible_and_vary(seed):
    v = draw_patient((seed, 8)).truth(DAY, START)
    assert (v["dbp"] + 9 < v["map"]).all()
    assert (v["map"] < v["sbp"]).all()
    assert (v["pr"] == v["hr"]).all()
    assert 2 < v["hr"].std() < 9
    assert 0.2 < v["spo2"].std() < 2
    assert v["spo2"].max() < 100


def test_short_desaturations_happen():
    dips = sum((draw_patient((seed, 9)).truth(DAY, START)["spo2"] < 91).sum() for seed in range(10))
    assert dips > 10


def test_body_clock():
    v = draw_patient((1, 10)).truth(DAY, START)  # START is 16 h
    afternoon, night = slice(0, 720), slice(4_320 - 360, 4_320 + 360)
    assert v["temp"][afternoon].mean() > v["temp"][night].mean() + 0.3
    assert v["hr"][afternoon].mean() > v["hr"][night].mean() + 3


def test_bleeding_lowers_pressure_and_the_pulse_answers():
    signs = before_and_during("bleeding")
    assert signs["sbp"][1] < signs["sbp"][0] - 25
    assert signs["hr"][1] > signs["hr"][0] + 30
    assert signs["pi"][1] < 0.7 * signs["pi"][0]
    pulse_pressure = [signs["sbp"][i] - signs["dbp"][i] for i in (0, 1)]
    assert pulse_pressure[1] < 0.6 * pulse_pressure[0]


def test_sepsis_is_fever_tachypnoea_tachycardia_and_low_pressure():
    signs = before_and_during("sepsis")
    assert signs["temp"][1] > signs["temp"][0] + 1.5
    assert signs["rr"][1] > signs["rr"][0] + 8
    assert signs["hr"][1] > signs["hr"][0] + 30
    assert signs["map"][1] < signs["map"][0] - 20


def test_slow_breathing_costs_oxygen_and_low_oxygen_quickens_the_heart():
    signs = before_and_during("opioid")
    assert signs["rr"][1] < 0.6 * signs["rr"][0]
    assert signs["spo2"][1] < signs["spo2"][0] - 8
    assert signs["hr"][1] > signs["hr"][0]


def test_failing_lungs_drive_breathing():
    signs = before_and_during("respiratory-failure")
    assert signs["spo2"][1] < signs["spo2"][0] - 8
    assert signs["rr"][1] > signs["rr"][0] + 8


def test_a_fast_irregular_heart_has_a_pulse_deficit():
    signs = before_and_during("arrhythmia")
    assert 1 < signs["hr"][1] - signs["pr"][1] < 10
    assert signs["sbp"][1] < signs["sbp"][0]


def test_any_moment_can_be_asked_for_alone():
    patient = replace(draw_patient((2, 2)), courses=(Course("sepsis", HOUR),))
    t = np.arange(0, 6 * HOUR, 60_000)
    whole = patient.truth(t, START)
    alone = patient.truth(t[200:201], START)
    assert all(alone[s][0] == pytest.approx(whole[s][200], abs=1e-9) for s in whole)
