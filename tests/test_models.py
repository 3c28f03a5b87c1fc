"""A learned model from files: what is loaded is what was made, and nothing else is loaded."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from tests.scoring.risky import NAMES, fit_members, write_model
from tests.scoring.test_trends import some_inputs
from ward.models import ModelError, find_risk, load_risk, shipped
from ward.scoring.features import matrix
from ward.scoring.risk import GROUPS
from ward.scoring.trends import Inputs


@pytest.fixture(scope="module")
def fitted():
    return fit_members()


@pytest.fixture
def file(tmp_path, fitted):
    return write_model(tmp_path, list(fitted))


def test_it_says_what_its_members_say(file, fitted):
    model = load_risk(file)
    assert (model.id, model.need, model.within) == ("tiny", 3, 3)
    inputs = some_inputs(50, seed=9)
    found = model.predict(inputs)
    table = matrix(inputs, model.features)
    odds = -0.1 + 0.9 * np.mean([m.decision_function(table) for m in fitted], axis=0)
    enough = model.enough(inputs)
    assert enough.sum() > 40
    np.testing.assert_allclose(found.value[enough], (1 / (1 + np.exp(-odds)))[enough], atol=1e-5)
    assert (found.low[enough] < found.value[enough]).all()
    assert (found.value[enough] < found.high[enough]).all()
    assert np.isnan(found.value[~enough]).all()


def test_only_a_lower_newest_spo2_never_lowers_the_risk(tmp_path, fitted):
    model = load_risk(write_model(tmp_path, [fitted[0]]))
    inputs = some_inputs(500, seed=5)
    before = model.predict(inputs).value
    for fall in (0.5, 2, 5, 10, 30):
        lower = Inputs(inputs.present.copy(), inputs.hourly)
        lower.present[:, 1] -= fall
        after = model.predict(lower).value
        known = ~np.isnan(before)
        assert (after[known] >= before[known]).all()


def test_its_reasons_are_in_words_and_add_up_to_something(file):
    model = load_risk(file)
    inputs = Inputs.unknown(1)
    inputs.present[0] = [82, 90, 26, 121, 65, 84, 37.0]
    inputs.hourly[0, :3] = [82, 96, 16, 120, 65, 84, 37.0]
    inputs.hourly[0, 3:8] = [82, 96, 16, 120, 65, 84, np.nan]
    reasons = model.contributions(inputs)
    assert [r.group for r in reasons[:2]] == ["breathing", "oxygen"]
    assert reasons[0].words == "RR rose from 16 to 26 in 1 h"
    assert reasons[1].words == "SpO2 fell from 96 to 90 % in 1 h"
    assert all(r.log_odds > 0 for r in reasons[:2])
    assert {r.group for r in reasons} == set(GROUPS)
    steady = {r.group: r.words for r in reasons}
    assert steady["heart rate"] == "HR steady at 82"
    assert steady["temperature"] == "Temperature steady at 37.0 °C"
    assert model.contributions(Inputs.unknown(1)) == []
    gone = Inputs(inputs.present.copy(), inputs.hourly)
    gone.present[0, 2] = np.nan
    assert {r.group: r.words for r in model.contributions(gone)}["breathing"] == (
        "RR not measured now; 16 1 h ago"
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": 2}, "schema 2; this version of ward reads 1"),
        ({"features": [*NAMES[:-1], "length.of.stay"]}, "does not compute length.of.stay"),
        ({"features": list(NAMES[:-1])}, "want {8} features, it names 7"),
        ({"weights": [1.0]}, "2 members, 1 weights"),
        ({"typical": {}}, "typical lacks hr, spo2"),
        ({"calibration": {"slope": 1}}, "calibration lacks intercept"),
        ({"interval": {"least": 1, "most": 2}}, "interval has most"),
        ({"quantiles": [0.1, 0.3, 0.2]}, "quantiles do not rise"),
        ({"sha256": "0" * 64}, "one of the two was changed"),
        ({"id": 7}, "Expected `str`"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_line(tmp_path, fitted, change, said):
    path = write_model(tmp_path, list(fitted), **change)
    with pytest.raises(ModelError) as refused:
        load_risk(path)
    assert said in refused.value.detail
    assert "risk." in refused.value.detail
    assert "\n" not in refused.value.detail


def test_it_says_how_a_risk_stands_among_those_it_was_learned_from(tmp_path, fitted):
    even = [0.001 * n for n in range(101)]
    model = load_risk(write_model(tmp_path, list(fitted), quantiles=even))
    assert [model.above(value) for value in (0.0, 0.0505, 0.0995, 0.5)] == [0, 50, 99, 100]
    assert model.above(float("nan")) is None
    assert load_risk(write_model(tmp_path, list(fitted))).above(0.05) is None


def test_an_altered_file_is_not_even_opened(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelError, match="SHA-256"):
        load_risk(file)


class Stranger:
    n_features_in_ = len(NAMES)

    def decision_function(self, matrix):
        raise AssertionError("never called")


def test_a_model_of_strange_types_is_refused(tmp_path):
    path = write_model(tmp_path, [Stranger()])
    with pytest.raises(ModelError, match="Stranger, which a model has no need of"):
        load_risk(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", None])
def test_a_file_that_is_no_model_is_refused(tmp_path, fitted, content):
    path = write_model(tmp_path, list(fitted))
    if content is None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("schema.json", "{}")
    else:
        path.write_bytes(content)
    told = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(
        json.dumps(told | {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()})
    )
    with pytest.raises(ModelError, match="not a model that can be read"):
        load_risk(path)


def test_the_setting_is_a_word_or_a_path(file):
    assert find_risk("none") is None
    assert find_risk(str(file)).id == "tiny"
    assert find_risk(str(file.parent)).id == "tiny"
    assert find_risk(str(file.with_suffix(".json"))).id == "tiny"
    with pytest.raises(ModelError, match="No such file"):
        find_risk(str(file.parent / "gone.skops"))


def test_the_model_that_comes_with_ward_can_be_loaded():
    if not (shipped() / "risk.skops").exists():
        pytest.skip("no model comes with this copy of ward")
    model = find_risk("default")
    inputs = some_inputs(400, seed=6)
    before = model.predict(inputs)
    known = np.isfinite(before.value)
    assert known.sum() > 300
    assert (before.low[known] < before.value[known]).all()
    for fall in (1, 4, 10, 25):
        lower = Inputs(inputs.present.copy(), inputs.hourly)
        lower.present[:, 1] -= fall
        assert (model.predict(lower).value[known] >= before.value[known]).all()
    ill = model.contributions(inputs.take([int(np.nanargmax(before.value))]))
    assert max(reason.log_odds for reason in ill) > 0


def test_nothing_imports_scikit_learn_before_it_is_needed():
    code = (
        "import sys; import ward.cli, ward.service, ward.server, ward.replay_files, ward.models;"
        "ward.models.find_risk('none');"
        "print([m for m in sys.modules if m.split('.')[0] in ('sklearn', 'skops', 'scipy', 'matplotlib')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
