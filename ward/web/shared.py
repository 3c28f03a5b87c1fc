"""What most routes take: the service, pages, ids; and how they answer."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Annotated, Any, Final, TypeVar, cast

import msgspec
from anyio import CancelScope
from fastapi import Depends, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from ward.errors import NotFoundError
from ward.store.sql import MAX_PAGE, Page
from ward.store.stays import Stay, get_stay
from ward.web.access import Principal
from ward.web.audit import about
from ward.web.identity import Identity
from ward.web.schemas.common import PRINTABLE, Id, Name
from ward.web.service_protocol import Json, Service

T = TypeVar("T")
JSON: Final = "application/json"
GONE: Final = 499
"""Nobody is there to read it."""


def service_of(request: Request) -> Service:
    return cast(Service, request.app.state.service)


def identity_of(request: Request) -> Identity:
    return cast(Identity, request.app.state.identity)


Svc = Annotated[Service, Depends(service_of)]
Ident = Annotated[Identity, Depends(identity_of)]

StayId = Annotated[Id, Path(description="The stay's id.", examples=["01jd6qk2"])]
AlertId = Annotated[
    Id, Path(description="The alert's id.", examples=["0b6c1a52-6d0b-5c0e-9d5c-3f0b8f3e7a11"])
]
RuleId = Annotated[Id, Path(description="The rule's id.", examples=["spo2-below-88"])]
Cursor = Annotated[
    str | None,
    Query(max_length=500, pattern=PRINTABLE, description="`next` of the page before.", examples=["WzE3N10"]),
]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="How many at most.", examples=[100])]
InWard = Annotated[Name | None, Query(description="Only of this ward.", examples=["6A"])]


def send(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON, encoded as it is: what the service tells is not checked again, it is not the caller's doing."""
    return Response(msgspec.json.encode(content), status, dict(headers or {}), media_type=JSON)


def send_file(content: str | bytes, media_type: str, name: str) -> Response:
    """A document to be looked at, with the name that it is saved under."""
    stem, dot, ending = name.rpartition(".")
    safe = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in stem)
    headers = {"Content-Disposition": f'inline; filename="{safe}{dot}{ending}"'}
    return Response(content, media_type=media_type, headers=headers)


class Streamed(StreamingResponse):
    """What is read while it is sent. When the caller leaves, its connection to the database is given back at
    once and not when memory is tidied up."""

    def __init__(self, parts: Generator[str | bytes, None, None], **given: Any) -> None:
        super().__init__(parts, **given)
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with CancelScope(shield=True):
                await run_in_threadpool(self._parts.close)


def page_of(page: Page[T], view: Callable[[T], Json]) -> Json:
    return {"items": [view(item) for item in page.items], "next": page.next}


async def own_stay(service: Service, who: Principal, stay: str) -> Stay:
    """The stay, if it exists and she sees its ward; else NotFoundError: both look the same."""

    def read() -> Stay:
        with service.engine_db.connect() as connection:
            return get_stay(connection, stay, who.wards)

    found = await run_in_threadpool(read)
    about(stay=found.id, ward=found.ward)
    return found


async def require_stay(service: Service, who: Principal, stay: str) -> None:
    """The same without the database where the board knows the stay."""
    shown = service.board.stays.get(stay)
    if shown is None:
        await own_stay(service, who, stay)
    elif not who.sees(shown["ward"]):
        raise NotFoundError(f"no stay {stay}")
    else:
        about(stay=stay, ward=shown["ward"])
