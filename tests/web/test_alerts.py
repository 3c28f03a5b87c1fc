"""Alerts through HTTP: listing, taking, muting."""

from __future__ import annotations

import pytest

from tests.alerts import ward_plan
from tests.web.conftest import Client, TestClient, an_alert, problem
from tests.web.fake import NOON
from ward.store import people, plans, stays
from ward.web.schemas.alerts import Alert

A = "/api/v1"
ALERT = f"{A}/alerts/alert-6A"
CONTRACT = set(
    "id stay ward bed rule title priority kind state signal value breach_since raised_at "  # noqa: SIM905
    "acknowledged_at acknowledged_by cleared_at".split()
)


def ids(answer) -> list[str]:
    return [alert["id"] for alert in answer.json()["items"]]


def test_an_alert_has_the_fields_of_the_contract(nurse: TestClient) -> None:
    alert = nurse.get(ALERT).json()
    assert set(alert) >= CONTRACT
    only_in_a_stay = {"in_breach"}
    assert set(Alert.model_fields) - {"left_s"} - only_in_a_stay <= set(alert)
    assert alert["breach_since"] == "2026-11-21T11:50:00.000Z"
    assert [entry["kind"] for entry in alert["log"]] == ["raised"]


def test_what_is_pending_is_asked_for_by_name(nurse: TestClient) -> None:
    assert ids(nurse.get(f"{A}/alerts")) == ["alert-6A"]
    (pending,) = nurse.get(f"{A}/alerts?state=pending").json()["items"]
    assert set(pending) >= CONTRACT
    assert (pending["id"], pending["left_s"], pending["bed"]) == ("pending-6A", 180.0, "1")
    assert ids(nurse.get(f"{A}/alerts?state=pending&state=active")) == ["pending-6A", "alert-6A"]
    assert nurse.get(f"{A}/alerts/pending-6A").json()["state"] == "pending"
    assert nurse.get(f"{A}/alerts?state=nonsense").status_code == 422


def test_by_state_stay_and_time(client: Client, service) -> None:
    clinician = client("clinician")
    service.change(
        an_alert("closed-6A", state="closed", raised_at=NOON - 9_000_000, closed_at=NOON), "closed"
    )
    assert ids(clinician.get(f"{A}/alerts?state=closed")) == ["closed-6A"]
    assert set(ids(clinician.get(f"{A}/alerts?stay=stay-6A"))) == {"closed-6A", "alert-6A"}
    assert set(ids(clinician.get(f"{A}/alerts?since=2026-11-21T12:00:00Z"))) == {
        "closed-6A",
        "alert-6A",
        "alert-6B",
    }
    assert ids(clinician.get(f"{A}/alerts?since=2026-11-21T13:00:01+01:00")) == []  # an unescaped plus
    assert clinician.get(f"{A}/alerts?since=yesterday").status_code == 422
    assert clinician.get(f"{A}/alerts?stay=nobody").status_code == 404


def test_acknowledging_carries_an_assessment(nurse: TestClient, service) -> None:
    answer = nurse.post(f"{ALERT}/acknowledge", json={"assessment": "actionable", "note": "on my way"})
    assert answer.status_code == 200
    alert = answer.json()
    assert (alert["state"], alert["acknowledged_by"]) == ("acknowledged", "the nurse")
    assert (alert["assessment"], alert["note"]) == ("actionable", "on my way")
    assert [entry["by"] for entry in nurse.get(ALERT).json()["log"]] == [None, "the nurse"]
    for body in ({"assessment": "nonsense"}, {"assessment": "artefact", "by": "me"}):
        assert nurse.post(f"{ALERT}/acknowledge", json=body).status_code == 422


