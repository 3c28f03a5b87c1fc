"""Errors as problem details (RFC 9457): one shape for everything that goes wrong, with stable types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route

from ward.errors import UnauthorizedError, WardError

MEDIA_TYPE: Final = "application/problem+json"
PREFIX: Final = "/problems/"
RETRY_AFTER_S: Final = "5"


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of problem. ``meaning`` is what its page tells a caller to do."""

    status: int
    title: str
    meaning: str


KINDS: Final[Mapping[str, Kind]] = {
    "bad-request": Kind(400, "Not readable", "The request is not HTTP as ward understands it."),
    "unauthorized": Kind(
        401,
        "Log in first",
        "There is no token or session with the request, or it is wrong, has expired or was revoked. "
        "Send `Authorization: Bearer ward_…`, or log in with `POST /api/v1/session`.",
    ),
    "forbidden": Kind(
        403, "Not allowed", "The role, or the wards it sees, do not allow this. Asking again will not help."
    ),
    "second-person": Kind(
        403,
        "A second person is needed",
        "Rules of a ward, or of all wards, change through a draft that somebody else approves: "
        "`POST /api/v1/drafts`. Rules of one patient may be changed at once, with `?stay=`. "
        "Where one person answers for the rules alone, an administrator sets `WARD_SECOND_PERSON=false`.",
    ),
    "session-idle": Kind(
        401,
        "Log in again",
        "Nobody touched this session for a while, or its time is over. It still shows the board, and nothing "
        "else; log in with `POST /api/v1/session` to go on.",
    ),
    "cross-site": Kind(
        403,
        "Not from this site",
        "A change that rides on a session's cookie must come from the dashboard itself: its `Origin` is this "
        "host, or it carries the header `X-Ward-Request: 1`.",
    ),
    "not-found": Kind(404, "Not found", "It does not exist, or it belongs to a ward that you do not see."),
    "method-not-allowed": Kind(
        405, "Not with this method", "The header `Allow` lists the methods of this path."
    ),
    "conflict": Kind(
        409,
        "Conflict with the present state",
        "The request does not fit what is so now: a bed that is taken, an alert that is closed. "
        "Read the resource again, then decide.",
    ),
    "precondition-failed": Kind(
        412,
        "Changed by somebody else meanwhile",
        "`If-Match` does not name the present version. Read it again and apply your change to that.",
    ),
    "too-large": Kind(413, "Too large", "A request's body may have 1 MiB."),
    "invalid": Kind(
        422, "Not valid", "The content is not allowed; `errors` lists each field with what is allowed."
    ),
    "invalid-rule": Kind(
        422, "The rule or pack is not valid", "`errors` lists each field with what is allowed."
    ),
    "invalid-plan": Kind(
        422, "The care plan is not valid", "`errors` lists each field with what is allowed."
    ),
    "idempotency-key-reused": Kind(
        422,
        "This Idempotency-Key was used for another request",
        "A key stands for one request with one content. Take a new one for a new request.",
    ),
    "precondition-required": Kind(
        428,
        "If-Match is needed",
        "Changing a rule or a plan needs `If-Match` with the `ETag` that reading it gave, so that nobody's "
        "change is overwritten unseen.",
    ),
    "too-slow": Kind(408, "Too slow", "A request's body must be here within 30 s."),
    "too-many-requests": Kind(
        429,
        "Too many requests",
        "`Retry-After` says in how many seconds the next is answered. Open one event stream and keep it, "
        "ask for charts with `resolution`, and page through lists without haste.",
    ),
    "locked-out": Kind(
        429,
        "Too many attempts",
        "Logging in failed too often. `Retry-After` says in how many seconds the next attempt is heard.",
    ),
    "http-error": Kind(400, "Not possible", "The status says why."),
    "error": Kind(
        500,
        "Something went wrong",
        "A fault of ward itself. It is in the service's log under the path and time of the request.",
    ),
    "unavailable": Kind(503, "Not available now", "Try again shortly; `/readyz` says what is missing."),
}

BY_STATUS: Final[Mapping[int, str]] = {
    400: "bad-request",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    408: "too-slow",
    409: "conflict",
    412: "precondition-failed",
    413: "too-large",
    422: "invalid",
    428: "precondition-required",
    429: "too-many-requests",
    500: "error",
    503: "unavailable",
}
"""The type of an error that only has a status (those of the framework)."""


class SecondPersonError(WardError):
    """Rules that nobody changes alone."""

    type, title, status = "second-person", "A second person is needed", 403


class CrossSiteError(WardError):
    type, title, status = "cross-site", KINDS["cross-site"].title, 403


class IdleError(UnauthorizedError):
    type, title, status = "session-idle", KINDS["session-idle"].title, 401


class KeyReusedError(WardError):
    type, title, status = "idempotency-key-reused", KINDS["idempotency-key-reused"].title, 422


class PreconditionRequiredError(WardError):
    type, title, status = "precondition-required", KINDS["precondition-required"].title, 428


