"""Denied by default: the walk of ``tests.web.doors`` finds no way in, and would find one."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from tests.web import doors
from tests.web.doors import House, Walk, walk_all
from tests.web.fake import FakeService
from ward.web import access
from ward.web.access import Principal, api_routes
from ward.web.identity import Identity

UNLISTED = {"GET /openapi.json", "GET /docs", "GET /docs.css", "GET /problems/{type}"} | {
    "GET /login/oidc",
    "GET /login/oidc/callback",
}
"""Routes that the document does not describe: itself, pages without data, and the hospital's own log-in."""


@pytest.fixture
def house(app: FastAPI, engine: Engine, service: FakeService, wall) -> House:
    return House(app, engine, service, wall)


def test_no_way_in(house: House) -> None:
    """Figures: ``python -m tests.web.doors``."""
    walk = walk_all(house)
    print(f"\n{doors.table(walk)}")
    assert walk.wrong == []
    assert set(walk.tried) >= {"none", "wrong", "expired", "revoked", "lesser role", "another ward"}
    assert all(walk.tried[kind] >= walk.operations for kind in ("none", "wrong", "expired", "revoked"))


def test_the_document_lists_every_route(house: House, app: FastAPI) -> None:
    routes = {f"{method} {route.path}" for route in api_routes(app) for method in route.methods}
    assert routes - {str(operation) for operation in house.operations} == UNLISTED


def found(house: House, part) -> set[str]:
    """What a walk finds wrong, of a few operations only: that takes less time."""
    walk = Walk()
    house.guarded = house.guarded[:3] + house.guarded[30::9]
    asyncio.run(part(house, walk))
    return {line.partition(":")[0] for line in walk.wrong}


def test_a_walk_finds_wards_that_are_not_kept_apart(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Principal, "sees", lambda self, ward: True)
    assert found(house, doors.walk_other_ward) == {"another ward"}


def test_a_walk_finds_a_role_that_may_too_much(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Principal, "may", lambda self, capability: True)
    assert found(house, doors.walk_lesser) == {"lesser role", "lesser scope"}


def test_a_walk_finds_changes_from_other_sites(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "require_same_site", lambda headers: None)
    assert found(house, doors.walk_cross_site) == {"another site"}


def test_a_walk_finds_tokens_that_outlive_their_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    find = doors.create_token.__globals__["store"].find_token
    lasting = {"find_token": lambda connection, hash, now: find(connection, hash, now - 5000)}
    for name, value in lasting.items():
        monkeypatch.setattr(doors.create_token.__globals__["store"], name, value)
    assert found(house, doors.walk_strangers) == {"expired"}


def test_a_walk_finds_a_path_that_goes_around(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    contains = access.Public.__contains__
    monkeypatch.setattr(
        access.Public,
        "__contains__",
        lambda self, request: request[1].endswith("/") or contains(self, request),
    )
    monkeypatch.setattr(
        Identity, "identify", lambda self, headers, secure: dataclasses.replace(ADMIN, session=False)
    )
    assert "other methods" in found(house, doors.walk_tricks)


ADMIN = Principal(name="x", role="admin", wards=None, id="token:x", session=False)
