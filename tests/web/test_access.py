"""Every route × every kind of credentials. What a route allows is written here a second time, on purpose."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI

from tests.web.conftest import Client, TestClient, problem
from ward.store.access import revoke_token
from ward.web.access import SAFE, Public, api_routes, require_guards
from ward.web.app import OPEN
from ward.web.identity import create_code, create_token
from ward.web.openapi import operations

ALL = {"nurse", "clinician", "admin", "integration"}
BOARD = ALL | {"kiosk"}
STAFF = {"nurse", "clinician", "admin"}
FLAGGING = {"clinician", "admin", "integration"}
TUNING = {"clinician", "admin"}
A = "/api/v1"

ALLOWED = {
    f"POST {A}/stays": ALL,
    f"GET {A}/stays": ALL,
    f"GET {A}/stays/{{stay}}": ALL,
    f"PATCH {A}/stays/{{stay}}": FLAGGING,
    f"POST {A}/stays/{{stay}}/discharge": ALL,
    f"POST {A}/stays/{{stay}}/discharge/undo": ALL,
    f"GET {A}/stays/{{stay}}/events": ALL,
    f"GET {A}/wards": ALL,
    f"GET {A}/wards/{{ward}}/devices": ALL,
    f"GET {A}/wards/{{ward}}/devices/{{device}}": ALL,
    f"POST {A}/stays/{{stay}}/transfer": ALL,
    f"POST {A}/stays/{{stay}}/devices": ALL,
    f"DELETE {A}/stays/{{stay}}/devices": ALL,
    f"POST {A}/stays/{{stay}}/pause": STAFF,
    f"POST {A}/stays/{{stay}}/observations": ALL,
    f"GET {A}/stays/{{stay}}/vitals": ALL,
    f"GET {A}/stays/{{stay}}/score": ALL,
    f"GET {A}/alerts": ALL,
    f"GET {A}/alerts/{{alert}}": ALL,
    f"POST {A}/alerts/{{alert}}/acknowledge": STAFF,
    f"POST {A}/alerts/{{alert}}/assess": STAFF,
    f"POST {A}/alerts/{{alert}}/hand-over": STAFF,
    f"POST {A}/alerts/{{alert}}/undo": STAFF,
    f"POST {A}/alerts/{{alert}}/shelve": STAFF,
    f"POST {A}/alerts/{{alert}}/unshelve": STAFF,
    f"POST {A}/rules/trial": TUNING,
    f"GET {A}/trials/history": TUNING,
    f"GET {A}/recordings": TUNING,
    f"POST {A}/recordings": TUNING,
    f"DELETE {A}/recordings/{{recording}}": TUNING,
    f"GET {A}/recordings/{{recording}}/vitals": TUNING,
    f"GET {A}/rules": ALL,
    f"GET {A}/rules/{{rule}}": ALL,
    f"PUT {A}/rules/{{rule}}": TUNING,
    f"DELETE {A}/rules/{{rule}}": TUNING,
    f"GET {A}/rules/{{rule}}/history": ALL,
    f"GET {A}/drafts": ALL,
    f"POST {A}/drafts": TUNING,
    f"GET {A}/drafts/{{draft}}": ALL,
    **{
        f"POST {A}/drafts/{{draft}}/{act}": TUNING
        for act in ("comment", "approve", "reject", "withdraw", "apply", "return")
    },
    f"GET {A}/wards/{{ward}}/plan": ALL,
    f"PUT {A}/wards/{{ward}}/plan": TUNING,
    f"DELETE {A}/wards/{{ward}}/plan": TUNING,
    f"GET {A}/wards/{{ward}}/plan/history": ALL,
    f"GET {A}/wards/{{ward}}/plan/preview": ALL,
    f"POST {A}/wards/{{ward}}/plan/check": TUNING,
    f"GET {A}/wards/{{ward}}/duty": ALL,
    f"GET {A}/packs": ALL,
    f"GET {A}/packs/{{pack}}": ALL,
    f"POST {A}/packs/check": TUNING,
    f"GET {A}/reports/rules": TUNING,
    f"GET {A}/reports/rules.csv": TUNING,
    f"GET {A}/reports/week.pdf": TUNING,
    f"GET {A}/reports/drift": TUNING,
    f"GET {A}/devices": ALL,
    f"GET {A}/devices/unassigned": ALL,
    f"GET {A}/dead-letters": ALL,
    f"GET {A}/events": BOARD,
    f"GET {A}/session": BOARD,
    f"DELETE {A}/session": BOARD,
    f"PUT {A}/session/password": STAFF,
    f"GET {A}/sessions": STAFF,
    f"DELETE {A}/sessions": STAFF,
    f"DELETE {A}/sessions/{{session}}": STAFF,
    f"GET {A}/users": {"admin"},
    f"POST {A}/users": {"admin"},
    f"GET {A}/users/{{user}}": {"admin"},
    f"PATCH {A}/users/{{user}}": {"admin"},
    f"POST {A}/users/{{user}}/reset": {"admin"},
    f"DELETE {A}/users/{{user}}/sessions": {"admin"},
    f"POST {A}/users/{{user}}/pardon": {"admin"},
    f"GET {A}/health": {"admin", "integration"},
    f"POST {A}/simulator": {"admin"},
    f"DELETE {A}/simulator": {"admin"},
    f"GET {A}/audit/verify": {"admin"},
    f"POST {A}/wards/{{ward}}/plan/read": TUNING,
    f"GET {A}/tokens": {"admin"},
    f"POST {A}/tokens": {"admin"},
    f"DELETE {A}/tokens/{{token}}": {"admin"},
    f"POST {A}/tokens/{{token}}/link": {"admin"},
    f"GET {A}/devices/credentials": {"admin"},
    f"POST {A}/devices/credentials": {"admin"},
    f"POST {A}/devices/credentials/{{credential}}/rotate": {"admin"},
    f"DELETE {A}/devices/credentials/{{credential}}": {"admin"},
    f"GET {A}/audit": {"admin"},
    f"GET {A}/stays/{{stay}}/export": {"admin"},
    f"POST {A}/stays/{{stay}}/erase": {"admin"},
    f"GET {A}/channels": ALL,
    f"POST {A}/channels/test": STAFF,
    f"GET {A}/wards/{{ward}}/assignments": ALL,
    f"GET {A}/wards/{{ward}}/handover": ALL,
    f"GET {A}/wards/{{ward}}/downtime": ALL,
    f"POST {A}/wards/{{ward}}/assignments": STAFF,
    f"POST {A}/wards/{{ward}}/assignments/end": STAFF,
    f"GET {A}/channels/tests": ALL,
    f"POST {A}/channels/tests/{{id}}/seen": STAFF,
    f"POST {A}/notices/shown": STAFF | {"kiosk"},
    f"POST {A}/sounds": STAFF | {"kiosk"},
    f"GET {A}/alerts/delays": ALL,
    "GET /metrics": {"admin", "integration"},
    "GET /openapi.json": ALL,
    "GET /docs": ALL,
}
PUBLIC = {
    "GET /healthz",
    "GET /readyz",
    "GET /login",
    f"POST {A}/session",
    f"GET {A}/session/ways",
    f"POST {A}/session/password",
    "GET /login/oidc",
    "GET /login/oidc/callback",
    "GET /docs.css",
    "GET /problems/{type}",
}
IDS = {"stay": "stay-6A", "alert": "alert-6A", "rule": "spo2-below-88", "token": "none", "type": "invalid"}
IDS["ward"] = "6A"
IDS |= {
    "user": "none",
    "session": "none",
    "id": "17",
    "credential": "none",
    "draft": "none",
    "recording": "none",
    "pack": "none",
    "device": "mon-1",
}
GUARDED = sorted(ALLOWED)


Send = Callable[..., Any]


@pytest.fixture
def send(schema: dict) -> Send:
    """``send(client, call, stay=…)``: the call with an example body, as the API's description gives it."""

    def send_(client: TestClient, call: str, **ids: str) -> Any:
        method, path = call.split(" ")
        operation = schema["paths"].get(path, {}).get(method.lower(), {})
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        body = {"json": content["example"]} if content else {}
        return client.request(method, re.sub(r"{(\w+)}", lambda m: {**IDS, **ids}[m[1]], path), **body)

    return send_


