"""Coming in through the hospital's log-in: a real small provider, and one that lies."""

# ruff: noqa: F811 - fixtures are imported
from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI

from tests.brokers import until
from tests.ports import free_port
from tests.web.conftest import Client, TestClient, log_in, problem
from tests.web.provider import (  # noqa: F401
    GRANTS,
    Provider,
    begin,
    come_in,
    doors,
    given,
    guest,
    provider,
    refused,
)
from ward.config import SettingsError, load_settings
from ward.store import people
from ward.web.doors import Doors, doors_of
from ward.web.identity import create_token
from ward.web.oidc import Flow

A = "/api/v1"


def test_who_is_known_there_comes_in_with_what_is_mapped(guest: TestClient, provider: Provider) -> None:
    answer = come_in(guest, provider)
    assert (answer.status_code, answer.headers["location"]) == (303, "../../")
    who = guest.get(f"{A}/session").json()
    assert (who["name"], who["role"], who["wards"]) == ("Nina Weiß", "nurse", ["6A"])
    assert who["log_out_url"] == f"{provider.issuer}/end?client_id=ward"
    assert [s["id"] for s in guest.get(f"{A}/stays").json()["items"]] == ["stay-6A"]
    scheme, _, sent = provider.authorization.partition(" ")
    assert scheme == "Basic"
    assert base64.b64decode(sent).decode() == "ward:a%20secret%20with%20%C3%BC%20and%20%25"
    assert guest.get(f"{A}/session/ways").json()["oidc"] == "Hospital log-in"


@pytest.mark.parametrize(
    ("groups", "role", "wards"),
    [
        (["ward-6a", "ward-6b"], "nurse", ["6A", "6B"]),
        (["ward-6a", "doctors"], "clinician", None),
        (["surgeons"], "clinician", ["6B"]),
        (["surgeons", "doctors"], "clinician", None),
        (["it", "ward-6a"], "admin", None),
        ("doctors", "clinician", None),
    ],
)
def test_the_role_that_may_most_counts_with_the_wards_of_all(
    guest: TestClient, provider: Provider, groups: object, role: str, wards: list[str] | None
) -> None:
    provider.claims["groups"] = groups
    come_in(guest, provider)
    who = guest.get(f"{A}/session").json()
    assert (who["role"], who["wards"]) == (role, wards)


@pytest.mark.parametrize("groups", [[], ["staff"], None, "WARD-6A", {"ward-6a": 1}, ["ward-6a "], 7])
def test_whom_nothing_maps_stays_outside(guest: TestClient, provider: Provider, groups: object) -> None:
    provider.claims["groups"] = groups
    provider.userinfo = {"sub": "u-1"}
    refused(come_in(guest, provider), "nobody has let you in", 403)


def test_groups_may_be_in_userinfo_of_the_same_person_only(guest: TestClient, provider: Provider) -> None:
    provider.claims["groups"] = None
    provider.userinfo = {"sub": "u-1", "groups": ["doctors"]}
    come_in(guest, provider)
    assert guest.get(f"{A}/session").json()["role"] == "clinician"
    provider.userinfo["sub"] = "u-2"
    refused(come_in(guest, provider), "cannot be trusted")


# The way there and back


def test_the_answer_must_come_to_the_browser_that_asked(
    guest: TestClient, client: Client, provider: Provider
) -> None:
    theirs = provider.permit(begin(client(follow_redirects=False)))
    refused(guest.get(f"/login/oidc/callback?{theirs}"), "not begun in this browser")
    begin(guest)
    refused(guest.get(f"/login/oidc/callback?{theirs}"), "not begun in this browser")
    assert provider.exchanged == {}


@pytest.mark.parametrize(
    "query", ["", "code=x", "state=x", "code=x&state=", "error=access_denied", "state=%FF%00"]
)
def test_any_other_answer_is_refused(query: str, guest: TestClient, provider: Provider) -> None:
    begin(guest)
    refused(guest.get(f"/login/oidc/callback?{query}"), "not begun in this browser")


def test_an_answer_works_once(guest: TestClient, provider: Provider) -> None:
    query = provider.permit(begin(guest))
    assert guest.get(f"/login/oidc/callback?{query}").status_code == 303
    refused(guest.get(f"/login/oidc/callback?{query}"), "not begun in this browser")


