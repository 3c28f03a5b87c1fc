"""Trials: candidate rules over stored history."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from ward.errors import InvalidError
from ward.web.access import Tuner
from ward.web.describe import API, answers
from ward.web.schemas.rules import TrialAnswer, TrialRequest
from ward.web.shared import Svc, own_stay, send

router = APIRouter(prefix=f"{API}/rules", tags=["rules"])


@router.post("/trial", summary="Try rules on history", responses=answers(TrialAnswer, 404, 503))
async def trial(body: TrialRequest, service: Svc, who: Tuner) -> Response:
    """The very engine that runs, over stored readings: what would have been raised, and how that differs."""
    if body.start >= body.end:
        raise InvalidError("start must be before end", field="body.start")
    for stay in body.stays or ():
        await own_stay(service, who, stay)
    wards = who.within(body.ward)
    request = {
        "rules": [rule.model_dump(by_alias=True, exclude_none=True) for rule in body.rules],
        "start": body.start,
        "end": body.end,
        "wards": None if wards is None else sorted(wards),
        "stays": body.stays,
    }
    return send(await service.trial(request))
