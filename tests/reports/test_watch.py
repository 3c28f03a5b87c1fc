"""The watch for drift, from the database to the alert, the view and the command line; also over a restart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, func, insert, select
from structlog.testing import capture_logs
from typer.testing import CliRunner

from benchmarks.drift import CHANGES, REFERENCE, START, live
from tests.live.world import World
from ward.alerts.technical import SERVICE
from ward.cli import app
from ward.clock import iso
from ward.config import Settings
from ward.errors import InvalidError
from ward.live import metrics
from ward.live.drift import DriftWatch
from ward.reports import read
from ward.reports.drift import Past
from ward.store.audit import search
from ward.store.tables import baselines, stays, tallies
from ward.store.tallies import (
    DAY,
    Baseline,
    Tally,
    add_tallies,
    current_baselines,
    put_baseline,
    read_tallies,
)

CHANGE = 30
DAYS = 44
NOW = START + DAYS * DAY + 1
WORLD = replace(CHANGES["probes read SpO2 2 % lower"][0], beds=40, days=DAYS, change=CHANGE)


@pytest.fixture(scope="module")
def past() -> Past:
    return live(WORLD, 4)


def store(engine: Engine, past: Past) -> None:
    rows = [
        {"id": one.stay, "patient_ref": "p", "ward": "w", "bed": one.stay, "flags": [], "start": one.start}
        for one in past.stays
    ]
    with engine.begin() as tx:
        add_tallies(tx, past.tallies)
        tx.execute(insert(stays), [row | {"end": one.end} for row, one in zip(rows, past.stays, strict=True)])


@pytest.fixture
def ward(engine: Engine, past: Past) -> Engine:
    store(engine, past)
    return engine


def test_counts_of_a_day_add_up_and_other_bins_begin_anew(engine: Engine):
    with engine.begin() as tx:
        add_tallies(tx, [Tally("w", 0, {"hr": [1, 2], "rr": [5]}), Tally("v", 0, {"hr": [7, 7]})])
        add_tallies(tx, [Tally("w", 0, {"hr": [10, 20], "rr": [5, 6]}), Tally("w", DAY, {"hr": [1, 1]})])
        add_tallies(tx, [])
        assert read_tallies(tx, 0, DAY) == [
            Tally("v", 0, {"hr": [7, 7]}),
            Tally("w", 0, {"hr": [11, 22], "rr": [5, 6]}),
        ]
        assert read_tallies(tx, 0, 2 * DAY, ["w"])[-1] == Tally("w", DAY, {"hr": [1, 1]})


def test_a_reference_is_whole_days_with_something_in_them(ward: Engine):
    given = Baseline("w", START, START + 7 * DAY, "Dr Lind", NOW)
    with ward.begin() as tx:
        for wrong in (
            replace(given, end=START),
            replace(given, end=START + DAY + 1),
            replace(given, ward="v"),
            replace(given, start=START - 2 * DAY, end=START),
        ):
            with pytest.raises(InvalidError):
                put_baseline(tx, wrong)
        put_baseline(tx, replace(given, by="somebody"))
        put_baseline(tx, given)
        assert current_baselines(tx) == {"w": given}
        assert current_baselines(tx, ["v"]) == {}


def test_the_first_complete_days_become_the_reference_by_themselves(ward: Engine):
    watch = DriftWatch(ward, REFERENCE)
    watch.look(START + (REFERENCE - 1) * DAY)
    with ward.connect() as connection:
        assert current_baselines(connection) == {}
    watch.look(START + REFERENCE * DAY)
    with ward.connect() as connection:
        found = current_baselines(connection)["w"]
    assert (found.start, found.end, found.by) == (START, START + REFERENCE * DAY, None)
    assert watch.standing() == []


def test_what_differs_for_days_is_told_once_and_kept_over_a_restart(ward: Engine):
    watch = DriftWatch(ward, REFERENCE)
    with capture_logs() as logs:
        watch.look(START + CHANGE * DAY)
        assert watch.standing() == []
        watch.look(NOW)
        watch.look(NOW + 1000)
    told = [line for line in logs if line["log_level"] == "warning"]
    assert [line["ward"] for line in told] == ["w"]
    assert any("SpO2 is on average" in words for words in told[0]["what"])
    (standing,) = watch.standing()
    assert (standing.stay, standing.rule, standing.key, standing.since) == (SERVICE, "drift", "", NOW)
    assert metrics.DRIFT.labels("w", "spo2", "value", "7")._value.get() >= 1
    assert metrics.DRIFT_LASTING.labels("w")._value.get() >= 1

    again = DriftWatch(ward, REFERENCE)
    again.load()
    assert again.standing() == [standing]
    with capture_logs() as logs:
        again.look(NOW + DAY)
    assert again.standing() == [standing]

    with ward.begin() as tx:
        put_baseline(tx, Baseline("w", START + (CHANGE + 1) * DAY, START + (CHANGE + 6) * DAY, "Lind", NOW))
    again.look(NOW + DAY)
    assert again.standing() == [], "with another reference it is over, without a day's wait"
    with ward.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(baselines)) == 2


def test_the_question_is_asked_once_a_day(ward: Engine, monkeypatch: pytest.MonkeyPatch):
    watch = DriftWatch(ward, REFERENCE)
    asked: list[int] = []
    real = read.drift
    monkeypatch.setattr(read, "drift", lambda c, now, *rest: asked.append(now) or real(c, now, *rest))
    watch.look(NOW)
    watch.look(NOW + 600_000)
    watch.look(NOW + DAY)
    assert asked == [NOW, NOW + DAY]


@pytest.fixture
def world(tmp_path: Path, past: Past) -> Iterator[World]:
    made = World(tmp_path / "data", drift_reference_days=REFERENCE)
    store(made.service.engine_db, past)
    yield made
    made.close()


def test_it_is_one_low_technical_alert_of_the_service_and_ends_with_a_new_reference(world: World):
    def open_alerts() -> list[tuple[str, str, str]]:
        found = world.service.core.book.open_alerts()
        return [(a.rule, a.priority, a.kind) for a in found if a.stay == SERVICE]

    world.tick()
    world.service.house.drift.look(NOW)
    world.tick()
    assert open_alerts() == [("drift", "low", "technical")]
    world.crash()
    world.tick()
    assert open_alerts() == [("drift", "low", "technical")]
    assert len([e for e in world.events("raised") if e.alert]) == 1, "a restart tells nothing anew"
    with world.service.engine_db.begin() as tx:
        put_baseline(tx, Baseline("w", START + (CHANGE + 1) * DAY, START + (CHANGE + 6) * DAY, "Lind", NOW))
    world.service.house.drift.look(NOW)
    world.tick()
    assert open_alerts() == []


def test_views_say_what_was_compared(ward: Engine):
    with ward.connect() as connection:
        found = read.drift(connection, NOW, REFERENCE)
        none = read.drift(connection, NOW, REFERENCE, ["v"])
    assert none == {}
    view = read.drift_view("w", *found["w"])
    assert view["state"] == "compared"
    assert view["until"] == iso(START + DAYS * DAY)
    assert view["reference"]["patients"] > 30
    assert any(words.startswith("SpO2 is on average") for words in view["differs"])
    spo2 = next(f for f in view["findings"] if f["what"] == "spo2" and f["aspect"] == "value")
    assert spo2["differs"]
    assert spo2["lasting"]
    json.dumps(view, allow_nan=False)


def run(url: str, folder: Path, *arguments: str) -> Any:
    environment = {"WARD_DATABASE_URL": url, "WARD_DATA_DIR": str(folder)}
    return CliRunner().invoke(app, list(arguments), env=environment)


def test_the_command_line_tells_and_chooses_the_reference(
    ward: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ward.clock.wall_ms", lambda: NOW)
    url = ward.url.render_as_string(hide_password=False)
    told = run(url, tmp_path, "report", "drift")
    assert told.exit_code == 0, told.output
    assert "SpO2 is on average" in told.stdout
    assert "differs, for days" in told.stdout
    first, last = (iso(START + n * DAY)[:10] for n in (CHANGE + 1, CHANGE + 6))
    done = run(url, tmp_path, "drift", "reference", "--ward", "w", "--start", first, "--end", last)
    assert done.exit_code == 0, done.output
    whole = json.loads(run(url, tmp_path, "report", "drift", "--format", "json").stdout)["items"][0]
    assert whole["reference"]["start"] == iso(START + (CHANGE + 1) * DAY)
    assert whole["differs"] == []
    with ward.connect() as connection:
        (line,) = search(connection, wards=None, action="drift.reference").items
    assert line.object == "ward:w"
    wrong = run(url, tmp_path, "drift", "reference", "--ward", "v", "--start", first, "--end", last)
    assert wrong.exit_code == 2
    assert "nothing was counted on ward v in these days" in wrong.stderr
    coming = iso(NOW + 2 * DAY)[:10]
    wrong = run(url, tmp_path, "drift", "reference", "--ward", "w", "--start", first, "--end", coming)
    assert wrong.exit_code == 2
    assert "days that are not over are no reference" in wrong.stderr


def test_a_ward_that_was_never_watched_has_no_drift(engine: Engine):
    watch = DriftWatch(engine, Settings().drift_reference_days)
    watch.look(NOW)
    assert watch.standing() == []
    with engine.begin() as tx:
        assert not tx.execute(delete(tallies)).rowcount
