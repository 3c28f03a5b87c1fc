"""Coming in through the hospital's log-in. For browsers only: pages and redirects, no JSON."""

from __future__ import annotations

import secrets
from typing import Final

import structlog
from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ward.errors import NotFoundError
from ward.store import access, people
from ward.store.people import User
from ward.web import docs
from ward.web.access import Principal, is_secure
from ward.web.audit import about
from ward.web.browsers import browser_of, give_cookie
from ward.web.identity import Identity, digest, login_key, logins
from ward.web.oidc import Flow, Person, Provider, SignInError, provider_of
from ward.web.shared import Ident, Svc

log = structlog.get_logger(__name__)

router = APIRouter(include_in_schema=False, tags=["oidc"])
START: Final = "/login/oidc"
BACK: Final = "/login/oidc/callback"
FLOW: Final = "ward_flow"
FLOW_S: Final = 600


@router.get(START)
async def start_oidc(request: Request, identity: Ident) -> Response:
    """To the hospital's log-in. Whoever was here before, if anybody, must prove that it is still her."""
    provider = _provider(request)
    cookie = browser_of(request).cookie
    flow = Flow.begin(digest(cookie) if cookie else "")
    try:
        url = await provider.authorize_url(flow, _back(request, identity), again=cookie is not None)
    except SignInError as error:
        return _sorry(error)
    response = RedirectResponse(url, 303)
    secure = is_secure(request.scope)
    # Lax: the way back begins on another site.
    response.set_cookie(
        _flow_cookie(request), flow.cookie, FLOW_S, path="/", httponly=True, samesite="lax", secure=secure
    )
    return response


@router.get(BACK)
async def finish_oidc(request: Request, identity: Ident, service: Svc) -> Response:
    """From the hospital's log-in; to the board and nowhere else."""
    provider = _provider(request)
    flow = Flow.of_cookie(request.cookies.get(_flow_cookie(request), ""))
    try:
        if not flow.secret:
            raise SignInError(401, "this log-in was not begun in this browser, or long ago", "no flow")
        person = await provider.person(flow, request.query_params, _back(request, identity))
        principal, cookie = await run_in_threadpool(_enter, request, identity, provider, person, flow)
    except SignInError as error:
        logins.labels("oidc", "refused").inc()
        response = _sorry(error)
    else:
        about(actor=principal.name, actor_id=principal.id, role=principal.role)
        response = RedirectResponse("../../", 303)
        give_cookie(request, response, cookie, principal, identity.wall())
        service.hub.doubt()
    response.delete_cookie(_flow_cookie(request), path="/", secure=is_secure(request.scope), httponly=True)
    return response


def _enter(
    request: Request, identity: Identity, provider: Provider, person: Person, flow: Flow
) -> tuple[Principal, str]:
    with identity.engine.begin() as tx:
        user = _user(tx, provider.given.issuer, person, identity.wall())
        if user.disabled is not None:
            raise SignInError(403, "you are not let in here any more; ask whoever runs ward", "disabled")
        if flow.before:
            access.delete_session(tx, flow.before)
        return identity.enter(tx, user, "oidc", browser_of(request))


def _user(tx: Connection, issuer: str, person: Person, now: int) -> User:
    """Known by issuer and subject, never by name or mail: those can be somebody else's."""
    found = people.find_subject(tx, issuer, person.subject)
    if found is not None:
        return people.update_user(tx, found.id, name=person.name, role=person.role, wards=person.wards)
    id = secrets.token_hex(8)
    free = (one for one in (*person.logins, id) if people.find_user(tx, login_key(one)) is None)
    login = next(free)
    user = User(
        id=id,
        login=login,
        login_key=login_key(login),
        name=person.name,
        role=person.role,
        wards=person.wards,
        created=now,
        issuer=issuer,
        subject=person.subject,
    )
    people.add_user(tx, user)
    return user


def _provider(request: Request) -> Provider:
    provider = provider_of(request)
    if provider is None:
        raise NotFoundError("no hospital's log-in is set up here; see WARD_OIDC_ISSUER")
    return provider


def _back(request: Request, identity: Identity) -> str:
    """Where the hospital's log-in sends the browser; it must know this address beforehand."""
    return (identity.doors.public_url or str(request.base_url).rstrip("/")) + BACK


def _flow_cookie(request: Request) -> str:
    return f"__Host-{FLOW}" if is_secure(request.scope) else FLOW


def _sorry(error: SignInError) -> Response:
    log.warning("log-in through OpenID Connect refused", why=str(error), status=error.status)
    return HTMLResponse(docs.sorry("You are not logged in", error.words, "../../"), error.status)