def test_a_refusal_and_another_issuer_are_told_in_words(guest: TestClient, provider: Provider) -> None:
    state = parse_qs(urlsplit(begin(guest)).query)["state"][0]
    answer = guest.get(f"/login/oidc/callback?error=access_denied&state={state}")
    refused(answer, "did not let you in")
    query = provider.permit(begin(guest), iss="https://elsewhere.example")
    refused(guest.get(f"/login/oidc/callback?{query}"), "cannot be trusted")


def test_nothing_in_the_address_leads_elsewhere(guest: TestClient, provider: Provider) -> None:
    more = "&next=https://elsewhere.example&redirect_uri=https://elsewhere.example"
    url = guest.get(f"/login/oidc?next=https://elsewhere.example{more}").headers["location"]
    assert parse_qs(urlsplit(url).query)["redirect_uri"] == ["http://testserver/login/oidc/callback"]
    answer = guest.get(f"/login/oidc/callback?{provider.permit(url)}{more}")
    assert answer.headers["location"] == "../../"


def test_the_flow_is_bound_and_short(guest: TestClient, client: Client) -> None:
    cookie = guest.get("/login/oidc").headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", "Max-Age=600"))
    safe = client(base_url="https://ward.example", follow_redirects=False)
    cookie = safe.get("/login/oidc").headers["set-cookie"]
    assert cookie.startswith("__Host-ward_flow=")
    assert "Secure" in cookie


def test_state_nonce_and_verifier_tell_nothing_of_each_other() -> None:
    flow = Flow.begin("")
    parts = {flow.derived(what) for what in ("state", "nonce", "verifier")} | {flow.secret}
    assert len(parts) == 4
    assert all(len(part) >= 43 for part in parts)
    assert Flow.of_cookie(flow.cookie) == flow


def test_whoever_sits_before_an_open_screen_proves_who_she_is(guest: TestClient, provider: Provider) -> None:
    assert "prompt" not in begin(guest)
    come_in(guest, provider)
    before = guest.cookies["ward_session"]
    assert "prompt=login" in begin(guest)
    come_in(guest, provider)
    assert guest.cookies["ward_session"] != before
    guest.cookies["ward_session"] = before
    assert guest.get(f"{A}/session").status_code == 401


def test_a_provider_that_is_away_or_wrong_is_told_in_words(
    guest: TestClient, provider: Provider, wall
) -> None:
    provider.down = True
    answer = guest.get("/login/oidc")
    assert answer.status_code == 503
    assert "cannot be reached" in answer.text
    provider.down = False
    wall.time += 10_001
    for metadata in (
        {"issuer": "https://elsewhere.example"},
        {"token_endpoint": "http://elsewhere.example/token"},
        {"jwks_uri": None},
    ):
        provider.metadata = metadata
        refused(guest.get("/login/oidc"), "cannot be trusted")
        wall.time += 10_001
    provider.metadata = {}
    begin(guest)


def test_a_role_taken_away_there_is_gone_at_the_next_log_in(guest: TestClient, provider: Provider) -> None:
    provider.claims["groups"] = ["doctors"]
    come_in(guest, provider)
    provider.claims["groups"] = ["ward-6b"]
    come_in(guest, provider)
    assert guest.get(f"{A}/session").json()["role"] == "nurse"


def test_a_name_is_nobody_elses(guest: TestClient, provider: Provider, client: Client, user, engine) -> None:
    """A provider that calls somebody like a local user does not become her."""
    local = user("nina", "admin")
    come_in(guest, provider)
    assert guest.get(f"{A}/session").json()["role"] == "nurse"
    with engine.connect() as connection:
        found = people.find_subject(connection, provider.issuer, "u-1")
    assert found.id != local.id
    assert found.login == "u-1"
    provider.claims.update(sub="u-2")
    come_in(guest, provider)
    log_in(client(), "nina")


def test_who_is_disabled_here_stays_outside(guest: TestClient, provider: Provider, client: Client) -> None:
    come_in(guest, provider)
    admin = client("admin")
    (made,) = admin.get(f"{A}/users").json()["items"]
    assert made["issuer"] == provider.issuer
    admin.patch(f"{A}/users/{made['id']}", json={"disabled": True})
    assert guest.get(f"{A}/session").status_code == 401
    refused(come_in(guest, provider), "not let in here any more", 403)
    assert problem(admin.post(f"{A}/users/{made['id']}/reset"))["status"] == 409


def test_who_came_from_there_has_no_password_here(guest: TestClient, provider: Provider) -> None:
    come_in(guest, provider)
    answer = guest.post(f"{A}/session", json={"login": "nina", "password": ""})
    assert answer.status_code == 422
    answer = guest.post(f"{A}/session", json={"login": "nina", "password": "three words nobody joins"})
    assert answer.status_code == 401


