"""The truth file says what happened, so that alerts can be judged against it."""

import json

from simulator import Course, Fault, messages, plan_ward, scene, write_truth
from simulator.truth import script_lines
from tests.simulator.reading import HOUR, MINUTE, START, ms_of, samples


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def of_kind(lines, kind):
    return [line for line in lines if line["kind"] == kind]


def test_courses_faults_and_values_with_their_times(tmp_path):
    plan = scene(
        courses=[Course("opioid", HOUR, lasts=HOUR)],
        faults={"monitor": [Fault("probe-off", 2 * HOUR, 2 * HOUR + MINUTE)]},
    )
    write_truth(tmp_path / "truth.jsonl", plan, START, 4 * HOUR)
    lines = read(tmp_path / "truth.jsonl")
    (stay,), (course,), (fault,) = (of_kind(lines, kind) for kind in ("stay", "course", "fault"))
    assert stay["devices"] == ["monitor", "cuff-15"]
    assert course["course"] == "opioid"
    assert ms_of(course["onset"]) == HOUR
    assert ms_of(course["treated"]) == ms_of(course["full"]) + HOUR
    assert {"when": ["spo2 < 88"], "for": "10m"} in course["reaches"]
    assert (fault["device"], fault["fault"], ms_of(fault["start"])) == ("monitor", "probe-off", 2 * HOUR)
    signs = of_kind(lines, "values")
    assert len(signs) == 4 * 60
    assert ms_of(signs[61]["time"]) == 61 * MINUTE
    assert signs[120]["spo2"] < 88 < 92 < signs[30]["spo2"]


def test_true_values_are_what_a_monitor_shows_but_for_noise(tmp_path):
    plan = scene(courses=[Course("sepsis", 0)])
    write_truth(tmp_path / "truth.jsonl", plan, START, 2 * HOUR)
    true = {ms_of(line["time"]): line["hr"] for line in of_kind(read(tmp_path / "truth.jsonl"), "values")}
    found = samples(messages(plan, START, 2 * HOUR, 30_000), "monitor")
    shown = {
        time // MINUTE * MINUTE: sample["readings"]["hr"]
        for _, time, sample in found
        if time % MINUTE < 1_000
    }
    assert len(shown) > 100
    assert all(abs(true[time] - value) < 6 for time, value in shown.items())


def test_a_whole_ward(tmp_path):
    plan = plan_ward(1, 24)
    lines = list(script_lines(plan, START))
    assert len(of_kind(lines, "stay")) == 24
    assert len({line["course"] for line in of_kind(lines, "course")}) == 6
    first = [line for line in script_lines(plan, START, HOUR) if line["kind"] == "fault"]
    assert first
    assert all(ms_of(line["start"]) < HOUR for line in first)
    assert len(first) < len(of_kind(lines, "fault"))


def test_the_script_alone_where_there_is_no_end(tmp_path):
    write_truth(tmp_path / "truth.jsonl", plan_ward(1, 2), START)
    assert of_kind(read(tmp_path / "truth.jsonl"), "values") == []


def test_faults_do_not_touch_the_truth(tmp_path):
    for name, faults in (("clean", []), ("faulty", [Fault("flat-line", MINUTE, 20 * MINUTE)])):
        write_truth(tmp_path / name, scene(faults={"monitor": faults}), START, 30 * MINUTE)
    clean, faulty = (of_kind(read(tmp_path / name), "values") for name in ("clean", "faulty"))
    assert clean == faulty
    assert len({line["hr"] for line in faulty}) > 20