def problem(
    path: str,
    type: str,
    detail: str,
    *,
    status: int | None = None,
    title: str | None = None,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
    code: str | None = None,
    params: Mapping[str, object] | None = None,
) -> JSONResponse:
    """The response for one problem of ``KINDS``; ``path`` is what was called. ``code`` and ``params`` say the
    detail in a stable form, for who says it in another language."""
    kind = KINDS.get(type, KINDS["http-error"])
    body: dict[str, Any] = {
        "type": PREFIX + type,
        "title": title or kind.title,
        "status": status or kind.status,
        "detail": detail,
        "instance": path,
    }
    if errors:
        body["errors"] = errors
    if code is not None:
        body |= {"code": code, "params": {name: str(value) for name, value in (params or {}).items()}}
    sent = dict(headers or {})
    if body["status"] == 401:
        sent.setdefault("WWW-Authenticate", 'Bearer realm="ward"')
    if body["status"] == 503:
        sent.setdefault("Retry-After", RETRY_AFTER_S)
    return JSONResponse(body, body["status"], sent, media_type=MEDIA_TYPE)


def of_ward_error(path: str, error: WardError) -> JSONResponse:
    """``extra`` may name the ``field``, or list ``problems`` (of a pack or rule) with what is allowed, and
    have a ``code`` with its ``params``."""
    found = error.extra.get("problems")
    field = error.extra.get("field")
    if isinstance(found, list | tuple):
        errors = [_rule_problem(one) for one in found]
    else:
        errors = [{"field": field, "message": error.detail}] if isinstance(field, str) else []
    code, params = error.extra.get("code"), error.extra.get("params")
    wait = error.extra.get("retry_after_s")
    headers = {} if wait is None else {"Retry-After": str(wait)}
    return problem(
        path,
        error.type,
        error.detail,
        status=error.status,
        title=error.title,
        errors=errors,
        headers=headers,
        code=code if isinstance(code, str) else None,
        params=params if isinstance(params, Mapping) else None,
    )


def _rule_problem(found: Mapping[str, Any]) -> dict[str, Any]:
    place = ".".join(str(part) for part in (found["rule"], found["field"]) if part is not None)
    line = {"line": found["line"]} if found.get("line") else {}
    return {"field": place, "message": f"{found['found']}; allowed: {found['allowed']}", **line}


def install(app: FastAPI) -> None:
    """Make every error of ``app`` a problem; what is inside the service stays inside."""

    @app.exception_handler(WardError)
    async def _ward(request: Request, error: WardError) -> Response:
        return of_ward_error(request.url.path, error)

    @app.exception_handler(RequestValidationError)
    async def _validation(request: Request, error: RequestValidationError) -> Response:
        errors = [{"field": _field(one), "message": _message(one, request)} for one in error.errors()]
        detail = "; ".join(f"{one['field']}: {one['message']}" for one in errors[:3])
        params = {
            "fields": ", ".join(one["field"].rpartition(".")[2] for one in errors[:3]),
            "detail": detail,
        }
        return problem(request.url.path, "invalid", detail, errors=errors, code="fields", params=params)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        type = BY_STATUS.get(error.status_code, "http-error")
        phrase = HTTPStatus(error.status_code).phrase
        detail = error.detail if error.detail and error.detail != phrase else KINDS[type].meaning
        return problem(
            request.url.path,
            type,
            detail,
            status=error.status_code,
            title=None if type in KINDS and type != "http-error" else phrase,
            headers=error.headers if error.status_code != 405 else {"Allow": ", ".join(_methods(request))},
        )


def _methods(request: Request) -> list[str]:
    """All that the path can be asked by: the framework names those of the first route that fits."""
    contexts = iter_route_contexts(request.app.routes)
    routes = [c.original_route for c in contexts if isinstance(c.original_route, Route)]
    fitting = [route for route in routes if route.matches(request.scope)[0] != Match.NONE]
    own = [route for route in fitting if not route.param_convertors]  # a path of its own is no other's name
    return sorted({method for route in own or fitting for method in route.methods or ()})


def _field(error: Mapping[str, Any]) -> str:
    """Where it is wrong; of what is no JSON the place is a number of characters, which is no field."""
    loc = error["loc"][:1] if error["type"] == "json_invalid" else error["loc"]
    return ".".join(str(part) for part in loc)


def _message(error: Mapping[str, Any], request: Request) -> str:
    """Pydantic's words, without its prefix for our own; never the value sent: it may name a patient."""
    if tuple(error["loc"]) == ("body",) and error["type"] in NO_OBJECT:
        found = "there is none" if error["type"] == "missing" else "this is none"
        return f"{_wanted_body(request)}; {found}"
    return str(error["msg"]).removeprefix("Value error, ")


NO_OBJECT: Final = frozenset({"missing", "model_attributes_type", "model_type", "dict_type"})
"""The whole body is not what a call takes: nothing, a list, a text, or not said to be JSON."""


def _wanted_body(request: Request) -> str:
    """What a call takes: with its fields, as far as it cannot do without them."""
    field = getattr(request.scope.get("route"), "body_field", None)
    shape = getattr(field, "field_info", None)
    fields = getattr(getattr(shape, "annotation", None), "model_fields", {})
    needed = [info.alias or name for name, info in fields.items() if info.is_required()]
    what = f" with {', '.join(needed)}" if needed else ""
    return f"a JSON object{what} is wanted (Content-Type: application/json)"
