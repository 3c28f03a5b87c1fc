"""Channels, test alerts, what pages say that they show, deliveries on an alert, and the delays, over HTTP."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from sqlalchemy import update

from tests.web.conftest import Client, an_alert, problem
from tests.web.fake import NOON, FakeService
from ward.alerts.deliver import Delivery
from ward.store.alerts import save_alerts
from ward.store.care import enqueue_deliveries
from ward.store.tables import deliveries

SINCE = "2026-11-21T00:00:00Z"


@pytest.fixture
def told(service: FakeService) -> int:
    """The dashboard of ward 6A is to be told of alert-6A; the id of the delivery."""
    return put(service, "k")


def put(service: FakeService, key: str, **values: Any) -> int:
    given = {
        "alert": "alert-6A",
        "stay": "stay-6A",
        "ward": "6A",
        "episode": None,
        "priority": "high",
        "kind": "physiological",
        "reason": "first",
        "level": 0,
        "person": "ada",
        "channel": "dashboard",
        "address": "+41 79 secret",
        "created": NOON,
        "due": NOON,
        "raised_at": NOON - 3_000,
        "text": {"to": "Ada L."},
    } | values
    with service.engine_db.begin() as tx:
        enqueue_deliveries(tx, [Delivery(key=key, **given)])
        return int(tx.exec_driver_sql("SELECT max(id) FROM deliveries").scalar_one())


def refused(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    return problem(answer)


def mark(service: FakeService, id: int, **values: Any) -> None:
    with service.engine_db.begin() as tx:
        tx.execute(update(deliveries).where(deliveries.c.id == id).values(values))


def test_an_alert_says_who_was_told(service: FakeService, client: Client, told: int) -> None:
    mark(service, told, state="sent", sent=NOON, attempts=2)
    alert = client("nurse").get("/api/v1/alerts/alert-6A").json()
    assert alert["condition_delay_s"] == 0.012
    [shown] = alert["deliveries"]
    assert (shown["person"], shown["name"], shown["channel"]) == ("ada", "Ada L.", "dashboard")
    assert (shown["state"], shown["signal_delay_s"], shown["attempts"]) == ("sent", 3.0, 2)
    assert "secret" not in str(shown)


def test_a_page_says_that_it_shows_it(service: FakeService, client: Client, told: int) -> None:
    wall = client("kiosk")
    pager, other = put(service, "p", channel="pager"), put(service, "o", ward="6B")
    for _ in range(2):
        answer = wall.post("/api/v1/notices/shown", json={"ids": [told, pager, other, 2**62]})
        assert answer.status_code == 204, answer.text
    shown = client("admin").get("/api/v1/alerts/alert-6A").json()["deliveries"]
    assert [one["state"] for one in shown] == ["sent", "waiting", "waiting"]
    assert shown[0]["shown_by"]
    refused(client("integration").post("/api/v1/notices/shown", json={"ids": [told]}), 403)


def test_a_test_goes_to_every_channel_and_a_person_says_that_it_arrived(client: Client) -> None:
    answer = client("clinician").post("/api/v1/channels/test", json={"ward": "6A"})
    assert answer.status_code == 202
    [test] = answer.json()["items"]
    assert (test["channel"], test["person"], test["state"]) == ("dashboard", "everybody", "waiting")
    nurse = client("nurse")
    assert nurse.get("/api/v1/channels/tests").json()["items"] == [test]
    seen = nurse.post(f"/api/v1/channels/tests/{test['id']}/seen").json()
    assert seen["seen_by"]
    assert seen["seen_at"]
    again = client("admin").post(f"/api/v1/channels/tests/{test['id']}/seen").json()
    assert again["seen_by"] == seen["seen_by"]
    [channel] = nurse.get("/api/v1/channels").json()["items"]
    assert channel["last_test"]["seen_by"] == seen["seen_by"]


def test_a_test_names_a_ward_of_ones_own_and_a_channel_that_is_there(client: Client, told: int) -> None:
    answer = client("clinician").post("/api/v1/channels/test", json={"ward": "6A", "channel": "fax"})
    assert "dashboard" in refused(answer, 404)["detail"]
    refused(client("nurse").post(f"/api/v1/channels/tests/{told}/seen"), 404)


def test_other_wards_tests_are_not_told(service: FakeService, client: Client) -> None:
    service.notifier.test("7B")
    assert client("nurse").get("/api/v1/channels/tests").json()["items"] == []
    assert client("nurse").get("/api/v1/channels").json()["items"][0]["last_test"] is None
    assert len(client("admin").get("/api/v1/channels/tests").json()["items"]) == 1


def test_delays_as_json_and_as_a_spreadsheet(service: FakeService, client: Client, told: int) -> None:
    mark(service, told, state="sent", sent=NOON)
    put(service, "p", channel="=pager")
    asked = f"/api/v1/alerts/delays?since={SINCE}"
    items = client("integration").get(asked).json()["items"]
    mine = [item for item in items if item["alert"] == "alert-6A"]
    assert [item["channel"] for item in mine] == ["dashboard", "=pager"]
    assert mine[0]["condition_delay_s"] is not None
    assert mine[0]["sent_at"] == "2026-11-21T12:00:00.000Z"
    answer = client("integration").get(f"{asked}&format=csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == len(items)
    assert [row["channel"] for row in rows if row["alert"] == "alert-6A"] == ["dashboard", "'=pager"]
    assert all(item["ward"] == "6A" for item in client("nurse").get(asked).json()["items"])
    later = f"{asked}&until=2026-11-21T00:00:01Z"
    assert client("integration").get(later).json() == {"items": []}
    refused(client("nurse").get("/api/v1/alerts/delays"), 422)


def test_an_alert_that_rides_in_an_episode_says_who_was_told_of_that(
    client: Client, service: FakeService
) -> None:
    riding = an_alert("riding-6A", rule="hr-above-130", priority="medium", episode="e")
    with service.engine_db.begin() as tx:
        save_alerts(tx, [riding, an_alert(episode="e")])
    service.refresh()
    first = put(service, "first", episode="e")
    put(service, "over", episode="e", reason="resolved")
    put(service, "elsewhere", episode="another", alert="alert-6B")
    nurse = client("nurse")
    shown = nurse.get("/api/v1/alerts/riding-6A").json()
    assert shown["deliveries"] == []
    assert [one["id"] for one in shown["episode_deliveries"]] == [first]
    assert shown["episode_deliveries"][0]["person"] == "ada"
    assert "secret" not in str(shown)
    own = nurse.get("/api/v1/alerts/alert-6A").json()
    assert [one["reason"] for one in own["deliveries"]] == ["first", "resolved"]
    assert own["episode_deliveries"] == []
