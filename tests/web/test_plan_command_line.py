"""``ward plan`` as its users run it: against files, the database and a running service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.alerts.ward_plan import TEXT, fields
from ward.alerts.plan_file import load_plan, parse_plan, read_toml
from ward.alerts.preview import samples
from ward.cli import app as command_line
from ward.store.database import migrate, open_database
from ward.store.plans import put_plan
from ward.web.identity import create_token

ZURICH_NIGHT = "2026-11-23T03:00:00+01:00"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WARD_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "6A.toml").write_text(TEXT)
    return tmp_path


def run(*arguments: str) -> Any:
    return CliRunner().invoke(command_line, ["plan", *arguments])


def test_check_shows_the_ways_and_warns_of_holes(folder: Path) -> None:
    done = run("check", "6A.toml", "--at", ZURICH_NIGHT)
    assert done.exit_code == 0, done.output
    assert "  2026-11-23 03:02  level 1   Cleo Dunn (phone)" in done.stdout
    assert done.stdout.endswith("6A.toml: may be used\n")
    (folder / "6A.toml").write_text(
        TEXT + '\n[[roster]]\nteam="nurses"\nshift="late"\ndate=2026-11-24\npeople=[]\n'
    )
    done = run("check", "6A.toml", "--at", ZURICH_NIGHT)
    hole = "Nurses on the floor: nobody is on duty from 2026-11-24 14:30 to 2026-11-24 22:30"
    assert hole in done.stderr
    assert done.exit_code == 0
    assert run("check", "6A.toml", "--at", ZURICH_NIGHT, "--strict").exit_code == 1
    assert run("check", "6A.toml", "--at", ZURICH_NIGHT, "--days", "1", "--strict").exit_code == 0


def test_check_shows_the_way_of_every_route(folder: Path) -> None:
    (folder / "6A.toml").write_text(
        TEXT + '\n[[route]]\nkind = "technical"\nrules = ["service-fault", "leads-off"]\n'
        'level = [{tell = ["doc"], channels = ["pager"]}]\n'
    )
    shown = run("check", "6A.toml", "--at", ZURICH_NIGHT).stdout
    plan, _ = load_plan(folder / "6A.toml")
    ways = {plan.route(*sample) for sample in samples(plan)}
    assert ways >= set(plan.routes)
    assert len(plan.routes) > 1
    assert "technical high (service-fault)" in shown
    assert "technical high (leads-off)" in shown


def test_check_tells_of_channels_that_nobody_has_set_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder / "channels.toml"
    file.write_text('[channels.pager]\nkind = "mqtt"\n')
    file.chmod(0o600)
    monkeypatch.setenv("WARD_CHANNELS_FILE", str(file))
    said = run("check", "6A.toml").stderr
    assert "channel phone: not configured; there are: dashboard, pager" in said
    assert "channel pager" not in said


def test_a_wrong_plan_is_refused_with_its_places(folder: Path) -> None:
    (folder / "6A.toml").write_text('timezone = "Mars"\n[[route]]\n')
    done = run("check", "6A.toml")
    assert done.exit_code == 2
    assert "6A.toml: field timezone: 'Mars'; allowed: a time zone" in done.stderr
    assert "6A.toml: route 1, field level: no levels" in done.stderr
    assert run("check", "none.toml").exit_code == 2
    assert run("check", "6A.toml", "--at", "noon").exit_code == 2


def test_show_prints_what_can_be_put_back(folder: Path) -> None:
    default = run("show", "6A")
    assert default.stdout.startswith("# ward 6A: the default plan\n")
    assert parse_plan(read_toml(default.stdout, "x")).routes
    database = open_database(f"sqlite:///{folder / 'data' / 'ward.db'}")
    with database.begin() as tx:
        put_plan(tx, ward="6A", definition=fields(), by="Ada", at=1, expected=0)
    database.dispose()
    own = run("show", "6A")
    assert own.stdout.startswith("# ward 6A: version 1, by Ada\n")
    assert parse_plan(read_toml(own.stdout, "x")) == parse_plan(fields())
    assert parse_plan(json.loads(run("show", "6A", "--json").stdout)) == parse_plan(fields())


def test_put_asks_the_running_service(
    folder: Path, live: str, engine, wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(engine)
    assert "WARD_TOKEN is not set" in run("put", "6A", "6A.toml", "--url", live).stderr
    _, secret = create_token(engine, name="Ada", role="clinician", now=wall())
    monkeypatch.setenv("WARD_TOKEN", secret)
    done = run("put", "6A", "6A.toml", "--url", live)
    *doubts, said = done.stderr.splitlines()
    assert (done.exit_code, said) == (0, "ward: ward 6A goes by version 1 of its plan")
    assert doubts[0] == "ward: channel phone: not configured; there are: dashboard"
    assert "version 2" in run("put", "6A", "6A.toml", "--url", live).stderr
    _, secret = create_token(engine, name="Nina", role="nurse", wards=["6A"], now=wall())
    monkeypatch.setenv("WARD_TOKEN", secret)
    refused = run("put", "6A", "6A.toml", "--url", live)
    assert refused.exit_code == 2
    assert "refused (403)" in refused.stderr
    assert secret not in refused.output
    away = run("put", "6A", "6A.toml", "--url", "http://127.0.0.1:9")
    assert (away.exit_code, "does not answer" in away.stderr) == (2, True)
