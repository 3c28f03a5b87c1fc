"""Reports for who sets the rules."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.reports import read
from ward.reports.rules import Group
from ward.web.access import Reporter
from ward.web.describe import API, answers
from ward.web.schemas.common import Time
from ward.web.schemas.reports import Drift, RuleReport
from ward.web.service_protocol import Json
from ward.web.shared import InWard, Svc, send

router = APIRouter(prefix=f"{API}/reports", tags=["reports"])


@router.get("/rules", summary="What alerts were worth, rule by rule", responses=answers(RuleReport))
async def rules(
    service: Svc,
    who: Reporter,
    ward: InWard = None,
    start: Annotated[Time | None, Query(description="By default 28 days before `end`.")] = None,
    end: Annotated[Time | None, Query(description="Up to, not including; by default now.")] = None,
    group: Annotated[Group, Query(description="Rows for each ward, or for each week.")] = "none",
) -> Response:
    """Alerts and interruptions per patient-day; what share was actionable, not actionable or artefact by
    those who took them, with intervals and in words; how long it took. No patient is named."""

    def make() -> Json:
        with service.engine_db.connect() as connection:
            return read.rules(
                connection,
                service.clock.now(),
                start=start,
                end=end,
                wards=who.within(ward),
                group=group,
                in_real_time=service.clock.speed == 1,
            )

    return send(await run_in_threadpool(make))


@router.get("/drift", summary="Whether wards are still what they were", responses=answers(Drift))
async def drift(service: Svc, who: Reporter, ward: InWard = None) -> Response:
    """Values, scores and alerts of the last days against days of a reference (the ward's first, or those that
    were chosen with `ward drift reference`), judged by patients, not by readings."""

    def make() -> Json:
        with service.engine_db.connect() as connection:
            found = read.drift(connection, service.clock.now(), service.reference_days, who.within(ward))
        return {"items": [read.drift_view(name, *each) for name, each in found.items()]}

    return send(await run_in_threadpool(make))
