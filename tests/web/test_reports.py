"""Reports over HTTP: for who sets the rules, of the wards that she sees."""

from __future__ import annotations

import pytest

from tests.web.conftest import Client, TestClient
from tests.web.fake import NOON, FakeService
from ward.alerts.model import Event
from ward.clock import iso
from ward.store import events

DAY = 86_400_000


@pytest.fixture
def assessed(service: FakeService) -> FakeService:
    with service.engine_db.begin() as tx:
        said = {"assessment": "artefact"}
        told = Event(NOON, "stay-6A", "6A", "alert-6A", "raised", notify="first")
        taken = Event(NOON + 60_012, "stay-6A", "6A", "alert-6A", "acknowledged", "Ada", detail=said)
        events.append_events(tx, [told, taken])
    service.clock.time = NOON + 3_600_000
    return service


def test_a_clinician_sees_what_alerts_were_worth(clinician: TestClient, assessed: FakeService) -> None:
    found = clinician.get("/api/v1/reports/rules", params={"ward": "6A"}).json()
    assert found["end"] == iso(NOON + 3_600_000)
    assert found["start"] == iso(NOON + 3_600_000 - 28 * DAY)
    assert (found["alerts"], found["interruptions"], found["stays"]) == (1, 1, 1)
    (rule,) = found["rules"]
    assert rule["verdict"] == "too few to tell (0 of 1 actionable)"
    assert rule["artefact"]["count"] == 1
    assert rule["time_to_acknowledge_s"]["median"] == 60.0


def test_another_ward_is_not_in_it(client: Client, assessed: FakeService) -> None:
    clinician = client("clinician", ["6B"])
    whole = clinician.get("/api/v1/reports/rules").json()
    assert (whole["alerts"], whole["stays"]) == (1, 1)
    other = clinician.get("/api/v1/reports/rules", params={"ward": "6A"}).json()
    assert (other["alerts"], other["stays"], other["rules"]) == (0, 0, [])


@pytest.mark.parametrize("role", ["nurse", "integration", "kiosk"])
def test_it_is_for_who_sets_the_rules(client: Client, role: str) -> None:
    assert client(role).get("/api/v1/reports/rules").status_code == 403


def test_an_impossible_span_is_refused(clinician: TestClient) -> None:
    refused = clinician.get("/api/v1/reports/rules", params={"start": iso(NOON), "end": iso(NOON)})
    assert refused.status_code == 422
    assert refused.json()["detail"] == "start must be before end"
