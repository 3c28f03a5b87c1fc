"""Logging a browser in and out."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ward.errors import UnauthorizedError
from ward.store.people import has_users
from ward.web import docs, login
from ward.web.access import COOKIE, SECURE_COOKIE, Anybody, Principal, require_same_site
from ward.web.audit import about
from ward.web.browsers import browser_of, drop_cookie, give_cookie
from ward.web.describe import API, answers
from ward.web.oidc import provider_of
from ward.web.schemas.access import Login, Ways, Who
from ward.web.schemas.common import PRINTABLE
from ward.web.service_protocol import Json
from ward.web.shared import Ident, Svc, send
from ward.web.views import who_view

router = APIRouter(tags=["access"])
COOKIE_HEADER = {
    "Set-Cookie": f"`{COOKIE}`, over https `{SECURE_COOKIE}`: HttpOnly, SameSite=Strict, for a day at most "
    "(a wall: 400 days)."
}


@router.post(
    f"{API}/session",
    status_code=201,
    summary="Log a browser in",
    responses=answers(Who, 401, 403, 429, 503, status=201, headers=COOKIE_HEADER, public=True),
)
async def log_in(request: Request, body: Login, identity: Ident, service: Svc) -> Response:
    """User name and password, or a token, become a cookie that scripts cannot read; a session that the
    browser had before ends. Changes made with it need `X-Ward-Request: 1`. After wrong guesses one has to
    wait."""
    require_same_site(request.headers, asked=False)
    browser = browser_of(request)
    if body.token is not None:
        principal, cookie = await run_in_threadpool(identity.log_in, body.token, browser)
    else:
        principal, cookie = await login.log_in(identity, body.login or "", body.password or "", browser)
    _tell(principal)
    response = send(await _who(request, principal), 201)
    give_cookie(request, response, cookie, principal, identity.wall())
    service.hub.doubt()
    return response


@router.get(f"{API}/session/ways", summary="How to log in", responses=answers(Ways, public=True))
async def ways(request: Request, identity: Ident) -> Response:
    """For the log-in page."""

    def read() -> bool:
        with identity.engine.connect() as connection:
            return has_users(connection)

    oidc = identity.doors.oidc
    return send({"password": await run_in_threadpool(read), "oidc": oidc.name if oidc else None})


@router.get(f"{API}/session", summary="Who am I", responses=answers(Who))
async def who_am_i(request: Request, who: Anybody, identity: Ident) -> Response:
    """And what I may do, in which wards. With the header `X-Ward-Active: 1` it says that somebody is there,
    and the session does not become idle."""
    if request.headers.get("x-ward-active") == "1":
        await run_in_threadpool(identity.acted, who)
    prolonged = await run_in_threadpool(identity.prolong, who)
    response = send(await _who(request, prolonged))
    if prolonged is not who:
        give_cookie(request, response, None, prolonged, identity.wall())
    return response


@router.delete(f"{API}/session", status_code=204, summary="Log out", responses=answers(None, status=204))
async def log_out(request: Request, who: Anybody, identity: Ident, service: Svc) -> Response:
    """The session ends at once. A token that was used to log in stays valid."""
    cookie = browser_of(request).cookie
    if cookie and who.session:
        await run_in_threadpool(identity.log_out, cookie)
        service.hub.doubt()
    response = Response(status_code=204)
    drop_cookie(request, response)
    return response


@router.get(
    "/login",
    status_code=303,
    response_class=RedirectResponse,
    summary="Log in with a link",
    responses=answers(
        None, 401, status=303, description="To the dashboard", headers=COOKIE_HEADER, public=True
    ),
)
async def follow_link(
    request: Request,
    identity: Ident,
    code: Annotated[
        str,
        Query(
            min_length=1, max_length=200, pattern=PRINTABLE, description="Works once.", examples=["kJ3xq0"]
        ),
    ],
    lang: Annotated[
        Literal["da", "en", "nb"] | None,
        Query(description="The dashboard's language on this screen from now on.", examples=["da"]),
    ] = None,
) -> Response:
    """The link that `ward demo` or `ward token link` prints. Following it again in the same browser does no
    harm."""
    to_dashboard = RedirectResponse(f"./?lang={lang}" if lang else "./", 303)
    try:
        principal, cookie = await run_in_threadpool(identity.redeem, code, browser_of(request))
    except UnauthorizedError as error:
        if await run_in_threadpool(_logged_in, request, identity):
            return to_dashboard
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(docs.sorry("This link does not work any more", error.detail), 401)
        raise
    _tell(principal)
    give_cookie(request, to_dashboard, cookie, principal, identity.wall())
    return to_dashboard


def _logged_in(request: Request, identity: Ident) -> bool:
    try:
        identity.of_session(browser_of(request).cookie or "")
    except UnauthorizedError:
        return False
    return True


def _tell(who: Principal) -> None:
    about(actor=who.name, actor_id=who.id, role=who.role)


async def _who(request: Request, who: Principal) -> Json:
    provider = provider_of(request)
    method_url = await provider.end_url(who) if provider else None
    return who_view(who, log_out_url=method_url)
