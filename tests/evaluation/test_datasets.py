"""Readers of PhysioNet's collections."""

from __future__ import annotations

import numpy as np
import pytest

from tests.evaluation.made_up import write_2012, write_2019, write_mimic3
from ward.errors import InvalidError
from ward.evaluation.datasets import check, load
from ward.ingest.recordings import read_recordings
from ward.signals import HOUR, INDEX


def test_2019_is_read_as_replay_reads_it(tmp_path):
    write_2019(tmp_path, 6)
    found = load("cinc2019", tmp_path)
    assert found is not None
    files = sorted((tmp_path / "training" / "training_setB").glob("*.psv"))
    for path, own in zip(files, found.recordings, strict=True):
        (other,) = read_recordings(path, "cinc2019")
        assert (own.stay, own.hold) == (other.stay, other.hold)
        for column in ("signal", "time", "value", "rows"):
            assert np.array_equal(getattr(own, column), getattr(other, column)), column
    assert [len(y) for y in found.labels] == [len(r.rows) for r in found.recordings]
    person = found.people[1]
    assert (person.age, person.sex, person.unit, person.hospital) == (41, "male", "medical", "B")


def test_the_onset_is_six_hours_after_the_first_label(tmp_path):
    found = load("cinc2019", write_2019(tmp_path, 3))
    assert found is not None
    first = int(found.recordings[0].rows[np.argmax(found.labels[0])])
    assert found.onsets() == {"p100000": first + 6 * HOUR}


@pytest.mark.parametrize("place", ["cinc2019", "."])
def test_2019_may_lie_in_a_folder_of_its_name_or_alone(tmp_path, place):
    write_2019(tmp_path / "made", 2)
    (tmp_path / "data").mkdir()
    (tmp_path / "made" / "training" / "training_setB").rename(
        tmp_path / "data" / place if place != "." else tmp_path / "flat"
    )
    found = load("cinc2019", tmp_path / ("data" if place != "." else "flat"))
    assert found is not None
    assert len(found.recordings) == 2


def test_what_stands_for_no_measurement_is_left_out_and_counted(tmp_path):
    found = load("cinc2012", write_2012(tmp_path, 4))
    assert found is not None
    assert found.died is not None
    assert found.died.tolist() == [True, False, False, False]
    assert found.left_out == {"temp: zero, negative or below 20": 4, "map: zero, negative or below 0": 4}
    own = found.recordings[0]
    assert not np.isin(own.value, (-17.8, 0)).any()
    # Of one instant the artery's pressure comes after the cuff's, so that it is the one taken.
    assert (own.signal[own.time == HOUR] == INDEX["sbp"]).sum() == 2
    assert any("died in hospital" in line for line in check(found, "cinc2012"))


def test_fahrenheit_becomes_celsius(tmp_path):
    found = load("mimic3_demo", write_mimic3(tmp_path))
    assert found is not None
    (own,) = found.recordings
    assert own.value[own.signal == INDEX["temp"]] == pytest.approx(37.0)
    assert found.left_out == {"hr: zero, negative or below 0": 1}


def test_a_folder_without_a_collection_says_so(tmp_path):
    for name in ("cinc2019", "cinc2012", "mimic3_demo"):
        assert load(name, tmp_path) is None
        assert check(None, name) == [f"{name}: not in the folder"]


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / "p100001.psv").write_text("HR|O2Sat\n80|x\n")
    with pytest.raises(InvalidError, match=r"p100001\.psv"):
        load("cinc2019", tmp_path)
