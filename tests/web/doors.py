"""Every operation of the API with every kind of wrong credentials, counted: ``python -m tests.web.doors``.

What exists is taken from the OpenAPI document, who may what from it and from ``ward.web.access``; so a new
route, role or scope is walked without a change here.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import Engine, func, select

from tests.web.fake import FakeService
from ward.store.access import revoke_token
from ward.store.database import migrate, open_database
from ward.store.tables import metadata, tokens
from ward.web.access import COOKIE, SAFE, SCOPES, WARDED, api_routes, guards
from ward.web.app import create_app
from ward.web.identity import create_code, create_token
from ward.web.openapi import sample
from ward.web.schemas.access import ROLES

SECRET_OF_OTHERS = ("P-6A", "P-6B", "stay-6A", "stay-6B", "alert-6A", "alert-6B", "pending-6", "6A/", "6B/")
"""What nobody of ward 7C may read in an answer."""
IDS = {"stay": "stay-6A", "alert": "alert-6A", "rule": "spo2-below-88", "ward": "6A"}
NOBODY = {"stay": "nobody-0", "alert": "nothing-0", "ward": "9Z"}
UNCOUNTED = {"audit", "attempts", "sessions", "tokens", "login_codes"}
"""Tables that a refusal may touch: it is told in the trail, a failed log-in is counted, a session was seen.
And those by which the walk itself comes in; of these it is known how many there are."""

Headers = dict[str, str] | list[tuple[str, str]]


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    roles: frozenset[str]
    capabilities: frozenset[str]
    body: Any
    named: tuple[str, ...]
    queries: tuple[str, ...]
    required: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_change(self) -> bool:
        return self.method not in SAFE

    def url(self, **ids: str) -> str:
        return re.sub(r"{(\w+)}", lambda m: {**IDS, **ids}.get(m[1], "none-0"), self.path)


@dataclass
class Walk:
    """What was tried, and what went wrong. ``tried`` counts requests by the kind of credentials."""

    tried: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    operations: int = 0

    def expect(self, kind: str, what: object, fine: bool, found: object) -> None:
        self.tried[kind] += 1
        if not fine:
            self.wrong.append(f"{kind}: {what}: {found}")


def operations_of(app: FastAPI) -> list[Operation]:
    schema = app.openapi()
    needed = {(route.path, method): guards(route) for route in api_routes(app) for method in route.methods}
    found = []
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            parameters = operation.get("parameters", ())
            found.append(
                Operation(
                    method.upper(),
                    path,
                    frozenset(operation["x-roles"]),
                    frozenset(needed[path, method.upper()]),
                    content.get("example"),
                    tuple(p["name"] for p in parameters if p["in"] == "path"),
                    tuple(p["name"] for p in parameters if p["in"] == "query"),
                    {
                        p["name"]: sample(p["schema"], schema["components"]["schemas"], p["name"])
                        for p in parameters
                        if p["in"] == "query" and p.get("required")
                    },
                )
            )
    return found


def digest(engine: Engine) -> str:
    """All that is stored, but what any request may touch."""
    found = hashlib.sha256()
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            if table.name not in UNCOUNTED:
                rows = sorted(repr(tuple(row)) for row in connection.execute(select(table)))
                found.update(f"{table.name}{rows}".encode())
    return found.hexdigest()


class House:
    """The application with wards 6A and 6B, and who stands before its doors."""

    def __init__(self, app: FastAPI, engine: Engine, service: FakeService, wall: Any) -> None:
        self.app, self.engine, self.service, self.wall = app, engine, service, wall
        self.operations = operations_of(app)
        self.guarded = [operation for operation in self.operations if operation.roles]
        self.made = 0
        service.hub.close()  # a stream tells what it has and ends

    def client(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://ward.test")

    async def send(self, client: httpx.AsyncClient, operation: Operation, **options: Any) -> httpx.Response:
        ids = options.pop("ids", {})
        if operation.body is not None and "json" not in options:
            options["json"] = operation.body
        options["params"] = operation.required | (options.get("params") or {})
        return await client.request(operation.method, operation.url(**ids), **options)

    def token(self, role: str, wards: list[str] | None = None, **options: Any) -> str:
        if wards is None and role in WARDED:
            wards = ["6A", "6B"]
        self.made += 1
        now = self.wall()
        return create_token(self.engine, name=f"the {role}", role=role, wards=wards, now=now, **options)[1]

    async def session(self, role: str, wards: list[str] | None = None) -> str:
        """A browser's cookie."""
        async with self.client() as client:
            answer = await client.post("/api/v1/session", json={"token": self.token(role, wards)})
            assert answer.status_code == 201, answer.text
            return answer.cookies[COOKIE]


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


