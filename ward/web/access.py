"""Who may do what. Everything is denied that is not allowed here.

``Authentication`` turns away every request without a valid token or session unless its path is public,
before anything of it is read. Each route then names the capability it needs with ``allow``; an
application with a route that names none does not start (``require_guards``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Protocol

from fastapi import Depends, FastAPI, Request
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from ward.errors import ForbiddenError, UnauthorizedError, WardError
from ward.web.problems import CrossSiteError, IdleError, of_ward_error
from ward.web.schemas.access import Role

COOKIE: Final = "ward_session"
SECURE_COOKIE: Final = f"__Host-{COOKIE}"
"""Over https: no other host, and nobody on the way to http, can set a cookie of this name."""
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

PEOPLE: Final = frozenset({"nurse", "clinician", "admin"})
ALL: Final = PEOPLE | {"integration"}
CAPABILITIES: Final[Mapping[str, frozenset[str]]] = {
    "session": ALL | {"kiosk"},
    "board": ALL | {"kiosk"},
    "read": ALL,
    "list": ALL,
    "read:alerts": ALL,
    "read:vitals": ALL,
    "read:rules": ALL,
    "read:devices": ALL,
    "account": PEOPLE,
    "show": PEOPLE | {"kiosk"},
    "test": frozenset({"nurse", "clinician", "admin"}),
    "respond": frozenset({"nurse", "clinician", "admin"}),
    "observe": frozenset({"nurse", "clinician", "admin", "integration"}),
    "pause": frozenset({"nurse", "clinician", "admin"}),
    "admit": ALL,
    "flag": frozenset({"clinician", "admin", "integration"}),
    "assign": frozenset({"nurse", "clinician", "admin"}),
    "tune": frozenset({"clinician", "admin"}),
    "approve": frozenset({"clinician", "admin"}),
    "report": frozenset({"clinician", "admin"}),
    "monitor": frozenset({"admin", "integration"}),
    "administer": frozenset({"admin"}),
    "audit": frozenset({"admin"}),
    "protect": frozenset({"admin"}),
}
"""What each capability allows, by role. session: who am I, log out; board: the live board; read: stays,
and with it the parts behind the colon; list: which stays there are, with the parts that one may read;
account: one's own password and sessions; show: a page says that it shows an alert; test: test alerts;
respond: acknowledge and shelve; assign: who has which patient; admit: admissions, beds, devices of stays;
flag: flags of stays, which switch rules off; tune: rules, trials, drafts; approve: others' drafts;
report: what alerts were worth, and drift; monitor: metrics; administer: users and tokens; audit: reading
who saw and did what; protect: exporting and erasing a stay."""

LIMITED: Final = frozenset({"board", "show"})
"""What is left to a session that nobody has touched for too long: the board, which still shows alerts."""
BY_ITSELF: Final = frozenset({"session", "board", "show"})
"""What a page does without anybody being there."""
SCOPES: Final[Mapping[str, frozenset[str]]] = {
    "read": frozenset({"board", "read", "list", "read:alerts", "read:vitals", "read:rules", "read:devices"}),
    "read:alerts": frozenset({"read:alerts", "list"}),
    "read:vitals": frozenset({"read:vitals", "list"}),
    "read:rules": frozenset({"read:rules"}),
    "read:devices": frozenset({"read:devices"}),
    "events": frozenset({"board"}),
    "write:observations": frozenset({"observe"}),
    "admit": frozenset({"admit", "flag"}),
    "monitor": frozenset({"monitor"}),
}
"""What each scope of an integration's token allows, of what the role may."""


