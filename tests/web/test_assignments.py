"""Who has which patient, over HTTP."""

from __future__ import annotations

import pytest

from ward.alerts.plan_file import parse_plan

HERE = "/api/v1/wards/6A/assignments"
PLAN = {
    "timezone": "UTC",
    "person": [{"id": "ada", "name": "Ada Berg"}, {"id": "ben", "name": "Ben Cole"}],
    "team": [{"id": "nurses", "people": ["ada", "ben"]}],
    "shift": [{"id": "day", "from": "07:00", "to": "19:00"}],
    "roster": [{"team": "nurses", "shift": "day", "people": ["ben"]}],
}


def test_every_patient_of_the_ward_is_listed_with_who_has_her_and_who_could(service, nurse, monkeypatch):
    monkeypatch.setattr(service, "plan", lambda ward: parse_plan(PLAN))
    found = nurse.get(HERE).json()
    assert [(one["stay"], one["carer"]) for one in found["items"]] == [("stay-6A", None)]
    assert [(one["person"], one["on_duty"]) for one in found["people"]][:2] == [("ben", True), ("ada", None)]
    assert [shift["id"] for shift in found["shifts"]] == ["day"]


def test_a_patient_is_taken_by_oneself_or_for_a_colleague(service, nurse, monkeypatch):
    monkeypatch.setattr(service, "plan", lambda ward: parse_plan(PLAN))
    assert nurse.post(HERE, json={"stays": ["stay-6A"]}).status_code == 200
    assert service.carers["stay-6A"][0] == service.carers["stay-6A"][1]
    assert nurse.post(HERE, json={"stays": ["stay-6A"], "person": "ben"}).status_code == 200
    assert service.carers["stay-6A"] == ("ben", "Ben Cole")
    assert service.calls[-1][1]["by"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"stays": []}, 422),
        ({"stays": ["stay-6B"]}, 404),
        ({"stays": ["stay-6A"], "person": "nobody"}, 422),
        ({"stays": ["stay-6A"], "who": "ada"}, 422),
    ],
)
def test_what_cannot_be_is_refused(nurse, body, status):
    assert nurse.post(HERE, json=body).status_code == status


def test_another_ward_is_not_there(nurse):
    assert nurse.get("/api/v1/wards/6B/assignments").status_code == 404
    assert nurse.post("/api/v1/wards/6B/assignments", json={"stays": ["stay-6B"]}).status_code == 404


def test_patients_are_given_up(service, nurse):
    assert nurse.post(f"{HERE}/end", json={"stays": ["stay-6A"]}).status_code == 200
    assert service.calls[-1] == ("unassign", {"stays": ["stay-6A"], "by": "the nurse"})


def test_users_who_work_at_the_beds_of_the_ward_can_have_patients(service, nurse, user):
    user("jberg")
    user("other", wards=["6B"])
    user("admin", role="admin")
    assert [one["name"] for one in nurse.get(HERE).json()["people"]] == ["The jberg"]
    assert nurse.post(HERE, json={"stays": ["stay-6A"], "person": "The jberg"}).status_code == 200


def test_the_handover_is_json_or_a_pdf_by_what_is_asked_for(service, nurse, monkeypatch):
    monkeypatch.setattr(service, "plan", lambda ward: parse_plan(PLAN))
    found = nurse.get("/api/v1/wards/6A/handover").json()
    assert found["shift"] == "day"
    assert [one["stay"] for one in found["patients"]] == ["stay-6A"]
    for asked in ({"params": {"format": "pdf", "lang": "da"}}, {"headers": {"accept": "application/pdf"}}):
        answer = nurse.get("/api/v1/wards/6A/handover", **asked)
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF-")
    before = nurse.get("/api/v1/wards/6A/handover", params={"shift": "previous"}).json()
    assert before["end"] == found["start"]


def test_a_downtime_sheet_as_of_now(nurse):
    answer = nurse.get("/api/v1/wards/6A/downtime", params={"lang": "nb"})
    assert answer.content.startswith(b"%PDF-")
    assert answer.headers["cache-control"] == "no-store"
    assert nurse.get("/api/v1/wards/6B/downtime").status_code == 404
