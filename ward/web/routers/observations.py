"""What no sensor gives: observations by a person."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from ward.clock import iso
from ward.errors import InvalidError
from ward.signals import MINUTE
from ward.web.access import Observer
from ward.web.describe import API, answers
from ward.web.idempotency import Once
from ward.web.schemas.stays import Observation, Observed
from ward.web.service_protocol import Json
from ward.web.shared import StayId, Svc, require_stay

AHEAD: Final = 2 * MINUTE
"""How far a caller's clock may be ahead of ours."""

router = APIRouter(prefix=f"{API}/stays", tags=["observations"])


@router.post(
    "/{stay}/observations",
    status_code=201,
    summary="Enter an observation",
    responses=answers(Observed, 404, 409, status=201),
)
async def observe(stay: StayId, body: Observation, service: Svc, who: Observer, once: Once) -> Response:
    """Consciousness and oxygen count for 12 h, any other signal for 6 h."""
    await require_stay(service, who, stay)
    now = service.clock.now()
    time = now if body.time is None else body.time
    if time > now + AHEAD * service.clock.speed:
        raise InvalidError("an observation cannot be of the future", field="body.time", code="future")
    values = body.values()

    async def run() -> Json:
        await service.call("observe", stay=stay, time=time, values=values, by=who.name)
        return {"stay": stay, "time": iso(time), "by": who.name, **values}

    return await once.answer(run, status=201)
