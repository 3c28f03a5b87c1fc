"""One's own password, and where one is logged in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.clock import iso
from ward.errors import NotFoundError
from ward.store import access
from ward.web import login
from ward.web.access import Person, Principal, require_same_site
from ward.web.audit import about
from ward.web.browsers import browser_of, give_cookie
from ward.web.describe import API, answers
from ward.web.routers.session import COOKIE_HEADER
from ward.web.schemas.access import ChangedPassword, NewPassword, OpenSession, Who
from ward.web.schemas.common import Id, Page
from ward.web.service_protocol import Json
from ward.web.shared import Ident, Svc, send
from ward.web.views import who_view

router = APIRouter(tags=["access"])
SessionId = Annotated[Id, Path(description="The session's id.", examples=["9f1c2b7a5d3e8f60"])]


@router.post(
    f"{API}/session/password",
    status_code=201,
    summary="Set a password with a code",
    responses=answers(Who, 401, 403, 503, status=201, headers=COOKIE_HEADER, public=True),
)
async def set_password(request: Request, body: NewPassword, identity: Ident, service: Svc) -> Response:
    """With the one-time code of an administrator. It logs in, and out everywhere else."""
    require_same_site(request.headers, asked=False)
    principal, cookie = await login.set_with_code(identity, body.code, body.password, browser_of(request))
    about(actor=principal.name, actor_id=principal.id, role=principal.role)
    response = send(who_view(principal), 201)
    give_cookie(request, response, cookie, principal, identity.wall())
    service.hub.doubt()
    return response


@router.put(
    f"{API}/session/password",
    status_code=204,
    summary="Change my password",
    responses=answers(None, 409, 429, 503, status=204),
)
async def change_password(
    request: Request, body: ChangedPassword, who: Person, identity: Ident, service: Svc
) -> Response:
    """This session goes on; all others of yours end."""
    await login.change(identity, who, body.current, body.password, browser_of(request))
    service.hub.doubt()
    return Response(status_code=204)


@router.get(f"{API}/sessions", summary="Where I am logged in", responses=answers(Page[OpenSession]))
async def list_sessions(who: Person, identity: Ident) -> Response:
    """The latest used first. Empty for who came in with a token."""

    def read() -> list[Json]:
        with identity.engine.connect() as connection:
            found = access.list_sessions(connection, who.user or "", identity.wall())
        return [_view(session, who) for session in found]

    return send({"items": await run_in_threadpool(read), "next": None})


@router.delete(
    f"{API}/sessions", status_code=204, summary="Log out everywhere", responses=answers(None, status=204)
)
async def log_out_everywhere(who: Person, identity: Ident, service: Svc) -> Response:
    """Also here."""

    def run() -> None:
        with identity.engine.begin() as tx:
            access.end_sessions(tx, who.user or "")
            access.delete_session(tx, who.key)

    await run_in_threadpool(run)
    service.hub.doubt()
    return Response(status_code=204)


@router.delete(
    f"{API}/sessions/{{session}}",
    status_code=204,
    summary="End one session",
    responses=answers(None, 404, status=204),
)
async def end_session(session: SessionId, who: Person, identity: Ident, service: Svc) -> Response:
    """One of your own."""

    def run() -> None:
        with identity.engine.begin() as tx:
            mine = access.list_sessions(tx, who.user or "", identity.wall())
            found = next((one for one in mine if one.id == session), None)
            if found is None:
                raise NotFoundError(f"no session {session} of yours")
            access.delete_session(tx, found.hash)

    await run_in_threadpool(run)
    service.hub.doubt()
    return Response(status_code=204)


def _view(session: access.Session, who: Principal) -> Json:
    return {
        "id": session.id,
        "current": session.hash == who.key,
        "method": session.method,
        "agent": session.agent,
        "created_at": iso(session.created),
        "last_seen_at": iso(session.last_seen),
        "expires_at": iso(session.expires),
    }
