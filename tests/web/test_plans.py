"""Care plans over HTTP: read, changed, tried before they are needed; and who is on duty."""

from __future__ import annotations

import pytest

from tests.alerts.ward_plan import clock, fields
from tests.web.conftest import Client, TestClient, problem
from tests.web.fake import FakeService
from ward.clock import iso

PLAN = "/api/v1/wards/6A/plan"


def put(client, definition, etag='"0"', url=PLAN):
    return client.put(url, json=definition, headers={"If-Match": etag})


def test_a_ward_without_a_plan_goes_by_the_default_one(client: Client) -> None:
    answer = client("nurse").get(PLAN)
    found = answer.json()
    assert (found["source"], found["version"], found["by"]) == ("default", 0, None)
    assert found["definition"]["timezone"] == "UTC"
    assert answer.headers["etag"] == '"0"'


def test_a_plan_is_put_read_changed_and_kept(client: Client, service: FakeService) -> None:
    clinician = client("clinician")
    first = put(clinician, fields())
    assert first.status_code == 200, first.text
    assert (first.json()["source"], first.json()["version"], first.headers["etag"]) == ("ward", 1, '"1"')
    again = clinician.get(PLAN)
    assert first.json().pop("remarks")[0] == "channel phone: not configured; there are: dashboard"
    assert again.json() == {name: value for name, value in first.json().items() if name != "remarks"}
    assert again.json()["definition"]["person"][0]["address"] == {"phone": "101"}
    second = put(clinician, again.json()["definition"] | {"give_up": "1m"}, again.headers["etag"])
    assert second.json()["definition"]["give_up"] == "1m"
    versions = clinician.get(f"{PLAN}/history").json()["items"]
    assert [(v["version"], v["definition"]["give_up"]) for v in versions] == [(2, "1m"), (1, "90s")]
    assert {v["by"] for v in versions} == {first.json()["by"]} != {None}
    gone = clinician.delete(PLAN, headers={"If-Match": '"2"'})
    assert (gone.json()["source"], gone.json()["version"]) == ("default", 3)
    assert clinician.get(f"{PLAN}/history").json()["items"][0]["definition"] is None


def test_a_change_names_what_it_has_seen(client: Client) -> None:
    clinician = client("clinician")
    assert problem(clinician.put(PLAN, json=fields()))["status"] == 428
    assert problem(put(clinician, fields(), '"7"'))["status"] == 412
    assert put(clinician, fields()).status_code == 200
    assert problem(put(clinician, fields()))["status"] == 412
    assert problem(clinician.delete(PLAN))["status"] == 428


@pytest.mark.parametrize(
    ("changes", "type", "says"),
    [
        ({"timezone": "Mars/North"}, "invalid-plan", "a time zone such as"),
        ({"quiet": {"from": "22:00", "to": "22:00"}}, "invalid-plan", "another time"),
        ({"quiet": {"from": "22:00", "to": "06:00", "priority": ["high"]}}, "invalid", "'medium' or 'low'"),
        ({"route": [{"level": [{"tell": ["zoe"]}]}]}, "invalid-plan", "unknown 'zoe'"),
        ({"person": [{"id": "ada", "address": {"phone": None}}]}, "invalid-plan", "a text in one line"),
        ({"colour": "red"}, "invalid", "not permitted"),
    ],
)
def test_a_wrong_plan_is_refused_whole(client: Client, changes, type, says) -> None:
    clinician = client("clinician")
    found = problem(put(clinician, fields() | changes))
    assert (found["status"], found["type"]) == (422, f"/problems/{type}")
    assert any(says in one["message"] for one in found["errors"]), found
    assert clinician.get(PLAN).json()["version"] == 0


def test_who_may_do_what(client: Client) -> None:
    assert put(client("admin"), fields()).status_code == 200
    for role in ("nurse", "integration"):
        assert problem(put(client(role), fields(), '"1"'))["status"] == 403
        assert problem(client(role).delete(PLAN, headers={"If-Match": '"1"'}))["status"] == 403
        assert problem(client(role).post(f"{PLAN}/check", json=fields()))["status"] == 403
        shown = client(role).get(PLAN).json()["definition"]["person"]
        assert shown[0] == {"id": "ada", "name": "Ada Berg", "address": {"phone": None}}
        history = client(role).get(f"{PLAN}/history").text
        assert "101" not in history
        assert "tom@example.org" not in history
    for path in ("plan", "plan/history", "plan/preview?priority=high", "duty"):
        assert problem(client("nurse").get(f"/api/v1/wards/6B/{path}"))["status"] == 404
        assert client("nurse").get(f"/api/v1/wards/6A/{path}").status_code == 200


def test_a_preview_says_who_is_told_when(client: Client) -> None:
    put(client("clinician"), fields())
    at = iso(clock("03:00"))
    asked = {"priority": "high", "at": at}
    steps = client("nurse").get(f"{PLAN}/preview", params=asked).json()["steps"]
    assert [(s["after_s"], s["level"], [t["person"] for t in s["tell"]]) for s in steps[:3]] == [
        (0.0, 0, ["ada", "ada"]),
        (120.0, 1, ["cleo"]),
        (300.0, 2, ["doc"]),
    ]
    assert "911" not in str(steps)
    asked = {"priority": "medium", "kind": "technical", "rule": "device-lost", "at": at}
    steps = client("nurse").get(f"{PLAN}/preview", params=asked).json()["steps"]
    assert [[t["person"] for t in s["tell"]] for s in steps] == [["tom"]]


def test_who_is_on_duty(client: Client) -> None:
    put(client("clinician"), fields())
    found = client("nurse").get("/api/v1/wards/6A/duty", params={"at": iso(clock("03:00"))}).json()
    assert [(s["id"], s["until"]) for s in found["shifts"]] == [("night", iso(clock("06:30")))]
    assert [(t["id"], [p["name"] for p in t["people"]]) for t in found["teams"]] == [
        ("nurses", ["Ada Berg"]),
        ("charge", ["Cleo Dunn"]),
    ]


def test_a_check_tells_holes_and_changes_nothing(client: Client) -> None:
    clinician = client("clinician")
    early = [{"team": "nurses", "shift": "early", "people": ["ben"]}]
    found = clinician.post(f"{PLAN}/check", json=fields(roster=early)).json()
    assert len(found["holes"]) == 7
    assert "Nurses on the floor: nobody is on duty from" in found["holes"][0]["text"]
    whole = clinician.post(f"{PLAN}/check", json=fields()).json()
    assert whole["holes"] == []
    assert whole["remarks"][0] == "channel phone: not configured; there are: dashboard"
    assert clinician.get(PLAN).json()["version"] == 0


def test_a_text_is_read_and_an_alert_sent_along_it(clinician: TestClient) -> None:
    path = "/api/v1/wards/6A/plan/read"
    text = clinician.get("/api/v1/wards/6A/plan").json()["text"]
    read = clinician.post(path, json={"text": text, "priority": "high", "at": "2026-11-22T03:12:00Z"}).json()
    assert read["steps"][0]["at"] == "2026-11-22T03:12:00.000Z"
    assert read["definition"]["timezone"]
    wrong = clinician.post(path, json={"text": 'timezone = "UTC"\ngive_up = "soon"\n'})
    assert [(one["line"], one["field"]) for one in problem(wrong)["errors"]] == [(2, "give_up")]
    assert wrong.status_code == 422


def test_only_who_may_change_a_plan_sees_its_text(nurse: TestClient) -> None:
    assert nurse.get("/api/v1/wards/6A/plan").json()["text"] is None
