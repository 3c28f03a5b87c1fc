"""What the OpenAPI description says of every route: its answer, and the problems it may answer with."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel

from ward.web.problems import BY_STATUS, KINDS, MEDIA_TYPE

API: Final = "/api/v1"
JSON: Final = "application/json"
ALWAYS: Final = (401, 403, 422, 429, 500)


def answers(
    model: type[BaseModel] | None,
    *problems: int,
    status: int = 200,
    description: str | None = None,
    headers: dict[str, str] | None = None,
    public: bool = False,
) -> dict[int | str, dict[str, Any]]:
    """``responses`` of a route: its success with ``model``, ``problems`` beside those of every route."""
    usual = {"Created": status == 201, "Done, nothing to tell": model is None, "As asked": True}
    success: dict[str, Any] = {"description": description or next(k for k, v in usual.items() if v)}
    if model is not None:
        success["model"] = model
    if headers:
        success["headers"] = {
            name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()
        }
    always = (422, 429, 500) if public else ALWAYS
    return {status: success, **{code: problem_answer(code) for code in sorted({*always, *problems})}}


def document(media_type: str, description: str, *problems: int) -> dict[int | str, dict[str, Any]]:
    """``responses`` of a route whose success is a file: what it is and what is in it."""
    content = {media_type: {"schema": {"type": "string"}}}
    found: dict[int | str, dict[str, Any]] = {200: {"description": description, "content": content}}
    return found | {code: problem_answer(code) for code in sorted({*ALWAYS, *problems})}


def problem_answer(status: int) -> dict[str, Any]:
    type = BY_STATUS[status]
    kind = KINDS[type]
    example = {
        "type": f"/problems/{type}",
        "title": kind.title,
        "status": status,
        "detail": kind.meaning,
        "instance": f"{API}/stays",
    }
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": kind.title, "content": {MEDIA_TYPE: {"schema": schema, "example": example}}}
