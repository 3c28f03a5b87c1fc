"""Sessions that nobody touches, screens on the wall, tokens with scopes: what is left to each of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from fastapi import FastAPI

from tests.web.conftest import PASSWORD, Client, TestClient, User, Wall, an_alert, log_in, problem
from tests.web.fake import FakeService
from tests.web.test_events import Stream
from ward.signals import MINUTE
from ward.web.access import COOKIE, SCOPES
from ward.web.doors import Doors
from ward.web.hub import PRIVATE
from ward.web.identity import BOARD_MS, KIOSK_MS, create_link, create_token
from ward.web.people import change_user

A = "/api/v1"
SHELVE = f"{A}/alerts/alert-6A/shelve"
DOORS = Doors()


def board_only(browser: TestClient) -> bool:
    """Whether the board is all that is left; each kind of call is tried."""
    who = browser.get(f"{A}/session").json()
    refused = [
        browser.get(f"{A}/stays"),
        browser.get(f"{A}/stays/stay-6A"),
        browser.get(f"{A}/stays/stay-6A/vitals"),
        browser.get(f"{A}/alerts"),
        browser.get(f"{A}/devices"),
        browser.post(SHELVE, json={"minutes": 5}),
        browser.get(f"{A}/sessions"),
        browser.put(f"{A}/session/password", json={"current": PASSWORD, "password": PASSWORD * 2}),
    ]
    states = {answer.json().get("type") for answer in refused if answer.status_code == 401}
    assert len(states) <= 1
    assert states in (set(), {"/problems/session-idle"})
    assert who["limited"] == bool(states)
    return bool(states)


def test_a_session_that_nobody_touches_shows_the_board_only(
    browser: TestClient, wall: Wall, service: FakeService
) -> None:
    wall.time += DOORS.idle_ms - 1
    assert browser.get(f"{A}/stays").status_code == 200
    wall.time += 1
    assert board_only(browser)
    assert browser.get(f"{A}/session").json()["may"] == ["session", "board", "show"]
    assert service.calls == []


def test_reading_alone_keeps_nobody_awake_but_a_touch_does(browser: TestClient, wall: Wall) -> None:
    for _ in range(3):
        wall.time += DOORS.idle_ms - MINUTE
        assert browser.get(f"{A}/session", headers={"X-Ward-Active": "1"}).json()["limited"] is False
    wall.time += DOORS.idle_ms - MINUTE
    assert browser.post(SHELVE, json={"minutes": 5}).status_code == 200
    wall.time += DOORS.idle_ms - MINUTE
    assert browser.get(f"{A}/stays").status_code == 200  # a page that renews itself
    wall.time += MINUTE
    assert board_only(browser)


def test_what_is_idle_is_not_woken_by_a_touch(browser: TestClient, wall: Wall) -> None:
    wall.time += DOORS.idle_ms
    browser.get(f"{A}/session", headers={"X-Ward-Active": "1"})
    browser.post(SHELVE, json={"minutes": 5})
    assert board_only(browser)


def test_logging_in_again_goes_on(browser: TestClient, wall: Wall) -> None:
    wall.time += DOORS.idle_ms
    old = browser.cookies[COOKIE]
    assert log_in(browser)["limited"] is False
    assert browser.cookies[COOKIE] != old
    assert browser.post(SHELVE, json={"minutes": 5}).status_code == 200


def test_after_a_shift_one_logs_in_again_however_busy(browser: TestClient, wall: Wall) -> None:
    begun = wall.time
    while wall.time < begun + DOORS.session_ms - 10 * MINUTE:
        wall.time += 10 * MINUTE
        assert browser.get(f"{A}/session", headers={"X-Ward-Active": "1"}).json()["limited"] is False
    wall.time = begun + DOORS.session_ms
    assert board_only(browser)
    wall.time += BOARD_MS - 1
    assert board_only(browser)
    wall.time += 1
    assert browser.get(f"{A}/session").status_code == 401


@pytest.mark.parametrize("doors", [Doors(idle_ms=0)])
def test_without_a_limit_nothing_becomes_idle(doors: Doors, browser: TestClient, wall: Wall) -> None:
    wall.time += DOORS.session_ms - 1
    assert not board_only(browser)


def test_another_site_cannot_keep_a_session_awake(browser: TestClient, wall: Wall) -> None:
    wall.time += DOORS.idle_ms - 1
    del browser.headers["X-Ward-Request"]
    assert browser.post(SHELVE, json={"minutes": 5}).status_code == 403
    wall.time += 1
    assert browser.get(f"{A}/session").json()["limited"]


# The wall


@pytest.fixture
def wall_token(engine, wall: Wall):
    return create_token(engine, name="Wall 6A", role="kiosk", wards=["6A"], now=wall())[0]


@pytest.fixture
def screen(client: Client, engine, wall: Wall, wall_token) -> TestClient:
    """A screen on which the link was opened."""
    made = client(follow_redirects=False)
    made.headers["X-Ward-Request"] = "1"
    answer = made.get(f"/login?code={create_link(engine, wall_token.id, wall())}")
    assert answer.status_code == 303
    return made


def test_the_link_of_a_wall_tells_its_language(client: Client, engine, wall: Wall, wall_token) -> None:
    made = client(follow_redirects=False)
    link = f"/login?code={create_link(engine, wall_token.id, wall())}"
    assert made.get(f"{link}&lang=tlh").status_code == 422
    assert made.get(f"{link}&lang=da").headers["location"] == "./?lang=da"
    assert made.get(link).headers["location"] == "./", "opened again in the same browser"


def test_a_wall_shows_the_board_and_does_nothing(screen: TestClient, service: FakeService) -> None:
    who = screen.get(f"{A}/session").json()
    assert (who["role"], who["wards"], who["limited"]) == ("kiosk", ["6A"], False)
    assert who["may"] == ["session", "board", "show"]
    for method, path in [
        ("GET", "stays"),
        ("GET", "stays/stay-6A"),
        ("GET", "alerts"),
        ("POST", "alerts/alert-6A/acknowledge"),
        ("POST", "stays/stay-6A/pause"),
        ("GET", "devices"),
        ("GET", "users"),
    ]:
        assert problem(screen.request(method, f"{A}/{path}", json={}))["type"] == "/problems/forbidden", path
    assert service.calls == []


def test_a_wall_stays_logged_in_while_it_is_used(screen: TestClient, wall: Wall) -> None:
    for _ in range(4):
        wall.time += KIOSK_MS * 3 // 4
        answer = screen.get(f"{A}/session")
        assert answer.json()["limited"] is False
        assert f"Max-Age={KIOSK_MS // 1000}" in answer.headers["set-cookie"]
    wall.time += KIOSK_MS
    assert screen.get(f"{A}/session").status_code == 401


def test_a_wall_ends_when_its_token_is_revoked(screen: TestClient, client: Client, wall_token) -> None:
    assert client("admin").delete(f"{A}/tokens/{wall_token.id}").status_code == 204
    assert screen.get(f"{A}/session").status_code == 401


def test_a_walls_link_works_once_and_not_after_the_token(
    client: Client, engine, wall: Wall, wall_token
) -> None:
    admin = client("admin")
    path = admin.post(f"{A}/tokens/{wall_token.id}/link").json()["path"]
    first, second = client(follow_redirects=False), client(follow_redirects=False)
    assert first.get(f"/{path}").status_code == 303
    assert second.get(f"/{path}").status_code == 401
    page = second.get(f"/{path}", headers={"Accept": "text/html"})
    assert "ask for a new one" in page.text
    assert page.headers["content-type"].startswith("text/html")
    path = admin.post(f"{A}/tokens/{wall_token.id}/link").json()["path"]
    admin.delete(f"{A}/tokens/{wall_token.id}")
    assert second.get(f"/{path}").status_code == 401
    assert admin.post(f"{A}/tokens/{wall_token.id}/link").status_code == 422


def test_a_wall_needs_its_wards(client: Client) -> None:
    answer = client("admin").post(f"{A}/tokens", json={"name": "x", "role": "kiosk"})
    assert "ward" in problem(answer)["errors"][0]["message"]


# Scopes

USES = {
    "GET stays": {"read", "read:vitals", "read:alerts"},
    "GET stays/stay-6A": {"read"},
    "GET stays/stay-6A/vitals": {"read", "read:vitals"},
    "GET stays/stay-6A/score": {"read", "read:vitals"},
    "GET alerts": {"read", "read:alerts"},
    "GET alerts/alert-6A": {"read", "read:alerts"},
    "GET rules": {"read", "read:rules"},
    "GET devices": {"read", "read:devices"},
    "GET dead-letters": {"read", "read:devices"},
    "POST stays/stay-6A/observations": {"write:observations"},
    "POST stays": {"admit"},
    "POST stays/stay-6A/discharge": {"admit"},
    "GET /metrics": {"monitor"},
    "GET session": set(SCOPES),
    "POST alerts/alert-6A/shelve": set(),
    "GET users": set(),
}


@pytest.mark.parametrize("scope", sorted(SCOPES))
def test_a_token_does_what_its_scope_says_and_no_more(scope: str, client: Client, engine, wall: Wall) -> None:
    _, secret = create_token(engine, name="x", role="integration", scopes=[scope], now=wall())
    program = client()
    program.headers["Authorization"] = f"Bearer {secret}"
    for call, allowed in USES.items():
        method, path = call.split(" ")
        answer = program.request(method, path if path.startswith("/") else f"{A}/{path}", json={})
        assert (answer.status_code != 403) == (scope in allowed), (call, answer.text)
        if answer.status_code == 403 and allowed:
            assert any(f"“{needed}”" in answer.json()["detail"] for needed in allowed)


def test_scopes_are_for_programs(client: Client) -> None:
    admin = client("admin")
    for given in (
        {"role": "clinician", "scopes": ["read"]},
        {"role": "integration", "scopes": []},
        {"role": "integration", "scopes": ["everything"]},
    ):
        assert admin.post(f"{A}/tokens", json={"name": "x", **given}).status_code == 422, given
    made = admin.post(f"{A}/tokens", json={"name": "x", "role": "integration", "scopes": ["admit", "read"]})
    assert made.json()["scopes"] == ["admit", "read"]


# Streams that are open


@contextmanager
def stream_of(live: str, **headers: str) -> Iterator[Stream]:
    with (
        httpx.Client(base_url=live, trust_env=False, timeout=60) as client,
        client.stream("GET", f"{A}/events", headers=headers) as response,
    ):
        assert response.status_code == 200, response.read()
        yield Stream(response)


def of_browser(browser: TestClient) -> dict[str, str]:
    return {"Cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}


def publish(service: FakeService) -> None:
    """A stay and an alert with everything that is private in them."""
    service.refresh()
    stay = {**service.board.stays["stay-6A"], "patient_ref": "SECRET-REF"}
    alert = an_alert(note="SECRET-NOTE", shelve_reason="SECRET-REASON")
    data = {"alert": {**vars_of(alert)}, "event": {"kind": "raised", "detail": {"note": "SECRET-DETAIL"}}}
    service.hub.publish("alert", data, "6A", 99)
    service.hub.publish("stay", stay, "6A")


def vars_of(alert: object) -> dict:
    from ward.web.views import alert_view

    return alert_view(alert)


def test_the_board_of_a_wall_names_no_patient_and_tells_no_notes(
    live: str, screen: TestClient, service: FakeService
) -> None:
    with stream_of(live, **of_browser(screen), **{"Last-Event-ID": "0"}) as stream:
        got = [stream.until("snapshot")]
        publish(service)
        got += [stream.until("alert"), stream.until("stay")]
    assert {stay["id"] for stay in got[0].data["stays"]} == {"stay-6A"}
    assert got[0].data["stays"][0]["bed"] == "1"
    assert got[1].data["alert"]["title"] == "SpO2 below 88 % for 10 min"
    text = json.dumps([one.data for one in got])
    assert "P-6A" not in text
    assert "SECRET" not in text

    def private(value: object) -> Iterator[object]:
        if isinstance(value, dict):
            for name, item in value.items():
                yield from [item] if name in PRIVATE else private(item)
        elif isinstance(value, list):
            for item in value:
                yield from private(item)

    found = [value for one in got for value in private(one.data)]
    assert found
    assert set(found) == {None}


def test_who_is_logged_in_gets_all_of_it(live: str, browser: TestClient, service: FakeService) -> None:
    with stream_of(live, **of_browser(browser)) as stream:
        assert stream.until("snapshot").data["stays"][0]["patient_ref"] == "P-6A"
        publish(service)
        assert stream.until("alert").data["alert"]["note"] == "SECRET-NOTE"


def test_a_board_that_becomes_idle_goes_on_live_without_names(
    live: str, browser: TestClient, service: FakeService, wall: Wall
) -> None:
    with stream_of(live, **of_browser(browser)) as stream:
        stream.until("heartbeat")
        wall.time += DOORS.idle_ms
        stream.rest()  # it ends, and the page comes back
    with stream_of(live, **of_browser(browser)) as stream:
        assert stream.until("snapshot").data["stays"][0]["patient_ref"] is None
        stream.until("heartbeat")
        publish(service)
        assert stream.until("stay").data["patient_ref"] is None


@pytest.fixture
def slow(service: FakeService, app: FastAPI) -> None:
    """No heartbeat comes in time: what ends a stream is the change itself."""
    app.state.heartbeat_s = 60.0


@pytest.mark.parametrize("what", ["disabled", "ward", "role", "log out", "elsewhere", "reset"])
def test_a_change_ends_open_streams_at_once(
    what: str, slow: None, live: str, client: Client, user: User, engine, service: FakeService
) -> None:
    mine = user()
    browser, admin = client(), client("admin")
    browser.headers["X-Ward-Request"] = "1"
    log_in(browser)
    with stream_of(live, **of_browser(browser)) as stream:
        stream.until("heartbeat")
        path = f"{A}/users/{mine.id}"
        answer = {
            "disabled": lambda: admin.patch(path, json={"disabled": True}),
            "ward": lambda: admin.patch(path, json={"wards": ["6B"]}),
            "role": lambda: admin.patch(path, json={"role": "clinician"}),
            "log out": lambda: browser.delete(f"{A}/session"),
            "elsewhere": lambda: admin.delete(f"{path}/sessions"),
            "reset": lambda: admin.post(f"{path}/reset"),
        }[what]()
        assert answer.status_code in (200, 201, 204), answer.text
        service.hub.publish("device", {"id": "6A/mon-1"}, "6A")
        assert [event.kind for event in stream.rest()] == []


def test_a_change_of_somebody_else_ends_nothing(
    slow: None, live: str, browser: TestClient, client: Client, user: User, service: FakeService
) -> None:
    other = user("other")
    with stream_of(live, **of_browser(browser)) as stream:
        stream.until("heartbeat")
        client("admin").patch(f"{A}/users/{other.id}", json={"disabled": True})
        stream.until("heartbeat")
        service.hub.publish("device", {"id": "6A/mon-1"}, "6A")
        assert stream.until("device").data["id"] == "6A/mon-1"


def test_a_change_on_the_command_line_ends_streams_by_the_next_heartbeat(
    live: str, user: User, client: Client, engine, wall: Wall
) -> None:
    mine = user()
    browser = client()
    log_in(browser)
    with stream_of(live, **of_browser(browser)) as stream:
        stream.until("heartbeat")
        change_user(engine, mine.id, wall(), disabled=True)
        stream.rest()
