"""Trials: candidate rules over stored history."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, Final

import msgspec
from fastapi import APIRouter, Request
from fastapi.sse import EventSourceResponse, format_sse_event
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.clock import iso
from ward.errors import InvalidError, WardError, require_span
from ward.store.history import Kept, kept_of
from ward.web.access import Principal, Tuner
from ward.web.audit import about
from ward.web.describe import API, answers
from ward.web.problems import of_ward_error
from ward.web.routers.recordings import shelf
from ward.web.routers.rules import present, scope_of
from ward.web.schemas.trials import TrialAnswer, TrialHistory, TrialRequest
from ward.web.service_protocol import Json, Service
from ward.web.shared import GONE, InWard, Svc, own_stay, send
from ward.web.tried import Tried

router = APIRouter(prefix=API, tags=["rules"])

STREAM: Final = "text/event-stream"

DESCRIPTION: Final = """The very engine that runs, over stored readings: what other rules would have raised, \
and how that differs from those in force. Nothing is changed, and nobody is told.

Try `rules` (of a rule in force only what shall be different), or one rule over a `grid` of thresholds and \
durations, at most 400 cells in one call, or both. Without `events` (labels) recall is that of a stand-in, \
sustained severe events; `events.meaning` in the answer says so. `suggest` names the setting that \
hears most within a wanted load, and the one that costs least.

With `Accept: text/event-stream` the answer is a stream: `progress` with `{done, what}` (`done` from 0 to \
1), at least each second, then `result` with the answer below, or `error` with a problem. Hanging up ends \
the trial. One at a time for each login or token, two altogether (429); at most 25 million readings (422) \
and 5 min (503).

With a `recording` the same over a file, by the rules in force in `scope`."""

ANSWERS: Final = answers(TrialAnswer, 404, 503)
ANSWERS[200]["content"] = {STREAM: {"schema": {"type": "string"}}}


@router.get("/trials/history", summary="What there is to try rules on", responses=answers(TrialHistory))
async def trial_history(service: Svc, who: Tuner, ward: InWard = None) -> Response:
    """Of the wards that you see, or of one. It grows every ten seconds."""
    wards = who.within(ward)

    def read() -> Kept:
        with service.engine_db.connect() as connection:
            return kept_of(connection, wards)

    kept = await run_in_threadpool(read)
    times = {"start": iso(kept.start), "end": iso(kept.end), "now": iso(service.clock.now())}
    return send({**times, "readings": kept.readings, "stays": kept.stays})


@router.post(
    "/rules/trial",
    summary="Try rules on history",
    description=DESCRIPTION,
    responses=ANSWERS,
)
async def trial(request: Request, body: TrialRequest, service: Svc, who: Tuner) -> Response:
    if body.start is not None and body.end is not None:
        require_span(body.start, body.end, "body.start")
    for stay in body.stays or ():
        await own_stay(service, who, stay)
    wards = who.within(body.ward)
    wanted: Json = {
        **body.model_dump(by_alias=True, exclude_none=True, exclude={"ward"}),
        "wards": None if wards is None else sorted(wards),
        "stays": body.stays,
        "zone": service.plan(body.ward or "").zone,
    }
    if body.recording is not None:
        lying = await run_in_threadpool(shelf(request).get, who.id, body.recording)
        about(object=f"recording:{body.recording}")
        wanted |= {"recording": str(lying.path), "named": lying.name}
        if wanted.get("scope") is None and wards is not None:
            raise InvalidError("say by whose rules: scope", field="body.scope")
        if wanted.get("scope") is not None:
            kind, _, name = wanted["scope"].partition(":")
            await scope_of(service, who, name if kind == "ward" else None, None)
    tried = {rule["id"] for rule in wanted["rules"]} | ({body.grid.rule} if body.grid else set())
    about(detail={"rules": sorted(tried), "start": body.start, "end": body.end})
    steps = _while_there(request, service.trial(wanted), await _keeping(request, service, who, wanted))
    if STREAM not in request.headers.get("accept", ""):
        async with aclosing(steps):
            async for kind, data in steps:
                if kind == "result":
                    return send(data)
        return Response(status_code=GONE)
    first = await anext(steps, None)  # what is wrong with the request is told before the stream begins
    if first is None:
        return Response(status_code=GONE)
    return EventSourceResponse(_stream(request.url.path, first, steps), headers={"X-Accel-Buffering": "no"})


async def _keeping(
    request: Request, service: Service, who: Principal, wanted: Json
) -> Callable[[Json], Awaitable[Json]]:
    """What gives an answer the id by which a draft may rest on it: of one set of rules in one scope."""
    scope = wanted.get("scope")
    if scope is None or wanted.get("grid") or wanted.get("holds") or not wanted["rules"]:
        return _as_it_is
    kind, _, name = scope.partition(":")
    await scope_of(service, who, name if kind == "ward" else None, name if kind == "stay" else None)
    base = {rule["id"]: (await present(service, rule["id"], scope)).rule for rule in wanted["rules"]}
    tried: Tried = request.app.state.tried

    async def keep(answer: Json) -> Json:
        at = service.clock.now()
        return {"id": await run_in_threadpool(tried.keep, who, wanted, scope, base, answer, at), **answer}

    return keep


async def _as_it_is(answer: Json) -> Json:
    return answer


async def _while_there(
    request: Request, steps: AsyncGenerator[tuple[str, Json], None], kept: Callable[[Json], Awaitable[Json]]
) -> AsyncGenerator[tuple[str, Json], None]:
    """Until the result, or until the caller has gone."""
    async with aclosing(steps):
        async for kind, data in steps:
            if kind == "result":
                yield kind, await kept(data)
                return
            if await request.is_disconnected():
                return
            yield kind, data


async def _stream(
    path: str, first: tuple[str, Json], steps: AsyncGenerator[tuple[str, Json], None]
) -> AsyncGenerator[bytes, None]:
    async with aclosing(steps):
        yield _event(*first)
        try:
            async for kind, data in steps:
                yield _event(kind, data)
        except WardError as error:
            yield _event("error", msgspec.json.decode(of_ward_error(path, error).body))


def _event(kind: str, data: Any) -> bytes:
    return format_sse_event(data_str=msgspec.json.encode(data).decode(), event=kind)
