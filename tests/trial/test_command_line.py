"""`ward trial`: files in; a table, figures and a picture out."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as Xml
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.brokers import DEADLINE_S
from ward.cli import app
from ward.errors import InvalidError
from ward.trial.labels import read_labels
from ward.trial.table import COLUMNS

PACK = """
id = "mine"
title = "mine"
[[rule]]
id = "low"
priority = "high"
when = ["spo2 < 88"]
for = "{length}"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for stay in range(6):
        lines = ["time,hr,spo2"]
        for minute in range(300):
            low = 100 + stay <= minute < 112 or 200 <= minute < 206
            lines.append(f"{minute * 60},80,{82 if low else 97}")
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / f"s{stay}.csv").write_text("\n".join(lines))
    (tmp_path / "now.toml").write_text(PACK.format(length="10m"))
    (tmp_path / "new.toml").write_text(PACK.format(length="5m"))
    (tmp_path / "labels.csv").write_text("stay,time\ns0,7800\ns1,7800\nother,1\n")
    return tmp_path


def run(folder: Path, *arguments: str) -> tuple[int, str, str]:
    found = CliRunner().invoke(app, ["trial", str(folder / "in"), *arguments])
    return found.exit_code, found.stdout, found.stderr


def test_a_pack_against_another(folder: Path) -> None:
    out = folder / "out.json"
    code, said, _ = run(
        folder,
        "--pack",
        str(folder / "new.toml"),
        "--against",
        str(folder / "now.toml"),
        "--output",
        str(out),
    )
    assert code == 0
    assert "6 stays, 1.25 patient-days" in said
    answer = json.loads(out.read_text())
    now, row = answer["in_force"], answer["settings"][0]
    assert (now["alerts"], row["alerts"], row["gained"], row["lost"]) == (3, 12, 9, 0)
    assert row["delay_s"]["median"] == -300
    assert [i["raised_at"] for i in answer["raised"] if i["stay"] == "s0"] == [6_300, 12_300]
    assert "Nothing is labelled" in said


def test_a_grid_with_labels_and_a_suggestion_in_every_form(folder: Path) -> None:
    outputs = [folder / f"out{ending}" for ending in (".json", ".csv", ".svg")]
    code, said, told = run(
        folder, "--against", str(folder / "now.toml"), "--grid", "low: 80..88/4 × 3m,10m",
        "--labels", str(folder / "labels.csv"), "--window", "1h", "--after", "30m", "--suggest", "8/day",
        *(part for path in outputs for part in ("--output", str(path))),
    )  # fmt: skip
    assert code == 0
    assert "<- suggested" in said
    assert "suggestion for 8 alerts a patient-day" in said
    assert "nothing was changed" in said
    assert "done, 100 %" in told
    answer = json.loads(outputs[0].read_text())
    assert answer["events"]["count"] == 2
    assert len(answer["settings"]) == 6
    assert "raised" not in answer
    rows = list(csv.DictReader(outputs[1].read_text().splitlines()))
    assert tuple(rows[0]) == COLUMNS
    assert [row["label"] for row in rows] == ["in force", *(s["label"] for s in answer["settings"])]
    assert float(rows[1]["alerts"]) == answer["settings"][0]["alerts"]
    picture = Xml.parse(outputs[2]).getroot()
    circles = picture.findall("{http://www.w3.org/2000/svg}circle")
    assert len(circles) == 6 + 1 + 1  # the settings, what is in force, what is suggested


def test_a_large_grid_is_told_in_short(folder: Path) -> None:
    code, said, _ = run(folder, "--against", str(folder / "now.toml"), "--grid", "low", "--suggest", "99/day")
    assert code == 0
    assert "104 settings; these no other beats" in said
    assert len(said.splitlines()) < 30


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "nothing to try"),
        (["--grid", "none"], "no rule none"),
        (["--grid", "low: y × 1m"], "'y'"),
        (["--grid", "low", "--suggest", "lots"], "3/day"),
        (["--grid", "low", "--output", "out.txt"], ".json, .csv, .svg"),
        (["--grid", "low", "--output", "no/where/out.csv"], "no folder"),
        (["--grid", "low", "--labels", "none.csv"], "none.csv: cannot be read"),
        (["--grid", "low", "--labels", "sepsis"], "ICULOS and SepsisLabel"),
        (["--grid", "low", "--window", "soon"], "--window 'soon'"),
        (["--pack", "none.toml"], "none.toml"),
    ],
)
def test_what_makes_no_sense_is_one_line(folder: Path, arguments: list[str], why: str) -> None:
    code, said, told = run(folder, "--against", str(folder / "now.toml"), *arguments)
    assert (code, said) == (2, "")
    assert why in told
    assert told.startswith("ward: ")


