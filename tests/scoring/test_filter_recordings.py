"""What the filter does to real patients: PhysioNet's recordings, found through WARD_TEST_DATA."""

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from ward.ingest.recordings import read_all, read_recordings
from ward.scoring.filter import REASONS, VALID, Filter
from ward.scoring.readings import Readings
from ward.signals import INDEX, SIGNALS

HOLD = np.array([s.hold for s in SIGNALS])


@pytest.fixture
def real():
    folder = os.environ.get("WARD_TEST_DATA")
    if not folder:
        pytest.skip("needs WARD_TEST_DATA: a folder with PhysioNet's bidmc, mimic4wdb and cinc2019")
    return Path(folder)


def marked(recordings):
    readings = Readings.concat(
        [
            Readings.of(
                len(r), slot=i, signal=r.signal, time=r.time, value=r.value, hold=r.hold or HOLD[r.signal]
            )
            for i, r in enumerate(recordings)
        ]
    ).in_order()
    return Filter(len(recordings)).push(readings, int(readings.time[-1]))


def doubts(result):
    bad = result.mark != VALID
    return Counter(
        (SIGNALS[s].name, REASONS[r])
        for s, r in zip(result.readings.signal[bad], result.reason[bad], strict=True)
    )


def test_48_hours_of_one_patient(real):
    """Silent leads beside a pulse go (minutes of heart rate 0); so do, for some seconds each, falls of SpO2
    faster than bodies fall, and rates of breathing that leap."""
    result = marked(read_recordings(real / "mimic4wdb" / "86130599n.csv.gz"))
    found = doubts(result)
    assert found["hr", "leads-off"] == 155
    assert found["spo2", "spike"] == 141
    assert sum(n for (signal, _), n in found.items() if signal == "rr") == 404
    assert {signal for signal, _ in found} == {"hr", "spo2", "rr"}
    assert sum(found.values()) < 0.001 * len(result.readings)
    silent = (result.readings.signal == INDEX["hr"]) & (result.readings.value < 20)
    assert (result.mark[silent] == VALID).sum() == 393  # with no pulse beside it


def test_a_real_desaturation_with_low_perfusion_stays(real):
    """Only seconds at 85 % in a stay at 81 %, with hardly any pulse wave, are not believed."""
    result = marked(read_recordings(real / "mimic4wdb" / "82284982n.csv.gz"))
    spo2 = result.readings.signal == INDEX["spo2"]
    value, valid = result.readings.value[spo2], result.mark[spo2] == VALID
    assert valid.mean() > 0.95
    assert valid[value < 83].all()


def test_steady_patients_are_left_alone(real):
    """BIDMC: also respiration that runs to 0 passes; the filter never hides an extreme that lasts."""
    result = marked(read_all([real / "bidmc"]))
    found = doubts(result)
    assert found["spo2", "spike"] == 4  # the two dips of seconds that are listed as artefact
    assert found["rr", "spike"] == 23  # a rate that is 8 higher for 14 s, and 6 higher for 9 s
    assert sum(found.values()) == 27


def test_hourly_charting_errors_go(real):
    result = marked(read_all([real / "cinc2019"]))
    found = doubts(result)
    assert {reason for _, reason in found} == {"pressures", "spike", "implausible"}
    assert 500 < sum(found.values()) < 0.002 * len(result.readings)
