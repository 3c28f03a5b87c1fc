"""What happens to every request, as plain ASGI so that streams pass through untouched."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import perf_counter
from typing import Final

import structlog
from prometheus_client import Counter, Histogram
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from starlette.datastructures import Headers as RequestHeaders
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ward.web.access import SAFE
from ward.web.describe import API
from ward.web.problems import KINDS, problem
from ward.web.shelf import LARGEST

log: Final = structlog.get_logger(__name__)

BODY_LIMIT: Final = 1 << 20
BODY_S: Final = 30.0
LARGER: Final = {("POST", f"{API}/recordings"): LARGEST}
"""Bodies that may be larger, by method and path: a file, for who may change rules (whoever may not is refused
before the body is read)."""

CSP: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
}
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
HSTS: Final = "max-age=31536000"

requests: Final = Counter("ward_http_requests_total", "HTTP requests answered", ("method", "route", "status"))
seconds: Final = Histogram(
    "ward_http_request_seconds", "Time until an HTTP answer began", ("method", "route")
)


UNAVAILABLE: Final = (OperationalError, InterfaceError, NoConnectionError)
UNANSWERED: Final = "The database does not answer now."
UNCERTAIN: Final = (
    "The database does not answer now. Whether the change was made is not known: look before you ask again."
)
"""The answer to a commit may be lost, and what follows a change may fail: only a look tells."""
"""Locked, full, gone, or too many at once: it may work in a moment, and is no fault of the request."""


class Headers:
    """Security headers on every answer; nothing that names a patient stays in a cache."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", HSTS)
                headers.setdefault("Cache-Control", caching(scope["path"]))
            await send(message)

        await self.app(scope, receive, with_headers)


def caching(path: str) -> str:
    """Vite names its assets by their content, so they never change; a page is asked for anew each time."""
    if path.startswith("/assets/"):
        return "public, max-age=31536000, immutable"
    return "no-store" if path.startswith(("/api/", "/login", "/metrics")) else "no-cache"


class Faults:
    """A fault of ours: a problem for the caller, the whole story for the log, and service goes on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except UNAVAILABLE as error:
            if started or scope["type"] != "http":
                raise
            log.warning("the database does not answer", route=route_of(scope), error=type(error).__name__)
            said = UNANSWERED if scope["method"] in SAFE else UNCERTAIN
            await problem(scope["path"], "unavailable", said)(scope, receive, send)
        except Exception:
            if started or scope["type"] != "http":
                raise
            log.exception("request failed", method=scope["method"], route=route_of(scope))
            await problem(scope["path"], "error", KINDS["error"].meaning)(scope, receive, send)


class BodyLimit:
    """Refuses a body of more than ``BODY_LIMIT`` bytes: at once where its length is told, else on the way;
    and one that is not here after ``BODY_S`` seconds."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = LARGER.get((scope["method"], scope["path"]), BODY_LIMIT)
        told = RequestHeaders(scope=scope).get("content-length", "")
        if told.isascii() and told.isdigit() and int(told[:20]) > limit:
            await problem(scope["path"], "too-large", KINDS["too-large"].meaning, code="too-large")(
                scope, receive, send
            )
            return
        taken, whole = 0, False
        late = asyncio.get_running_loop().time() + BODY_S

        async def counted() -> Message:
            nonlocal taken, whole
            if whole:  # from now on it only says that the caller left
                return await receive()
            try:
                async with asyncio.timeout_at(late):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, headers={"Connection": "close"}) from None
            taken += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if taken > limit:
                raise HTTPException(413)
            return message

        await self.app(scope, counted, send)


class OnePath:
    """Nothing is at a path with a character that does not print. Routes end in ``$``, which lets a line feed
    through: limits and guards that compare paths would take it for another one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].isprintable():
            await problem(scope["path"], "not-found", KINDS["not-found"].meaning)(scope, receive, send)
            return
        await self.app(scope, receive, send)


class Measured:
    """Counts and times requests by their route, never by their path: a path holds ids."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = perf_counter()
        method = scope["method"] if scope["method"] in METHODS else "other"
        status = 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                seconds.labels(method, route_of(scope)).observe(perf_counter() - began)
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            requests.labels(method, route_of(scope), str(status)).inc()


def route_of(scope: Scope) -> str:
    """The route's template, ``other`` where none matched (the dashboard's files, what does not exist)."""
    return getattr(scope.get("route"), "path", None) or "other"
