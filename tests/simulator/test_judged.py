"""Every scripted deterioration is told, no scripted artefact on a stable patient is."""

import pytest

from simulator import SCRIPTS, Course, Fault, plan_ward, scene
from tests.simulator.judge import raised
from tests.simulator.reading import HOUR, MINUTE

WIRED, WIRELESS = ("monitor", "cuff-15"), ("patch", "oximeter", "cuff-15")

TOLD = {
    # course: the published rules that must be raised, and within how long of full severity
    "sepsis": {"rr-from-24": 6, "hr-from-111": 65, "sbp-below-100-hr-above-110": 65},
    "bleeding": {"hr-from-111": 65, "sbp-below-100-hr-above-110": 65},
    "respiratory-failure": {"rr-from-24": 6, "spo2-below-88": 12, "spo2-below-92": 65},
    "arrhythmia": {"hr-above-130": 32, "hr-from-111": 65},
    "bradycardia": {"hr-30-to-39": 7},
    "opioid": {"spo2-below-88": 12, "rr-below-11-spo2-below-88": 8},
}


@pytest.mark.parametrize("kind", SCRIPTS)
@pytest.mark.parametrize("devices", [WIRED, WIRELESS], ids=["wired", "wireless"])
def test_every_course_is_told(kind, devices):
    course = Course(kind, 20 * MINUTE)
    found = raised(scene(seed=3, devices=devices, courses=[course]), course.full + 80 * MINUTE)["1"]
    assert set(TOLD[kind]) <= set(found)
    for rule, minutes in TOLD[kind].items():
        assert course.onset < found[rule] <= course.full + minutes * MINUTE, rule
    assert min(found.values()) > course.onset


def test_every_course_is_expected_somewhere():
    assert set(TOLD) == set(SCRIPTS)


@pytest.mark.parametrize("kind", ["probe-off", "leads-off", "motion", "flat-line", "spikes"])
@pytest.mark.parametrize("devices", [WIRED, WIRELESS], ids=["wired", "wireless"])
def test_no_artefact_on_a_stable_patient_is_told(kind, devices):
    lasting = [(10, 1), (20, 4), (40, 12), (70, 20)]
    faults = [Fault(kind, start * MINUTE, (start + length) * MINUTE) for start, length in lasting]
    plan = scene(seed=2, devices=devices, faults={d: faults for d in devices if not d.startswith("cuff")})
    assert raised(plan, 2 * HOUR)["1"] == {}


def test_without_the_filter_an_artefact_is_told():
    """So the test above can fail."""
    plan = scene(devices=WIRED, faults={"monitor": [Fault("leads-off", 10 * MINUTE, 20 * MINUTE)]})
    assert "hr-below-30" in raised(plan, HOUR, filtered=False)["1"]


def test_a_wrong_cuff_measurement_is_not_told():
    plan = scene(devices=WIRED, faults={"cuff-15": [Fault("spikes", 40 * MINUTE, 55 * MINUTE)]})
    assert raised(plan, 3 * HOUR)["1"] == {}


def test_in_a_whole_ward_the_sick_are_told_and_the_stable_are_not():
    plan = plan_ward(1, 24, skewed_clocks=True)
    hours = 100 * MINUTE
    found = raised(plan, hours)
    sick = {b.bed for b in plan.beds if any(c.onset < hours - 70 * MINUTE for c in b.patient.courses)}
    assert len(sick) == 4
    assert {bed for bed, rules in found.items() if rules} == sick
    assert min(at for rules in found.values() for at in rules.values()) < 10 * MINUTE
