"""What an engine tells web processes of its cluster, and takes from them, below ``/internal/``.

Web processes have signed the person in, know what she may, and keep the audit trail; here is asked only
whether it is one of them: they know the cluster's secret. Not for browsers, and not for devices.

``GET /internal/stream`` is a stream of events, each with its JSON: ``board`` (all of it, first), then what
the hub tells to screens that are told of changes, ``board-number`` after that, ``state`` each second.
``POST /internal/call`` runs a command of the core; ``POST /internal/ask`` answers what is not on the board.
"""

from __future__ import annotations

import asyncio
import hmac
import socket
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

import msgspec
from sqlalchemy import Connection
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ward.config import Settings
from ward.errors import NotFoundError, WardError
from ward.service import WardService
from ward.store import idempotency
from ward.store.events import last_event
from ward.store.partition import partition_of, put_address
from ward.web.hub import BEHIND, Closed, Event, on_wire

PREFIX: Final = "/internal/"
STATE_S: Final = 1.0
"""So often is said how it is; for whoever hears nothing for some times as long nothing is live."""
EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 - what is not to be told to others
ASKED: Final = frozenset({"risk", "showing", "write_history"})


def with_inside(service: WardService, app: ASGIApp, secret: str) -> ASGIApp:
    """The application, and beside it what is said within the cluster."""
    inside = _application(service)
    wanted = f"Bearer {secret}".encode()

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"authorization", b"")
        if hmac.compare_digest(given, wanted):
            await inside(scope, receive, send)
        else:
            await Response(status_code=401)(scope, receive, send)

    return serve


def tell_address(service: WardService, settings: Settings) -> None:
    """Where this engine answers, for web processes to read; nobody who lost the partition can say it."""
    host = settings.engine_host
    if host is None:
        host = socket.gethostname() if settings.http_host in EVERYWHERE else settings.http_host
    host = f"[{host}]" if ":" in host else host
    with service.engine_db.begin() as tx:
        put_address(tx, settings.partition, f"http://{host}:{settings.http_port}")


def _application(service: WardService) -> Starlette:
    async def stream(request: Request) -> Response:
        return StreamingResponse(_told(service), media_type="text/event-stream")

    async def call(request: Request) -> Response:
        asked = msgspec.json.decode(await request.body())
        acts = [idempotency.Act(**act) for act in asked["acts"]]

        async def run() -> Any:
            with idempotency.riding(acts):
                return await service.call(asked["command"], **asked["arguments"])

        return await _answered(service, run)

    async def ask(request: Request) -> Response:
        asked = msgspec.json.decode(await request.body())

        async def run() -> Any:
            if asked["what"] not in ASKED:  # a web process of another version
                raise NotFoundError(f"nothing is known of {asked['what']!r}")
            return await run_in_threadpool(getattr(service, asked["what"]), *asked["about"])

        return await _answered(service, run)

    return Starlette(
        routes=[
            Route(f"{PREFIX}stream", stream),
            Route(f"{PREFIX}call", call, methods=["POST"]),
            Route(f"{PREFIX}ask", ask, methods=["POST"]),
        ]
    )


async def _answered(service: WardService, run: Callable[[], Awaitable[Any]]) -> Response:
    try:
        said = {"answer": await run(), "number": service.board.number}
    except WardError as error:
        said = {"error": {"type": error.type, "detail": error.detail, "extra": error.extra}}
    return Response(msgspec.json.encode(said), media_type="application/json")


async def _told(service: WardService) -> AsyncGenerator[bytes]:
    with service.hub.subscribe(lambda ward: True, form="changes") as subscription:
        while not service.health()["live"]:  # before that there is nothing to show
            yield on_wire("waits", b"{}")
            await asyncio.sleep(STATE_S)
        number, devices, wire = await run_in_threadpool(_board, service)
        yield wire
        due = time.monotonic()
        while True:
            try:
                events = await subscription.take(max(due - time.monotonic(), 0.0))
            except Closed:
                return
            if any(event.kind == BEHIND for event in events):
                number, devices, wire = await run_in_threadpool(_board, service)
                yield wire
            news = [event for event in events if event.step is None or event.step > number]
            yield b"".join(event.wire for event in news if event.kind != BEHIND) + _number(number, news)
            if time.monotonic() >= due:
                due = time.monotonic() + STATE_S
                yield on_wire("state", msgspec.json.encode(_state(service)))
                if service.board.devices is not devices:
                    devices = service.board.devices
                    yield on_wire("devices", msgspec.json.encode(devices))


def _number(number: int, news: list[Event]) -> bytes:
    last = max([number, *(event.step for event in news if event.step is not None)])
    return on_wire("board-number", str(last).encode()) if news else b""


def _board(service: WardService) -> tuple[int, Any, bytes]:
    with service.engine_db.connect() as connection:
        place = _place(connection)  # before the board: what is told after it may come twice, and never not
    board = service.board
    shown = {
        "place": place,
        "number": board.number,
        "stays": list(board.stays.values()),
        "alerts": [alert for alert in board.alerts if alert["stay"] is None],
        "devices": board.devices,
        "minutes": {stay: board.minutes.view(stay) for stay in board.stays},
        **_state(service),
    }
    return board.number, board.devices, on_wire("board", msgspec.json.encode(shown))


def _place(connection: Connection) -> int:
    return last_event(connection, partition_of(connection).number)


def _state(service: WardService) -> Mapping[str, Any]:
    forged = {user: asdict(found) for user, found in service.forged.items()}
    return {"time": service.board.time, "health": service.health(), "forged": forged}
