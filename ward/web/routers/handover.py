"""The handover of a shift, and the downtime sheet: on screen and on paper."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Header, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.alerts.plan import Plan
from ward.errors import NotFoundError
from ward.language import Language
from ward.reports import downtime
from ward.reports.handover import USUAL, Sources, handover
from ward.reports.handover_paper import paper
from ward.reports.paper import MEDIA_TYPE
from ward.web.access import Principal, Reader
from ward.web.audit import about
from ward.web.describe import API, answers, document
from ward.web.schemas.common import Name, Time
from ward.web.schemas.shift import Handover
from ward.web.service_protocol import Json
from ward.web.shared import Svc, send, send_file

router = APIRouter(prefix=f"{API}/wards/{{ward}}", tags=["shift"])

OfWard = Annotated[Name, Path(description="The ward.", examples=["6A"])]
Lang = Annotated[Language | None, Query(description="Of the paper; default: the service's.")]
_JSON = answers(Handover, 404)
_PAPER: Final[dict[str, Any]] = {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}


@router.get(
    "/handover", summary="The handover of a shift", responses=_JSON | {200: _JSON[200] | {"content": _PAPER}}
)
async def handover_of_shift(
    ward: OfWard,
    service: Svc,
    who: Reader,
    shift: Annotated[
        Literal["current", "previous"], Query(description="By the plan's roster; without one the last 8 h.")
    ] = "current",
    start: Annotated[Time | None, Query(description="Instead of `shift`.")] = None,
    end: Annotated[Time | None, Query(description="Up to, not including; by default now.")] = None,
    format: Annotated[Literal["json", "pdf"] | None, Query(description="Or by `Accept`.")] = None,
    lang: Lang = None,
    accept: Annotated[
        str | None, Header(description="`application/pdf`: on paper.", examples=["application/pdf"])
    ] = None,
) -> Response:
    """Of each patient who had her, what is open, what happened, NEWS2 then and now, what changed, and limits
    that are not the ward's. At most 36 h."""
    _require(who, ward)
    plan, now = service.plan(ward), service.clock.now()
    name, span = span_of(plan, shift, now)
    if start is not None or end is not None:
        until = now if end is None else end
        name, span = None, (until - USUAL if start is None else start, until)

    def make() -> Json:
        sources = Sources(service.board.stays, service.rules)
        with service.engine_db.connect() as connection:
            return handover(connection, sources, ward, *span, now, name)

    made = await run_in_threadpool(make)
    if format == "pdf" or (format is None and MEDIA_TYPE in (accept or "")):
        pdf = await run_in_threadpool(paper, made, plan.zone, lang or service.language)
        return send_file(pdf, MEDIA_TYPE, f"handover-{ward}.pdf")
    return send(made)


@router.get(
    "/downtime",
    response_class=Response,
    summary="A downtime sheet as of now",
    responses=document(MEDIA_TYPE, "The sheet.", 404),
)
async def downtime_sheet(ward: OfWard, service: Svc, who: Reader, lang: Lang = None) -> Response:
    """A PDF of the ward as it is now, with room to go on by hand. The service keeps one in its data folder,
    too, for when it does not answer."""
    _require(who, ward)
    board = service.board
    stays = board.seen_by(ward.__eq__)
    zone = service.plan(ward).zone

    def make() -> bytes:
        return downtime.sheet(ward, stays, zone, lang or service.language, board.time)

    return send_file(await run_in_threadpool(make), MEDIA_TYPE, f"downtime-{ward}.pdf")


def span_of(plan: Plan, shift: str, now: int) -> tuple[str | None, tuple[int, int]]:
    """The name of the shift that runs now and its times (of the one before); the last 8 h without shifts."""
    name, start, end = _running(plan, now)
    if shift == "current":
        return name, (start, max(end, start + 1))
    before, begun, _ = _running(plan, start - 1)
    return before, (begun, start)


def _running(plan: Plan, at: int) -> tuple[str | None, int, int]:
    running = plan.roster.running(at)
    if not running:
        return None, at - USUAL, at + 1
    shift, _, start, end = max(running, key=lambda one: one[2])
    return shift.name, start, end


def _require(who: Principal, ward: str) -> None:
    if not who.sees(ward):
        raise NotFoundError(f"no ward {ward}")
    about(ward=ward)
