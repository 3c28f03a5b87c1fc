"""When and where alerts came, as a table, and a week on paper."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from pypdf import PdfReader
from sqlalchemy import Engine
from typer.testing import CliRunner

from tests.reports.made import END, START, Past
from ward.cli import app
from ward.language import LANGUAGES
from ward.reports import read
from ward.reports.table import as_csv
from ward.reports.week import WORDS, week_paper
from ward.signals import HOUR
from ward.store.tallies import DAY
from ward.zones import day_of, day_text, instant, local

MADE = END


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


@pytest.fixture
def week(engine: Engine) -> Engine:
    with engine.begin() as tx:
        past = Past(tx)
        past.stays(4)
        past.watched(4)
        for n in range(6):
            past.alert(stay=n % 2, at=n * DAY + 22 * HOUR, said="actionable" if n else "artefact")
        past.alert("hr-above-130", stay=3, at=5 * HOUR, why="reminder", priority="low")
    return engine


def report(engine: Engine, **given: object) -> dict:
    with engine.connect() as connection:
        return read.rules(connection, END, start=START, end=END, wards=None, **given)


def test_hours_are_those_of_the_wards_own_clocks(week: Engine):
    in_utc, in_copenhagen = report(week)["hours"], report(week, zone="Europe/Copenhagen")["hours"]
    assert [row["hour"] for row in in_utc] == list(range(24))
    assert in_utc[22] == {"hour": 22, "alerts": 6, "interruptions": 6}
    assert in_utc[5] == {"hour": 5, "alerts": 1, "interruptions": 0}, "a reminder is nothing new"
    later = local("Europe/Copenhagen", START)[1] // HOUR
    assert in_copenhagen[(22 + later) % 24]["alerts"] == 6
    assert sum(row["alerts"] for row in in_copenhagen) == 7


def test_beds_are_sorted_by_what_they_interrupted(week: Engine):
    assert report(week)["beds"] == [
        {"ward": "6A", "bed": "0", "patients": 1, "alerts": 3, "interruptions": 3},
        {"ward": "6A", "bed": "1", "patients": 1, "alerts": 3, "interruptions": 3},
        {"ward": "6A", "bed": "3", "patients": 1, "alerts": 1, "interruptions": 0},
    ]


def test_weeks_are_of_the_wards_clock(engine: Engine):
    """Half an hour before and after midnight in Copenhagen, as a week begins there: UTC has both before."""
    zone = "Europe/Copenhagen"
    first = local(zone, START)[0] + 1
    with engine.begin() as tx:
        past = Past(tx)
        past.stays(1)
        past.watched(14)
        for minutes in (-30, 30):
            past.alert(at=instant(zone, first + 7, 0) + minutes * 60_000 - START)
    start, end = instant(zone, first, 0), instant(zone, first + 13, 0)
    with engine.connect() as connection:
        found = read.rules(connection, END, start=start, end=end, wards=None, group="week", zone=zone)
    weeks = [(one["group"], one["alerts"]) for one in found["groups"]]
    assert weeks == [(day_text(first), 1), (day_text(first + 7), 1)]
    assert found["zone"] == zone


def test_an_unknown_zone_is_refused(week: Engine):
    with pytest.raises(Exception, match="no time zone 'Mars'"):
        report(week, zone="Mars")


def test_what_was_said_is_counted_over_all_rules(week: Engine):
    found = report(week)
    assert found["assessments"] == {"actionable": 5, "not_actionable": 0, "artefact": 1}
    high = next(row for row in found["priorities"] if row["priority"] == "high")
    assert high["time_to_acknowledge_s"] == {"count": 6, "median": 300.0, "p90": 300.0}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_paper_says_what_the_report_says(week: Engine, language):
    found = report(week)
    text = text_of(week_paper(found, (START, END), "6A", language, "UTC", MADE))
    words = WORDS[language]
    assert words.title in text
    assert words.by_hour in text
    assert "spo2-below-88" in text
    assert "6A 3" in text
    assert f"{found['interruptions']})" in text
    assert week_paper(found, (START, END), "6A", language, "UTC", MADE) == week_paper(
        found, (START, END), "6A", language, "UTC", MADE
    )


def test_a_quiet_week_says_so(engine: Engine):
    text = text_of(week_paper(report(engine), (START, END), None, "en", "UTC", MADE))
    assert "No alert in this time." in text
    assert "No monitored time was counted" in text


def test_the_last_whole_week_begins_on_monday_by_the_wards_clocks():
    first, last = read.week_of(None, None, "Europe/Copenhagen", START)
    assert local("Europe/Copenhagen", first)[1] == 0
    assert (local("Europe/Copenhagen", first)[0] + 3) % 7 == 0
    assert first < last <= START < last + 7 * DAY + HOUR
    # Clocks went back on 25 October 2026: that week had 169 hours.
    monday = instant("Europe/Copenhagen", day_of("2026-10-19"), 0)
    first, last = read.week_of(monday, None, "Europe/Copenhagen", START)
    assert last - first == 169 * HOUR


def test_a_spreadsheet_takes_no_cell_for_a_formula():
    rows = list(csv.DictReader(io.StringIO(as_csv([{"title": "=1+1", "share": {"low": 0.5}, "n": -3}]))))
    assert rows == [{"title": "'=1+1", "share_low": "0.5", "n": "-3"}]


def test_the_command_writes_a_pdf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, week: Engine):
    if week.dialect.name != "sqlite":
        pytest.skip("once is enough")
    monkeypatch.setenv("WARD_DATABASE_URL", str(week.url))
    monkeypatch.setenv("WARD_CLOCK", "replay")
    out = tmp_path / "week.pdf"
    day = "2024-10-04"
    done = CliRunner().invoke(
        app, ["report", "week", "--start", day, "--output", str(out), "--language", "da"]
    )
    assert done.exit_code == 0, done.output
    assert "Alarmrapport" in text_of(out.read_bytes())
