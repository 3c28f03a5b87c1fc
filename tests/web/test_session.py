"""Browsers: logging in and out, cookies, and changes that another site tries to make."""

from __future__ import annotations

import pytest

from tests.web.conftest import Client, TestClient, problem
from ward.signals import HOUR
from ward.web.doors import Doors
from ward.web.identity import BOARD_MS, CODE_MS, create_code, create_token

A = "/api/v1"
SESSION_MS = Doors().session_ms
SHELVE = f"{A}/alerts/alert-6A/shelve"


@pytest.fixture
def secret(engine, wall) -> str:
    return create_token(engine, name="Ward 6A", role="nurse", wards=["6A"], now=wall())[1]


@pytest.fixture
def browser(client: Client, secret: str) -> TestClient:
    browser = client()
    assert browser.post(f"{A}/session", json={"token": secret}).status_code == 201
    return browser


def test_a_token_becomes_a_cookie_that_scripts_cannot_read(client: Client, secret: str) -> None:
    answer = client().post(f"{A}/session", json={"token": secret})
    assert answer.status_code == 201
    who = answer.json()
    may = set(who.pop("may"))
    assert may >= {
        "session",
        "board",
        "read",
        "read:alerts",
        "account",
        "respond",
        "observe",
        "pause",
        "admit",
    }
    assert not may & {"flag", "tune", "monitor", "administer", "audit"}
    assert who == {
        "name": "Ward 6A",
        "role": "nurse",
        "wards": ["6A"],
        "limited": False,
        "acts_until": "2026-11-21T12:15:00.000Z",
        "expires_at": "2026-11-22T12:00:00.000Z",
        "account": False,
        "log_out_url": None,
    }
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie
    assert secret not in cookie


def test_over_https_the_cookie_never_travels_without(client: Client, secret: str) -> None:
    answer = client(base_url="https://ward.example").post(f"{A}/session", json={"token": secret})
    assert "Secure" in answer.headers["set-cookie"]
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_a_wrong_token_does_not_log_in(client: Client) -> None:
    answer = client().post(f"{A}/session", json={"token": "ward_wrong"})
    assert problem(answer)["status"] == 401
    assert "set-cookie" not in answer.headers


def test_the_session_reads(browser: TestClient) -> None:
    assert browser.get(f"{A}/session").json()["name"] == "Ward 6A"
    assert [s["id"] for s in browser.get(f"{A}/stays").json()["items"]] == ["stay-6A"]


def test_logging_out_ends_the_session_at_once(browser: TestClient) -> None:
    cookie = browser.cookies["ward_session"]
    assert browser.delete(f"{A}/session", headers={"X-Ward-Request": "1"}).status_code == 204
    assert "ward_session" not in browser.cookies
    browser.cookies["ward_session"] = cookie
    assert browser.get(f"{A}/session").status_code == 401


def test_a_session_ends_a_shift_after_its_time(browser: TestClient, wall) -> None:
    wall.time += SESSION_MS + BOARD_MS - 1
    assert browser.get(f"{A}/session").status_code == 200
    wall.time += 1
    assert browser.get(f"{A}/session").status_code == 401


def test_a_session_ends_with_its_token(client: Client, engine, wall) -> None:
    _, secret = create_token(engine, name="x", role="admin", expires=wall() + HOUR, now=wall())
    browser = client()
    assert "Max-Age=3600" in browser.post(f"{A}/session", json={"token": secret}).headers["set-cookie"]
    wall.time += HOUR
    assert browser.get(f"{A}/session").status_code == 401


def test_revoking_a_token_logs_its_browsers_out(client: Client, browser: TestClient) -> None:
    admin = client("admin")
    (token,) = [t for t in admin.get(f"{A}/tokens").json()["items"] if t["name"] == "Ward 6A"]
    admin.delete(f"{A}/tokens/{token['id']}")
    assert browser.get(f"{A}/session").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Ward-Request": "0"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "https://elsewhere.example", "X-Ward-Request": "1"},
        {"Origin": "http://testserver.elsewhere.example"},
    ],
)
def test_another_site_changes_nothing(browser: TestClient, headers: dict, service) -> None:
    answer = browser.post(SHELVE, json={"minutes": 5}, headers=headers)
    assert problem(answer)["type"] == "/problems/cross-site"
    assert service.calls == []


@pytest.mark.parametrize("headers", [{"X-Ward-Request": "1"}, {"Origin": "http://testserver"}])
def test_the_dashboard_changes(browser: TestClient, headers: dict) -> None:
    answer = browser.post(SHELVE, json={"minutes": 5}, headers=headers)
    assert answer.status_code == 200
    assert answer.json()["shelved_by"] == "Ward 6A"


def test_a_token_needs_no_such_sign(nurse: TestClient) -> None:
    assert nurse.post(SHELVE, json={"minutes": 5}).status_code == 200


def test_another_site_does_not_log_in(client: Client, secret: str) -> None:
    answer = client().post(
        f"{A}/session", json={"token": secret}, headers={"Origin": "https://elsewhere.example"}
    )
    assert problem(answer)["type"] == "/problems/cross-site"


def test_a_form_is_not_json(client: Client, secret: str) -> None:
    body = f'{{"token": "{secret}"}}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", None):
        headers = {} if kind is None else {"Content-Type": kind}
        assert client().post(f"{A}/session", content=body, headers=headers).status_code == 422


def test_a_wrong_token_is_not_rescued_by_a_cookie(browser: TestClient) -> None:
    assert browser.get(f"{A}/stays", headers={"Authorization": "Bearer ward_wrong"}).status_code == 401


def test_the_link_of_the_demo_logs_in_once(client: Client, engine, wall) -> None:
    code = create_code(engine, name="demo", role="clinician", now=wall())
    browser, second = client(follow_redirects=False), client(follow_redirects=False)
    answer = browser.get(f"/login?code={code}")
    assert answer.status_code == 303
    assert answer.headers["location"] == "./"
    assert browser.get(f"{A}/session").json()["role"] == "clinician"
    assert problem(second.get(f"/login?code={code}"))["status"] == 401
    assert second.get(f"{A}/session").status_code == 401
    assert browser.get(f"/login?code={code}").status_code == 303  # reloading harms nobody who is in


def test_the_link_of_the_demo_gets_old(client: Client, engine, wall) -> None:
    code = create_code(engine, name="demo", role="clinician", now=wall())
    wall.time += CODE_MS
    assert client().get(f"/login?code={code}").status_code == 401
