"""``ward replay`` on files: times of every kind, options that make no sense, what the lines hold."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.scoring.risky import fit_members, write_model
from ward.cli import app

PACK = """
id = "x"
[[rule]]
id = "slow"
title = "a"
priority = "high"
kind = "physiological"
when = ["rr <= 11"]
for = "37s"
[[rule]]
id = "gone"
title = "b"
priority = "low"
kind = "technical"
when = ["rr absent"]
for = "37s"
"""


def replay(folder: Path, csv: str, *options: str) -> list[tuple]:
    """(stay, rule, event, at) of every line."""
    (folder / "pack.toml").write_text(PACK)
    (folder / "file.csv").write_text(csv)
    arguments = [
        "replay",
        folder / "file.csv",
        "--pack",
        folder / "pack.toml",
        "--output",
        folder / "out",
        *options,
    ]
    done = CliRunner().invoke(app, [str(a) for a in arguments])
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in (folder / "out").read_text().splitlines()]
    assert all(line["priority"] in ("high", "low") for line in lines)
    return [(line["stay"], line["rule"], line["event"], line["at"]) for line in lines]


def breathing(times) -> str:
    return "time,stay,rr\n" + "".join(f"{t},a,10\n" for t in times) + "".join(f"{t},b,20\n" for t in times)


@pytest.mark.parametrize("start", [-90, -1, 0, 1, 946_684_800, 4_398_046_451, 5_700_000_000])
def test_a_recording_may_begin_at_any_second(tmp_path, start):
    found = replay(tmp_path, breathing(range(start, start + 150, 30)), "--no-filter")
    assert found == [("a", "slow", "raised", start + 37)]


def test_an_old_reading_is_no_breach_for_ever(tmp_path):
    found = replay(tmp_path, "time,stay,rr,map\n0,a,10,\n500,a,10,\n5000,a,,66\n", "--no-filter")
    assert [(rule, at) for _, rule, event, at in found if event == "raised"] == [("gone", 127)]


@pytest.mark.parametrize("year", [1961, 1970, 2026, 2150, 2180])
def test_dates_of_any_century(tmp_path, year):
    start = datetime(year, 7, 23, 7, 6, 40, tzinfo=UTC)
    times = [(start + timedelta(seconds=30 * n)).isoformat() for n in range(5)]
    found = replay(tmp_path, breathing(times), "--no-filter")
    assert found == [("a", "slow", "raised", f"{year}-07-23T07:07:17Z")]


def test_stays_of_different_centuries_do_not_touch(tmp_path):
    def rows(stay: str, year: int, rr: int) -> str:
        start = datetime(year, 7, 23, 7, tzinfo=UTC)
        return "".join(f"{(start + timedelta(seconds=30 * n)).isoformat()},{stay},{rr}\n" for n in range(5))

    csv = "time,stay,rr\n" + rows("a", 2150, 10) + rows("b", 2150, 20) + rows("c", 2026, 20)
    found = [e for e in replay(tmp_path, csv, "--no-filter") if e[1] == "slow"]
    assert found == [("a", "slow", "raised", "2150-07-23T07:00:37Z")]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--hold", "hr=5"), "--hold"),
        (("--hold", "mood=5s"), "SIGNAL"),
        (("--every", "x"), "--every"),
        (("--every", "0s"), "more than 0"),
        (("--scores", "/nowhere/at/all.csv"), "no folder"),
        (("--pack", "/nowhere.toml"), "cannot be read"),
    ],
)
def test_an_option_that_makes_no_sense_is_told_in_a_line(tmp_path, options, said):
    (tmp_path / "file.csv").write_text(breathing(range(3)))
    done = CliRunner().invoke(app, ["replay", str(tmp_path / "file.csv"), *options])
    assert done.exit_code == 2
    assert said in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize("time", ["1e13", "1e300", "-1e16"])
def test_a_time_beyond_all_calendars_is_refused_with_its_line(tmp_path, time):
    (tmp_path / "file.csv").write_text(f"time,rr\n1,10\n{time},10\n")
    done = CliRunner().invoke(app, ["replay", str(tmp_path / "file.csv")])
    assert done.exit_code == 2
    assert "line 3" in done.output


HOURLY = "HR|O2Sat|Temp|SBP|MAP|DBP|Resp|ICULOS|SepsisLabel\n"
ROWS = [  # gets worse; a row without anything; nothing but a temperature
    "80|97|37.0|120|85|66|16|1|0",
    "84|96|NaN|118|84|66|19|2|0",
    "NaN|NaN|NaN|NaN|NaN|NaN|NaN|3|0",
    "99|91|38.1|101|73|58|28|4|0",
    *(f"NaN|NaN|37.0|NaN|NaN|NaN|NaN|{hour}|0" for hour in range(5, 12)),
]
ON_RISK = """
id = "x"
[[rule]]
id = "ill"
title = "a"
priority = "high"
kind = "physiological"
when = ["risk >= 0.3"]
for = "5m"
min_readings = 1
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("model"), list(fit_members()))


