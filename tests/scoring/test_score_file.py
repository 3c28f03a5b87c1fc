"""``ward score``: CSV in, CSV out, with what is missing said and what is wrong named."""

import csv
import io
import os
import re
from pathlib import Path

import pytest
import yaml

from ward.score_file import ADDED, ScoreFileError, score_file, score_text

HEADER = "rr,spo2,spo2_scale,oxygen,sbp,hr,consciousness,temp"


def scored(text):
    return list(csv.DictReader(io.StringIO(score_text(text))))


def one(cells, header=HEADER):
    return scored(f"{header}\n{cells}\n")[0]


def test_the_columns_are_those_of_the_contract():
    expected = "news2,news2_rr,news2_spo2,news2_oxygen,news2_sbp,news2_hr,news2_consciousness,news2_temp"
    assert ",".join(ADDED) == expected + ",news2_missing,news2_risk"
    assert score_text(HEADER + "\n") == f"{HEADER},{','.join(ADDED)}\n"


def test_a_row_is_scored_and_kept_as_it_was():
    text = 'id,rr,spo2,spo2_scale,oxygen,sbp,hr,consciousness,temp,note\n7,25,91.0,1,1,90,131,V,35.0,"a, b"\n'
    assert score_text(text).splitlines()[1] == '7,25,91.0,1,1,90,131,V,35.0,"a, b",20,3,3,2,3,3,3,3,,high'


def test_rr_of_zero_scores_three():
    row = one("0,98,1,0,120,70,A,37.0")
    assert (row["news2"], row["news2_rr"], row["news2_risk"]) == ("3", "3", "low-medium")


def test_missing_parts_are_named():
    row = one("18,,,,120,70,,37.0")
    assert row["news2"] == "0"
    assert row["news2_missing"] == "spo2 oxygen consciousness"
    assert row["news2_risk"] == "low"


def test_a_row_of_nothing_has_no_score():
    row = one(",,2,1,,,,")
    assert (row["news2"], row["news2_risk"]) == ("", "")
    assert row["news2_missing"] == "rr spo2 sbp hr consciousness temp"


def test_columns_that_are_not_there_are_missing():
    row = one("25", header="rr")
    assert (row["news2"], row["news2_missing"]) == ("3", "spo2 oxygen sbp hr consciousness temp")


def test_scale_2_and_an_empty_scale():
    assert one("16,90,2,0,120,70,A,37.0")["news2"] == "0"
    assert one("16,97,2,1,120,70,A,37.0")["news2"] == "5"
    assert one("16,90,,0,120,70,A,37.0")["news2"] == "3"


def test_scoring_twice_replaces():
    text = score_text(f"{HEADER}\n25,98,1,0,120,70,A,37.0\n")
    assert score_text(text) == text


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ("x,98,1,0,120,70,A,37", "line 2, rr: 'x' is not a number"),
        ("16,101,1,0,120,70,A,37", "line 2, spo2: '101' is not within 0 to 100"),
        ("16,98,3,0,120,70,A,37", "line 2, spo2_scale: '3' is not one of 1 2"),
        ("16,98,1,yes,120,70,A,37", "line 2, oxygen: 'yes' is not one of 0 1"),
        ("16,98,1,0,120,70,X,37", "line 2, consciousness: 'X' is not one of A C V P U"),
        ("16,98,1,0,120,inf,A,98.6", "line 2, hr: 'inf' is not within 0 to 350; line 2, temp: '98.6'"),
        ("16,98", "line 2: 2 cells, the header has 8"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(cells, told):
    with pytest.raises(ScoreFileError) as error:
        score_text(f"{HEADER}\n{cells}\n")
    assert told in error.value.detail


def test_a_file_without_a_part_is_refused():
    with pytest.raises(ScoreFileError, match="none of the columns"):
        score_text("a,b\n1,2\n")
    with pytest.raises(ScoreFileError, match="hr is there twice"):
        score_text("hr,hr\n1,2\n")
    with pytest.raises(ScoreFileError, match="none of the columns"):
        score_text("")


def test_a_file_is_scored_to_standard_output_or_to_another_file(tmp_path, capsys):
    path, output = tmp_path / "rows.csv", tmp_path / "scored.csv"
    path.write_bytes(b"\xef\xbb\xbfrr\r\n8\r\n")
    score_file(path)
    printed = capsys.readouterr().out
    assert printed.splitlines()[1].startswith("8,3,3,")
    score_file(path, output)
    assert output.read_text() == printed
    assert capsys.readouterr().out == ""


def test_files_name_themselves_and_a_bad_one_writes_nothing(tmp_path):
    path, output = tmp_path / "rows.csv", tmp_path / "scored.csv"
    path.write_text("rr\nx\n")
    with pytest.raises(ScoreFileError, match=r"rows\.csv: line 2, rr"):
        score_file(path, output)
    assert not output.exists()
    with pytest.raises(ScoreFileError, match="cannot be read"):
        score_file(tmp_path / "nowhere.csv")
    path.write_text("rr\n8\n")
    with pytest.raises(ScoreFileError, match="cannot be written"):
        score_file(path, tmp_path / "no folder" / "scored.csv")


# openEHR's published test cases: their words → our columns.
PARTS = {
    "rr": ("gt0015", "gt0025"),
    "spo2": ("gt0007", "gt0026"),
    "oxygen": ("gt0016", None),
    "sbp": ("gt0005", "gt0028"),
    "hr": ("gt0009", "gt0027"),
    "consciousness": ("gt0017", None),
    "temp": ("gt0011", "gt0029"),
}


def test_published_cases_of_news2():
    folder = os.environ.get("WARD_TEST_DATA")
    if not folder:
        pytest.skip("needs WARD_TEST_DATA: a folder with openEHR's news2_vectors")
    cases = yaml.safe_load((Path(folder) / "news2_vectors" / "NEWS2.v1.test.yml").read_text())["test_cases"]
    assert cases
    for case in cases:
        given, expected = (dict(_coded(case[key][1])) for key in ("input", "expected_output"))
        cells = {part: given.get(code, "") for part, (code, _) in PARTS.items()}
        cells["oxygen"] = int(int(cells["oxygen"]) > 0)
        cells["consciousness"] = "V" if int(cells["consciousness"]) else "A"
        cells["spo2_scale"] = 2 if int(given["gt0013"]) else 1
        row = one(",".join(str(cells[name]) for name in HEADER.split(",")))
        assert row["news2"] == expected["gt0019"], case["id"]
        risk = ("low", "low-medium", "medium", "high")[int(expected["gt0021"])]
        assert row["news2_risk"] == risk, case["id"]
        for part, (_, code) in PARTS.items():
            if code in expected:
                assert row[f"news2_{part}"] == expected[code], (case["id"], part)


def _coded(fields):
    """('gt0005', '111') from 'gt0005|Systolic BP: 111,mm[Hg]'."""
    lines = fields.items() if isinstance(fields, dict) else (f.split(": ", 1) for f in fields)
    for name, value in lines:
        yield (
            name.split("|")[0],
            re.match(r"[\d.]+", str(value))[0] if re.match(r"[\d.]+", str(value)) else "",
        )
