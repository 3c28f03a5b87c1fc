"""Reports for who sets the rules."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.clock import wall_ms
from ward.language import Language
from ward.reports import paper, read, table
from ward.reports.rules import Group
from ward.reports.week import week_paper
from ward.web.access import Principal, Reporter
from ward.web.describe import API, answers, document
from ward.web.schemas.common import Time
from ward.web.schemas.reports import Drift, RuleReport
from ward.web.service_protocol import Json, Service
from ward.web.shared import InWard, Svc, send, send_file

router = APIRouter(prefix=f"{API}/reports", tags=["reports"])

Start = Annotated[Time | None, Query(description="By default 28 days before `end`.")]
End = Annotated[Time | None, Query(description="Up to, not including; by default now.")]
Grouped = Annotated[Group, Query(description="Rows for each ward, or for each week.")]
Zone = Annotated[
    str | None,
    Query(
        max_length=64,
        description="Days and hours are by the clocks of this time zone; by default of the ward's "
        "(its plan, `WARD_TIME_ZONE`).",
        examples=["Europe/Copenhagen"],
    ),
]


async def _report(service: Service, who: Principal, ward: str | None, zone: str | None, **asked: Any) -> Json:
    clock = _zone(service, ward, zone)

    def make() -> Json:
        with service.engine_db.connect() as connection:
            return read.rules(
                connection,
                service.clock.now(),
                wards=who.within(ward),
                in_real_time=service.clock.speed == 1,
                zone=clock,
                **asked,
            )

    return await run_in_threadpool(make)


def _zone(service: Service, ward: str | None, asked: str | None) -> str:
    return asked or service.plan(ward or "").zone


@router.get("/rules", summary="What alerts were worth, rule by rule", responses=answers(RuleReport))
async def rules(
    service: Svc,
    who: Reporter,
    ward: InWard = None,
    start: Start = None,
    end: End = None,
    group: Grouped = "none",
    zone: Zone = None,
) -> Response:
    """Alerts and interruptions per patient-day; what share was actionable, not actionable or artefact by
    those who took them, with intervals and in words; how long it took; when, where. No patient is named."""
    return send(await _report(service, who, ward, zone, start=start, end=end, group=group))


@router.get(
    "/rules.csv",
    summary="The same as a table",
    response_class=Response,
    responses=document("text/csv", "A line for each rule and priority."),
)
async def rules_csv(
    service: Svc,
    who: Reporter,
    ward: InWard = None,
    start: Start = None,
    end: End = None,
    group: Grouped = "none",
    zone: Zone = None,
) -> Response:
    """A line for each rule, priority and group, with every figure of the report."""
    found = await _report(service, who, ward, zone, start=start, end=end, group=group)
    return send_file(table.as_csv(found["rules"]), table.MEDIA_TYPE, "alert-report.csv")


@router.get(
    "/week.pdf",
    summary="A week on paper",
    response_class=Response,
    responses=document(paper.MEDIA_TYPE, "A page or two."),
)
async def week_pdf(
    service: Svc,
    who: Reporter,
    ward: InWard = None,
    start: Annotated[Time | None, Query(description="By default the Monday of the last whole week.")] = None,
    end: Annotated[Time | None, Query(description="By default seven days after `start`.")] = None,
    zone: Zone = None,
    lang: Annotated[Language | None, Query(description="By default that of the installation.")] = None,
) -> Response:
    """The report as PDF, for the meeting of those who set the rules."""
    clock = _zone(service, ward, zone)
    first, last = read.week_of(start, end, clock, service.clock.now())
    found = await _report(service, who, ward, clock, start=first, end=last)
    language = lang or service.language
    made = await run_in_threadpool(week_paper, found, (first, last), ward, language, clock, wall_ms())
    return send_file(made, paper.MEDIA_TYPE, "alert-report.pdf")


@router.get("/drift", summary="Whether wards are still what they were", responses=answers(Drift))
async def drift(service: Svc, who: Reporter, ward: InWard = None) -> Response:
    """Values, scores and alerts of the last days against days of a reference (the ward's first, or those that
    were chosen with `ward drift reference`), judged by patients, not by readings."""

    def make() -> Json:
        with service.engine_db.connect() as connection:
            found = read.drift(connection, service.clock.now(), service.reference_days, who.within(ward))
        return {"items": [read.drift_view(name, *each) for name, each in found.items()]}

    return send(await run_in_threadpool(make))
