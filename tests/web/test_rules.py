"""Thresholds: changing them without overwriting anybody, and who changed what."""

from __future__ import annotations

import pytest

from tests.web.conftest import Client, TestClient, problem
from tests.web.fake import PACK_RULE

A = "/api/v1"
RULE = f"{A}/rules/spo2-below-88"
BODY = {"title": "SpO2 below 86 % for 5 min", "priority": "high", "when": ["spo2 < 86"], "for": "5m"}


def etag(client: TestClient, query: str = "") -> str:
    return client.get(f"{RULE}{query}").headers["etag"]


def put(client: TestClient, query: str = "", tag: str | None = None, **body: object):
    return client.put(
        f"{RULE}{query}", json={**BODY, **body}, headers={"If-Match": tag or etag(client, query)}
    )


def test_a_rule_as_the_pack_has_it(nurse: TestClient) -> None:
    assert nurse.get(RULE).json() == PACK_RULE
    assert nurse.get(f"{A}/rules").json() == {"items": [PACK_RULE], "next": None}
    assert nurse.get(f"{A}/rules/nothing").status_code == 404


def test_a_change_is_a_version_with_its_author(clinician: TestClient, service) -> None:
    answer = put(clinician)
    assert answer.status_code == 200
    rule = answer.json()
    assert (rule["scope"], rule["version"], rule["by"], rule["when"]) == (
        "all",
        1,
        "the clinician",
        ["spo2 < 86"],
    )
    assert answer.headers["etag"] == etag(clinician)
    assert service.calls[-1][1]["definition"] == {**BODY, "id": "spo2-below-88"}
    put(clinician, **{"for": "6m"})
    history = clinician.get(f"{RULE}/history").json()["items"]
    assert [(v["version"], v["definition"]["for"], v["by"]) for v in history] == [
        (2, "6m", "the clinician"),
        (1, "5m", "the clinician"),
    ]


def test_what_was_read_may_be_sent_back(clinician: TestClient, service) -> None:
    read = clinician.get(RULE)
    sent = {**read.json(), "for": "7m"}
    answer = clinician.put(RULE, json=sent, headers={"If-Match": read.headers["etag"]})
    assert answer.status_code == 200
    assert (answer.json()["for"], answer.json()["when"]) == ("7m", PACK_RULE["when"])
    assert not {"scope", "version", "by", "at"} & set(service.calls[-1][1]["definition"])


def test_only_what_changes_need_be_sent(clinician: TestClient, service) -> None:
    answer = clinician.put(RULE, json={"for": "7m"}, headers={"If-Match": etag(clinician)})
    assert answer.status_code == 200
    assert service.calls[-1][1]["definition"] == {"id": "spo2-below-88", "for": "7m"}


def test_without_if_match_nothing_changes(clinician: TestClient, service) -> None:
    assert problem(clinician.put(RULE, json=BODY))["type"] == "/problems/precondition-required"
    for tag in ('"old"', "*", "W/", ""):
        answer = clinician.put(RULE, json=BODY, headers={"If-Match": tag})
        assert problem(answer)["type"] == "/problems/precondition-failed"
    assert service.calls == []


def test_two_who_change_at_once(client: Client) -> None:
    one, two = client("clinician"), client("admin")
    seen = etag(one), etag(two)
    assert put(one, tag=seen[0]).status_code == 200
    assert problem(put(two, tag=seen[1]))["type"] == "/problems/precondition-failed"
    assert put(two).status_code == 200


def test_a_ward_and_a_stay_have_their_own(clinician: TestClient) -> None:
    put(clinician, "?ward=6A", title="for the ward")
    put(clinician, "?stay=stay-6B", title="for the patient")
    assert clinician.get(RULE).json()["title"] == PACK_RULE["title"]
    assert clinician.get(f"{RULE}?ward=6A").json()["scope"] == "ward:6A"
    assert clinician.get(f"{RULE}?ward=6B").json()["scope"] == "pack"
    assert clinician.get(f"{RULE}?stay=stay-6B").json()["title"] == "for the patient"
    assert len({etag(clinician, query) for query in ("", "?ward=6A", "?ward=6B", "?stay=stay-6B")}) == 4
    assert problem(clinician.get(f"{RULE}?ward=6A&stay=stay-6A"))["status"] == 422


def test_a_change_for_all_is_a_change_for_the_ward_that_saw_it(clinician: TestClient) -> None:
    seen = etag(clinician, "?ward=6A")
    put(clinician)
    assert put(clinician, "?ward=6A", tag=seen).status_code == 412


def test_the_history_of_another_ward_is_not_shown(client: Client) -> None:
    clinician = client("clinician")
    for query in ("", "?ward=6A", "?ward=6B", "?stay=stay-6B"):
        put(clinician, query)
    scopes = {v["scope"] for v in client("nurse", ["6A"]).get(f"{RULE}/history").json()["items"]}
    assert scopes == {"all", "ward:6A"}
    everything = {v["scope"] for v in clinician.get(f"{RULE}/history").json()["items"]}
    assert everything == {"all", "ward:6A", "ward:6B", "stay:stay-6B"}
    assert clinician.get(f"{A}/rules/nothing/history").status_code == 404


def test_a_new_rule(clinician: TestClient) -> None:
    path = f"{A}/rules/rr-above-30"
    body = {**BODY, "when": ["rr > 30"]}
    assert clinician.put(path, json=body).status_code == 428
    assert clinician.put(path, json=body, headers={"If-Match": '"x"'}).status_code == 404
    made = clinician.put(path, json=body, headers={"If-None-Match": "*"})
    assert made.status_code == 201
    assert clinician.get(path).json()["when"] == ["rr > 30"]
    assert clinician.put(path, json=body, headers={"If-None-Match": "*"}).status_code == 412


@pytest.mark.parametrize(
    "body",
    [
        {"id": "other"},
        {"priority": "urgent"},
        {"when": []},
        {"for": 600},
        {"treshold": 3},
        {"min_readings": 0},
    ],
)
def test_what_is_no_rule(clinician: TestClient, body: dict, service) -> None:
    assert problem(put(clinician, **body))["type"] == "/problems/invalid"
    assert service.calls == []


def test_a_trial_sees_only_her_wards(client: Client, service) -> None:
    body = {
        "rules": [{**BODY, "id": "candidate"}],
        "start": "2026-11-20T12:00:00Z",
        "end": "2026-11-21T12:00:00Z",
    }
    assert client("clinician").post(f"{A}/rules/trial", json=body).status_code == 200
    assert client("clinician", ["6A"]).post(f"{A}/rules/trial", json=body).status_code == 200
    assert (
        client("clinician", ["6A"]).post(f"{A}/rules/trial", json={**body, "ward": "6B"}).status_code == 200
    )
    assert [trial["wards"] for trial in service.trials] == [None, ["6A"], []]
    assert service.trials[0]["rules"] == [{**BODY, "id": "candidate"}]
    theirs = client("clinician", ["6A"]).post(f"{A}/rules/trial", json={**body, "stays": ["stay-6B"]})
    assert problem(theirs)["type"] == "/problems/not-found"
    backwards = {**body, "start": body["end"]}
    assert client("clinician").post(f"{A}/rules/trial", json=backwards).status_code == 422
