"""The judge of the filter: it knows the truth of what it injects, and sees what a detector is worth."""

from __future__ import annotations

import json
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.evaluation.test_filter_bank import made_bank
from ward.evaluation import filter as filter_part
from ward.evaluation.filter_events import events, judge
from ward.evaluation.filter_judge import (
    Breach,
    Tally,
    alerts,
    crossed,
    marks_of,
    matched,
    outlasting,
    physiological,
)
from ward.evaluation.filter_learned import Advised, halves
from ward.evaluation.filter_shapes import KINDS
from ward.evaluation.filter_wards import LASTS, NUMBER, START, Streams, Wards, wrong
from ward.scoring import limits
from ward.scoring.filter import VALID, Filter
from ward.scoring.readings import Readings
from ward.signals import INDEX


@pytest.fixture(scope="module")
def bank():
    return made_bank()


@pytest.fixture(scope="module")
def streams(bank):
    return next(Wards(bank, range(3)).batches(3))


def test_every_reading_of_a_ward_has_a_truth(streams):
    shown, rows = streams.shown()
    untouched = streams.kind[rows] < 0
    assert (shown.value[untouched] == streams.clean.value[rows][untouched]).all()
    assert (streams.instance[streams.kind >= 0] >= 0).all()
    assert wrong(streams).any()
    assert not wrong(streams)[streams.kind < 0].any()
    assert (np.diff(streams.clean.time) >= 0).all()


def test_the_same_seed_is_the_same_ward_and_another_is_not(bank, streams):
    again = next(Wards(bank, range(3)).batches(3))
    assert (again.value == streams.value)[~np.isnan(streams.value)].all()
    other = next(Wards(bank, [7]).batches(1))
    assert len(other.clean) != len(next(Wards(bank, [8]).batches(1)).clean)


def test_artefacts_of_one_bed_come_one_after_the_other(streams):
    real = (streams.kind >= 0) & (streams.kind != NUMBER["frozen"])
    for slot in range(streams.slots):
        rows = np.flatnonzero(real & (streams.clean.slot == slot))
        starts = {}
        for row in rows.tolist():
            own = starts.setdefault(int(streams.instance[row]), [int(streams.clean.time[row]), 0])
            own[1] = int(streams.clean.time[row])
        spans = sorted(starts.values())
        assert all(a[1] < b[0] for a, b in pairwise(spans))


def test_what_outlasts_the_law_is_told_by_what_is_injected():
    """Long, wrong, with nothing against it; not silent leads beside a true pulse, nor what is soon over."""
    n = 60
    hr, pr, spo2 = (INDEX[name] for name in ("hr", "pr", "spo2"))
    parts = [(0, hr, 80.0), (0, pr, 80.0), (1, hr, 80.0), (2, spo2, 97.0), (3, spo2, 97.0), (4, spo2, 97.0)]
    clean = Readings.concat(
        Readings.of(n, slot=slot, signal=signal, time=START + np.arange(n) * 1000, value=value, hold=90_000)
        for slot, signal, value in parts
    )
    shown, kind = clean.value.copy(), np.full(len(clean), -1, np.int8)
    instance = np.full(len(clean), -1, np.int64)
    for number, (slot, signal, first, last, value) in enumerate(
        [
            (0, hr, 10, 40, 0),
            (1, hr, 10, 40, 0),
            (2, spo2, 10, 25, 90),
            (3, spo2, 10, 26, 90),
            (4, spo2, 10, 40, 95),
        ]
    ):
        second = (clean.time - START) // 1000
        rows = (clean.slot == slot) & (clean.signal == signal) & (second >= first) & (second < last)
        shown[rows], kind[rows], instance[rows] = value, 0, number
    no_words = np.zeros(len(clean), np.int8), np.full(len(clean), np.nan)
    injected = Streams(clean, shown, *no_words, kind, instance, clean.slot.astype(np.int64), 5)
    assert outlasting(injected).tolist() == [1, 3]
    mark = np.zeros(len(clean), np.uint8)
    assert Tally.of(injected, mark).instances.sum() == 5
    assert Tally.of(injected, mark, without=outlasting(injected)).instances.sum() == 3


def test_a_crossing_is_one_that_the_truth_has_not():
    spo2, rr = INDEX["spo2"], INDEX["rr"]
    signal = np.array([spo2, spo2, spo2, rr, rr, INDEX["pr"]], np.int8)
    value = np.array([91.0, 91, 92, 24, 5, 20])
    true = np.array([97.0, 91, 97, 23, 12, 80])
    assert crossed(signal, value, true).tolist() == [True, False, False, True, True, False]


def test_breaches_are_the_same_when_they_overlap_or_nearly():
    one = Breach(0, 1, 0, 60_000)
    assert matched([one], [Breach(0, 1, 200_000, 400_000)]) == {one: Breach(0, 1, 200_000, 400_000)}
    assert matched([one], [Breach(0, 2, 0, 60_000), Breach(1, 1, 0, 60_000)]) == {}
    assert matched([one], [Breach(0, 1, 500_000, 600_000)]) == {}


