"""Logging a browser in and out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from ward.clock import iso
from ward.errors import UnauthorizedError
from ward.web.access import CAPABILITIES, COOKIE, Principal, Reader, require_same_site
from ward.web.describe import API, answers
from ward.web.schemas.access import Login, Who
from ward.web.schemas.common import PRINTABLE
from ward.web.service_protocol import Json
from ward.web.shared import Ident, send

router = APIRouter(tags=["access"])
COOKIE_HEADER = {"Set-Cookie": f"`{COOKIE}`, HttpOnly and SameSite=Strict, for 12 h at most."}


@router.post(
    f"{API}/session",
    status_code=201,
    summary="Log a browser in",
    responses=answers(Who, 401, 403, status=201, headers=COOKIE_HEADER, public=True),
)
async def log_in(request: Request, body: Login, identity: Ident) -> Response:
    """A token becomes a cookie that scripts cannot read. Changes made with it need `X-Ward-Request: 1`."""
    require_same_site(request.headers, asked=False)
    principal, cookie = await run_in_threadpool(identity.log_in, body.token)
    response = send(_who(principal), 201)
    _set_cookie(request, response, cookie, principal, identity.wall())
    return response


@router.get(f"{API}/session", summary="Who am I", responses=answers(Who))
async def who_am_i(who: Reader) -> Response:
    """And what I may do, in which wards."""
    return send(_who(who))


@router.delete(f"{API}/session", status_code=204, summary="Log out", responses=answers(None, status=204))
async def log_out(request: Request, who: Reader, identity: Ident) -> Response:
    """The session ends at once. A token that was used to log in stays valid."""
    cookie = request.cookies.get(COOKIE)
    if cookie and who.session:
        await run_in_threadpool(identity.log_out, cookie)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
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
) -> Response:
    """The link that `ward demo` prints. Following it again in the same browser does no harm."""
    to_dashboard = RedirectResponse("./", 303)
    try:
        principal, cookie = await run_in_threadpool(identity.redeem, code)
    except UnauthorizedError:
        if not await run_in_threadpool(_logged_in, request, identity):
            raise
        return to_dashboard
    _set_cookie(request, to_dashboard, cookie, principal, identity.wall())
    return to_dashboard


def _logged_in(request: Request, identity: Ident) -> bool:
    try:
        identity.of_session(request.cookies.get(COOKIE, ""))
    except UnauthorizedError:
        return False
    return True


def _set_cookie(request: Request, response: Response, cookie: str, who: Principal, now: int) -> None:
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=max(((who.expires or now) - now) // 1000, 0),
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


def _who(who: Principal) -> Json:
    return {
        "name": who.name,
        "role": who.role,
        "wards": None if who.wards is None else sorted(who.wards),
        "may": [capability for capability in CAPABILITIES if who.may(capability)],
        "expires_at": iso(who.expires),
    }
