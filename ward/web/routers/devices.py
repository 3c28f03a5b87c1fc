"""Devices: what is out there, what is nobody's, and what was refused and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.store.letters import list_letters
from ward.web.access import DeviceReader, Principal
from ward.web.describe import API, answers
from ward.web.schemas.common import Line, Page
from ward.web.schemas.devices import DeadLetter, Device
from ward.web.service_protocol import Json, Service
from ward.web.shared import Cursor, InWard, Limit, Svc, page_of, send
from ward.web.views import letter_view

router = APIRouter(prefix=API, tags=["devices"])


@router.get("/devices", summary="Every device", responses=answers(Page[Device]))
async def devices(
    service: Svc, who: DeviceReader, ward: InWard = None, cursor: Cursor = None, limit: Limit = 100
) -> Response:
    """By ward and name: whose it is, whether it is there, how its clock goes."""
    return send(_page(service, who, ward, cursor, limit, lambda device: True))


@router.get("/devices/unassigned", summary="Devices that are nobody's", responses=answers(Page[Device]))
async def unassigned(
    service: Svc, who: DeviceReader, ward: InWard = None, cursor: Cursor = None, limit: Limit = 100
) -> Response:
    """Their readings are kept, and never attributed to anyone later."""
    return send(_page(service, who, ward, cursor, limit, lambda device: device["stay"] is None))


def _page(
    service: Service,
    who: Principal,
    ward: str | None,
    cursor: str | None,
    limit: int,
    wanted: Callable[[Json], bool],
) -> Json:
    shown = sorted(
        (
            device
            for device in service.board.devices
            if who.sees(device["ward"])
            and ward in (None, device["ward"])
            and (cursor is None or device["id"] > cursor)
            and wanted(dict(device))
        ),
        key=lambda device: str(device["id"]),
    )
    items = shown[:limit]
    return {"items": items, "next": items[-1]["id"] if len(shown) > limit else None}


@router.get("/dead-letters", summary="What was refused", responses=answers(Page[DeadLetter]))
async def dead_letters(
    service: Svc,
    who: DeviceReader,
    ward: InWard = None,
    reason: Annotated[Line | None, Query(description="Only with this reason.", examples=["not-json"])] = None,
    device: Annotated[Line | None, Query(description="Only of this device.", examples=["mon-12"])] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """The latest first. What belongs to no ward is shown only to those who see all."""

    def read() -> Json:
        with service.engine_db.connect() as connection:
            found = list_letters(
                connection,
                wards=who.within(ward),
                reason=reason,
                device=device,
                cursor=cursor,
                limit=limit,
            )
        return page_of(found, letter_view)

    return send(await run_in_threadpool(read))