def replay_hourly(folder: Path, *options: str) -> tuple[list[dict], list[dict], str]:
    """Events, score rows, and what was said."""
    (folder / "p1.psv").write_text(HOURLY + "\n".join(ROWS) + "\n")
    (folder / "pack.toml").write_text(ON_RISK)
    arguments = [
        "replay", folder / "p1.psv", "--format", "cinc2019", "--pack", folder / "pack.toml",
        "--output", folder / "events", "--scores", folder / "scores.csv", *options,
    ]  # fmt: skip
    done = CliRunner().invoke(app, [str(a) for a in arguments])
    assert done.exit_code == 0, done.output
    with (folder / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [json.loads(line) for line in (folder / "events").read_text().splitlines()], rows, done.output


def test_scores_hold_the_risk_where_there_is_enough_to_say(tmp_path, model):
    events, rows, _ = replay_hourly(tmp_path, "--risk-model", str(model))
    assert list(rows[0]) == ["stay", "time", "news2", "news2_missing", "risk"]
    assert [int(row["time"]) // 3600 for row in rows] == list(range(1, 12))
    risk = [float(row["risk"]) if row["risk"] else None for row in rows]
    assert all(0 < value < 1 for value in risk[:4])
    assert risk[3] > risk[1] > risk[0]
    assert risk[-1] is None  # for hours only a temperature
    assert rows[-1]["news2"]
    raised = [event for event in events if event["event"] == "raised"]
    assert [(event["rule"], event["at"]) for event in raised] == [("ill", 4 * 3600 + 300)]


def test_a_score_knows_nothing_of_what_comes_later(tmp_path, model):
    _, rows, _ = replay_hourly(tmp_path, "--risk-model", str(model))
    for upto in (1, 2, 4, 7):
        folder = tmp_path / str(upto)
        folder.mkdir()
        (folder / "p1.psv").write_text(HOURLY + "\n".join(ROWS[:upto]) + "\n")
        done = CliRunner().invoke(
            app,
            [
                "replay",
                str(folder / "p1.psv"),
                "--scores",
                str(folder / "s.csv"),
                "--output",
                str(folder / "e"),
            ],
            env={"WARD_RISK_MODEL": str(model)},
        )
        assert done.exit_code == 0, done.output
        with (folder / "s.csv").open(newline="") as file:
            assert list(csv.DictReader(file)) == rows[:upto]


def test_without_a_model_the_risk_is_empty_and_rules_on_it_are_silent(tmp_path):
    events, rows, said = replay_hourly(tmp_path, "--risk-model", "none")
    assert {row["risk"] for row in rows} == {""}
    assert events == []
    assert "there is no model" in said


def test_a_model_that_is_not_there_is_told_in_a_line(tmp_path):
    (tmp_path / "p1.psv").write_text(HOURLY + ROWS[0] + "\n")
    asked = [
        "replay",
        str(tmp_path / "p1.psv"),
        "--scores",
        str(tmp_path / "s.csv"),
        "--risk-model",
        "/gone/x",
    ]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code != 0
    assert "/gone/x.json: No such file" in done.output
