"""Recordings are read as their formats say, and what cannot be read is named."""

import gzip
import math
import os
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ward.ingest.recordings import Origin, RecordingError, detect_format, read_all, read_recordings
from ward.signals import INDEX, SIGNALS


def write(folder, name, text):
    path = folder / name
    path.write_text(text)
    return path


def rows(recording):
    return [
        (int(t), SIGNALS[s].name, float(v))
        for t, s, v in zip(recording.time, recording.signal, recording.value, strict=True)
    ]


def test_csv_in_seconds(tmp_path):
    (one,) = read_recordings(write(tmp_path, "bed7.csv", "time,hr,spo2\n0,80,\n1.5,,97.5\n-1,0,NaN\n"))
    assert one.stay == "bed7"
    assert rows(one) == [(-1000, "hr", 0.0), (0, "hr", 80.0), (1500, "spo2", 97.5)]
    assert one.rows.tolist() == [-1000, 0, 1500]
    assert one.hold is None
    assert one.origin.to_input(1500) == 1.5
    assert one.origin.to_input(600_000) == 600


def test_csv_in_rfc_3339_answers_in_the_files_own_offset(tmp_path):
    text = "time,hr\n2026-11-21T12:00:00+01:00,80\n2026-11-21T11:00:01.250Z,81\n"
    (one,) = read_recordings(write(tmp_path, "a.csv", text))
    assert np.diff(one.time).tolist() == [1250]
    assert one.origin.to_input(int(one.time[0])) == "2026-11-21T12:00:00+01:00"
    assert one.origin.to_input(int(one.time[1])) == "2026-11-21T12:00:01.250+01:00"


def test_utc_is_answered_with_z(tmp_path):
    (one,) = read_recordings(write(tmp_path, "a.csv", "time,hr\n2026-11-21T11:00:00Z,80\n"))
    assert one.origin.to_input(int(one.time[0])) == "2026-11-21T11:00:00Z"


def test_stays_of_one_file_are_told_apart(tmp_path):
    text = "stay,time,hr\nB,2,70\nA,1,80\nB,1,71\n,3,60\n"
    found = read_recordings(write(tmp_path, "mixed.csv", text))
    assert {r.stay: rows(r) for r in found} == {
        "B": [(1000, "hr", 71.0), (2000, "hr", 70.0)],
        "A": [(1000, "hr", 80.0)],
        "mixed": [(3000, "hr", 60.0)],
    }


def test_rows_of_one_instant_keep_their_order(tmp_path):
    (one,) = read_recordings(write(tmp_path, "a.csv", "time,hr\n5,1\n4,2\n5,3\n5,2\n"))
    assert one.value.tolist() == [2, 1, 3, 2]


def test_observed_values(tmp_path):
    (one,) = read_recordings(write(tmp_path, "a.csv", "time,consciousness,oxygen\n0,V,1\n1,a,0\n"))
    assert rows(one) == [
        (0, "consciousness", 2.0),
        (0, "oxygen", 1.0),
        (1000, "consciousness", 0.0),
        (1000, "oxygen", 0.0),
    ]


