"""The measures of an hourly score: small cases by hand, and the reference evaluator where it is at hand."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from ward.evaluation.protocol import Course, auroc, auroc_within_hour, average_precision


def course(*stays: str) -> Course:
    """One string per stay: '.' a row without label, '1' one with."""
    stay = np.concatenate([np.full(len(s), i) for i, s in enumerate(stays)])
    hour = np.concatenate([np.arange(1, len(s) + 1) for s in stays])
    return Course(stay, hour, np.array([c == "1" for c in "".join(stays)]))


def test_rows_by_hand():
    label = np.array([True, False, True, False])
    assert auroc(label, np.array([3.0, 2, 2, 1])) == 3.5 / 4
    assert np.isnan(auroc(np.array([True]), np.array([1.0])))
    assert average_precision(label, np.array([4.0, 3, 2, 1])) == pytest.approx((1 + 2 / 3) / 2)
    # Score grows with the hour only: within the hour it says nothing.
    hour = np.array([1, 1, 2, 2])
    assert auroc_within_hour(np.array([False, False, True, False]), hour.astype(float), hour) == 0.5


def test_an_alert_silences_eight_hours():
    truth = course("." * 20)
    assert truth.hour[truth.alerts(np.ones(20), 1.0)].tolist() == [1, 9, 17]


def test_an_alert_counts_in_the_twelve_hours_up_to_the_onset():
    truth = course("." * 20 + "1" * 10, "." * 48)  # the onset is at 27
    score = np.zeros(78)
    for hour, recall, precision, lead in ((14, 0.0, 0.0, None), (15, 1.0, 1.0, 12), (27, 1.0, 1.0, 0)):
        one = score.copy()
        one[hour - 1] = 1.0
        point = truth.point(truth.sorted(one), 1.0)
        assert (point.recall, point.precision) == (recall, precision)
        assert np.isnan(point.lead) if lead is None else point.lead == lead
    late = score.copy()
    late[28 - 1] = 1.0
    assert len(truth.alerts(truth.sorted(late), 1.0)) == 0  # after the onset nothing is counted
    assert truth.hours.tolist() == [27, 48]


def test_a_row_without_score_ranks_lowest_and_never_alerts():
    truth = course("..", "11")
    score = truth.sorted(np.array([0.0, np.nan, 1.0, 1.0]))
    assert truth.rows(score)["auroc"] == 1.0
    assert truth.point(score, -1e9).burden == pytest.approx(2 / (4 / 24))


@pytest.fixture
def official():
    """The evaluator that others judge with, beside the recordings."""
    folder = Path(os.environ.get("WARD_TEST_DATA", "") or "/nowhere")
    path = folder.parent / "tools" / "evaluate_scores.py"
    if not path.is_file():
        pytest.skip("needs tools/evaluate_scores.py beside WARD_TEST_DATA")
    pytest.importorskip("pandas", reason="the reference evaluator needs pandas")
    spec = importlib.util.spec_from_file_location("evaluate_scores", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["evaluate_scores"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("coarse", [True, False], ids=["whole numbers", "continuous"])
def test_equals_the_reference_evaluator(official, coarse):
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(3)
    lengths = rng.integers(5, 60, 300)
    stay = np.repeat(np.arange(300), lengths)
    hour = np.concatenate([np.arange(1, n + 1) for n in lengths])
    label = np.zeros(len(stay), bool)
    for one in range(0, 300, 6):
        rows = np.flatnonzero(stay == one)
        label[rows[rng.integers(0, len(rows)) :]] = True
    score = rng.normal(size=len(stay)) + 0.8 * label
    score = np.round(2 * score) if coarse else score
    score[rng.random(len(stay)) < 0.05] = np.nan

    theirs = official.Events(pandas.DataFrame({"stay": stay, "hour": hour, "label": label.astype(int)}))
    aligned, _ = theirs.align(pandas.DataFrame({"stay": stay, "hour": hour, "score": score}))
    said = theirs.report(aligned, boot=50, seed=4)
    ours = Course(stay, hour, label)
    own = ours.sorted(score)
    for name, value in ours.rows(own).items():
        assert value == pytest.approx(said[name], abs=1e-12)
    between = ours.intervals(own, seed=4, times=50, burdens=official.BURDENS)
    assert between["auroc"] == pytest.approx(said["auroc_ci"], abs=1e-9)
    for row in said["table"]:
        point = ours.at_burden(own, row["want"])
        assert (point is None) == ("recall" not in row)
        if point:
            for name in ("recall", "precision", "lead", "cutoff", "burden"):
                assert getattr(point, name) == pytest.approx(row[name]), (row["want"], name)
            assert between[f"recall@{row['want']:g}"] == pytest.approx(row["recall_ci"])
            assert between[f"precision@{row['want']:g}"] == pytest.approx(row["precision_ci"])
    for recall, burden in said["burden_at_recall"].items():
        point = ours.at_recall(own, float(recall))
        assert (point.burden if point else None) == (pytest.approx(burden) if burden else burden)
