"""What a request tells of the browser that sent it, and the cookie that it gets."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ward.web.access import Principal, cookie_name, is_secure
from ward.web.identity import Browser, cookie_of

AGENT: int = 200


def browser_of(request: Request) -> Browser:
    agent = "".join(filter(str.isprintable, request.headers.get("user-agent", "")))[:AGENT]
    return Browser(
        address=request.client.host if request.client else "",
        agent=agent or None,
        cookie=cookie_of(request.headers, is_secure(request.scope)),
    )


def give_cookie(request: Request, response: Response, cookie: str | None, who: Principal, now: int) -> None:
    """``cookie`` None: the one that the browser has, for longer."""
    secure = is_secure(request.scope)
    response.set_cookie(
        cookie_name(secure),
        cookie or browser_of(request).cookie or "",
        max_age=max(((who.expires or now) - now) // 1000, 0),
        path="/",
        httponly=True,
        samesite="strict",
        secure=secure,
    )


def drop_cookie(request: Request, response: Response) -> None:
    secure = is_secure(request.scope)
    response.delete_cookie(cookie_name(secure), path="/", httponly=True, samesite="strict", secure=secure)
