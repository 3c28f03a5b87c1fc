"""Recordings to try rules on: those of the service's folder, and what somebody brings."""

from __future__ import annotations

from contextlib import aclosing
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.clock import iso
from ward.ingest.recordings import LATEST
from ward.signals import N_OBSERVED, OBSERVED
from ward.store.chunks import History
from ward.web.access import Tuner
from ward.web.audit import about
from ward.web.describe import API, answers
from ward.web.routers.vitals import check_span, signals_of, vitals_view
from ward.web.schemas.common import Duration, Id, Line, Page
from ward.web.schemas.recordings import Recording
from ward.web.schemas.stays import Vitals
from ward.web.service_protocol import Json
from ward.web.shared import GONE, Svc, send
from ward.web.shelf import Lying, Shelf

router = APIRouter(prefix=f"{API}/recordings", tags=["recordings"])

COLUMNS: Final = ("signal", "time", "value", "mark", "reason")
RecordingId = Annotated[Id, Path(description="Its id.", examples=["5b0d2c9a4f7e1a36"])]
Instant = Query(
    ge=-LATEST // 8,
    lt=LATEST,
    description="ms since 1970; of a recording that counts seconds, since its beginning. `end` not included.",
    examples=[1_795_262_400_000],
)
BODY = {"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}}


@router.get("", summary="Recordings to try rules on", responses=answers(Page[Recording]))
async def list_(request: Request, who: Tuner) -> Response:
    """Files of the folder `WARD_RECORDINGS`, and those that you brought. Others do not see yours."""
    found = await run_in_threadpool(shelf(request).lying, who.id)
    return send({"items": [_view(one, shelf(request)) for one in found], "next": None})


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
    patients: it is yours alone, and lies in the data folder until you take it away or `until` comes; at most
    10 each."""
    content = await request.body()
    made = await run_in_threadpool(shelf(request).bring, who.id, name, content)
    about(object=f"recording:{made.id}", detail={"bytes": made.size})
    return send(_view(made, shelf(request)), 201, {"Location": f"{API}/recordings/{made.id}"})


@router.get(
    "/{recording}/vitals",
    summary="A span of a recording",
    responses=answers(Vitals, 404, 503),
)
async def vitals(
    request: Request,
    service: Svc,
    who: Tuner,
    recording: RecordingId,
    stay: Annotated[Line, Query(description="As a trial over this recording names it.")],
    start: Annotated[int, Instant],
    end: Annotated[int, Instant],
    signal: Annotated[list[str] | None, Query(description="Only these.", examples=[["hr", "spo2"]])] = None,
    resolution: Annotated[Duration | None, Query(description="Bins of this width, as of a stay.")] = None,
) -> Response:
    """Readings as they were recorded, with what the filter made of them: the trend of an alert that a trial
    tells of. The whole recording is read for it, in a process of its own; two such at a time (429)."""
    check_span(start, end, resolution)
    lying = await run_in_threadpool(shelf(request).get, who.id, recording)
    about(object=f"recording:{recording}")
    wanted = signals_of(signal)
    look: Json = {
        "recording": str(lying.path),
        "named": lying.name,
        "stay": stay,
        "start": start,
        "end": end,
        "signals": list(OBSERVED) if wanted is None else [OBSERVED[n] for n in wanted if n < N_OBSERVED],
    }
    async with aclosing(service.trial({"look": look})) as steps:
        async for kind, data in steps:
            if kind == "result":
                history = History.of(**{name: data[name] for name in COLUMNS})
                return send(vitals_view(stay, start, end, resolution, history, {}, complete=True))
            if await request.is_disconnected():
                break
    return Response(status_code=GONE)


@router.delete(
    "/{recording}",
    status_code=204,
    summary="Take a recording away",
    responses=answers(None, 404, 409, status=204),
)
async def take_away(
    request: Request,
    who: Tuner,
    recording: RecordingId,
) -> Response:
    """One that you brought."""
    await run_in_threadpool(shelf(request).take_away, who.id, recording)
    about(object=f"recording:{recording}")
    return Response(status_code=204)


def shelf(request: Request) -> Shelf:
    found: Shelf = request.app.state.shelf
    return found


def _view(one: Lying, shelf: Shelf) -> Json:
    until = shelf.until(one)
    return {
        "id": one.id,
        "name": one.name,
        "size": one.size,
        "brought": one.brought is not None,
        "until": None if until is None else iso(until),
    }
