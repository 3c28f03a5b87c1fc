"""For who runs the service, on the dashboard: how it is, its own metrics, and the simulator."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.web.access import Administrator, Monitor, require_all_wards
from ward.web.describe import API, answers
from ward.web.schemas.health import Health, Practice, Simulator
from ward.web.shared import Svc, send

router = APIRouter(prefix=API, tags=["operations"])


@router.get("/health", summary="How the service is", responses=answers(Health))
async def health(
    service: Svc,
    who: Monitor,
    minutes: Annotated[int, Query(ge=1, le=360, description="How far back.", examples=[60])] = 60,
) -> Response:
    """What `/readyz` says and why, each part's heartbeat, and curves of the metrics. Of all wards, and of no
    patient."""
    return send(await run_in_threadpool(service.operations.view, minutes))


@router.post(
    "/simulator",
    status_code=201,
    summary="Start a simulated ward",
    responses=answers(Simulator, 409, status=201),
)
async def start_simulator(body: Practice, service: Svc, who: Administrator) -> Response:
    """Only where `WARD_SIMULATOR` allows it, only this machine is served, and there are no patients.
    Its stays are in a ward of their own."""
    require_all_wards(who)
    return send(await service.operations.practice.start(body.beds, who.name), 201)


@router.delete("/simulator", summary="End the simulated ward", responses=answers(Simulator, 409))
async def end_simulator(service: Svc, who: Administrator) -> Response:
    """Its stays are discharged."""
    require_all_wards(who)
    return send(await service.operations.practice.end(who.name))