def test_labels_of_the_challenge_are_six_hours_after_the_first(tmp_path: Path) -> None:
    (tmp_path / "p1.psv").write_text("HR|ICULOS|SepsisLabel\n80|1|0\n80|2|1\n80|3|1\n")
    (tmp_path / "p2.psv").write_text("HR|ICULOS|SepsisLabel\n80|1|0\n")
    assert read_labels("sepsis", [tmp_path]) == {"p1": {8 * 3_600_000}}


def test_labels_are_seconds_or_dates(tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("stay,time\na,90.5\na,2026-11-21T12:00:00+01:00\n")
    assert read_labels(str(file), []) == {"a": {90_500, 1_795_258_800_000}}
    for wrong in ("stay,time\na,soon\n", "stay,time\na\n", "a,90\n", "stay,time\na,2026-11-21T12:00:00\n"):
        file.write_text(wrong)
        with pytest.raises(InvalidError):
            read_labels(str(file), [])


def ended_by_ctrl_c(process: subprocess.Popen[str]) -> str:
    """What it said. Pressed again as a person would: the moment in which a read begins may miss the first."""
    for _ in range(6):
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=DEADLINE_S / 6)[1]
    raise AssertionError("it does not end")


def test_ctrl_c_ends_it_in_a_word(folder: Path) -> None:
    out = folder / "out.json"
    pipe = folder / "in" / "z.csv"
    os.mkfifo(pipe)  # reading waits here
    process = subprocess.Popen(
        [sys.executable, "-m", "ward", "trial", str(pipe), "--grid", "spo2-below-88", "--output", str(out)],
        stderr=subprocess.PIPE,
        text=True,
    )
    with pipe.open("w"):  # it has come so far
        told = ended_by_ctrl_c(process)
    assert process.returncode == 130
    assert told.splitlines() == ["ward: stopped; nothing was written"]
    assert not out.exists()


def test_nobody_is_called_for_a_stay_whose_recording_has_ended(folder: Path) -> None:
    """All stays are evaluated to the newest reading of any, so a short one falls silent; it is not a ward."""
    short = folder / "in" / "short.csv"
    short.write_text("time,hr,spo2\n" + "".join(f"{n * 60},80,97\n" for n in range(10)))
    out = folder / "out.json"
    run(folder, "--grid", "spo2-below-88: 88 × 10m", "--output", str(out))
    with_it = json.loads(out.read_text())["in_force"]
    short.unlink()
    run(folder, "--grid", "spo2-below-88: 88 × 10m", "--output", str(out))
    without = json.loads(out.read_text())["in_force"]
    assert with_it["interruptions"] == without["interruptions"]
    assert with_it["alert_hours_per_day"] <= 24
    # Nor is the silence counted as an alert: there are as many as before, in a little more time.
    assert with_it["alerts"] == without["alerts"] > 0
    assert 0.9 * without["all_alerts_per_day"] < with_it["all_alerts_per_day"] < without["all_alerts_per_day"]


def test_labels_of_another_time_are_passed_over(folder: Path) -> None:
    labels = folder / "far.csv"
    labels.write_text("stay,time\ns0,7800\ns0,1e15\ns1,-1e17\n")
    out = folder / "out.json"
    code, _, said = run(
        folder, "--grid", "spo2-below-88: 88 × 10m", "--labels", str(labels), "--output", str(out)
    )
    assert code == 0, said
    answer = json.loads(out.read_text())
    assert (answer["events"]["count"], answer["in_force"]["recall"]) == (1, 1.0)