def test_these_are_all_routes(app: FastAPI) -> None:
    found = {f"{method} {route.path}" for route in api_routes(app) for method in route.methods}
    assert found == set(ALLOWED) | PUBLIC


@pytest.mark.parametrize("call", GUARDED)
def test_without_valid_credentials_nothing_is_told(
    call: str, send: Send, client: Client, engine, wall, service
) -> None:
    _, expired = create_token(engine, name="old", role="admin", expires=wall() + 1000, now=wall())
    token, revoked = create_token(engine, name="gone", role="admin", now=wall())
    with engine.begin() as tx:
        revoke_token(tx, token.id, wall())
    wall.time += 1000
    for headers in (
        {},
        {"Authorization": "Bearer ward_wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic d2FyZDp3YXJk"},
        {"Authorization": "Bearer ward_\u00fc".encode("latin-1")},
        {"Authorization": f"Bearer {expired}"},
        {"Authorization": f"Bearer {revoked}"},
        {"Cookie": "ward_session=wrong"},
        {"Cookie": f"ward_session={token.hash}"},
    ):
        guest = client()
        guest.headers.update(headers)
        answer = send(guest, call)
        assert problem(answer)["type"] == "/problems/unauthorized", headers
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert service.calls == []


@pytest.mark.parametrize("call", [call for call in GUARDED if call != f"GET {A}/events"])
def test_each_role_may_what_the_table_says(call: str, send: Send, client: Client) -> None:
    for role in sorted(BOARD):
        answer = send(client(role), call)
        if role in ALLOWED[call]:
            assert answer.status_code not in (401, 403), (role, answer.text)
        else:
            assert problem(answer)["type"] == "/problems/forbidden", role


