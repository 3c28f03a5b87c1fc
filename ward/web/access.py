"""Who may do what. Everything is denied that is not allowed here.

``Authentication`` turns away every request without a valid token or session unless its path is public,
before anything of it is read. Each route then names the capability it needs with ``allow``; an
application with a route that names none does not start (``require_guards``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Request
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from ward.errors import ForbiddenError, UnauthorizedError
from ward.web.problems import CrossSiteError, of_ward_error
from ward.web.schemas.access import Role

COOKIE: Final = "ward_session"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

CAPABILITIES: Final[Mapping[str, frozenset[str]]] = {
    "read": frozenset({"nurse", "clinician", "admin", "integration"}),
    "respond": frozenset({"nurse", "clinician", "admin"}),
    "observe": frozenset({"nurse", "clinician", "admin", "integration"}),
    "pause": frozenset({"nurse", "clinician", "admin"}),
    "admit": frozenset({"clinician", "admin", "integration"}),
    "tune": frozenset({"clinician", "admin"}),
    "monitor": frozenset({"admin", "integration"}),
    "administer": frozenset({"admin"}),
    "audit": frozenset({"admin"}),
}
"""What each capability allows, by role. respond: acknowledge and shelve; admit: admissions, flags and
devices; tune: rules and trials; monitor: metrics; administer: tokens;
audit: reading who saw and did what."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking. ``wards`` None: every ward. ``session``: she came with a cookie."""

    name: str
    role: Role
    wards: frozenset[str] | None
    id: str
    session: bool
    expires: int | None = None

    def may(self, capability: str) -> bool:
        return self.role in CAPABILITIES[capability]

    def sees(self, ward: str | None) -> bool:
        """What belongs to no ward (the service's own faults) concerns everybody."""
        return self.wards is None or not ward or ward in self.wards

    def within(self, ward: str | None) -> frozenset[str] | None:
        """The wards to search when ``ward`` was asked for: none of another's."""
        if ward is None:
            return self.wards
        return frozenset({ward}) if self.sees(ward) else frozenset()


def wards_of(role: str, wards: Iterable[str] | None) -> frozenset[str] | None:
    """A nurse sees only the wards she is given; for the others no list means every ward."""
    if wards is None:
        return frozenset() if role == "nurse" else None
    return frozenset(wards)


class Public:
    """The paths that need no credentials: exact ones with their methods, and prefixes (for reading)."""

    def __init__(self, exact: Mapping[str, frozenset[str]], prefixes: tuple[str, ...]) -> None:
        self._exact = exact
        self._prefixes = prefixes

    def __contains__(self, request: tuple[str, str]) -> bool:
        method, path = request
        if path in self._exact:
            return method in self._exact[path]
        return method in SAFE and path.startswith(self._prefixes)


class Authentication:
    """Puts a ``Principal`` in ``request.state.principal``, or answers 401 or 403 (cross-site)."""

    def __init__(self, app: ASGIApp, public: Public, identify: Callable[[Headers], Principal]) -> None:
        self.app = app
        self.public = public
        self.identify = identify

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or (scope.get("method", ""), scope["path"]) in self.public:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            if scope["type"] != "http":
                raise UnauthorizedError("only HTTP is spoken here")
            principal = await run_in_threadpool(self.identify, headers)
            if principal.session and scope["method"] not in SAFE:
                require_same_site(headers)
        except (UnauthorizedError, CrossSiteError) as error:
            await of_ward_error(scope["path"], error)(scope, receive, send)
            return
        scope.setdefault("state", {})["principal"] = principal
        await self.app(scope, receive, send)


def require_same_site(headers: Headers, *, asked: bool = True) -> None:
    """A browser sends cookies by itself, so a change needs a sign that our own page asked for it.

    ``Origin``, where it is sent, must be this host; where it is not, a header that other sites cannot
    set must be there (unless ``asked`` is False: no cookie is at stake yet).
    """
    origin = headers.get("origin")
    if origin is not None:
        ours = origin.partition("://")[2] == headers.get("host")
    else:
        ours = not asked or headers.get("x-ward-request") == "1"
    if not ours:
        raise CrossSiteError("this change did not come from the dashboard; see the header X-Ward-Request")


class Allow:
    """A dependency: the principal, if her role has the capability; else ForbiddenError."""

    def __init__(self, capability: str) -> None:
        if capability not in CAPABILITIES:
            raise ValueError(f"capability {capability!r}; allowed: {', '.join(CAPABILITIES)}")
        self.capability = capability

    async def __call__(self, request: Request) -> Principal:
        principal = getattr(request.state, "principal", None)
        if not isinstance(principal, Principal):
            raise UnauthorizedError("log in first")
        if not principal.may(self.capability):
            raise ForbiddenError(f"the role {principal.role} may not do this; it needs “{self.capability}”")
        return principal


Reader = Annotated[Principal, Depends(Allow("read"))]
Responder = Annotated[Principal, Depends(Allow("respond"))]
Observer = Annotated[Principal, Depends(Allow("observe"))]
Pauser = Annotated[Principal, Depends(Allow("pause"))]
Admitter = Annotated[Principal, Depends(Allow("admit"))]
Tuner = Annotated[Principal, Depends(Allow("tune"))]
Monitor = Annotated[Principal, Depends(Allow("monitor"))]
Administrator = Annotated[Principal, Depends(Allow("administer"))]
Auditor = Annotated[Principal, Depends(Allow("audit"))]


def require_ward(who: Principal, ward: str) -> None:
    """For a ward that the caller named. Raises ForbiddenError if it is not hers."""
    if not who.sees(ward):
        raise ForbiddenError(f"ward {ward} is not one of yours")


def guards(route: APIRoute) -> list[str]:
    """The capabilities that a route asks for."""
    found: list[str] = []
    waiting: list[Any] = [route.dependant]
    while waiting:
        dependant = waiting.pop()
        if isinstance(dependant.call, Allow):
            found.append(dependant.call.capability)
        waiting.extend(dependant.dependencies)
    return found


def api_routes(app: FastAPI) -> list[APIRoute]:
    contexts = iter_route_contexts(app.routes)
    return [context.original_route for context in contexts if isinstance(context.original_route, APIRoute)]


def require_guards(app: FastAPI, public: Public) -> None:
    """Raises RuntimeError for a route that anyone could call because nobody said who may."""
    for route in api_routes(app):
        for method in route.methods or ():
            if not guards(route) and (method, route.path.partition("{")[0]) not in public:
                raise RuntimeError(f"{method} {route.path} does not say who may call it")
