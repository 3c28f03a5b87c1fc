"""Protection of data: all that is kept of a stay, and its erasure (GDPR, Art. 15, 17 and 20)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.errors import NotFoundError
from ward.protection.export import as_json
from ward.store import erasure
from ward.web.access import Protector
from ward.web.describe import API, answers, problem_answer
from ward.web.schemas.protection import Erasure
from ward.web.service_protocol import Json
from ward.web.shared import JSON, StayId, Streamed, Svc, own_stay, send

router = APIRouter(prefix=f"{API}/stays", tags=["protection"])

DOCUMENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One JSON document",
        "content": {
            JSON: {"schema": {"type": "object"}, "example": {"stays": [{"stays": [], "readings": []}]}}
        },
    },
    **{code: problem_answer(code) for code in (401, 403, 404, 422, 429, 500)},
}


@router.get("/{stay}/export", summary="All that is kept of a stay", responses=DOCUMENT)
async def export(stay: StayId, service: Svc, who: Protector) -> Response:
    """The stay, its devices, readings, alerts with their log, what was told to whom, limits, audit lines.

    As one document that is streamed; `ward patient export` writes CSV as well. Readings of the last seconds
    may be missing while the patient is there.
    """
    await own_stay(service, who, stay)
    headers = {"Content-Disposition": f'attachment; filename="stay-{stay}.json"'}
    return Streamed(as_json(service.engine_db, [stay]), media_type=JSON, headers=headers)


@router.post("/{stay}/erase", summary="Erase a stay", responses=answers(Erasure, 404, 409))
async def erase(
    stay: StayId,
    service: Svc,
    who: Protector,
    dry_run: Annotated[bool, Query(description="Only tell what would go.")] = False,
) -> Response:
    """Everything that is kept of it goes, at once and for good. The stay must be over. The audit trail keeps
    its lines, which name the stay and not the patient. Erasing again changes nothing.
    """
    erased = await run_in_threadpool(_erased, service, stay)
    if erased is None or who.wards is not None:
        await own_stay(service, who, stay)
    if dry_run:
        return send(await run_in_threadpool(_would_go, service, stay))
    answer = await service.call("erase", stay=stay, by=who.name)
    await run_in_threadpool(erasure.scrub, service.engine_db)
    return send(answer)


def _erased(service: Svc, stay: str) -> erasure.Erased | None:
    with service.engine_db.connect() as connection:
        return erasure.get_erasure(connection, stay)


def _would_go(service: Svc, stay: str) -> Json:
    with service.engine_db.connect() as connection:
        if erasure.get_erasure(connection, stay) is not None:
            raise NotFoundError(f"no stay {stay}: it was erased")
        rows = erasure.held(connection, erasure.require_ended(connection, stay))
    return {"stay": stay, "erased_at": None, "by": None, "rows": rows}
