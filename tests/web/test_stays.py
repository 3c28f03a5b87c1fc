"""Admissions and observations."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

import pytest
from sqlalchemy import Engine

from tests.web.conftest import Client, TestClient, problem
from tests.web.fake import NOON, FakeService
from ward.alerts.model import Event
from ward.clock import iso
from ward.store.events import append_events
from ward.store.idempotency import ABANDONED_MS, claim
from ward.web.identity import create_token

A = "/api/v1"
STAY = f"{A}/stays/stay-6A"


def test_a_key_that_came_with_another_query_is_refused(clinician: TestClient, service) -> None:
    """What it detached is one device; the other must not be taken for detached."""
    key = {"Idempotency-Key": "k"}
    assert clinician.post(f"{STAY}/devices", json={"device": "cuff-1"}).status_code == 201
    first = clinician.delete(f"{STAY}/devices?device=cuff-1", headers=key)
    assert first.status_code == 200
    again = clinician.delete(f"{STAY}/devices?device=cuff-1", headers=key)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert problem(clinician.delete(f"{STAY}/devices?device=mon-1", headers=key))["status"] == 422
    assert [name for name, _ in service.calls] == ["attach", "detach"]


def test_admitting_creates_a_stay(clinician: TestClient, service) -> None:
    body = {"patient_ref": "P-1", "ward": "6A", "bed": "9", "devices": ["mon-3"], "flags": ["copd"]}
    answer = clinician.post(f"{A}/stays", json=body)
    assert answer.status_code == 201
    stay = answer.json()
    assert answer.headers["location"] == f"{A}/stays/{stay['id']}"
    assert (stay["ward"], stay["bed"], stay["flags"]) == ("6A", "9", ["copd"])
    assert [device["device"] for device in stay["devices"]] == ["mon-3"]
    assert clinician.get(answer.headers["location"]).json()["id"] == stay["id"]
    assert service.calls[0][1]["by"] == "the clinician"


def test_a_taken_bed_is_a_conflict(clinician: TestClient) -> None:
    answer = clinician.post(f"{A}/stays", json={"patient_ref": "P-1", "ward": "6A", "bed": "1"})
    said = problem(answer)
    assert said["errors"][0]["field"] == "bed"
    assert answer.status_code == 409
    assert (said["code"], said["params"]) == ("bed-taken", {"bed": "1", "ward": "6A"})


def test_a_name_with_a_slash_or_wildcard_is_no_topic(clinician: TestClient) -> None:
    for ward in ("6/A", "+", "#", "$SYS", " ", " a", "x" * 129, "6A\u0000"):
        answer = clinician.post(f"{A}/stays", json={"patient_ref": "P-1", "ward": ward, "bed": "1"})
        assert answer.status_code == 422, ward


def test_the_list_goes_on_where_it_stopped(clinician: TestClient, service) -> None:
    for bed in range(10, 15):
        service.clock.time += 1000
        clinician.post(f"{A}/stays", json={"patient_ref": "P", "ward": "6A", "bed": str(bed)})
    found, cursor = [], None
    for _ in range(10):
        page = clinician.get(
            f"{A}/stays", params={"limit": 2, **({"cursor": cursor} if cursor else {})}
        ).json()
        found += [stay["bed"] for stay in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found[:5] == ["14", "13", "12", "11", "10"]
    assert len(found) == 7


def test_a_discharged_stay_is_listed_only_if_asked_for(clinician: TestClient) -> None:
    done = clinician.post(f"{STAY}/discharge")
    assert done.status_code == 200
    assert done.json()["discharged_at"] == "2026-11-21T12:00:00.000Z"
    assert "stay-6A" not in {stay["id"] for stay in clinician.get(f"{A}/stays").json()["items"]}
    assert "stay-6A" in {stay["id"] for stay in clinician.get(f"{A}/stays?state=all").json()["items"]}
    assert clinician.get(STAY).json()["discharged_at"] is not None
    assert clinician.post(f"{STAY}/discharge").status_code == 409


def test_moving_within_the_ward(clinician: TestClient) -> None:
    assert clinician.post(f"{STAY}/transfer", json={"ward": "6A", "bed": "7"}).json()["bed"] == "7"


def test_flags_devices_and_pause(clinician: TestClient) -> None:
    assert clinician.patch(STAY, json={"flags": ["bmi40"]}).json()["flags"] == ["bmi40"]
    assert clinician.patch(STAY, json={"flags": ["Not A Flag"]}).status_code == 422
    attached = clinician.post(f"{STAY}/devices", json={"device": "cuff-1"})
    assert attached.status_code == 201
    assert {d["device"] for d in attached.json()["devices"]} == {"mon-1", "cuff-1"}
    gone = clinician.delete(f"{STAY}/devices?device=cuff-1")
    assert [d["device"] for d in gone.json()["devices"] if d["until"] is None] == ["mon-1"]
    assert clinician.request("DELETE", f"{STAY}/devices", json={"device": "mon-1"}).status_code == 200
    assert problem(clinician.delete(f"{STAY}/devices"))["status"] == 422
    assert (
        clinician.post(f"{STAY}/pause", json={"minutes": 45}).json()["paused_until"]
        == "2026-11-21T12:45:00.000Z"
    )
    assert clinician.post(f"{STAY}/pause", json={"minutes": 0}).json()["paused_until"] is None
    for minutes in (-1, 241, True, 1.5, None):
        assert clinician.post(f"{STAY}/pause", json={"minutes": minutes}).status_code == 422


def test_an_observation_is_a_resource(nurse: TestClient, service) -> None:
    body = {"time": "2026-11-21T12:30:00+01:00", "consciousness": "V", "oxygen": True, "rr": 0}
    answer = nurse.post(f"{STAY}/observations", json=body)
    assert answer.status_code == 201
    assert answer.json() == {
        "stay": "stay-6A",
        "time": "2026-11-21T11:30:00.000Z",
        "by": "the nurse",
        "consciousness": "V",
        "oxygen": True,
        "rr": 0.0,
    }
    command, arguments = service.calls[-1]
    assert command == "observe"
    assert arguments["time"] == NOON - 30 * 60_000
    assert arguments["values"] == {"consciousness": "V", "oxygen": True, "rr": 0.0}  # zero is not missing


def test_an_observation_without_a_time_is_of_now(nurse: TestClient, service) -> None:
    assert nurse.post(f"{STAY}/observations", json={"oxygen": False}).json()["oxygen"] is False
    assert service.calls[-1][1]["time"] == NOON


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"time": "2026-11-21T12:00:00Z"},
        {"rr": None},
        {"rr": "18"},
        {"rr": True},
        {"rr": 151},
        {"spo2": 101},
        {"temp": 19.9},
        {"oxygen": 1},
        {"consciousness": "a"},
        {"heart": 80},
        {"news2": 3},
        {"rr": 18, "time": "2026-11-21T12:00:00"},
        {"rr": 18, "time": 1795262400},
        {"rr": 18, "time": "2026-11-21"},
        {"rr": 18, "time": "2026-02-30T12:00:00Z"},
        {"rr": 18, "time": "2026-11-21T12:10:00Z"},
        {"rr": 18, "time": "0001-01-01T00:00:00Z"},
    ],
)
def test_what_no_person_saw(nurse: TestClient, body: dict, service) -> None:
    assert problem(nurse.post(f"{STAY}/observations", json=body))["type"] == "/problems/invalid"
    assert service.calls == []


def test_the_same_admission_sent_twice_admits_once(clinician: TestClient, service) -> None:
    body = {"patient_ref": "P-1", "ward": "6A", "bed": "9"}
    headers = {"Idempotency-Key": "first"}
    one = clinician.post(f"{A}/stays", json=body, headers=headers)
    two = clinician.post(f"{A}/stays", json=body, headers=headers)
    assert (one.status_code, two.status_code) == (201, 201)
    assert one.json() == two.json()
    assert one.headers["location"] == two.headers["location"]
    assert "idempotency-replayed" not in one.headers
    assert two.headers["idempotency-replayed"] == "true"
    assert len(service.calls) == 1


def test_a_key_stands_for_one_content(clinician: TestClient, service) -> None:
    headers = {"Idempotency-Key": "first"}
    clinician.post(f"{A}/stays", json={"patient_ref": "P-1", "ward": "6A", "bed": "9"}, headers=headers)
    other = clinician.post(
        f"{A}/stays", json={"patient_ref": "P-1", "ward": "6A", "bed": "8"}, headers=headers
    )
    assert problem(other)["type"] == "/problems/idempotency-key-reused"
    assert len(service.calls) == 1


def test_a_key_is_its_senders(client: Client, service) -> None:
    body, headers = {"minutes": 5}, {"Idempotency-Key": "k"}
    for _ in range(2):
        assert client("nurse").post(f"{A}/stays/stay-6A/pause", json=body, headers=headers).status_code == 200
    assert len(service.calls) == 2


def test_what_failed_may_be_tried_again_with_the_same_key(clinician: TestClient, service) -> None:
    headers, body = {"Idempotency-Key": "k"}, {"ward": "6A", "bed": "2"}
    service.break_with = RuntimeError("gone")
    assert clinician.post(f"{STAY}/transfer", json=body, headers=headers).status_code == 500
    service.break_with = None
    assert clinician.post(f"{STAY}/transfer", json=body, headers=headers).json()["bed"] == "2"


@pytest.mark.parametrize("key", ["", "x" * 201, "a b", "\u00fc"])
def test_a_key_is_printable(clinician: TestClient, key: str) -> None:
    headers = [(b"Idempotency-Key", key.encode("utf-8"))]
    assert clinician.post(f"{STAY}/discharge", headers=headers).status_code == 422


def test_while_the_first_is_being_answered_the_second_waits_outside(
    nurse: TestClient, engine, wall, service
) -> None:
    actor = f"token:{nurse.app.state.identity.of_token(nurse.headers['authorization'][7:]).id[6:]}"
    mine = {"key": "k", "actor": actor, "route": f"POST {STAY}/pause"}
    content = b'{"minutes": 5}'
    with engine.begin() as tx:
        assert claim(tx, **mine, digest=sha256(content).hexdigest(), now=wall()) is None
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    assert (
        problem(nurse.post(f"{STAY}/pause", content=content, headers=headers))["type"] == "/problems/conflict"
    )
    assert service.calls == []
    wall.time += ABANDONED_MS  # the process that took it has died
    assert nurse.post(f"{STAY}/pause", content=content, headers=headers).status_code == 200


def reader(client: Client, engine: Engine, *scopes: str) -> TestClient:
    """A program whose token has these scopes."""
    _, secret = create_token(engine, name="x", role="integration", scopes=list(scopes), now=NOON)
    made = client()
    made.headers["Authorization"] = f"Bearer {secret}"
    return made


WHERE = {"id", "ward", "bed", "admitted_at", "time"}


@pytest.mark.parametrize(
    ("scopes", "more"),
    [
        (["read:vitals"], {"signals"}),
        (["read:alerts"], {"alerts", "pending"}),
        (["read:alerts", "read:vitals"], {"signals", "alerts", "pending"}),
        (["read"], {"signals", "alerts", "pending", "patient_ref", "devices", "flags"}),
    ],
)
def test_a_program_finds_the_stays_whose_parts_it_may_read(
    client: Client, engine: Engine, service: FakeService, scopes: list[str], more: set[str]
) -> None:
    signals = {"hr": {"value": 82, "unit": "1/min", "time": iso(NOON), "state": "fresh", "hold_s": 90}}
    stay = {**service.board.stays["stay-6A"], "signals": signals, "flags": ["copd"]}
    service.board = replace(service.board, stays={**service.board.stays, "stay-6A": stay})
    items = reader(client, engine, *scopes).get("/api/v1/stays", params={"ward": "6A"}).json()["items"]
    (shown,) = items
    assert {name for name, value in shown.items() if value} == WHERE | more
    assert set(shown) == set(stay), "what is not shown is there, and empty"
    assert ("P-6A" in json.dumps(shown)) == ("patient_ref" in more)
    vitals = reader(client, engine, *scopes).get(f"/api/v1/stays/{shown['id']}")
    assert (vitals.status_code == 200) == ("read" in scopes), "one stay as a whole is not for parts"


@pytest.mark.parametrize(
    "scope", ["read:rules", "read:devices", "events", "monitor", "admit", "write:observations"]
)
def test_other_programs_list_no_stays(client: Client, engine: Engine, scope: str) -> None:
    assert reader(client, engine, scope).get("/api/v1/stays").status_code == 403


def test_a_nurse_admits_and_moves_on_her_wards(nurse: TestClient) -> None:
    body = {"patient_ref": "P-1", "ward": "6A", "bed": "9"}
    stay = nurse.post(f"{A}/stays", json=body).json()
    assert nurse.post(f"{A}/stays", json={**body, "ward": "6B", "bed": "8"}).status_code == 403
    assert nurse.post(f"{A}/stays/{stay['id']}/devices", json={"device": "cuff-1"}).status_code == 201
    assert nurse.post(f"{A}/stays/{stay['id']}/transfer", json={"ward": "6B", "bed": "7"}).status_code == 403
    moved = nurse.post(
        f"{A}/stays/{stay['id']}/transfer", json={"ward": "6A", "bed": "7", "pause_minutes": 15}
    )
    assert (moved.json()["bed"], moved.json()["paused_until"]) == ("7", "2026-11-21T12:15:00.000Z")
    assert nurse.post(f"{A}/stays/{stay['id']}/discharge").status_code == 200


def test_flags_switch_rules_off_and_are_a_clinicians(nurse: TestClient, clinician: TestClient) -> None:
    body = {"patient_ref": "P-1", "ward": "6A", "bed": "9", "flags": ["copd"]}
    assert nurse.post(f"{A}/stays", json=body).status_code == 403
    assert nurse.patch(STAY, json={"flags": ["copd"]}).status_code == 403
    assert clinician.post(f"{A}/stays", json=body).status_code == 201


def test_a_device_is_taken_only_from_where_it_was_seen(clinician: TestClient) -> None:
    other = clinician.post(f"{A}/stays", json={"patient_ref": "P", "ward": "6A", "bed": "2"}).json()["id"]
    path = f"{A}/stays/{other}/devices"
    assert "in use by bed 1" in problem(clinician.post(path, json={"device": "mon-1"}))["detail"]
    gone = clinician.post(path, json={"device": "mon-1", "from_stay": "nobody"})
    assert gone.status_code == 404
    wrong = clinician.post(path, json={"device": "mon-1", "from_stay": "stay-6B"})
    assert wrong.status_code == 409
    taken = clinician.post(path, json={"device": "mon-1", "from_stay": "stay-6A"})
    assert [d["until"] for d in taken.json()["devices"]] == [None]
    assert [d["until"] for d in clinician.get(STAY).json()["devices"]] == ["2026-11-21T12:00:00.000Z"]
    late = clinician.post(path, json={"device": "cuff", "from_stay": "stay-6A"})
    assert (late.status_code, "not in use there any more" in problem(late)["detail"]) == (409, True)


def test_a_discharge_is_taken_back_within_minutes(nurse: TestClient, service: FakeService) -> None:
    assert nurse.post(f"{STAY}/discharge/undo").status_code == 409
    nurse.post(f"{STAY}/discharge")
    service.clock.time += 60_000
    back = nurse.post(f"{STAY}/discharge/undo").json()
    assert (back["discharged_at"], back["bed"]) == (None, "1")
    assert [d["device"] for d in back["devices"] if d["until"] is None] == ["mon-1"]
    nurse.post(f"{STAY}/discharge")
    service.clock.time += 601_000
    assert "admit anew" in problem(nurse.post(f"{STAY}/discharge/undo"))["detail"]


def test_the_log_of_a_stay(nurse: TestClient, engine: Engine) -> None:
    with engine.begin() as tx:
        append_events(tx, [Event(NOON, "stay-6A", "6A", None, "moved", "Ada", detail={"bed": "2"})])
    every = nurse.get(f"{STAY}/events").json()["items"]
    assert [(one["kind"], one["by"]) for one in every] == [("moved", "Ada"), ("raised", None)]
    (moved,) = nurse.get(f"{STAY}/events?of=stay").json()["items"]
    assert moved["detail"] == {"bed": "2"}
    assert nurse.get(f"{A}/stays/stay-6B/events").status_code == 404
