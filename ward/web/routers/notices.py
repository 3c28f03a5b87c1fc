"""How alerts reach people: the channels, test alerts, what pages say that they show, and the delays."""

from __future__ import annotations

import csv
import io
from collections.abc import Generator, Iterator
from typing import Annotated, Final, Literal

import msgspec
from fastapi import APIRouter, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.web.access import AlertReader, Responder, Shower, Tester, require_ward
from ward.web.audit import about
from ward.web.describe import API, answers
from ward.web.schemas.common import Page, Time
from ward.web.schemas.notices import LARGEST_ID, Channel, Delay, Delays, NewTest, Shown, Test, Tests
from ward.web.service_protocol import Json
from ward.web.shared import JSON, Cursor, InWard, Limit, Streamed, Svc, send

END: Final = 253_370_764_800_000
"""The year 9999, in ms."""
COLUMNS: Final = tuple(Delay.model_fields)

router = APIRouter(prefix=API, tags=["notices"])
DeliveryId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="Of the delivery.", examples=[17])]


@router.get("/channels", summary="List channels", responses=answers(Page[Channel]))
async def channels(service: Svc, who: AlertReader) -> Response:
    """Name and kind, how each does, its last test and last failure; never an address or a secret."""
    shown = await run_in_threadpool(service.notifier.channels, who.wards)
    return send({"items": shown, "next": None})


@router.post(
    "/channels/test", status_code=202, summary="Send a test alert", responses=answers(Tests, 404, status=202)
)
async def send_test(body: NewTest, service: Svc, who: Tester) -> Response:
    """To everybody whom the ward's plan may tell now, through every channel or one. What becomes of it is in
    the list of tests."""
    require_ward(who, body.ward)
    about(ward=body.ward, detail={"channel": body.channel})
    made = await run_in_threadpool(service.notifier.test, body.ward, body.channel)
    return send({"items": made}, 202)


@router.get("/channels/tests", summary="List test alerts", responses=answers(Page[Test]))
async def list_tests(service: Svc, who: AlertReader, cursor: Cursor = None, limit: Limit = 100) -> Response:
    """The latest first: when its channel took each, and who says that it arrived."""

    def read() -> Json:
        return service.notifier.tests(who.wards, cursor=cursor, limit=limit)

    return send(await run_in_threadpool(read))


@router.post("/channels/tests/{id}/seen", summary="A test alert arrived", responses=answers(Test, 404))
async def seen(id: DeliveryId, service: Svc, who: Responder) -> Response:
    """Said by the person whom it reached. The first who says so stays on the record."""
    return send(await run_in_threadpool(service.notifier.seen, id, who.wards, who.name))


@router.post(
    "/notices/shown", status_code=204, summary="A page shows alerts", responses=answers(None, status=204)
)
async def shown(body: Shown, service: Svc, who: Shower) -> Response:
    """Said by a dashboard of the `notice` events of a ward that it shows, while it is on top. Without it the
    alert counts as not delivered. Send `X-Ward-Active: 0`: no person did this."""
    await run_in_threadpool(service.notifier.shown, body.ids, who.wards, who.name)
    return Response(status_code=204)


@router.get(
    "/alerts/delays",
    summary="How long alerts took",
    responses=answers(Delays),
    response_class=Response,
)
async def delays(
    service: Svc,
    who: AlertReader,
    since: Annotated[Time, Query(description="Only raised at or after it.")],
    until: Annotated[Time | None, Query(description="Only raised before it.")] = None,
    ward: InWard = None,
    format: Annotated[Literal["json", "csv"], Query(description="csv: one line a delivery.")] = "json",
) -> Response:
    """For reports: condition delay (sustained to told of) and signal delay (sustained to taken by each
    person's channel), a line for each delivery."""
    rows = service.notifier.delays(since=since, until=END if until is None else until, wards=who.within(ward))
    if format == "csv":
        name = {"content-disposition": 'attachment; filename="delays.csv"'}
        return Streamed(_csv(rows), media_type="text/csv", headers=name)
    return Streamed(_json(rows), media_type=JSON)


def _json(rows: Iterator[Json]) -> Generator[bytes, None, None]:
    yield b'{"items":['
    for number, row in enumerate(rows):
        yield (b"," if number else b"") + msgspec.json.encode(row)
    yield b"]}"


def _csv(rows: Iterator[Json]) -> Generator[str, None, None]:
    line = io.StringIO()
    writer = csv.DictWriter(line, COLUMNS)
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(row[name]) for name in COLUMNS})
        yield _taken(line)
    yield _taken(line)


def _cell(value: object) -> object:
    """A spreadsheet takes text that begins so for a formula; beds and people are named by people."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t")) else value


def _taken(line: io.StringIO) -> str:
    text = line.getvalue()
    line.seek(0)
    line.truncate()
    return text
