"""Recordings that clinicians bring, or that lie in a folder; and what trials found outlasts the service."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from tests.web.conftest import Client, problem
from tests.web.fake import FakeService
from ward.alerts.overrides import Rulebook
from ward.alerts.packs import load_pack
from ward.errors import InvalidError
from ward.scoring.filter import MARKS
from ward.signals import INDEX
from ward.store.trials import Trial, find_trial, keep_trial
from ward.trial.look import look
from ward.trial.recorded import read, recorded_trial
from ward.web import shelf
from ward.web.middleware import BODY_LIMIT
from ward.web.shelf import Shelf

A = "/api/v1/recordings"
CSV = "time,spo2\n" + "".join(f"{s},{80 if 60 <= s < 240 else 97}\n" for s in range(600))


@pytest.fixture
def folder(app: FastAPI, tmp_path: Path) -> Path:
    """Of the setting, with a recording, a link out of it and a hidden file."""
    there = tmp_path / "there"
    there.mkdir()
    (there / "night.csv").write_text(CSV)
    (there / ".hidden.csv").write_text(CSV)
    (tmp_path / "secret.csv").write_text(CSV)
    (there / "link.csv").symlink_to(tmp_path / "secret.csv")
    app.state.shelf = Shelf(there, tmp_path / "own")
    return there


def test_what_lies_there_is_listed_and_nothing_beside_it(clinician: TestClient, folder: Path) -> None:
    (only,) = clinician.get(A).json()["items"]
    assert (only["name"], only["size"], only["brought"]) == ("night.csv", len(CSV), False)
    assert problem(clinician.delete(f"{A}/{only['id']}"))["type"] == "/problems/conflict"
    assert (folder / "night.csv").exists()


@pytest.mark.parametrize("name", ["../../evil.csv", "/etc/passwd", "..", "a\\..\\b.csv", "%2e%2e%2fx"])
def test_a_name_is_never_a_path(clinician: TestClient, folder: Path, tmp_path: Path, name: str) -> None:
    made = clinician.post(A, params={"name": name}, content=CSV)
    assert made.status_code == 201
    (file,) = (tmp_path / "own").glob("*/*")
    assert file.resolve().is_relative_to((tmp_path / "own").resolve())
    assert (file.stat().st_mode & 0o077, file.parent.stat().st_mode & 0o077) == (0, 0)
    for id in (name, "..%2f..%2fsecret.csv", str(file)):
        assert clinician.delete(f"{A}/{id}").status_code in (404, 405, 422)
    assert clinician.delete(f"{A}/{made.json()['id']}").status_code == 204
    assert not file.exists()


def test_what_one_brings_nobody_else_sees(client: Client, folder: Path) -> None:
    mine, other = client("clinician"), client("admin")
    made = mine.post(A, params={"name": "n.csv"}, content=CSV).json()
    assert [one["brought"] for one in mine.get(A).json()["items"]] == [False, True]
    assert [one["brought"] for one in other.get(A).json()["items"]] == [False]
    assert other.delete(f"{A}/{made['id']}").status_code == 404
    body = {"rules": [{"id": "spo2-below-88", "for": "1m"}], "recording": made["id"], "scope": "all"}
    assert other.post("/api/v1/rules/trial", json=body).status_code == 404
    assert client("nurse").get(A).status_code == 403


def test_what_is_no_recording_or_too_much_is_refused(
    clinician: TestClient, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert clinician.post(A, params={"name": "n.csv"}, content=b"\x00\xff what").status_code == 422
    longer = CSV + "\n" * BODY_LIMIT
    assert clinician.post(A, params={"name": "n.csv"}, content=longer).status_code == 201
    too_long = clinician.post(A, params={"name": "n.csv"}, content=b"x" * (shelf.LARGEST + 1))
    assert too_long.status_code == 413
    assert clinician.post("/api/v1/drafts", content=longer).status_code == 413
    monkeypatch.setattr(shelf, "MOST", 1)
    assert clinician.post(A, params={"name": "n.csv"}, content=CSV).status_code == 409


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"recording": "a1", "stays": ["x"]},
        {"recording": "a1", "scope": "stay:x"},
        {"start": "2026-11-21T00:00:00Z", "end": "2026-11-21T12:00:00Z", "labels": "stay,time"},
        {"recording": "a1", "holds": {"spo2": "1s"}},
        {"recording": "a1", "holds": {"news2": "1m"}},
    ],
)
def test_what_does_not_go_together_is_refused(clinician: TestClient, more: dict) -> None:
    body = {"rules": [{"id": "spo2-below-88", "for": "1m"}], **more}
    assert clinician.post("/api/v1/rules/trial", json=body).status_code == 422


def test_a_recording_is_tried_by_the_rules_in_force(tmp_path: Path) -> None:
    (tmp_path / "night.csv").write_text(CSV)
    request = {
        "recording": str(tmp_path / "night.csv"),
        "rules": [{"id": "spo2-below-88", "for": "2m", "within": "2m"}],
        "labels": "stay,time\nnight,250\n",
    }
    answer = recorded_trial(Rulebook(load_pack("ward-rct-2025")), request, lambda *_: None)
    (gained,) = answer["changes"]["gained"]["items"]
    assert (gained["stay"], gained["raised_at"]) == ("night", "1970-01-01T00:03:00.000Z")
    assert (answer["relative"], answer["events"]["kind"]) == (True, "labelled")
    assert (answer["settings"][0]["caught"], answer["in_force"]["caught"]) == (1, 0)
    named = recorded_trial(
        Rulebook(load_pack("ward-rct-2025")),
        request | {"named": "kept.csv", "labels": "stay,time\nkept,250\n"},
        lambda *_: None,
    )
    assert [one["stay"] for one in named["changes"]["gained"]["items"]] == ["kept"]
    (tmp_path / "bad.csv").write_text("time,spo2\n1,97\n2,many\n")
    with pytest.raises(InvalidError) as refused:
        read({"recording": str(tmp_path / "bad.csv"), "named": "mine.csv"})
    assert refused.value.detail.startswith("mine.csv, line 3")
    assert str(tmp_path) not in str(refused.value.extra)
    (tmp_path / "bad.csv").write_text("time,spo2\n")
    with pytest.raises(InvalidError, match="no reading"):
        read({"recording": str(tmp_path / "bad.csv")})
    with pytest.raises(InvalidError, match="labels, line 2"):
        recorded_trial(
            Rulebook(load_pack("default")), request | {"labels": "stay,time\nnight,soon\n"}, lambda *_: None
        )


def test_a_span_of_a_recording_is_what_was_recorded_and_what_the_filter_made_of_it(tmp_path: Path) -> None:
    rows = [f"{s},{250 if s == 100 else 70 + s % 2},97" for s in range(600)]
    (tmp_path / "night.csv").write_text("\n".join(["time,hr,spo2", *rows]))
    asked = {"recording": str(tmp_path / "night.csv"), "stay": "night", "start": 98_000, "end": 103_000}
    found = look(asked | {"signals": ["hr"]})
    assert found["time"] == [98_000, 99_000, 100_000, 101_000, 102_000]
    assert found["value"] == [70.0, 71.0, 250.0, 71.0, 70.0]
    assert [MARKS[mark] for mark in found["mark"]] == ["valid", "valid", "invalid", "valid", "valid"]
    assert set(found["signal"]) == {INDEX["hr"]}
    assert look(asked | {"signals": ["rr"]})["time"] == []
    assert look(asked | {"start": 900_000, "end": 901_000, "signals": ["hr"]})["time"] == []
    with pytest.raises(InvalidError, match="no stay day"):
        look(asked | {"stay": "day", "signals": ["hr"]})


def test_a_span_of_a_recording_is_shown_to_who_may_try_rules_on_it(
    client: Client, folder: Path, service: FakeService
) -> None:
    mine, other = client("clinician"), client("admin")
    made = mine.post(A, params={"name": "n.csv"}, content=CSV).json()
    spo2 = INDEX["spo2"]
    service.trial_steps = [
        (
            "result",
            {"signal": [spo2] * 2, "time": [0, 1000], "value": [97, 80], "mark": [0, 2], "reason": [0, 3]},
        )
    ]
    asked = {"stay": "n", "start": 0, "end": 600_000, "signal": "spo2"}
    answer = mine.get(f"{A}/{made['id']}/vitals", params=asked)
    assert answer.status_code == 200, answer.text
    shown = answer.json()["signals"]["spo2"]
    assert (shown["value"], shown["quality"], shown["reason"]) == (
        [97, 80],
        ["valid", "invalid"],
        ["", "spike"],
    )
    asked_of = service.trials[-1]["look"]
    assert (asked_of["start"], asked_of["end"], asked_of["signals"]) == (0, 600_000, ["spo2"])
    binned = mine.get(f"{A}/{made['id']}/vitals", params={**asked, "resolution": "60s"}).json()
    assert binned["signals"]["spo2"]["median"] == [97]
    assert binned["signals"]["spo2"]["doubted"]["min"] == [80]
    assert service.trials_ended == 2
    assert other.get(f"{A}/{made['id']}/vitals", params=asked).status_code == 404
    assert client("nurse").get(f"{A}/{made['id']}/vitals", params=asked).status_code == 403
    backwards = {**asked, "end": asked["start"]}
    assert mine.get(f"{A}/{made['id']}/vitals", params=backwards).status_code == 422


def test_what_was_brought_goes_after_its_time_and_what_lies_in_the_folder_stays(
    clinician: TestClient, app: FastAPI, folder: Path, tmp_path: Path
) -> None:
    first = clinician.post(A, params={"name": "old.csv"}, content=CSV).json()
    (old,) = (tmp_path / "own").glob("*/*")
    now = round(old.stat().st_mtime * 1000)
    os.utime(old, (now / 1000 - 31 * 86_400,) * 2)
    second = clinician.post(A, params={"name": "new.csv"}, content=CSV).json()
    until = datetime.fromisoformat(second["until"]).timestamp()
    assert until - new_of(tmp_path).stat().st_mtime == pytest.approx(30 * 86_400, abs=1)
    assert app.state.shelf.forget(now) == 1
    kept = {one["id"]: one["until"] for one in clinician.get(A).json()["items"]}
    assert first["id"] not in kept
    assert second["id"] in kept
    assert list(kept.values()).count(None) == 1  # of the folder
    assert app.state.shelf.forget(now + 31 * 86_400_000) == 1
    assert list((tmp_path / "own").iterdir()) == []
    assert (folder / "night.csv").exists()


def new_of(tmp_path: Path) -> Path:
    (found,) = (tmp_path / "own").glob("*/*new.csv")
    return found


def test_the_latest_trials_are_kept(engine: Engine) -> None:
    for n in range(5):
        with engine.begin() as tx:
            keep_trial(tx, Trial(f"t{n}", "ann", "all", n, [{"id": "r"}], {"r": None}, {"stays": n}), 3)
    with engine.connect() as connection:
        found = [find_trial(connection, f"t{n}") for n in range(5)]
    assert [one and one.found for one in found] == [None, None, {"stays": 2}, {"stays": 3}, {"stays": 4}]