def test_gzip_and_byte_order_mark(tmp_path):
    path = tmp_path / "bed.csv.gz"
    path.write_bytes(gzip.compress("\ufefftime,hr\n1,2\n".encode()))
    (one,) = read_recordings(path)
    assert one.stay == "bed"
    assert rows(one) == [(1000, "hr", 2.0)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("time,hr,heart\n0,1,2\n", "unknown column 'heart'; allowed: consciousness dbp"),
        ("time,hr\n0,1\n1,x\n", "line 3, column hr: 'x' is not a number"),
        ("time,hr\n0,1\n\n1,inf\n", "line 4, column hr: 'inf' is not a finite number"),
        ("time,hr\n0,1\nx,1\n", "line 3, column time: 'x' is not a number"),
        ("time,hr\n,1\n", "line 2, column time: '' is not a number"),
        ("time,hr\n2026-11-21T12:00:00,1\n", "line 2, column time: '2026-11-21T12:00:00' is a time without"),
        ("time,hr\n2026-11-21T12:00:00Z,1\n7,1\n", "line 3, column time: '7' is not a time"),
        ("time,hr\n0,1,2\n", "line 2: 3 cells, the header has 2"),
        ("time,hr,hr\n0,1,2\n", "column 'hr' is there twice"),
        ("time,stay\n0,1\n", "no signal column"),
        ("when,hr\n0,1\n", "no format fits the header 'when,hr'"),
        ("time,consciousness\n0,X\n", "'X' is not one of A C V P U"),
        ("time,oxygen\n0,2\n", "'2' is not 0 or 1"),
        ("", "no format fits"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, text, told):
    with pytest.raises(RecordingError) as error:
        read_recordings(write(tmp_path, "bad.csv", text))
    assert told in error.value.detail
    assert "bad.csv" in error.value.detail


def test_other_faults_are_named_too(tmp_path):
    with pytest.raises(RecordingError, match="cannot be read"):
        read_recordings(tmp_path / "nowhere.csv")
    with pytest.raises(RecordingError, match="allowed: csv cinc2019 bidmc mimic4wdb"):
        read_recordings(write(tmp_path, "a.csv", "time,hr\n"), "edf")
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(gzip.compress(b"time,hr\n1,2\n")[:-9])
    with pytest.raises(RecordingError, match="cannot be read"):
        read_recordings(broken)


def test_an_empty_recording_has_no_stay(tmp_path):
    assert read_recordings(write(tmp_path, "a.csv", "time,hr\n")) == []


def test_the_same_stay_in_two_files_is_refused(tmp_path):
    write(tmp_path, "a.csv", "time,stay,hr\n0,X,1\n")
    write(tmp_path, "b.csv", "time,stay,hr\n0,X,1\n")
    with pytest.raises(RecordingError, match="is also in"):
        read_all([tmp_path])


def test_cinc2019_counts_hours(tmp_path):
    text = "HR|O2Sat|Temp|ICULOS|SepsisLabel\nNaN|NaN|NaN|1|0\n93|92.5|NaN|2|0\n"
    (one,) = read_recordings(write(tmp_path, "p1.psv", text))
    assert rows(one) == [(7_200_000, "hr", 93.0), (7_200_000, "spo2", 92.5)]
    assert one.rows.tolist() == [3_600_000, 7_200_000]
    assert one.hold == 75 * 60_000


def test_bidmc_headers_have_blanks(tmp_path):
    (one,) = read_recordings(write(tmp_path, "n.csv", "Time [s], HR, PULSE, RESP, SpO2\n-1,63,64,18,97\n"))
    assert rows(one) == [(-1000, "hr", 63.0), (-1000, "pr", 64.0), (-1000, "rr", 18.0), (-1000, "spo2", 97.0)]


MIMIC = '"time","HR [bpm]","NBPs [mmHg]","NBPd [mmHg]","NBPm [mmHg]","Pulse (SpO2) [bpm]","btbHR [bpm]"\n'


def test_mimic4wdb_counts_ticks_in_any_order(tmp_path):
    (one,) = read_recordings(write(tmp_path, "n.csv", MIMIC + "99956,80,,,,,\n0,70,,,,71,150.5\n"))
    assert rows(one) == [(0, "hr", 70.0), (0, "pr", 71.0), (100_000, "hr", 80.0)]


def test_mimic4wdb_shows_a_cuff_measurement_once(tmp_path):
    shown = ["120,80,93", "120,80,93", "120,,", "118,,", "118,70,86", ",70,", "120,80,93"]
    text = MIMIC + "".join(f"{i},,{cells},,\n" for i, cells in enumerate(shown))
    (one,) = read_recordings(write(tmp_path, "n.csv", text))
    of = {name: one.value[one.signal == INDEX[name]].tolist() for name in ("sbp", "dbp", "map")}
    assert of == {"sbp": [120, 118, 118, 120], "dbp": [80, 70, 80], "map": [93, 86, 93]}


@given(st.integers(-(10**12), 10**13))
def test_seconds_round_trip(ms):
    assert round(Origin().to_input(ms) * 1000) == ms


def test_formats_are_recognised_by_their_header():
    assert detect_format("HR|O2Sat|ICULOS") == "cinc2019"
    assert detect_format("Time [s], HR, PULSE") == "bidmc"
    assert detect_format(MIMIC) == "mimic4wdb"
    assert detect_format("time,hr") == "csv"
    assert detect_format("hr,spo2") is None


@pytest.fixture
def real():
    folder = os.environ.get("WARD_TEST_DATA")
    if not folder:
        pytest.skip("needs WARD_TEST_DATA: a folder with PhysioNet's bidmc, mimic4wdb and cinc2019")
    return Path(folder)


def test_all_bidmc_files(real):
    found = read_all([real / "bidmc"])
    assert len(found) == 53
    assert all(len(r) > 1000 and (np.diff(r.time) >= 0).all() for r in found)
    assert min(int(r.time[0]) for r in found) == -1000


def test_both_mimic4wdb_files(real):
    short, long = read_all([real / "mimic4wdb"])
    assert (long.time[-1] - long.time[0]) / 3_600_000 == pytest.approx(47.97, abs=0.01)
    spo2 = short.value[short.signal == INDEX["spo2"]]
    assert math.isclose(float(np.median(spo2)), 81.5)
    assert np.median(np.diff(long.time[long.signal == INDEX["map"]])) == pytest.approx(3_600_000, rel=0.01)


def test_8000_cinc2019_stays_in_well_under_a_minute(real):
    began = time.process_time()
    found = read_all([real / "cinc2019"])
    assert len(found) == 8000
    assert time.process_time() - began < 30
    assert all(np.isfinite(r.value).all() for r in found)
