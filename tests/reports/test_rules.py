"""The report per rule, from the database to the figures."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, event
from typer.testing import CliRunner

from tests.reports.made import END, START, Past
from ward.alerts.model import Event
from ward.cli import app
from ward.clock import iso
from ward.errors import InvalidError
from ward.machine import machine_zone
from ward.reports import read
from ward.reports.rules import CAUTIONS
from ward.signals import HOUR, MINUTE, SECOND
from ward.store import feedback
from ward.store.events import append_events
from ward.store.tables import alerts
from ward.store.tallies import DAY


def report(engine: Engine, **given: Any) -> dict[str, Any]:
    asked = {"start": START, "end": END, "wards": None, **given}
    with engine.connect() as connection:
        return read.rules(connection, END, **asked)


def row(found: dict[str, Any], rule: str, group: str | None = None) -> dict[str, Any]:
    return next(r for r in found["rules"] if r["rule"] == rule and r["group"] == group)


def test_figures_of_a_rule_are_those_of_its_alerts(engine: Engine):
    with engine.begin() as tx:
        past = Past(tx)
        past.stays(10)
        past.watched(10)
        for n in range(8):
            past.alert(stay=n % 4, at=n * HOUR, said="actionable", after=n * MINUTE, sent=3 * SECOND)
        past.alert(stay=5, at=9 * HOUR, said="artefact", why=None)
        past.alert("hr-above-130", stay=5, at=10 * HOUR, why="escalation", priority="low", lasts=HOUR)
    found = report(engine)
    assert (found["stays"], found["patient_days"], found["alerts"]) == (10, 140, 10)
    assert (found["interruptions"], found["repeats"], found["assessed"]) == (8, 1, 9)
    assert found["notes"] == []
    first = row(found, "spo2-below-88")
    assert found["rules"][0] == first, "those that interrupt most come first"
    assert (first["alerts"], first["interruptions"], first["patients"]) == (9, 8, 5)
    assert first["alerts_per_patient_day"] == pytest.approx(9 / 140, abs=1e-3)
    assert first["share_of_alerts"] == 0.9
    assert first["share_of_interruptions"] == 1
    assert first["actionable"]["count"] == 8
    assert first["actionable"]["low"] < 8 / 9 < first["actionable"]["high"]
    assert first["artefact"]["count"] == 1
    assert first["verdict"] == "at least 60 % actionable"
    assert first["time_to_acknowledge_s"] == {"count": 9, "median": 240, "p90": 420}
    assert first["condition_delay_s"] == {"count": 9, "median": 1, "p90": 1}
    assert first["signal_delay_s"] == {"count": 8, "median": 3, "p90": 3}
    assert first["time_in_alert_s"] == 9 * 600
    assert first["top_tenth_share"] == pytest.approx(2 / 9, abs=1e-4)
    second = row(found, "hr-above-130")
    assert (second["interruptions"], second["repeats"], second["verdict"]) == (0, 1, "not assessed")
    assert second["estimate"] is None
    assert second["signal_delay_s"] is None
    assert [p["alerts"] for p in found["priorities"]] == [9, 0, 1]


def test_wards_and_weeks_are_kept_apart(engine: Engine):
    with engine.begin() as tx:
        past = Past(tx)
        for ward, stays in (("6A", 2), ("6B", 4)):
            past.stays(stays, ward)
            past.watched(stays, ward=ward)
        past.alert(ward="6A", at=HOUR)
        past.alert(ward="6B", at=DAY)
        past.alert(ward="6B", at=8 * DAY)
    by_ward = report(engine, group="ward")
    assert [(g["group"], g["alerts"], g["patient_days"], g["stays"]) for g in by_ward["groups"]] == [
        ("6A", 1, 28, 2),
        ("6B", 2, 56, 4),
    ]
    assert row(by_ward, "spo2-below-88", "6B")["alerts"] == 2
    by_week = report(engine, group="week", wards=["6B"])
    assert [(g["group"], g["alerts"], g["patient_days"], g["stays"]) for g in by_week["groups"]] == [
        (iso(START)[:10], 1, 28, 4),
        (iso(START + 7 * DAY)[:10], 1, 28, 4),
    ]
    assert report(engine, wards=[])["alerts"] == 0


def test_a_span_counts_what_was_raised_in_it_and_the_time_within(engine: Engine):
    with engine.begin() as tx:
        past = Past(tx)
        past.stays(1)
        past.watched(1)
        past.alert(at=DAY - 1)
        past.alert(at=DAY)
        past.alert(at=2 * DAY - 1, lasts=DAY)
        past.alert(at=2 * DAY)
    found = report(engine, start=START + DAY, end=START + 2 * DAY)
    assert found["alerts"] == 2
    assert found["patient_days"] == 1
    assert found["rules"][0]["time_in_alert_s"] == pytest.approx(600, abs=1)
    half = report(engine, start=START + DAY + HOUR // 2, end=START + DAY + HOUR)
    assert half["patient_days"] == pytest.approx(1 / 48, abs=0.005)


def test_time_in_alert_is_also_that_of_an_alert_that_came_again_untaken(engine: Engine):
    """Its ``raised_at`` is then of the last time; what was before is in its events."""
    with engine.begin() as tx:
        past = Past(tx)
        past.stays(1)
        past.watched(1)
        alert = past.alert(at=HOUR, lasts=5 * HOUR)
        told = Event(START + 3 * HOUR, "6A-0", "6A", alert, "cleared")
        append_events(tx, [told])
        again = {"at": START + 5 * HOUR}
        append_events(tx, [replace(told, at=START + 5 * HOUR + SECOND, kind="raised-again", detail=again)])
        tx.execute(alerts.update().values(raised_at=START + 5 * HOUR))
    found = report(engine)
    assert (found["alerts"], found["rules"][0]["time_in_alert_s"]) == (1, 3 * 3600 - 1)
    with engine.begin() as tx:  # cleared for the last time: of that the alert itself tells
        append_events(tx, [replace(told, at=START + 6 * HOUR)])
    assert report(engine)["rules"][0]["time_in_alert_s"] == 3 * 3600 - 1


def test_lost_devices_are_one_rule_and_faults_of_the_service_none(engine: Engine):
    with engine.begin() as tx:
        past = Past(tx)
        past.stays(2)
        past.alert("device-lost:mon-1", stay=0, priority="medium")
        past.alert("device-lost:mon-2", stay=1, priority="medium")
        past.alert("service-fault:broker", ward="")
    found = report(engine)
    assert [(r["rule"], r["title"], r["alerts"]) for r in found["rules"]] == [
        ("device-lost", "Device lost", 2)
    ]
    assert found["notes"] == [CAUTIONS["en"]["no-time"], CAUTIONS["en"]["not-asked"]]
    assert found["alerts_per_patient_day"] is None


def test_alerts_of_a_time_that_was_not_counted_are_told_of(engine: Engine):
    with engine.begin() as tx:
        past = Past(tx)
        past.stays(1)
        past.watched(1)
        past.alert(at=HOUR, said="actionable")
        past.alert(at=-DAY, said="actionable")
    assert report(engine)["notes"] == []
    assert report(engine, start=START - 2 * DAY)["notes"] == [
        CAUTIONS["en"]["part-of-time"].format(since=iso(START)[:10])
    ]


def test_the_last_word_on_an_alert_counts_once(engine: Engine):
    with engine.begin() as tx:
        past = Past(tx)
        past.stays(1)
        alert = past.alert(said="actionable")
        tx.exec_driver_sql(
            "INSERT INTO events (at, stay, ward, alert, kind, detail) "
            f"VALUES ({START + 3 * HOUR}, '6A-0', '6A', '{alert}', 'acknowledged', "
            """'{"assessment": "artefact"}')"""
        )
    found = report(engine)["rules"][0]
    assert (found["actionable"]["count"], found["artefact"]["count"], found["assessed"]) == (0, 1, 1)
    assert found["time_to_acknowledge_s"]["median"] == 300


def test_a_report_is_bounded(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    with engine.begin() as tx:
        past = Past(tx)
        past.stays(1)
        for n in range(20):
            past.alert(at=n * HOUR, said="actionable")
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda c, cursor, text, *rest: asked.append(text))
    assert report(engine)["alerts"] == 20
    assert len(asked) < 15, "as many queries for twenty alerts as for one"
    monkeypatch.setattr(feedback, "MOST", 19)
    with pytest.raises(InvalidError, match="20 alerts, more than 19: ask for a shorter time"):
        report(engine)
    with pytest.raises(InvalidError, match="400 days at the most"):
        report(engine, start=END - 401 * DAY)
    with pytest.raises(InvalidError, match="start must be before end"):
        report(engine, start=END)


def run(url: str, tmp_path: Any, *arguments: str) -> Any:
    given = {"WARD_DATABASE_URL": url, "WARD_DATA_DIR": str(tmp_path), "COLUMNS": "200"}
    return CliRunner().invoke(app, ["report", *arguments], env=given)


def test_the_command_line_prints_table_json_and_csv(engine: Engine, tmp_path):
    with engine.begin() as tx:
        past = Past(tx)
        past.stays(4)
        past.watched(4)
        for n in range(4):
            past.alert(stay=n, said="actionable" if n else "artefact")
    url = engine.url.render_as_string(hide_password=False)
    span = ("--start", iso(START)[:10], "--end", iso(END))
    table = run(url, tmp_path, "rules", *span)
    assert table.exit_code == 0, table.output
    assert "4 stays, 56.0 patient-days, 4 alerts, 4 interruptions (0.071 a patient and day)" in table.stdout
    assert "too few to tell (3 of 4 actionable)" in table.stdout
    whole = json.loads(run(url, tmp_path, "rules", *span, "--format", "json").stdout)
    assert whole == json.loads(json.dumps(report(engine, zone=machine_zone())))
    (line,) = csv.DictReader(io.StringIO(run(url, tmp_path, "rules", *span, "--format", "csv").stdout))
    assert (line["rule"], line["actionable_count"]) == ("spo2-below-88", "3")
    wrong = run(url, tmp_path, "rules", "--start", "yesterday")
    assert wrong.exit_code == 2
    assert "--start yesterday: a time with an offset" in wrong.stderr


def test_the_command_makes_no_database_where_there_is_none(tmp_path):
    given = {"WARD_DATA_DIR": str(tmp_path / "nowhere")}
    done = CliRunner().invoke(app, ["report", "rules"], env=given)
    assert done.exit_code != 0
    assert "there is no database" in done.output
    assert not (tmp_path / "nowhere").exists()
