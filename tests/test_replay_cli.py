"""``ward replay`` on files: times of every kind, options that make no sense, what the lines hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

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
