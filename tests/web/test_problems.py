"""One shape for everything that goes wrong; the types are a promise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi import FastAPI

from tests.web.conftest import Client, TestClient, problem
from ward import errors
from ward.web.problems import KINDS

A = "/api/v1"


def test_the_types_are_pinned() -> None:
    assert {type: kind.status for type, kind in KINDS.items()} == {
        "bad-request": 400,
        "unauthorized": 401,
        "forbidden": 403,
        "second-person": 403,
        "cross-site": 403,
        "not-found": 404,
        "method-not-allowed": 405,
        "conflict": 409,
        "precondition-failed": 412,
        "too-large": 413,
        "invalid": 422,
        "invalid-rule": 422,
        "idempotency-key-reused": 422,
        "precondition-required": 428,
        "session-idle": 401,
        "too-slow": 408,
        "too-many-requests": 429,
        "invalid-plan": 422,
        "locked-out": 429,
        "http-error": 400,
        "error": 500,
        "unavailable": 503,
    }


def all_errors(kind: type = errors.WardError) -> list[type]:
    return [kind, *(found for sub in kind.__subclasses__() for found in all_errors(sub))]


def test_every_error_has_its_type() -> None:
    import ward.alerts.packs  # noqa: F401 - it has an error of its own

    for error in all_errors():
        assert KINDS[error.type].status == error.status, error


def test_the_shape(nurse: TestClient) -> None:
    assert nurse.get(f"{A}/stays/nobody").json() == {
        "type": "/problems/not-found",
        "title": "Not found",
        "status": 404,
        "detail": "no stay nobody",
        "instance": f"{A}/stays/nobody",
    }


def test_each_wrong_field_is_named_at_once(clinician: TestClient) -> None:
    answer = clinician.post(f"{A}/stays", json={"ward": "6/A", "bed": "", "doctor": "Who"})
    body = problem(answer)
    assert body["type"] == "/problems/invalid"
    assert {error["field"] for error in body["errors"]} == {
        "body.patient_ref", "body.ward", "body.bed", "body.doctor",
    }  # fmt: skip
    assert "Who" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "type"),
    [
        ("GET", f"{A}/nonsense", 404, "not-found"),
        ("POST", f"{A}/nonsense", 404, "not-found"),
        ("GET", "/nonsense", 404, "not-found"),
        ("GET", f"{A}/stays/", 404, "not-found"),
        ("GET", "/../../etc/passwd", 404, "not-found"),
        ("GET", f"{A}/stays/%00", 404, "not-found"),
        ("GET", f"{A}/stays/a%20b", 404, "not-found"),
        ("GET", f"{A}/stays?ward=%00", 422, "invalid"),
        ("GET", f"{A}/stays?cursor=%00", 422, "invalid"),
        ("GET", f"{A}/stays?cursor=xx", 422, "invalid"),
        ("GET", f"{A}/stays?limit=0", 422, "invalid"),
        ("DELETE", f"{A}/stays", 405, "method-not-allowed"),
        ("PUT", f"{A}/session", 405, "method-not-allowed"),
        ("GET", f"{A}/problems/nothing", 404, "not-found"),
        ("GET", "/problems/nothing", 404, "not-found"),
    ],
)
def test_the_frameworks_errors_are_problems(
    nurse: TestClient, method: str, path: str, status: int, type: str
) -> None:
    answer = nurse.request(method, path)
    assert answer.status_code == status
    assert problem(answer)["type"] == f"/problems/{type}"


def test_a_wrong_method_says_which_are_right(nurse: TestClient) -> None:
    assert "GET" in nurse.delete(f"{A}/devices").headers["allow"]


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"null", b'"x"', b"\xff", b"NaN", b"", b"[" * 100_000, b'{"minutes": NaN}']
)
def test_what_is_not_the_json_we_ask_for(nurse: TestClient, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = nurse.post(f"{A}/alerts/alert-6A/shelve", content=body, headers=headers)
    assert problem(answer)["status"] in (400, 422)


def test_where_text_is_no_json_is_not_told_as_a_field(nurse: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    answer = nurse.post(f"{A}/alerts/alert-6A/shelve", content=b"{", headers=headers)
    assert [error["field"] for error in problem(answer)["errors"]] == ["body"]


def test_a_body_of_more_than_1_mib(nurse: TestClient, service) -> None:
    path, headers = f"{A}/alerts/alert-6A/acknowledge", {"Content-Type": "application/json"}
    fits = b'{"assessment": "artefact"' + b" " * ((1 << 20) - 26) + b"}"
    assert nurse.post(path, content=fits, headers=headers).status_code == 200
    for body in (fits + b" ", iter([fits, b" "])):
        answer = nurse.post(path, content=body, headers=headers)
        assert problem(answer)["type"] == "/problems/too-large"
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert len(service.calls) == 1


def test_what_has_a_code_can_be_said_in_every_language() -> None:
    """Each code that is raised has its words, and each of those is raised; the catalogues are alike."""
    root = Path(__file__).parents[2] / "ward"
    sources = "\n".join(file.read_text() for file in root.rglob("*.py"))
    raised = set(re.findall(r'\bcode="([a-z-]+)"', sources))
    for one, other in re.findall(r'\bcode = "([a-z-]+)" if .+ else "([a-z-]+)"', sources):
        raised |= {one, other}
    words = (root / "web/ui/src/text/en/problems.ts").read_text().partition("  problems: {")[2]
    assert raised == set(re.findall(r'^    "?([a-z-]+)"?: "', words, re.MULTILINE))


@pytest.mark.parametrize(
    "error",
    [
        errors.ConflictError("the bed is taken", field="bed"),
        errors.InvalidError("no", field="minutes"),
        errors.UnavailableError("starting"),
        errors.PreconditionError("changed"),
    ],
)
def test_the_cores_errors(nurse: TestClient, service, error: errors.WardError) -> None:
    service.break_with = error
    body = problem(nurse.post(f"{A}/alerts/alert-6A/shelve", json={"minutes": 5}))
    assert (body["type"], body["status"]) == (f"/problems/{error.type}", error.status)
    assert body["detail"] == error.detail


def test_a_database_that_does_not_answer_is_no_fault_of_the_request(nurse: TestClient, service) -> None:
    """Locked or full, for reading too: try again shortly, and nothing of the statement is told."""
    with service.engine_db.begin() as tx:
        tx.exec_driver_sql("ALTER TABLE stays RENAME TO gone")
    try:
        answer = nurse.get(f"{A}/stays/nobody")
    finally:
        with service.engine_db.begin() as tx:
            tx.exec_driver_sql("ALTER TABLE gone RENAME TO stays")
    body = problem(answer)
    assert (body["type"], body["status"]) == ("/problems/unavailable", 503)
    assert answer.headers["retry-after"] == "5"
    assert "stays" not in body["detail"]
    assert body["detail"] == "The database does not answer now."


def test_of_a_change_that_failed_only_what_is_known_is_said(nurse: TestClient, service) -> None:
    """The database fails behind the change, where its answer is kept for a repetition: it was made."""

    async def made(**arguments: object) -> dict:
        with service.engine_db.begin() as tx:
            tx.exec_driver_sql("ALTER TABLE idempotency RENAME TO gone")
        return {"id": arguments["alert"]}

    service.call = lambda command, **arguments: made(**arguments)
    answer = nurse.post(
        f"{A}/alerts/alert-6A/shelve", json={"minutes": 5}, headers={"Idempotency-Key": "key-0001"}
    )
    body = problem(answer)
    assert (body["type"], body["status"]) == ("/problems/unavailable", 503)
    assert "is not known: look before you ask again" in body["detail"]
    assert "nothing was changed" not in answer.text


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ({}, "there is none"),
        ({"json": []}, "this is none"),
        ({"json": "assessment"}, "this is none"),
        (
            {"content": b'{"assessment": "artefact"}', "headers": {"Content-Type": "text/plain"}},
            "this is none",
        ),
    ],
)
def test_a_missing_body_says_what_is_wanted(nurse: TestClient, sent: dict, found: str) -> None:
    body = problem(nurse.post(f"{A}/alerts/alert-6A/acknowledge", **sent))
    wanted = f"a JSON object is wanted (Content-Type: application/json); {found}"
    assert body["errors"] == [{"field": "body", "message": wanted}]
    assert body["detail"] == f"body: {wanted}"


def test_a_body_whose_fields_may_all_be_left_out_is_wanted_too(client: Client) -> None:
    body = problem(client("admin").patch(f"{A}/users/nobody"))
    assert body["detail"] == "body: a JSON object is wanted (Content-Type: application/json); there is none"


def test_all_that_is_wrong_with_a_rule_is_listed(clinician: TestClient, service) -> None:
    from ward.alerts.packs import PackError, Problem

    found = [Problem("my-rule", "for", "'10'", "90s"), Problem("my-rule", "when", "'x'", "signal op number")]
    service.break_with = PackError("rule", found)
    etag = clinician.get(f"{A}/rules/spo2-below-88").headers["etag"]
    rule = {"title": "x", "priority": "high", "when": ["spo2 < 88"], "for": "10"}
    body = problem(clinician.put(f"{A}/rules/spo2-below-88", json=rule, headers={"If-Match": etag}))
    assert body["type"] == "/problems/invalid-rule"
    assert body["errors"] == [
        {"field": "my-rule.for", "message": "'10'; allowed: 90s"},
        {"field": "my-rule.when", "message": "'x'; allowed: signal op number"},
    ]


def test_a_fault_tells_nothing_of_the_inside(nurse: TestClient, service, capsys) -> None:
    service.break_with = RuntimeError("secret of patient P-6A")
    answer = nurse.post(f"{A}/alerts/alert-6A/shelve", json={"minutes": 5})
    assert problem(answer)["type"] == "/problems/error"
    assert "secret" not in answer.text
    assert "content-security-policy" in answer.headers
    assert "request failed" in capsys.readouterr().out


def test_every_type_has_its_page(client: Client) -> None:
    for type, kind in KINDS.items():
        page = client().get(f"/problems/{type}")
        assert page.status_code == 200
        assert kind.title in page.text


def test_no_type_is_told_that_is_not_described(app: FastAPI, schema: dict) -> None:
    import json

    told = json.dumps(schema)
    assert "/problems/not-found" in told
    assert "HTTPValidationError" not in told


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (f"{A}/session", {"DELETE", "GET", "POST"}),
        (f"{A}/rules/spo2-below-88", {"GET", "PUT", "DELETE"}),
        (f"{A}/devices", {"GET"}),
    ],
)
def test_a_wrong_method_is_told_every_right_one(client: Client, path: str, allowed: set[str]) -> None:
    answer = client("admin").request("TRACE", path)
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) - {"HEAD"} == allowed


def test_a_body_that_is_no_text_is_refused_as_documented(client: Client, schema: dict) -> None:
    answer = client("admin").post(
        f"{A}/tokens", content=b'"\xff"', headers={"Content-Type": "application/json"}
    )
    assert problem(answer)["status"] == 400
    assert "400" in schema["paths"][f"{A}/tokens"]["post"]["responses"]
    assert "400" not in schema["paths"][f"{A}/tokens"]["get"]["responses"]
