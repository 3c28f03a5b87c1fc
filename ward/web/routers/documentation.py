"""The API's own description: OpenAPI, a page to read, and a page for each type of problem."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import HTMLResponse, Response

from ward.errors import NotFoundError
from ward.web import docs
from ward.web.access import Reader
from ward.web.problems import KINDS
from ward.web.shared import send

router = APIRouter(include_in_schema=False)


@router.get("/openapi.json")
async def openapi(request: Request, who: Reader) -> Response:
    return send(request.app.openapi())


@router.get("/docs")
async def documentation(request: Request, who: Reader) -> Response:
    return HTMLResponse(docs.render(request.app.openapi()))


@router.get("/docs.css")
async def style() -> Response:
    return Response(docs.CSS, media_type="text/css")


@router.get("/problems/{type}")
async def problem(type: Annotated[str, Path()]) -> Response:
    if type not in KINDS:
        raise NotFoundError("there is no such type of problem")
    return HTMLResponse(docs.problem_page(type))
