"""Recordings that clinicians bring, or that lie in a folder; and what trials found outlasts the service."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from tests.web.conftest import Client, problem
from ward.alerts.overrides import Rulebook
from ward.alerts.packs import load_pack
from ward.errors import InvalidError
from ward.store.trials import Trial, find_trial, keep_trial
from ward.trial.recorded import recorded_trial
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
    with pytest.raises(InvalidError, match="labels, line 2"):
        recorded_trial(
            Rulebook(load_pack("default")), request | {"labels": "stay,time\nnight,soon\n"}, lambda *_: None
        )


def test_the_latest_trials_are_kept(engine: Engine) -> None:
    for n in range(5):
        with engine.begin() as tx:
            keep_trial(tx, Trial(f"t{n}", "ann", "all", n, [{"id": "r"}], {"r": None}, {"stays": n}), 3)
    with engine.connect() as connection:
        found = [find_trial(connection, f"t{n}") for n in range(5)]
    assert [one and one.found for one in found] == [None, None, {"stays": 2}, {"stays": 3}, {"stays": 4}]