def test_the_description_says_the_same(schema: dict) -> None:
    described = {
        f"{method.upper()} {path}": set(operation["x-roles"])
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    }
    hidden = {"GET /openapi.json", "GET /docs"}
    assert {c: r for c, r in described.items() if r} == {c: r for c, r in ALLOWED.items() if c not in hidden}
    assert all(operation["security"] or not operation["x-roles"] for operation in operations(schema))


OF_ONE = [call for call in GUARDED if "{stay}" in call or "{alert}" in call]


@pytest.mark.parametrize("call", OF_ONE)
def test_what_belongs_to_another_ward_does_not_exist(call: str, send: Send, client: Client, service) -> None:
    for role in ALLOWED[call]:
        other = client(role, ["7C"])
        theirs, missing = send(other, call), send(other, call, stay="nobody", alert="nothing")
        assert problem(theirs)["type"] == problem(missing)["type"] == "/problems/not-found", role
    assert service.calls == []


def test_a_pending_alert_of_another_ward_does_not_exist(send: Send, client: Client) -> None:
    call = f"GET {A}/alerts/{{alert}}"
    assert send(client("nurse", ["7C"]), call, alert="pending-6A").status_code == 404
    assert send(client("nurse", ["6A"]), call, alert="pending-6A").status_code == 200


