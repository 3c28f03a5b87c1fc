"""Alerts: what was raised, what is pending, and what a person does about it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.errors import InvalidError, NotFoundError
from ward.store.alerts import get_alert, list_alerts
from ward.store.events import list_events
from ward.store.sql import MAX_PAGE
from ward.store.stays import get_stay
from ward.web.access import AlertReader, Principal, Responder
from ward.web.audit import about
from ward.web.describe import API, answers
from ward.web.idempotency import Once
from ward.web.routers.assignments import colleagues
from ward.web.schemas.alerts import (
    STATES,
    Acknowledge,
    Alert,
    AlertWithLog,
    Assess,
    HandOver,
    Shelve,
    State,
)
from ward.web.schemas.common import Id, Page, Time
from ward.web.service_protocol import Json, Service
from ward.web.shared import AlertId, Cursor, InWard, Limit, Svc, own_stay, page_of, send
from ward.web.views import alert_view, event_view, pending_as_alert

TOLD: Final = tuple(state for state in STATES if state != "pending")
"""The default of the list: what was raised. Of pending ones nobody is told, they are asked for by name."""

router = APIRouter(prefix=f"{API}/alerts", tags=["alerts"])


@router.get("", summary="List alerts", responses=answers(Page[Alert], 404))
async def list_(
    service: Svc,
    who: AlertReader,
    state: Annotated[
        list[State] | None,
        Query(
            description="Only in these states; repeat it. Default: all but pending.", examples=[["active"]]
        ),
    ] = None,
    ward: InWard = None,
    stay: Annotated[Id | None, Query(description="Only of this stay.", examples=["01jd6qk2"])] = None,
    since: Annotated[
        Time | None, Query(description="Only raised, acknowledged, cleared or closed at or after it.")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """The latest raised first. What is pending, where asked for, comes before that, on the first page."""
    states = frozenset(state or TOLD)
    wards = who.within(ward)
    if stay is not None:
        await own_stay(service, who, stay)
        wards = None if ward is None else wards  # what a stay had in another ward is part of it

    def read() -> Json:
        with service.engine_db.connect() as connection:
            return page_of(
                list_alerts(
                    connection,
                    states=states,
                    wards=wards,
                    stay=stay,
                    since=since,
                    cursor=cursor,
                    limit=limit,
                ),
                alert_view,
            )

    found = await run_in_threadpool(read)
    if cursor is None and since is None and "pending" in states:
        shown = [p for p in _pending(service, who) if stay in (None, p["stay"]) and ward in (None, p["ward"])]
        found["items"] = [p for p in shown if p["state"] in states] + found["items"]
    return send(found)


@router.get("/{alert}", summary="One alert with its log", responses=answers(AlertWithLog, 404))
async def get(alert: AlertId, service: Svc, who: AlertReader) -> Response:
    """Also one that is still pending. The log says who did what when, the deliveries who was told.

    Where the alert rides in an episode that was told already, `episode_deliveries` says who was.
    """
    shown = await own_alert(service, who, alert)

    def read() -> Json:
        with service.engine_db.connect() as connection:
            events = list_events(connection, alert=alert, limit=MAX_PAGE).items
        log = [event_view(logged) for logged in reversed(events)]
        return {"log": log, **service.notifier.told(alert, shown["episode"])}

    delay = _seconds(shown["raised_at"], shown["announced_at"])
    return send({**shown, "condition_delay_s": delay, **await run_in_threadpool(read)})


@router.post("/{alert}/acknowledge", summary="Take an alert", responses=answers(Alert, 404, 409))
async def acknowledge(
    alert: AlertId, body: Acknowledge, service: Svc, who: Responder, once: Once
) -> Response:
    """It is yours, and colleagues see so; what it was can be said later. A high alert still in breach
    reminds after 30 min. Of what was handed over to you it says that you have it."""
    await own_alert(service, who, alert)

    async def run() -> Json:
        return await service.call(
            "acknowledge", alert=alert, by=who.name, assessment=body.assessment, note=body.note
        )

    return await once.answer(run, again=lambda: own_alert(service, who, alert))


@router.post("/{alert}/assess", summary="Say what an alert was", responses=answers(Alert, 404, 409))
async def assess(alert: AlertId, body: Assess, service: Svc, who: Responder, once: Once) -> Response:
    """Or note something; also when it is over. The last assessment counts, the log keeps all."""
    await own_alert(service, who, alert)

    async def run() -> Json:
        return await service.call(
            "assess", alert=alert, by=who.name, assessment=body.assessment, note=body.note
        )

    return await once.answer(run, again=lambda: own_alert(service, who, alert))


@router.post("/{alert}/hand-over", summary="Hand an alert over", responses=answers(Alert, 404, 409))
async def hand_over(alert: AlertId, body: HandOver, service: Svc, who: Responder, once: Once) -> Response:
    """A colleague has it, and is told where the ward's plan has an address of hers. She confirms by
    taking it; without that it is active again after 5 min."""
    shown = await own_alert(service, who, alert)
    known = await run_in_threadpool(colleagues, service, shown["ward"] or "")
    if not any(body.to in (one["person"], one["name"]) for one in known):
        raise InvalidError("not a colleague of this ward", field="body.to", code="not-here")

    async def run() -> Json:
        return await service.call("hand_over", alert=alert, by=who.name, to=body.to, note=body.note)

    return await once.answer(run, again=lambda: own_alert(service, who, alert))


@router.post("/{alert}/undo", summary="Take your last act back", responses=answers(Alert, 404, 409))
async def undo(alert: AlertId, service: Svc, who: Responder, once: Once) -> Response:
    """Within 2 min of taking, handing over or shelving it: the alert is as it would be without that, and its
    escalation goes on from where it was. 409 where somebody else has acted since."""
    await own_alert(service, who, alert)

    async def run() -> Json:
        return await service.call("undo", alert=alert, by=who.name)

    return await once.answer(run, again=lambda: own_alert(service, who, alert))


@router.post("/{alert}/shelve", summary="Mute a rule for a stay", responses=answers(Alert, 404, 409))
async def shelve(alert: AlertId, body: Shelve, service: Svc, who: Responder, once: Once) -> Response:
    """At most 60 min, also before it is raised. If the breach is still sustained then, it is active again."""
    await own_alert(service, who, alert)

    async def run() -> Json:
        return await service.call(
            "shelve", alert=alert, by=who.name, minutes=body.minutes, reason=body.reason or ""
        )

    return await once.answer(run, again=lambda: own_alert(service, who, alert))


@router.post("/{alert}/unshelve", summary="End the muting", responses=answers(Alert, 404, 409))
async def unshelve(alert: AlertId, service: Svc, who: Responder, once: Once) -> Response:
    """Before its time."""
    await own_alert(service, who, alert)

    async def run() -> Json:
        return await service.call("unshelve", alert=alert, by=who.name)

    return await once.answer(run, again=lambda: own_alert(service, who, alert))


async def own_alert(service: Service, who: Principal, alert: str) -> Json:
    """The alert, stored or pending, if she sees its ward or its stay; else NotFoundError."""
    pending = next((shown for shown in _pending(service, who) if shown["id"] == alert), None)

    def read() -> Json:
        with service.engine_db.connect() as connection:
            try:
                found = get_alert(connection, alert)
            except NotFoundError:
                if pending is None:
                    raise
                return pending
            if not who.sees(found.ward):
                try:
                    get_stay(connection, found.stay, who.wards)
                except NotFoundError:
                    raise NotFoundError(f"no alert {alert}") from None
        return alert_view(found)

    shown = await run_in_threadpool(read)
    about(stay=shown["stay"], ward=shown["ward"])
    return shown


def _pending(service: Service, who: Principal) -> list[Json]:
    return [
        pending_as_alert(stay, pending)
        for stay in service.board.seen_by(who.sees)
        for pending in stay["pending"]
    ]


def _seconds(start: str | None, end: str | None) -> float | None:
    if start is None or end is None:
        return None
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
