"""The web application: everything put together around a service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute

from ward import __version__
from ward.clock import wall_ms
from ward.web import dashboard, openapi, problems
from ward.web.access import SAFE, Authentication, Public, require_guards
from ward.web.audit import Asked, Audited, acts
from ward.web.describe import API
from ward.web.doors import Doors
from ward.web.identity import Identity
from ward.web.limits import LIMITS, Guests, Limits, Paced
from ward.web.log import EventLog, SingleLog
from ward.web.middleware import BodyLimit, Faults, Headers, Measured, OnePath
from ward.web.oidc import Provider
from ward.web.passwords import Passwords
from ward.web.rendered import Rendered
from ward.web.routers import (
    account,
    alerts,
    assignments,
    audit,
    credentials,
    devices,
    documentation,
    drafts,
    events,
    handover,
    health,
    notices,
    observations,
    oidc,
    operations,
    packs,
    places,
    plans,
    protection,
    recordings,
    reports,
    rules,
    session,
    sounds,
    stays,
    tokens,
    trial,
    users,
    vitals,
)
from ward.web.service_protocol import Service
from ward.web.shelf import Shelf
from ward.web.sounding import Sounding
from ward.web.subpath import SubPath
from ward.web.trail import Trail
from ward.web.tried import Tried

ROUTERS: Final = (
    stays,
    protection,
    observations,
    vitals,
    notices,
    sounds,
    alerts,
    trial,
    recordings,
    rules,
    packs,
    drafts,
    plans,
    places,
    assignments,
    handover,
    reports,
    devices,
    credentials,
    events,
    session,
    oidc,
    account,
    users,
    tokens,
    audit,
    operations,
    health,
    documentation,
)

DRAIN_S: Final = 5.0
"""How long the end waits for the last lines of the audit trail."""

OPEN: Final = {
    "/healthz": SAFE,
    "/readyz": SAFE,
    "/login": SAFE,
    oidc.START: SAFE,
    oidc.BACK: SAFE,
    "/docs.css": SAFE,
    f"{API}/session": frozenset({"POST"}),
    f"{API}/session/ways": SAFE,
    f"{API}/session/password": frozenset({"POST"}),
}
"""With the dashboard's files and the pages on problems, all that needs no credentials."""


@cache
def gathered_routes() -> Sequence[BaseRoute]:
    """Of every router, described once: nothing in them is of one application, and it takes 0.3 s, which who
    stands by has behind it."""
    gathered = APIRouter(generate_unique_id_function=openapi.operation_id)
    for module in ROUTERS:
        gathered.include_router(module.router)
    for _ in iter_route_contexts(gathered.routes):
        pass  # FastAPI describes each when it is first asked for
    return tuple(gathered.routes)


def create_app(
    service: Service,
    *,
    wall: Callable[[], int] = wall_ms,
    heartbeat_s: float = events.HEARTBEAT_S,
    ui: Path = dashboard.FOLDER,
    doors: Doors | None = None,
    passwords: Passwords | None = None,
    limits: Limits = LIMITS,
    root: str = "",
    one_sound: str = "",
    shelf: Shelf | None = None,
    log: EventLog | None = None,
) -> FastAPI:
    """The ASGI application. ``wall`` gives the machine's time in ms, by which tokens and sessions expire;
    ``doors`` say how people come in; ``root`` is the path of a proxy below which all this is, or "";
    ``one_sound`` names the wards in which one screen sounds for all; ``shelf`` has the recordings;
    ``log`` is that of the alerts, by default of one writer.

    Before the server can stop, the streams must end: call ``service.hub.close()``.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.hub.close()
        trail.drain(DRAIN_S)

    app = FastAPI(
        title="ward",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=openapi.operation_id,
        lifespan=lifespan,
    )
    app.state.service = service
    app.state.identity = identity = Identity(service.engine_db, wall, doors, passwords)
    oidc_given = identity.doors.oidc
    app.state.provider = Provider(oidc_given, wall) if oidc_given else None
    app.state.heartbeat_s = heartbeat_s
    app.state.log = log or SingleLog(service.engine_db)
    app.state.rendered = Rendered()
    app.state.sounding = Sounding(one_sound)
    app.state.root = root
    app.state.tried = Tried(service.engine_db)
    app.state.shelf = shelf or Shelf(None, None)
    trail = Trail(service.engine_db, wall)

    app.router.routes.extend(gathered_routes())
    dashboard.install(app, ui)
    problems.install(app)

    public = Public({**dict.fromkeys(dashboard.paths(ui), SAFE), **OPEN}, (problems.PREFIX,))
    require_guards(app, public)
    app.add_middleware(BodyLimit)
    app.add_middleware(Asked, trail=trail)
    app.add_middleware(Paced, limits=limits)
    app.add_middleware(Authentication, public=public, keeper=identity)
    app.add_middleware(Guests, limits=limits, public=public)
    app.add_middleware(Audited, trail=trail, acts=acts(app))
    app.add_middleware(Faults)
    app.add_middleware(OnePath)
    app.add_middleware(Measured)
    app.add_middleware(Headers)
    app.add_middleware(SubPath, root=root)

    def described() -> dict[str, Any]:
        return openapi.describe(app)

    app.openapi = described  # type: ignore[method-assign]
    return app
