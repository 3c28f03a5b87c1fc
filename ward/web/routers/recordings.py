"""Recordings to try rules on: those of the service's folder, and what somebody brings."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.web.access import Tuner
from ward.web.audit import about
from ward.web.describe import API, answers
from ward.web.schemas.common import Id, Line, Page
from ward.web.schemas.recordings import Recording
from ward.web.service_protocol import Json
from ward.web.shared import send
from ward.web.shelf import Lying, Shelf

router = APIRouter(prefix=f"{API}/recordings", tags=["recordings"])

BODY = {"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}}


@router.get("", summary="Recordings to try rules on", responses=answers(Page[Recording]))
async def list_(request: Request, who: Tuner) -> Response:
    """Files of the folder `WARD_RECORDINGS`, and those that you brought. Others do not see yours."""
    found = await run_in_threadpool(shelf(request).lying, who.id)
    return send({"items": [_view(one) for one in found], "next": None})


@router.post(
    "",
    status_code=201,
    summary="Bring a recording",
    responses=answers(Recording, 409, status=201),
    openapi_extra=BODY,
)
async def bring(
    request: Request,
    who: Tuner,
    name: Annotated[Line, Query(description="What to call it.", examples=["night.csv"])],
) -> Response:
    """The file itself is the body, in a form that `ward replay` reads (CSV), at most 32 MiB. It may be about
    patients: it is yours alone, and lies in the data folder until you take it away; at most 10 each."""
    content = await request.body()
    made = await run_in_threadpool(shelf(request).bring, who.id, name, content)
    about(object=f"recording:{made.id}", detail={"bytes": made.size})
    return send(_view(made), 201, {"Location": f"{API}/recordings/{made.id}"})


@router.delete(
    "/{recording}",
    status_code=204,
    summary="Take a recording away",
    responses=answers(None, 404, 409, status=204),
)
async def take_away(
    request: Request,
    who: Tuner,
    recording: Annotated[Id, Path(description="Its id.", examples=["5b0d2c9a4f7e1a36"])],
) -> Response:
    """One that you brought."""
    await run_in_threadpool(shelf(request).take_away, who.id, recording)
    about(object=f"recording:{recording}")
    return Response(status_code=204)


def shelf(request: Request) -> Shelf:
    found: Shelf = request.app.state.shelf
    return found


def _view(one: Lying) -> Json:
    return {"id": one.id, "name": one.name, "size": one.size, "brought": one.brought}
