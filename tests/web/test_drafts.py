"""Drafts: one proposes, another approves, one puts in force, and back; nobody overwrites anybody."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from tests.web.conftest import Client, problem
from tests.web.fake import PACK_RULE
from ward.store.access import people_of
from ward.web.identity import create_token

A = "/api/v1"
RULE = f"{A}/rules/spo2-below-88"
DRAFTS = f"{A}/drafts"
BODY = {
    "title": "Later",
    "why": "Too many",
    "scope": "all",
    "rules": [{"id": "spo2-below-88", "for": "15m"}],
}


@pytest.fixture
def author(client: Client) -> TestClient:
    return client("clinician")


@pytest.fixture
def other(client: Client) -> TestClient:
    return client("admin")


def propose(by: TestClient, **change: Any) -> dict[str, Any]:
    answer = by.post(DRAFTS, json={**BODY, **change})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{DRAFTS}/{answer.json()['id']}"
    return answer.json()


def act(by: TestClient, draft: dict[str, Any], what: str, text: str | None = None) -> Any:
    return by.post(f"{DRAFTS}/{draft['id']}/{what}", json={"text": text} if text else {})


def change_otherwise(by: TestClient, query: str = "") -> None:
    tag = by.get(f"{RULE}{query}").headers["etag"]
    assert by.put(f"{RULE}{query}", json={"for": "12m"}, headers={"If-Match": tag}).status_code == 200


def test_from_proposal_to_force_and_back(author: TestClient, other: TestClient, service) -> None:
    draft = propose(author)
    assert (draft["state"], draft["by"], draft["trial"]) == ("proposed", "the clinician", None)
    assert draft["changes"] == [
        {
            "rule": "spo2-below-88",
            "base": PACK_RULE,
            "change": {"for": "15m"},
            "after": {**PACK_RULE, "for": "15m", "scope": "all"},
        }
    ]
    assert draft["may"] == ["comment", "withdraw"]
    assert problem(act(author, draft, "apply"))["detail"] == (
        "this draft is not approved by a second person yet"
    )
    assert author.get(RULE).json() == PACK_RULE
    seen = other.get(f"{DRAFTS}/{draft['id']}").json()
    assert seen["may"] == ["comment", "approve", "reject"]
    approved = act(other, draft, "approve", "Agreed").json()
    assert (approved["state"], approved["approved_by"]) == ("approved", "the admin")
    assert author.get(RULE).json() == PACK_RULE
    applied = act(author, draft, "apply").json()
    assert (applied["state"], applied["may"]) == ("applied", ["comment", "return"])
    assert author.get(RULE).json()["for"] == "15m"
    back = act(other, draft, "return", "More than before").json()
    assert (back["state"], back["may"]) == ("returned", ["comment"])
    assert author.get(RULE).json()["for"] == "10m"
    assert [(line["kind"], line["by"], line["text"]) for line in back["log"]] == [
        ("propose", "the clinician", "Too many"),
        ("approve", "the admin", "Agreed"),
        ("apply", "the clinician", None),
        ("return", "the admin", "More than before"),
    ]
    assert [name for name, _ in service.calls] == ["apply_draft", "return_draft"]


def test_nobody_approves_her_own(author: TestClient, other: TestClient, engine: Engine, wall, app) -> None:
    draft = propose(author)
    refused = problem(act(author, draft, "approve"))
    assert refused["status"] == 403
    assert refused["detail"] == "you proposed this: a second person must approve it"
    namesake = TestClient(app)  # the same person with another token
    secret = create_token(engine, name="The Clinician", role="admin", wards=None, now=wall())[1]
    namesake.headers["Authorization"] = f"Bearer {secret}"
    assert problem(act(namesake, draft, "approve"))["status"] == 403
    assert problem(act(other, draft, "withdraw"))["status"] == 403
    assert act(author, draft, "withdraw").json()["state"] == "withdrawn"
    assert problem(act(other, draft, "approve"))["detail"] == "this draft is withdrawn"


def test_one_person_alone_is_told_what_to_do(client: Client, service) -> None:
    alone = client("admin")
    draft = propose(alone)
    assert draft["second_person"] == {"required": True, "others": 0}
    said = problem(act(alone, draft, "approve"))["detail"]
    assert "nobody else here" in said
    assert "WARD_SECOND_PERSON=false" in said
    service.second_person = False
    assert "apply" in alone.get(f"{DRAFTS}/{draft['id']}").json()["may"]
    assert act(alone, draft, "apply").json()["state"] == "applied"


def test_who_could_approve(client: Client, engine: Engine, wall) -> None:
    for role in ("nurse", "clinician", "admin", "integration"):
        client(role)
    create_token(engine, name="old", role="admin", wards=None, expires=wall() + 1, now=wall())
    with engine.connect() as connection:
        found = people_of(connection, {"clinician", "admin"}, wall() + 2)
    assert sorted(name for _, name in found) == ["the admin", "the clinician"]


def test_what_was_changed_since_is_shown_and_stops_it(author: TestClient, other: TestClient) -> None:
    draft = propose(author)
    change_otherwise(other)
    seen = other.get(f"{DRAFTS}/{draft['id']}").json()
    assert [(one["rule"], one["now"]["for"]) for one in seen["conflicts"]] == [("spo2-below-88", "12m")]
    assert "approve" not in seen["may"]
    assert problem(act(other, draft, "approve"))["type"] == "/problems/precondition-failed"
    assert act(other, draft, "reject", "Overtaken").json()["state"] == "rejected"
    again = propose(author)
    assert again["changes"][0]["base"]["for"] == "12m"
    act(other, again, "approve")
    change_otherwise(other, "?ward=6A")  # a narrower scope is none of its business
    assert act(other, again, "apply").json()["state"] == "applied"
    change_otherwise(other)
    assert problem(act(other, again, "return"))["status"] == 412
    assert other.get(f"{DRAFTS}/{again['id']}").json()["conflicts"][0]["now"]["for"] == "12m"


def test_the_version_that_was_looked_at(author: TestClient, other: TestClient) -> None:
    seen = author.get(RULE).headers["etag"]
    assert propose(author, seen={"spo2-below-88": seen})["state"] == "proposed"
    change_otherwise(other)
    refused = author.post(DRAFTS, json={**BODY, "seen": {"spo2-below-88": seen}})
    assert problem(refused)["type"] == "/problems/precondition-failed"


def test_a_draft_rests_on_the_trial_that_the_service_saw(
    author: TestClient, other: TestClient, service
) -> None:
    change = [{"id": "spo2-below-88", "for": "15m"}]
    time = {"start": "2026-11-20T12:00:00Z", "end": "2026-11-21T12:00:00Z"}
    trial = author.post(f"{A}/rules/trial", json={"rules": change, "scope": "ward:6A", **time}).json()
    given = {"title": "Later", "scope": "ward:6A", "trial": trial["id"]}
    draft = author.post(DRAFTS, json=given).json()
    assert draft["changes"][0]["change"] == {"for": "15m"}
    assert draft["trial"]["id"] == trial["id"]
    assert draft["trial"]["asked"]["start"] == 1_795_176_000_000
    assert not {"raised", "now", "only_now"} & set(draft["trial"])
    assert problem(author.post(DRAFTS, json={**given, "scope": "all"}))["status"] == 422
    assert problem(other.post(DRAFTS, json=given))["status"] == 404  # not hers
    assert problem(author.post(DRAFTS, json={**given, "rules": change}))["status"] == 422
    change_otherwise(other, "?ward=6A")
    assert problem(author.post(DRAFTS, json=given))["status"] == 412
    unscoped = author.post(f"{A}/rules/trial", json={"rules": change, **time}).json()
    assert "id" not in unscoped


def test_two_who_decide_at_once(author: TestClient, other: TestClient, client: Client, service) -> None:
    draft = propose(author)
    third = client("admin")
    answers: list[int] = []
    start = threading.Barrier(2)

    def decide(by: TestClient, what: str) -> None:
        start.wait()
        answers.append(act(by, draft, what).status_code)

    both = [threading.Thread(target=decide, args=given) for given in ((other, "reject"), (third, "approve"))]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    log = [line["kind"] for line in author.get(f"{DRAFTS}/{draft['id']}").json()["log"]]
    state = author.get(f"{DRAFTS}/{draft['id']}").json()["state"]
    # What was approved may be rejected after it, but never the other way round, and each counts once.
    ways = {("approved", "approve"), ("rejected", "reject"), ("rejected", "approve", "reject")}
    assert (state, *log[1:]) in ways
    assert answers.count(200) == len(log) - 1
    assert all(code in (200, 409) for code in answers)


def test_comments_and_lists(author: TestClient, other: TestClient) -> None:
    draft = propose(author)
    ward = propose(author, scope="ward:6B", title="For 6B")
    said = other.post(f"{DRAFTS}/{draft['id']}/comment", json={"text": "Why 15?"}).json()
    assert said["log"][-1] | {"at": ""} == {"at": "", "by": "the admin", "kind": "comment", "text": "Why 15?"}
    assert problem(other.post(f"{DRAFTS}/{draft['id']}/comment", json={"text": "  "}))["status"] == 422
    listed = other.get(DRAFTS).json()["items"]
    assert {one["id"] for one in listed} == {draft["id"], ward["id"]}
    assert "trial" not in listed[0]
    act(author, ward, "withdraw")
    assert [one["id"] for one in other.get(f"{DRAFTS}?state=proposed").json()["items"]] == [draft["id"]]
    assert len(other.get(f"{DRAFTS}?ward=6A").json()["items"]) == 1


def test_wards_are_kept_apart(client: Client, author: TestClient) -> None:
    of_ward, of_stay = propose(author, scope="ward:6B"), propose(author, scope="stay:stay-6B")
    elsewhere = client("clinician", ["6A"])
    for draft in (of_ward, of_stay):
        assert problem(elsewhere.get(f"{DRAFTS}/{draft['id']}"))["status"] == 404
        assert problem(act(elsewhere, draft, "approve"))["status"] == 404
    assert elsewhere.get(DRAFTS).json()["items"] == []
    for scope in ("ward:6B", "stay:stay-6B"):
        assert problem(elsewhere.post(DRAFTS, json={**BODY, "scope": scope}))["status"] == 404
    assert problem(elsewhere.post(DRAFTS, json=BODY))["status"] == 403
    everywhere = propose(author)
    assert elsewhere.get(f"{DRAFTS}/{everywhere['id']}").json()["may"] == ["comment"]
    assert problem(act(elsewhere, everywhere, "approve"))["status"] == 403
    nurse = client("nurse", ["6B"])
    assert nurse.get(f"{DRAFTS}/{of_ward['id']}").json()["may"] == []
    assert problem(act(nurse, of_ward, "approve"))["status"] == 403


def test_who_is_logged_in_changes_a_ward_by_drafts_only(
    client: Client, engine: Engine, wall, service
) -> None:
    browser = client()
    secret = create_token(engine, name="ann", role="clinician", wards=None, now=wall())[1]
    browser.headers["X-Ward-Request"] = "1"
    assert browser.post(f"{A}/session", json={"token": secret}).status_code == 201

    def put(query: str = "") -> Any:
        tag = {"If-Match": browser.get(f"{RULE}{query}").headers["etag"]}
        return browser.put(f"{RULE}{query}", json={"for": "12m"}, headers=tag)

    for query in ("", "?ward=6A"):
        assert problem(put(query))["type"] == "/problems/second-person"
    assert put("?stay=stay-6A").status_code == 200  # one patient's, by who is at the bedside
    service.second_person = False
    assert put("?ward=6A").status_code == 200


def test_a_repeated_request_acts_once(author: TestClient, other: TestClient) -> None:
    key = {"Idempotency-Key": "k1"}
    first = author.post(DRAFTS, json=BODY, headers=key).json()
    assert author.post(DRAFTS, json=BODY, headers=key).json()["id"] == first["id"]
    assert len(author.get(DRAFTS).json()["items"]) == 1
