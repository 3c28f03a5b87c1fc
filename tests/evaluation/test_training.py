"""Learning the score from made-up patients: the same twice, loaded, in the right directions, reported."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from tests.evaluation.made_up import write_2012, write_2019, write_mimic3
from ward.errors import InvalidError
from ward.evaluation import members, score, training
from ward.evaluation.datasets import load
from ward.evaluation.score_checks import lower_spo2
from ward.models import load_risk
from ward.replay_scores import steps
from ward.scoring.features import FEATURES, matrix
from ward.signals import HOUR


def silent(_what: str, _share: float) -> None:
    pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("physionet")
    write_2019(place, 90)
    write_2012(place, 20)
    write_mimic3(place)
    return place


@pytest.fixture(scope="module")
def small():
    """Few and small trees: what is tested does not depend on how good they are."""
    with pytest.MonkeyPatch.context() as changed, threadpool_limits(1):
        changed.setattr(members, "BAGS", 1)
        changed.setattr(members, "TREES", members.TREES | {"max_iter": 4, "min_samples_leaf": 20})
        changed.setattr(members, "FEW_TREES", members.FEW_TREES | {"max_iter": 4, "min_samples_leaf": 20})
        yield


@pytest.fixture(scope="module")
def trained(folder, small, tmp_path_factory):
    output = tmp_path_factory.mktemp("model")
    return output, training.train(folder, output, seed=1, quick=True, progress=silent)


def test_what_was_learned_loads_and_says_what_it_is(trained):
    output, lines = trained
    model = load_risk(output / "risk.skops")
    said = json.loads((output / "risk.json").read_text())
    assert model.id == said["id"]
    assert [f.name for f in model.features] == said["features"] == [f.name for f in FEATURES]
    assert said["trained"]["stays"] == 90
    assert said["thresholds"]["alerts_0.25"] > said["thresholds"]["alerts_0.5"]
    assert any(line.startswith("cross-validated: AUROC") for line in lines)
    card = (output / "README.md").read_text()
    assert said["id"] in card
    assert "sex: female" in card


def test_it_finds_who_falls_ill(trained, folder):
    prepared = training.prepare(folder, 1, True, silent)
    assert prepared.rows.course.rows(prepared.rows.course.sorted(prepared.validated.risk))["auroc"] > 0.7


def test_a_stay_is_judged_by_members_that_have_not_seen_it(trained, folder):
    rows = training.prepare(folder, 1, True, silent).rows
    use = rows.folds != 2
    fitted = members.fit(rows, use, seed=1)
    changed = replace(rows, ahead=np.where(use, rows.ahead, 10**9))
    again = members.fit(changed, use, seed=1)
    table = matrix(rows.inputs, FEATURES)
    assert np.array_equal(members.log_odds(fitted, table), members.log_odds(again, table))


def test_a_lower_newest_spo2_never_lowers_the_risk(trained, folder):
    output, _ = trained
    rows = training.prepare(folder, 1, True, silent).rows
    found = lower_spo2(load_risk(output / "risk.skops"), rows.inputs)
    assert found["rows"] > 100
    assert found["falls"] == 0
    assert found["greatest_rise"] > 0


def test_learning_again_gives_the_same_answers(trained, folder, tmp_path):
    output, _ = trained
    training._prepared.clear()
    training.train(folder, tmp_path, seed=1, quick=True, progress=silent)
    first, second = (json.loads((place / "risk.json").read_text()) for place in (output, tmp_path))
    for name in ("calibration", "thresholds", "cross_validated", "reference", "typical"):
        assert first[name] == second[name], name
    inputs = training.prepare(folder, 1, True, silent).rows.inputs
    one, other = (load_risk(place / "risk.skops").predict(inputs).value for place in (output, tmp_path))
    assert np.array_equal(one, other, equal_nan=True)


def test_rows_are_what_replay_scores(folder, trained):
    found = load("cinc2019", folder)
    assert found is not None
    rows = training.prepare(folder, 1, True, silent).rows
    replayed = list(steps(found.recordings, on_rows=True))
    time = np.concatenate([part.time for part in replayed])
    assert np.array_equal(rows.hour * HOUR, time)
    assert len(rows.label) == len(time)
    assert rows.label.sum() == sum(int(y.sum()) for y in found.labels)


def test_the_section_holds_every_figure(folder, trained):
    section = score.run(folder, seed=1, quick=True, progress=silent)
    figures = json.loads(json.dumps(section.figures))
    assert figures["data"]["stays"] == 90
    assert set(figures["elsewhere"]) == {"cinc2012", "mimic3_demo"}
    assert {row["met"] for row in figures["targets"]} <= {True, False}
    for words in ("### Calibration", "### Other hospitals", "another hospital (simulated)"):
        assert words in section.text
    for name in section.pictures:
        assert f"images/alert-quality/{name}.svg" in section.text


def test_a_folder_without_stays_is_told_in_a_line(tmp_path, small):
    with pytest.raises(InvalidError, match="no stays of the Challenge 2019"):
        training.train(tmp_path, tmp_path, seed=1, progress=silent)
    write_2019(tmp_path, 6)
    with pytest.raises(InvalidError, match="too few to learn from"):
        training.train(tmp_path, tmp_path, seed=1, progress=silent)


def test_calibration_finds_slope_and_intercept():
    rng = np.random.default_rng(5)
    z = rng.normal(size=200_000)
    label = rng.random(len(z)) < 1 / (1 + np.exp(-(0.7 * z - 1.5)))
    slope, intercept = members.calibrate(z, label)
    assert slope == pytest.approx(0.7, abs=0.03)
    assert intercept == pytest.approx(-1.5, abs=0.03)
