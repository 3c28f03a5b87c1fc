"""What an ``Idempotency-Key`` stands for is done once, wherever its first attempt fails: before the act, in
its transaction, or after it, when only the answer was lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from tests.live.world import World
from tests.web.conftest import TestClient, problem
from ward.errors import ConflictError
from ward.store.events import list_events
from ward.store.idempotency import present
from ward.store.tables import drafts, idempotency
from ward.web.app import create_app
from ward.web.idempotency import Idempotent
from ward.web.identity import create_token

A = "/api/v1"
KEY = {"Idempotency-Key": "one"}
AWAY = OperationalError("", {}, sqlite3.OperationalError("gone"))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def clinician(world: World) -> TestClient:
    async def call(command: str, **arguments: Any) -> Any:
        return world.do(command, **arguments)

    world.service.call = call  # type: ignore[method-assign]  # there is no core's thread
    app = create_app(world.service, wall=lambda: world.now)
    _, secret = create_token(world.service.engine_db, name="Ann", role="clinician", wards=None, now=world.now)
    return TestClient(app, headers={"Authorization": f"Bearer {secret}"}, raise_server_exceptions=False)


def once(whole: Callable[..., Any], error: Exception, *, after: bool) -> Callable[..., Any]:
    """``whole``, which fails the first time, before or after it did its work."""
    left = [error]

    def do(*given: Any, **named: Any) -> Any:
        if left and not after:
            raise left.pop()
        result = whole(*given, **named)
        if left:
            raise left.pop()
        return result

    return do


def kinds(world: World, stay: str) -> list[str]:
    with world.service.engine_db.connect() as connection:
        return [one.event.kind for one in list_events(connection, stay=stay).items]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("part", ["load_stay", "commit"])
def test_an_act_whose_answer_was_lost_is_not_done_again(
    world: World, clinician: TestClient, part: str, after: bool
) -> None:
    stay, core = world.admit(), world.service.core
    setattr(core, part, once(getattr(core, part), AWAY, after=after))
    path = f"{A}/stays/{stay}/devices"
    assert clinician.post(path, json={"device": "pump"}, headers=KEY).status_code == 503
    again = clinician.post(path, json={"device": "pump"}, headers=KEY)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    third = clinician.post(path, json={"device": "pump"}, headers=KEY)
    assert (third.json(), third.headers["idempotency-replayed"]) == (again.json(), "true")
    assert kinds(world, stay).count("attached") == 1


def test_an_act_that_failed_in_its_transaction_may_be_tried_again(
    world: World, clinician: TestClient
) -> None:
    stay = world.admit()
    failing = [AWAY]

    def fail(*_: Any) -> None:
        if failing and any(act.key == "one" for act in present()):
            raise failing.pop()

    event.listen(world.service.engine_db, "commit", fail)
    path = f"{A}/stays/{stay}/devices"
    assert clinician.post(path, json={"device": "pump"}, headers=KEY).status_code == 503
    assert kinds(world, stay).count("attached") == 0
    again = clinician.post(path, json={"device": "pump"}, headers=KEY)
    assert again.status_code == 201
    assert "idempotency-replayed" not in again.headers
    assert kinds(world, stay).count("attached") == 1


def test_what_waits_in_memory_for_the_database_is_not_done_again(world: World, clinician: TestClient) -> None:
    """A note changes the book first; the database, away for a moment, gets it with the next commit."""
    stay, core = world.admit(), world.service.core
    world.live(30, hr=80, spo2=97)
    world.live(66, hr=80, spo2=78)
    (alert,) = [a for a in world.alerts() if a.rule == "spo2-below-80"]
    core.commit = once(core.commit, AWAY, after=False)  # type: ignore[method-assign]
    path, body = f"{A}/alerts/{alert.id}/assess", {"note": "moved the probe"}
    assert clinician.post(path, json=body, headers=KEY).status_code == 503
    again = clinician.post(path, json=body, headers=KEY)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (200, "true")
    assert kinds(world, stay).count("noted") == 1


def test_after_a_crash_between_act_and_answer_the_key_is_known(
    world: World, clinician: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    stay = world.admit()

    def lost(self: Idempotent, status: int, body: Any) -> None:
        raise AWAY

    with monkeypatch.context() as crashing:
        crashing.setattr(Idempotent, "_remember", lost)
        path = f"{A}/stays/{stay}/transfer"
        assert clinician.post(path, json={"ward": "w", "bed": "9"}, headers=KEY).status_code == 503
    world.crash()
    with world.service.engine_db.connect() as connection:
        row = connection.execute(select(idempotency.c.status, idempotency.c.body)).one()
    assert tuple(row) == (200, None)


def test_a_refused_act_leaves_its_key_free(world: World, clinician: TestClient) -> None:
    stay = world.admit()
    world.admit("2", ())
    path = f"{A}/stays/{stay}/transfer"
    refused = clinician.post(path, json={"ward": "w", "bed": "2"}, headers=KEY)
    assert problem(refused)["status"] == ConflictError.status
    with world.service.engine_db.connect() as connection:
        assert connection.execute(select(idempotency)).all() == []


def test_a_draft_whose_view_fails_is_proposed_once(world: World, clinician: TestClient) -> None:
    service = world.service
    body = {"title": "t", "scope": "all", "rules": [{"id": "spo2-below-88", "for": "5m"}]}
    service.rules = once(service.rules, RuntimeError("broken"), after=False)  # type: ignore[method-assign]
    seen = [clinician.post(f"{A}/drafts", json=body, headers=KEY).status_code for _ in range(2)]
    with service.engine_db.connect() as connection:
        found = connection.execute(select(drafts.c.id)).all()
    assert (seen, len(found)) == ([500, 201], 1)
