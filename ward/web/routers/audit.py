"""The audit trail, for administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.store.audit import search
from ward.store.audit_lines import line_view
from ward.web.access import Auditor, require_all_wards
from ward.web.describe import API, answers
from ward.web.schemas.audit import AuditLine, Verdict
from ward.web.schemas.common import Id, Line, Page, Time
from ward.web.service_protocol import Json
from ward.web.shared import Cursor, Limit, Svc, page_of, send

router = APIRouter(prefix=f"{API}/audit", tags=["audit"])


@router.get("", summary="Who saw and did what", responses=answers(Page[AuditLine]))
async def list_(
    service: Svc,
    who: Auditor,
    stay: Annotated[Id | None, Query(description="Only of this stay.", examples=["01jd6qk2"])] = None,
    actor: Annotated[Line | None, Query(description="Only by this name.", examples=["Nurse Ada"])] = None,
    action: Annotated[Line | None, Query(description="Only this action.", examples=["stays-get"])] = None,
    start: Annotated[Time | None, Query(description="From this time of the machine on.")] = None,
    end: Annotated[Time | None, Query(description="Up to, not including.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """The latest first. Who sees only some wards sees only their lines.

    `ward audit verify` says whether the chain holds.
    """

    def read() -> Json:
        with service.engine_db.connect() as connection:
            found = search(
                connection,
                wards=who.wards,
                stay=stay,
                actor=actor,
                action=action,
                start=start,
                end=end,
                cursor=cursor,
                limit=limit,
            )
        return page_of(found, line_view)

    return send(await run_in_threadpool(read))


@router.get("/verify", summary="Whether the trail holds", responses=answers(Verdict))
async def verify(
    service: Svc,
    who: Auditor,
    lines: Annotated[
        int, Query(ge=1, le=1_000_000, description="How many of the last ones.", examples=[100_000])
    ] = 100_000,
) -> Response:
    """Goes through the chain and compares it with the ends that the data folder knows; `ward audit verify`
    goes through all of it, and knows ends from elsewhere."""
    require_all_wards(who)
    return send(await run_in_threadpool(service.operations.verify_trail, lines))