def capabilities_of(scopes: Iterable[str] | None) -> frozenset[str] | None:
    """None: all that the role may."""
    if scopes is None:
        return None
    return frozenset().union(*(SCOPES.get(scope, frozenset()) for scope in scopes))


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking. ``wards`` None: every ward. ``session``: she came with a cookie, ``key`` is its digest
    and ``method`` how she logged in.

    ``capabilities``: of a token with scopes, what they allow. ``limited``: nobody touched the session for too
    long, or its time is over; the board is all that is left. ``until``: when that will be; ``active``: when
    somebody last did something. Times in ms.
    """

    name: str
    role: Role
    wards: frozenset[str] | None
    id: str
    session: bool
    expires: int | None = None
    user: str | None = None
    capabilities: frozenset[str] | None = None
    limited: bool = False
    until: int | None = None
    active: int = 0
    key: str = ""
    method: str = ""

    def may(self, capability: str) -> bool:
        if self.role not in CAPABILITIES[capability]:
            return False
        if capability == "session":
            return True
        if self.limited:
            return capability in LIMITED
        return self.capabilities is None or capability in self.capabilities

    @property
    def sees_board_only(self) -> bool:
        """Whoever stands before the screen: nothing that names a patient."""
        return self.limited or self.role == "kiosk"

    def sees(self, ward: str | None) -> bool:
        """What belongs to no ward (the service's own faults) concerns everybody."""
        return self.wards is None or not ward or ward in self.wards

    def within(self, ward: str | None) -> frozenset[str] | None:
        """The wards to search when ``ward`` was asked for: none of another's."""
        if ward is None:
            return self.wards
        return frozenset({ward}) if self.sees(ward) else frozenset()


WARDED: Final = frozenset({"nurse", "kiosk"})
"""Roles that need wards."""


def wards_of(role: str, wards: Iterable[str] | None) -> frozenset[str] | None:
    """A nurse and a wall see only the wards they are given; for the others no list means every ward."""
    if wards is None:
        return frozenset() if role in WARDED else None
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


class Doorkeeper(Protocol):
    """Finds out who is asking (``ward.web.identity``)."""

    def identify(self, headers: Headers, *, secure: bool) -> Principal:
        """Raises UnauthorizedError."""
        ...

    def acted(self, who: Principal) -> None:
        """Note that a person did something in her session."""
        ...


def note_act(request: Request, who: Principal) -> None:
    """A person did something: her session does not become idle."""
    keeper: Doorkeeper = request.app.state.identity
    keeper.acted(who)


class Authentication:
    """Puts a ``Principal`` in ``request.state.principal``, or answers 401 or 403 (cross-site)."""

    def __init__(self, app: ASGIApp, public: Public, keeper: Doorkeeper) -> None:
        self.app = app
        self.public = public
        self.keeper = keeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or (scope.get("method", ""), scope["path"]) in self.public:
            await self.app(scope, receive, send)
            return
        try:
            if scope["type"] != "http":
                raise UnauthorizedError("only HTTP is spoken here")
            principal = await run_in_threadpool(self._identify, scope)
        except (UnauthorizedError, CrossSiteError) as error:
            await of_ward_error(scope["path"], error)(scope, receive, send)
            return
        scope.setdefault("state", {})["principal"] = principal
        await self.app(scope, receive, send)

    def _identify(self, scope: Scope) -> Principal:
        headers = Headers(scope=scope)
        principal = self.keeper.identify(headers, secure=is_secure(scope))
        if principal.session and scope["method"] not in SAFE:
            require_same_site(headers)
        return principal


def is_secure(scope: Scope) -> bool:
    """Whether the browser speaks https, as far as the server trusts whoever says so."""
    return bool(scope.get("scheme") == "https")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    return host in ("localhost", "::1") or host.startswith("127.")


def cookie_name(secure: bool) -> str:
    return SECURE_COOKIE if secure else COOKIE


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
        said = "this change did not come from the dashboard; see the header X-Ward-Request"
        raise CrossSiteError(said, code="cross-site")


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
            raise _refusal(principal, self.capability)
        if principal.session and request.method not in SAFE and self.capability not in BY_ITSELF:
            await run_in_threadpool(note_act, request, principal)
        return principal


def _refusal(who: Principal, capability: str) -> WardError:
    if who.role not in CAPABILITIES[capability]:
        return ForbiddenError(f"the role {who.role} may not do this; it needs “{capability}”", code="role")
    if who.limited:
        return IdleError("log in again to do this; until then the board is to be looked at only")
    needed = " or ".join(f"“{scope}”" for scope, allowed in SCOPES.items() if capability in allowed)
    said = f"the scopes of this token do not allow this; it needs {needed}"
    return ForbiddenError(said, code="scopes", params={"scopes": needed})


Anybody = Annotated[Principal, Depends(Allow("session"))]
Watcher = Annotated[Principal, Depends(Allow("board"))]
AlertReader = Annotated[Principal, Depends(Allow("read:alerts"))]
VitalsReader = Annotated[Principal, Depends(Allow("read:vitals"))]
RuleReader = Annotated[Principal, Depends(Allow("read:rules"))]
DeviceReader = Annotated[Principal, Depends(Allow("read:devices"))]
Person = Annotated[Principal, Depends(Allow("account"))]
Lister = Annotated[Principal, Depends(Allow("list"))]
Reader = Annotated[Principal, Depends(Allow("read"))]
Responder = Annotated[Principal, Depends(Allow("respond"))]
Observer = Annotated[Principal, Depends(Allow("observe"))]
Shower = Annotated[Principal, Depends(Allow("show"))]
Tester = Annotated[Principal, Depends(Allow("test"))]
Assigner = Annotated[Principal, Depends(Allow("assign"))]
Pauser = Annotated[Principal, Depends(Allow("pause"))]
Admitter = Annotated[Principal, Depends(Allow("admit"))]
Flagger = Annotated[Principal, Depends(Allow("flag"))]
Tuner = Annotated[Principal, Depends(Allow("tune"))]
Approver = Annotated[Principal, Depends(Allow("approve"))]
Reporter = Annotated[Principal, Depends(Allow("report"))]
Monitor = Annotated[Principal, Depends(Allow("monitor"))]
Administrator = Annotated[Principal, Depends(Allow("administer"))]
Auditor = Annotated[Principal, Depends(Allow("audit"))]
Protector = Annotated[Principal, Depends(Allow("protect"))]


def require_ward(who: Principal, ward: str) -> None:
    """For a ward that the caller named. Raises ForbiddenError if it is not hers."""
    if not who.sees(ward):
        raise ForbiddenError(f"ward {ward} is not one of yours", code="other-ward", params={"ward": ward})


def require_all_wards(who: Principal) -> None:
    """Users and tokens reach over wards: who sees only some could give herself the others."""
    if who.wards is not None:
        raise ForbiddenError("users and tokens are made by who sees all wards", code="all-wards")


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