async def strangers(house: House) -> AsyncIterator[tuple[str, Headers, dict[str, str]]]:
    """(kind, headers, query): nobody whom the service knows."""
    token, revoked = create_token(house.engine, name="gone", role="admin", now=house.wall())
    house.made += 1
    with house.engine.begin() as tx:
        revoke_token(tx, token.id, house.wall())
    good = house.token("admin")
    cookie = await house.session("admin")
    expired = house.token("admin", expires=house.wall() + 1000)
    code = create_code(house.engine, name="link", role="admin", now=house.wall())
    house.wall.time += 1000
    yield "none", {}, {}
    for text in ("", "Bearer", "Bearer ", f"Basic {good}", good, f"Bearer  x {good}", f"Bearer {good}x"):
        yield "malformed", {"Authorization": text}, {}
    yield "malformed", [("Authorization", f"Bearer {good}".encode().decode() + "\u00fc")], {}
    yield "malformed", {"Authorization": f"Bearer {good.upper()}"}, {}
    yield "malformed", {"Cookie": f"{COOKIE}={cookie}x"}, {}
    yield "malformed", {"Cookie": f"{COOKIE}=; {COOKIE}2={cookie}"}, {}
    yield "wrong", bearer("ward_" + "A" * 43), {}
    yield "wrong", bearer(token.hash), {}
    yield "wrong", bearer(hashlib.sha256(good.encode()).hexdigest()), {}
    yield "wrong", bearer(cookie), {}
    yield "wrong", bearer(code), {}
    yield "wrong", {"Cookie": f"{COOKIE}={good}"}, {}
    yield "wrong", {"Cookie": f"{COOKIE}={hashlib.sha256(cookie.encode()).hexdigest()}"}, {}
    yield "wrong", {"Cookie": f"{COOKIE}={cookie}", **bearer("ward_wrong")}, {}
    yield "expired", bearer(expired), {}
    yield "revoked", bearer(revoked), {}
    for name in ("access_token", "token", "authorization", "code"):
        yield "in the query", {}, {name: good}
    for name in ("X-Forwarded-User", "X-Remote-User", "X-Ward-User", "X-Api-Key", "Proxy-Authorization"):
        yield "in another header", {name: f"Bearer {good}"}, {}


async def walk_strangers(house: House, walk: Walk) -> None:
    async with house.client() as client:
        async for kind, headers, query in strangers(house):
            sent = headers if isinstance(headers, dict) else [(k, v.encode("latin-1")) for k, v in headers]
            for operation in house.guarded:
                answer = await house.send(client, operation, headers=sent, params=query or None)
                fine = answer.status_code == 401 and answer.json()["type"] == "/problems/unauthorized"
                fine = fine and not any(secret in _told(answer, operation) for secret in SECRET_OF_OTHERS)
                walk.expect(kind, operation, fine, (answer.status_code, answer.text[:200]))