@pytest.mark.parametrize("path", ["stays", "alerts", "alerts?state=pending", "devices", "devices/unassigned"])
def test_lists_hold_only_what_is_hers(path: str, client: Client) -> None:
    def wards(one: TestClient, extra: str = "") -> set[str]:
        return {item["ward"] for item in one.get(f"{A}/{path}{extra}").json()["items"]}

    mark = "&" if "?" in path else "?"
    assert wards(client("nurse", ["6A"])) == {"6A"}
    assert wards(client("nurse", ["6A"]), f"{mark}ward=6B") == set()
    assert wards(client("clinician", ["6B"])) == {"6B"}
    assert wards(client("clinician")) == {"6A", "6B"}
    assert wards(client("clinician"), f"{mark}ward=6B") == {"6B"}


def test_admitting_to_a_ward_that_is_not_hers(client: Client, service) -> None:
    body = {"patient_ref": "P-1", "ward": "6B", "bed": "9"}
    assert problem(client("clinician", ["6A"]).post(f"{A}/stays", json=body))["status"] == 403
    moved = client("clinician", ["6A"]).post(f"{A}/stays/stay-6A/transfer", json={"ward": "6B", "bed": "9"})
    assert problem(moved)["status"] == 403
    assert service.calls == []


def test_a_rule_for_all_is_changed_only_by_who_sees_all(send: Send, client: Client) -> None:
    assert send(client("clinician", ["6A"]), f"PUT {A}/rules/{{rule}}").status_code == 403
    assert client("clinician", ["6A"]).get(f"{A}/rules?ward=6B").status_code == 404
    assert client("clinician", ["6A"]).get(f"{A}/rules?stay=stay-6B").status_code == 404


def test_an_admin_of_some_wards_makes_no_tokens(client: Client) -> None:
    local = client("admin", ["6A"])
    body = {"name": "more", "role": "admin"}
    assert local.post(f"{A}/tokens", json=body).status_code == 403
    assert local.get(f"{A}/tokens").status_code == 403


def test_a_nurse_without_wards_sees_nothing(client: Client, engine, wall) -> None:
    code = create_code(engine, name="lost", role="nurse", now=wall())
    browser = client()
    assert browser.get(f"/login?code={code}", follow_redirects=False).status_code == 303
    assert browser.get(f"{A}/stays").json() == {"items": [], "next": None}


def test_tokens_are_made_listed_and_revoked(client: Client) -> None:
    admin = client("admin")
    made = admin.post(f"{A}/tokens", json={"name": "Ward 6A", "role": "nurse", "wards": ["6A"]})
    assert made.status_code == 201
    token = made.json()
    assert token["token"].startswith("ward_")
    assert "token" not in next(t for t in admin.get(f"{A}/tokens").json()["items"] if t["id"] == token["id"])
    new = client()
    new.headers["Authorization"] = f"Bearer {token['token']}"
    assert new.get(f"{A}/session").json()["wards"] == ["6A"]
    assert admin.delete(f"{A}/tokens/{token['id']}").status_code == 204
    assert new.get(f"{A}/session").status_code == 401
    assert admin.delete(f"{A}/tokens/nothing").status_code == 404


def test_a_nurse_token_needs_wards(client: Client) -> None:
    answer = client("admin").post(f"{A}/tokens", json={"name": "x", "role": "nurse"})
    assert "ward" in problem(answer)["errors"][0]["message"]


def test_a_route_that_forgets_to_say_who_stops_the_start(app: FastAPI) -> None:
    public = Public({**dict.fromkeys(["/", *OPEN], SAFE), **OPEN}, ("/problems/",))
    require_guards(app, public)

    @app.get("/api/v1/forgotten")
    async def forgotten() -> None: ...

    with pytest.raises(RuntimeError, match="GET /api/v1/forgotten does not say who may call it"):
        require_guards(app, public)


def test_the_secret_is_not_in_the_database(client: Client, engine) -> None:
    made = client("admin").post(f"{A}/tokens", json={"name": "x", "role": "integration"}).json()["token"]
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM tokens").all()
    assert made not in repr(rows)
    assert made.removeprefix("ward_") not in repr(rows)
