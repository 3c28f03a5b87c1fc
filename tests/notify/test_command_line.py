"""``ward channel``, with the sender of a running service beside it."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.notify.office import Dead, Office, Script
from ward.cli import app
from ward.clock import wall_ms
from ward.store.database import migrate, open_database

FILE = """
[channels.pager]
kind = "mqtt"
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "channels.toml").write_text(FILE)
    (tmp_path / "channels.toml").chmod(0o600)
    monkeypatch.setenv("WARD_CHANNELS_FILE", str(tmp_path / "channels.toml"))
    monkeypatch.setenv("WARD_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["channel", *arguments])


def test_check_lists_what_is_in_the_file(settings: Path):
    done = run("check", "--json")
    assert [(row["name"], row["kind"]) for row in json.loads(done.stdout)] == [
        ("dashboard", "dashboard"),
        ("pager", "mqtt"),
    ]
    assert "gives up after what the plan says" in run("check").stdout


def test_check_says_what_is_wrong(settings: Path):
    (settings / "channels.toml").write_text("[channels.pager]\nkind = 'fax'\n")
    done = run("check")
    assert done.exit_code == 2
    assert "[channels.pager] kind is not one of: webhook, mqtt, apprise" in done.stderr


@pytest.mark.parametrize(("pager", "status"), [(Script(), 0), (Dead(), 1)])
def test_a_test_is_sent_by_the_service_and_told_by_the_command(settings: Path, pager: Any, status: int):
    (settings / "data").mkdir(mode=0o700)
    db = open_database(f"sqlite:///{settings / 'data' / 'ward.db'}")
    migrate(db)
    end = threading.Event()
    office = Office(db, {"pager": pager}, give_up=1, clock=wall_ms)

    def serve() -> None:
        while not end.wait(0.05):
            office.sender.send_due()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        done = run("test", "--ward", "6A", "--channel", "pager", "--json")
    finally:
        end.set()
        thread.join(10)
        db.dispose()
    assert done.exit_code == status, done.output
    [told] = json.loads(done.stdout[done.stdout.index("[\n") :])  # the sender's log stands before it
    assert (told["channel"], told["state"]) == ("pager", "sent" if status == 0 else "failed")


def test_nobody_is_there_to_send_it(settings: Path):
    done = run("test", "--ward", "6A", "--wait", "0")
    assert done.exit_code == 1
    assert "is the service running?" in done.stderr
    assert "dashboard" in done.stdout


def test_a_channel_that_is_not_there(settings: Path):
    done = run("test", "--ward", "6A", "--channel", "fax")
    assert done.exit_code == 2
    assert "there are: dashboard, pager" in done.stderr