async def walk_lesser(house: House, walk: Walk) -> None:
    """Each role that is not allowed, with a token and with a browser's session; each scope that lacks it."""
    async with house.client() as client:
        for role in ROLES:
            refused = [operation for operation in house.guarded if role not in operation.roles]
            secret = house.token(role)
            cookie = {"Cookie": f"{COOKIE}={await house.session(role)}", "X-Ward-Request": "1"}
            for operation in refused:
                for headers in (bearer(secret), cookie):
                    answer = await house.send(client, operation, headers=headers)
                    walk.expect(
                        "lesser role", operation, answer.status_code == 403, (role, answer.status_code)
                    )
        for scope, allowed in SCOPES.items():
            secret = house.token("integration", scopes=[scope])
            for operation in house.guarded:
                if "integration" in operation.roles and not operation.capabilities <= allowed | {"session"}:
                    answer = await house.send(client, operation, headers=bearer(secret))
                    walk.expect(
                        "lesser scope", operation, answer.status_code == 403, (scope, answer.status_code)
                    )


async def walk_other_ward(house: House, walk: Walk) -> None:
    """The right role, and another ward: nothing of it is told, in particular not that it exists."""
    async with house.client() as client:
        for role in ROLES:
            secret = bearer(house.token(role, ["7C"]))
            for operation in house.guarded:
                if role not in operation.roles:
                    continue
                for options in _reaching(operation):
                    answer = await house.send(client, operation, headers=secret, **options)
                    fine = answer.status_code < 500
                    if answer.status_code < 400 or "stay" not in operation.named + operation.queries:
                        told = _told(answer, operation)
                        fine = fine and not any(text in told for text in SECRET_OF_OTHERS)
                    if set(operation.named) & set(NOBODY):
                        missing = await house.send(
                            client, operation, headers=secret, **{**options, "ids": NOBODY}
                        )
                        same = _same(answer.text) == _same(missing.text)
                        fine = fine and answer.status_code == missing.status_code and same
                        fine = fine and answer.status_code in (403, 404)
                    walk.expect(
                        "another ward",
                        operation,
                        fine,
                        (role, options, answer.status_code, answer.text[:300]),
                    )


def _reaching(operation: Operation) -> Iterator[dict[str, Any]]:
    """The ways to reach for ward 6A with this call: as it is, by each query, by each field of the body."""
    yield {}
    for name, value in (("ward", "6A"), ("stay", "stay-6A")):
        if name in operation.queries:
            yield {"params": {name: value}}
    if isinstance(operation.body, dict):
        for name, changed in (("ward", "6A"), ("stays", ["stay-6A"]), ("wards", ["6A"])):
            if name in operation.body:
                yield {"json": {**operation.body, name: changed}}


def _told(answer: httpx.Response, operation: Operation) -> str:
    """What an answer says beyond the caller's own words: the path that was called, and ids in it."""
    text = answer.text
    if answer.status_code >= 400:
        for own in (operation.url(), *IDS.values()):
            text = text.replace(own, "")
    return text


def _same(text: str) -> str:
    for name, one in NOBODY.items():
        text = text.replace(IDS[name], "·").replace(one, "·")
    return text


async def walk_cross_site(house: House, walk: Walk) -> None:
    """A browser that is logged in, made by another site to change something."""
    cookie = {"Cookie": f"{COOKIE}={await house.session('admin')}"}
    signs: list[dict[str, str]] = [
        {},
        {"Origin": "http://evil.test"},
        {"Origin": "null"},
        {"Origin": "http://ward.test.evil.test", "X-Ward-Request": "1"},
        {"Origin": "http://ward.test:81"},
        {"Origin": "https://evil.test", "X-Forwarded-Host": "evil.test"},
        {"Referer": "http://ward.test/"},
        {"X-Ward-Request": "0"},
    ]
    async with house.client() as client:
        for operation in house.guarded:
            if operation.is_change and "admin" in operation.roles:
                for sign in signs:
                    answer = await house.send(client, operation, headers={**cookie, **sign})
                    fine = answer.status_code == 403 and answer.json()["type"] == "/problems/cross-site"
                    walk.expect(
                        "another site", operation, fine, (sign, answer.status_code, answer.text[:100])
                    )