def test_one_goes_first_and_says_later_what_it_was(nurse: TestClient, service) -> None:
    assert nurse.post(f"{ALERT}/acknowledge", json={}).json()["assessment"] is None
    said = nurse.post(f"{ALERT}/assess", json={"assessment": "not-actionable"}).json()
    assert (said["state"], said["assessment"]) == ("acknowledged", "not-actionable")
    assert nurse.post(f"{ALERT}/assess", json={"note": "turning"}).json()["note"] == "turning"
    for body in ({}, {"note": ""}, {"assessment": "nonsense"}):
        assert nurse.post(f"{ALERT}/assess", json=body).status_code == 422
    service.change(an_alert(state="closed", closed_at=NOON), "closed")
    assert nurse.post(f"{ALERT}/assess", json={"assessment": "artefact"}).status_code == 200


def test_a_colleague_of_the_ward_can_be_given_an_alert(nurse: TestClient, engine) -> None:
    with engine.begin() as tx:
        for name, role, wards in (
            ("Bo", "nurse", ["6A"]),
            ("Eva", "nurse", ["6B"]),
            ("Ida", "clinician", None),
        ):
            login = name.lower()
            people.add_user(tx, people.User(login, login, login, name, role, wards, NOON))
        plans.put_plan(tx, ward="6A", definition=ward_plan.fields(), by="ida", at=NOON, expected=0)
    given = nurse.post(f"{ALERT}/hand-over", json={"to": "Bo"}).json()
    assert (given["acknowledged_by"], given["handed_over_by"]) == ("Bo", "the nurse")
    assert problem(nurse.post(f"{ALERT}/hand-over", json={"to": "Eva"}))["status"] == 422
    assert nurse.post(f"{ALERT}/hand-over", json={"to": "ada"}).status_code == 200


def test_ones_own_act_can_be_taken_back(nurse: TestClient) -> None:
    assert problem(nurse.post(f"{ALERT}/undo"))["status"] == 409
    nurse.post(f"{ALERT}/acknowledge", json={})
    assert nurse.post(f"{ALERT}/undo").json()["state"] == "active"


def test_a_closed_alert_cannot_be_taken(nurse: TestClient, service) -> None:
    service.change(an_alert(state="closed", closed_at=NOON), "closed")
    assert problem(nurse.post(f"{ALERT}/acknowledge", json={"assessment": "artefact"}))["status"] == 409


def test_muting_lasts_an_hour_at_most(nurse: TestClient, service) -> None:
    assert nurse.post(f"{ALERT}/shelve", json={"minutes": 60, "reason": "physiotherapy"}).status_code == 200
    for minutes in (0, 61, -1, 30.5, "30", True, None):
        assert nurse.post(f"{ALERT}/shelve", json={"minutes": minutes}).status_code == 422
    assert nurse.post(f"{ALERT}/unshelve").json()["state"] == "active"


def test_what_is_pending_can_be_muted(nurse: TestClient) -> None:
    assert nurse.post(f"{A}/alerts/pending-6A/shelve", json={"minutes": 5}).json()["state"] == "shelved"


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("acknowledge", {"assessment": "actionable"}),
        ("assess", {"assessment": "artefact"}),
        ("shelve", {"minutes": 5}),
        ("unshelve", None),
    ],
)
def test_the_same_press_twice_acts_once(nurse: TestClient, service, action: str, body: dict | None) -> None:
    headers = {"Idempotency-Key": "press-1"}
    one = nurse.post(f"{ALERT}/{action}", json=body, headers=headers)
    two = nurse.post(f"{ALERT}/{action}", json=body, headers=headers)
    assert one.json() == two.json()
    assert two.headers["idempotency-replayed"] == "true"
    assert [command for command, _ in service.calls] == [action]


def test_a_patients_alerts_go_along_to_another_ward(client: Client, service, engine) -> None:
    with engine.begin() as tx:
        stays.transfer(tx, "stay-6A", "7C", "4", NOON)
    service.refresh()
    theirs = client("nurse", ["7C"])
    assert ids(theirs.get(f"{A}/alerts?stay=stay-6A")) == ["alert-6A"]
    assert theirs.get(ALERT).status_code == 200
