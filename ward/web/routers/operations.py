"""For who runs the service: is it alive, is it ready, what does it measure."""

from __future__ import annotations

import contextlib
from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from ward.errors import UnauthorizedError
from ward.web.access import Doorkeeper, Monitor, is_secure
from ward.web.describe import problem_answer
from ward.web.shared import Svc, send

router = APIRouter(tags=["operations"])


def health_answer(status: int, text: str, example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    schema = {"type": "object", "additionalProperties": True}
    content = {"application/json": {"schema": schema, "example": example}}
    return {status: {"description": text, "content": content}}


@router.get(
    "/healthz", summary="Is it alive", responses=health_answer(200, "It answers", {"status": "alive"})
)
async def healthz() -> Response:
    """For whoever restarts it. Needs no credentials, tells nothing."""
    return send({"status": "alive"})


@router.get(
    "/readyz",
    summary="Is it ready",
    responses={
        **health_answer(200, "Ready", {"ready": True, "reasons": []}),
        **health_answer(503, "Not ready", {"ready": False, "reasons": ["not connected to the broker"]}),
    },
)
async def readyz(request: Request, service: Svc) -> Response:
    """Ready: alerts can come. If not, `reasons` says why; `warnings` tells what somebody should
    see to all the same. Needs no credentials; who may read `/metrics` is told in `detail` what the broker
    itself said."""
    health = service.health()
    shown = {"ready": health["ready"], "reasons": health["reasons"]}
    if warnings := health.get("warnings"):
        shown["warnings"] = warnings
    if (detail := health.get("detail")) and await run_in_threadpool(_may_see_detail, request):
        shown["detail"] = detail
    return send(shown, 200 if health["ready"] else 503)


def _may_see_detail(request: Request) -> bool:
    with contextlib.suppress(UnauthorizedError):
        keeper: Doorkeeper = request.app.state.identity
        return keeper.identify(request.headers, secure=is_secure(request.scope)).may("monitor")
    return False


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=PlainTextResponse,
    responses={
        200: {
            "description": "Prometheus's text format",
            "content": {
                "text/plain": {"schema": {"type": "string"}, "example": "ward_http_requests_total 42.0\n"}
            },
        },
        **{code: problem_answer(code) for code in (401, 403, 429, 500)},
    },
)
async def metrics(who: Monitor) -> Response:
    """No metric names a patient or a stay."""
    return Response(await run_in_threadpool(generate_latest), media_type=CONTENT_TYPE_LATEST)