async def walk_tricks(house: House, walk: Walk) -> None:
    """The same paths written otherwise, methods said otherwise: no way around."""
    get = {"_method": "GET"}
    async with house.client() as client:
        for operation in house.guarded:
            url = operation.url()
            for path in _spellings(url):
                request = client.build_request(operation.method, "http://ward.test/")
                request.url = request.url.copy_with(raw_path=path.encode("ascii"))
                answer = await client.send(request)
                walk.expect(
                    "path tricks", operation, answer.status_code in (401, 404), (path, answer.status_code)
                )
            for method in (
                "GET",
                "POST",
                "PUT",
                "PATCH",
                "DELETE",
                "HEAD",
                "OPTIONS",
                "TRACE",
                "PROPFIND",
                "get",
            ):
                answer = await client.request(method, url)
                public = {o.method for o in house.operations if o.path == operation.path and not o.roles}
                if method not in public:
                    walk.expect(
                        "other methods", operation, answer.status_code == 401, (method, answer.status_code)
                    )
            for headers in (
                {"X-HTTP-Method-Override": "GET"},
                {"X-Original-URL": "/healthz"},
                {"X-Rewrite-URL": "/"},
            ):
                answer = await client.request(operation.method, url, headers=headers, params=get)
                walk.expect("overrides", operation, answer.status_code == 401, (headers, answer.status_code))


def _spellings(url: str) -> list[str]:
    first, _, rest = url.lstrip("/").partition("/")
    return [
        f"/{url}",
        f"//ward.test{url}",
        f"{url}/",
        f"{url}//",
        f"/./{url.lstrip('/')}",
        f"/healthz/..{url}",
        f"/healthz/%2e%2e{url}",
        f"/problems/..{url}",
        f"/problems/%2e%2e{url}",
        f"/problems/..%2f{url.lstrip('/')}",
        f"/assets/..{url}",
        f"/%{ord(url[1]):02x}{url[2:]}",
        f"/{first}%2f{rest}",
        f"/{first.upper()}/{rest}",
        f"{url}%00",
        f"{url}%0A",
        f"{url}%20",
        f"{url};a=b",
        f"{url}.json",
        f"{url}%3fx=/healthz",
        f"{url}#/healthz".replace("#", "%23"),
    ]


WALKS = (walk_strangers, walk_lesser, walk_other_ward, walk_cross_site, walk_tricks)


def walk_all(house: House) -> Walk:
    """Every walk; nothing may have changed by any of them."""
    walk = Walk(operations=len(house.guarded))

    async def run() -> None:
        for part in WALKS:
            before = digest(house.engine)
            await part(house, walk)
            if digest(house.engine) != before:
                walk.wrong.append(f"{part.__name__}: something was changed")

    asyncio.run(run())
    with house.engine.connect() as connection:
        if connection.scalar(select(func.count()).select_from(tokens)) != house.made:
            walk.wrong.append("there are tokens that the walk did not make")
    if house.service.calls:
        walk.wrong.append(f"the core was asked: {house.service.calls}")
    return walk


def table(walk: Walk) -> str:
    lines = [f"{walk.operations} operations that need credentials", ""]
    lines += [f"{kind:20} {count:6}" for kind, count in walk.tried.items()]
    lines += [f"{'all':20} {sum(walk.tried.values()):6}", "", f"let in: {len(walk.wrong)}", *walk.wrong]
    return "\n".join(lines)


def main() -> None:
    from tests.web.conftest import UNLIMITED, Wall, furnish

    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(f"sqlite:///{folder}/ward.db")
        migrate(engine)
        service, wall = FakeService(engine), Wall()
        furnish(service)
        walk = walk_all(
            House(create_app(service, wall=wall, ui=Path(folder), limits=UNLIMITED), engine, service, wall)
        )
        engine.dispose()
    print(table(walk))
    raise SystemExit(bool(walk.wrong))


if __name__ == "__main__":
    main()
