"""A web application around a fake service, on a real database; and clients with every kind of credentials."""

from __future__ import annotations

import shutil
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import Engine

from tests.web.fake import NOON, FakeService
from ward.alerts.model import Alert, Event
from ward.store import alerts, events, people, stays
from ward.store.database import migrate, open_database
from ward.web.app import create_app
from ward.web.doors import Doors
from ward.web.identity import create_token
from ward.web.limits import Budget, Limits
from ward.web.passwords import Passwords
from ward.web.people import create_user

with warnings.catch_warnings():
    # Starlette asks for httpx2, which is not among our dependencies yet; httpx does what is needed.
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient

ENOUGH = Budget("enough", 1e9, 1e9)
UNLIMITED = Limits(ENOUGH, ENOUGH, ENOUGH, ENOUGH, ENOUGH)
"""Tests ask more in a second than a ward in an hour; those of the limits bring their own."""
WARDS = {"nurse": ["6A"], "clinician": None, "admin": None, "integration": None, "kiosk": ["6A"]}


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "ward.db"
    engine = open_database(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def schema(template: Path) -> dict:
    """The API's description, made once: that takes longer than most tests."""
    engine = open_database(f"sqlite:///{template}")
    yield create_app(FakeService(engine)).openapi()
    engine.dispose()


@pytest.fixture
def engine(template: Path, tmp_path: Path) -> Iterator[Engine]:
    shutil.copy(template, tmp_path / "ward.db")
    engine = open_database(f"sqlite:///{tmp_path / 'ward.db'}")
    yield engine
    engine.dispose()


def an_alert(id: str = "alert-6A", stay: str = "stay-6A", ward: str = "6A", **changes: object) -> Alert:
    given = {
        "rule": "spo2-below-88",
        "title": "SpO2 below 88 % for 10 min",
        "priority": "high",
        "kind": "physiological",
        "state": "active",
        "signal": "spo2",
        "value": 86.0,
        "breach_since": NOON - 600_000,
        "raised_at": NOON,
        "announced_at": NOON + 12,
        "sustained": True,
    }
    return Alert(id=id, stay=stay, ward=ward, bed="1", **{**given, **changes})


@pytest.fixture
def service(engine: Engine) -> FakeService:
    made = FakeService(engine)
    furnish(made)
    return made


def furnish(made: FakeService) -> None:
    """Two wards with a stay each; each stay with an active alert and one pending."""
    with made.engine_db.begin() as tx:
        for ward in ("6A", "6B"):
            stays.admit(
                tx,
                stay=f"stay-{ward}",
                patient_ref=f"P-{ward}",
                ward=ward,
                bed="1",
                devices=["mon-1"],
                at=NOON,
            )
            alert = an_alert(f"alert-{ward}", f"stay-{ward}", ward)
            alerts.save_alerts(tx, [alert])
            events.append_events(
                tx, [Event(NOON, alert.stay, ward, alert.id, "raised", None, "pending", "active")]
            )
            made.pending[f"stay-{ward}"] = [
                {
                    "id": f"pending-{ward}",
                    "rule": "hr-above-130",
                    "title": "HR above 130 for 5 min",
                    "priority": "medium",
                    "kind": "physiological",
                    "state": "pending",
                    "since": "2026-11-21T11:58:00.000Z",
                    "left_s": 180.0,
                    "signal": "hr",
                    "value": 133.0,
                }
            ]
            made.devices += [
                {"id": f"{ward}/mon-1", "ward": ward, "device": "mon-1", "stay": f"stay-{ward}"},
                {"id": f"{ward}/mon-9", "ward": ward, "device": "mon-9", "stay": None},
            ]
    made.refresh()


class Wall:
    """The machine's time, in the tests' hands."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> int:
        return self.time


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def ui(tmp_path: Path) -> Path:
    folder = tmp_path / "ui_dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>ward</title>")
    (folder / "assets" / "index-1a2b.js").write_text("export {};")
    return folder


@pytest.fixture(scope="session")
def passwords() -> Passwords:
    """As in earnest, but for the cost of a hash, which would be most of the tests' time."""
    return Passwords(PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),)))


@pytest.fixture
def doors() -> Doors:
    return Doors()


@pytest.fixture
def app(service: FakeService, wall: Wall, ui: Path, doors: Doors, passwords: Passwords) -> FastAPI:
    return create_app(
        service, wall=wall, heartbeat_s=0.05, ui=ui, doors=doors, passwords=passwords, limits=UNLIMITED
    )


PASSWORD = "three words nobody joins"
User = Callable[..., people.User]


@pytest.fixture
def user(engine: Engine, wall: Wall, passwords: Passwords) -> User:
    """``user("jberg", "nurse", ["6A"])``: a user whose password is ``PASSWORD``."""

    def make(login: str = "jberg", role: str = "nurse", wards: list[str] | None = None) -> people.User:
        listed = ["6A"] if role == "nurse" and wards is None else wards
        hashed = passwords.hash_now(PASSWORD)
        return create_user(
            engine, login=login, name=f"The {login}", role=role, wards=listed, now=wall(), hashed=hashed
        )

    return make


@pytest.fixture
def browser(client: Client, user: User) -> TestClient:
    """A nurse of ward 6A who logged in with her password."""
    user()
    made = client()
    made.headers["X-Ward-Request"] = "1"
    log_in(made)
    return made


def log_in(browser: TestClient, login: str = "jberg", password: str = PASSWORD, **more: object) -> Any:
    """The answer to it, which must be a yes."""
    answer = browser.post("/api/v1/session", json={"login": login, "password": password}, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


Client = Callable[..., TestClient]


@pytest.fixture
def client(app: FastAPI, engine: Engine, wall: Wall) -> Client:
    """``client("nurse", ["6A"])``: a client with a token; ``client()`` without any."""

    def make(role: str | None = None, wards: list[str] | None = None, **options: object) -> TestClient:
        made = TestClient(app, **options)
        if role is not None:
            listed = WARDS[role] if wards is None else wards
            _, secret = create_token(engine, name=f"the {role}", role=role, wards=listed, now=wall())
            made.headers["Authorization"] = f"Bearer {secret}"
        return made

    return make


@pytest.fixture
def nurse(client: Client) -> TestClient:
    return client("nurse")


@pytest.fixture
def clinician(client: Client) -> TestClient:
    return client("clinician")


@pytest.fixture
def live(app: FastAPI, service: FakeService) -> Iterator[str]:
    """The base URL of the application on a real server: streams cannot be tested without one."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    service.hub.close()
    server.should_exit = True
    thread.join(60)
    assert not thread.is_alive()


def problem(response: httpx.Response) -> dict:
    """The problem details of an answer, checked for their shape."""
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert {"type", "title", "status", "detail", "instance"} <= set(body)
    assert body["status"] == response.status_code
    assert body["type"].startswith("/problems/")
    return body