def test_a_detector_is_worth_what_passes_without_it(streams):
    """Leads off is stopped by its detector, and only by it."""
    kind = NUMBER["leads-off"]
    whole = Tally.of(streams, marks_of(streams, Filter(streams.slots)))
    less = Tally.of(streams, marks_of(streams, Filter(streams.slots, without=["leads-off"])))
    assert whole.crossing[:, kind].sum() == less.crossing[:, kind].sum() > 0
    assert whole.crossed[:, kind].sum() < less.crossed[:, kind].sum()
    both = whole + less
    assert both.readings.sum() == 2 * whole.readings.sum()
    assert len(both.good) == 2 * len(whole.good)


def test_true_alerts_are_kept_and_those_of_artefact_are_told_apart(streams):
    found = alerts(streams, marks_of(streams, Filter(streams.slots)), physiological(), START + LASTS)
    assert found.true
    assert all(found.clean)
    assert max(found.delay) == 0
    raw = [KINDS[kind] for _, kind in found.caused_raw]
    assert "leads-off" in raw
    assert len(found.caused) < len(raw)
    assert len(found.rests_raw) == len(raw)
    assert len(found.rests) == len(found.caused)
    assert sum(found.rests) < sum(found.rests_raw)


def test_events_of_the_short_rules_are_all_kept_and_nothing_is_late(bank):
    shares = []
    outcomes = judge(events(bank, 100), shares.append)
    assert {o.event.rule for o in outcomes} == {"spo2-below-80", "rr-up-to-5", "hr-below-30"}
    assert all(o.raised and o.kept for o in outcomes)
    assert all(o.told <= limits.PERSIST for o in outcomes)
    assert shares == sorted(shares)


def test_a_share_has_its_interval_and_nothing_has_none():
    whole = np.array([10.0, 20, 30])
    assert filter_part.share(whole, whole) == (1.0, 1.0, 1.0)
    middle, low, high = filter_part.share(np.array([0.0, 10, 30]), whole)
    assert middle == pytest.approx(40 / 60)
    assert low < middle < high
    assert np.isnan(filter_part.share(np.zeros(3), np.zeros(3))[0])


def test_a_second_opinion_can_make_wait_and_never_hides_what_lasts():
    values = [97.0] * 30 + [80.0] * 40 + [97.0] * 30
    readings = Readings.of(
        slot=0,
        signal=INDEX["spo2"],
        time=np.arange(100) * 1000,
        value=np.array(values),
        hold=90_000,
        seq=np.arange(100),
    )
    marked = Advised(1, np.ones(100, np.bool_)).push(readings, 200_000)
    assert (marked.mark == VALID).all()
    dip = readings.take(np.r_[0:36, 70:100])
    marked = Advised(1, np.ones(100, np.bool_)).push(dip, 200_000)
    assert (marked.mark[marked.readings.value == 80] != VALID).all()


def test_shapes_to_train_on_are_not_those_to_judge_with(bank):
    train, judged = halves(bank.shapes)
    assert len(train) + len(judged) == len(bank.shapes)
    assert not {s.source for s in train} & {s.source for s in judged}


def test_every_detector_has_its_evidence_and_its_numbers():
    for name, detector in limits.DETECTORS.items():
        assert detector.looks_for
        assert detector.evidence, name
        for parameter in detector.parameters:
            part, _, column = parameter.partition(".")
            assert hasattr(limits, part), parameter
            assert not column or hasattr(limits.LIMITS["hr"], column)


def test_the_whole_part_on_real_recordings():
    folder = os.environ.get("WARD_TEST_DATA")
    if not folder:
        pytest.skip("needs WARD_TEST_DATA: a folder with PhysioNet's bidmc and mimic4wdb")
    told = []
    section = filter_part.run(
        Path(folder), seed=1, quick=True, progress=lambda what, share: told.append(share)
    )
    assert told == sorted(told)
    figures = json.loads(json.dumps(section.figures))
    assert figures["events"]["kept"] == figures["events"]["events"] > 0
    assert figures["events"]["told_s"]["most"] <= 15
    assert all(e["kept"] == e["extreme"] > 0 for e in figures["extremes"])
    off = [a for a in figures["artefacts"] if a["kind"] == "leads-off"]
    assert all(a["extreme"] == a["extreme_stopped"] > 0 for a in off)
    silent = [a for a in figures["artefacts"] if a["kind"] == "all-off"]
    assert all(a["stopped"] == 0 for a in silent)  # no pulse at all: never filtered away
    assert set(figures["ablation"]["rows"]) == set(limits.DETECTORS)
    assert set(section.pictures) == {"filter-kinds", "filter-leads"}
    assert all(f"images/alert-quality/{name}.svg" in section.text for name in section.pictures)
