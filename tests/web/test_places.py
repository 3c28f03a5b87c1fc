"""Wards and beds, and devices before they are attached: whose they are, what they show, where they were."""

from __future__ import annotations

import pytest

from tests.web.conftest import Client, TestClient
from tests.web.fake import NOON, FakeService
from ward.clock import iso
from ward.store import stays
from ward.web.identity import create_token

A = "/api/v1"
HR = {"hr": {"value": 82.0, "unit": "1/min", "time": "2026-11-21T12:00:00.000Z"}}


@pytest.fixture
def furnished(service: FakeService) -> FakeService:
    """Ward 6A: bed 1 has mon-1; mon-9 is nobody's and was in bed 4, which is free."""
    with service.engine_db.begin() as tx:
        stays.admit(tx, stay="gone", patient_ref="P", ward="6A", bed="4", devices=["mon-9"], at=NOON - 9000)
        stays.discharge(tx, "gone", NOON - 5000)
    service.shown["6A/mon-9"] = HR
    service.refresh()
    return service


def test_a_ward_is_where_somebody_is_or_something_speaks(furnished, clinician, client: Client) -> None:
    found = {one["ward"]: one for one in clinician.get(f"{A}/wards").json()["items"]}
    assert set(found) == {"6A", "6B"}
    assert found["6A"] == {
        "ward": "6A",
        "beds": [{"bed": "1", "stay": "stay-6A"}, {"bed": "4", "stay": None}],
        "stays": 1,
        "devices": 2,
        "unassigned": 1,
        "plan": "default",
        "plan_version": 0,
    }
    mine = client("nurse", ["6A", "9C"]).get(f"{A}/wards").json()["items"]
    assert [one["ward"] for one in mine] == ["6A", "9C"]


def test_a_device_is_looked_at_before_it_is_attached(furnished, nurse: TestClient) -> None:
    taken = nurse.get(f"{A}/wards/6A/devices/mon-1").json()
    assert (taken["known"], taken["stay"], taken["bed"]) == (True, "stay-6A", "1")
    free = nurse.get(f"{A}/wards/6A/devices/mon-9").json()
    assert (free["stay"], free["last_bed"], free["last_until"]) == (None, "4", iso(NOON - 5000))
    assert free["signals"] == HR
    unheard = nurse.get(f"{A}/wards/6A/devices/mon-77").json()
    assert (unheard["known"], unheard["signals"], unheard["elsewhere"]) == (False, {}, [])


def test_a_device_of_another_ward_is_told_to_who_sees_that(furnished, client: Client) -> None:
    furnished.devices.append({**furnished.devices[-1], "id": "6B/pump", "ward": "6B", "device": "pump"})
    furnished.refresh()
    path = f"{A}/wards/6A/devices/pump"
    assert client("nurse", ["6A", "6B"]).get(path).json()["elsewhere"] == ["6B"]
    assert client("nurse", ["6A"]).get(path).json()["elsewhere"] == []
    assert client("nurse", ["6A"]).get(f"{A}/wards/6B/devices/pump").status_code == 404


def test_what_was_at_the_bed_before_is_offered_first(furnished, nurse: TestClient) -> None:
    furnished.devices += [
        {**furnished.devices[1], "id": "6A/new", "device": "new", "last_seen_at": iso(NOON)},
        {**furnished.devices[1], "id": "6A/old", "device": "old", "last_seen_at": iso(NOON - 90_000_000)},
    ]
    furnished.devices[1]["last_seen_at"] = iso(NOON - 60_000)
    furnished.refresh()

    def offered(query: str) -> list[str]:
        return [one["device"] for one in nurse.get(f"{A}/wards/6A/devices{query}").json()["items"]]

    assert offered("?bed=4") == ["mon-9", "new"]
    assert offered("") == ["new", "mon-9"]


def test_a_program_that_admits_reads_no_vital_signs(furnished, client: Client, engine) -> None:
    given = {"name": "x", "role": "integration", "wards": None, "now": NOON, "scopes": ["admit"]}
    program = client()
    program.headers["Authorization"] = f"Bearer {create_token(engine, **given)[1]}"
    shown = program.get(f"{A}/wards/6A/devices/mon-9")
    assert (shown.status_code, shown.json()["signals"]) == (200, {})