@pytest.mark.parametrize("doors", [Doors()])
def test_without_a_log_in_of_the_hospital_there_is_no_way_to_it(doors: Doors, guest: TestClient) -> None:
    assert problem(guest.get("/login/oidc"))["status"] == 404
    assert problem(guest.get("/login/oidc/callback?code=x&state=y"))["status"] == 404


# A real provider


@pytest.fixture
def real(request: pytest.FixtureRequest) -> Iterator[str]:
    """oidc-provider-mock as a server of its own; its issuer."""
    port = free_port()
    nina = json.dumps({"sub": "u-nina", "name": "Nina Weiß", "groups": ["ward-6a"]})
    guest = json.dumps({"sub": "u-guest", "name": "A guest", "groups": ["visitors"]})
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "oidc_provider_mock",
        "-p",
        str(port),
        "--require-nonce",
        "true",
    ]
    process = subprocess.Popen(
        [*command, "--user-claims", nina, "--user-claims", guest],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def is_up() -> bool:
        assert process.poll() is None
        try:
            return httpx.get(f"http://127.0.0.1:{port}/", trust_env=False, timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    until(is_up, 30)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(60)


def test_with_a_real_provider(real: str, service, ui, passwords, engine) -> None:
    from ward.clock import wall_ms
    from ward.web.app import create_app

    app: FastAPI = create_app(service, ui=ui, passwords=passwords, doors=Doors(oidc=given(real)))
    for subject, status in (("u-nina", 303), ("u-guest", 403)):
        guest = TestClient(app, follow_redirects=False)
        there = begin(guest)
        sent = httpx.post(there, data={"sub": subject}, trust_env=False)
        assert sent.status_code == 302, sent.text
        back = urlsplit(sent.headers["location"])
        assert f"{back.scheme}://{back.netloc}{back.path}" == "http://testserver/login/oidc/callback"
        answer = guest.get(f"{back.path}?{back.query}")
        assert answer.status_code == status, answer.text
    nina = TestClient(app, follow_redirects=False)
    sent = httpx.post(begin(nina), data={"sub": "u-nina"}, trust_env=False)
    nina.get(sent.headers["location"].removeprefix("http://testserver"))
    who = nina.get(f"{A}/session").json()
    assert (who["name"], who["role"], who["wards"]) == ("Nina Weiß", "nurse", ["6A"])
    assert who["log_out_url"].startswith(f"{real}/oauth2/end_session?")
    _, secret = create_token(engine, name="x", role="admin", now=wall_ms())
    listed = nina.get(f"{A}/users", headers={"Authorization": f"Bearer {secret}"}).json()["items"]
    assert [one["issuer"] for one in listed] == [real]  # twice she was the same
    denied = httpx.post(begin(nina), data={"action": "deny"}, trust_env=False)
    location = urlsplit(denied.headers["location"])
    assert "error=access_denied" in location.query
    answer = nina.get(f"{location.path}?{location.query}")
    assert answer.status_code == 401


# Settings


def settings(**more: Any) -> Doors:
    return doors_of(load_settings(environ={}, **more)[0])


def test_settings_of_the_log_in(tmp_path) -> None:
    assert settings().oidc is None
    (tmp_path / "secret").write_text("hush\n")
    made = settings(
        oidc_issuer="https://login.example",
        oidc_client_id="ward",
        oidc_client_secret_file=tmp_path / "secret",
        oidc_grants=GRANTS,
        oidc_claim="roles",
    ).oidc
    assert made is not None
    assert (made.client_secret, made.claim) == ("hush", "roles")
    assert made.grants["ward-6a"].wards == {"6A"}
    assert made.grants["doctors"].wards is None


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"oidc_issuer": "http://login.example"}, "https"),
        ({"oidc_issuer": "https://login.example"}, "oidc_client_id"),
        ({"oidc_issuer": "https://login.example", "oidc_client_id": "ward"}, "oidc_grants"),
        (
            {"oidc_issuer": "https://x.example", "oidc_client_id": "w", "oidc_grants": "a=nurse"},
            "needs wards",
        ),
        ({"oidc_issuer": "https://x.example", "oidc_client_id": "w", "oidc_grants": "a=king"}, "allowed"),
        ({"oidc_issuer": "https://x.example", "oidc_client_id": "w", "oidc_grants": "a"}, "allowed"),
    ],
)
def test_settings_that_do_not_fit_stop_the_start(more: dict, words: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(words)):
        settings(**more)
