"""Admissions: stays, their beds, flags, devices and pauses."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.alerts.model import Alert
from ward.errors import ForbiddenError, InvalidError
from ward.store.alerts import get_alerts
from ward.store.events import list_events
from ward.store.stays import list_stays
from ward.web.access import Admitter, Flagger, Lister, Pauser, Principal, Reader, require_ward
from ward.web.audit import about
from ward.web.describe import API, answers
from ward.web.idempotency import Once
from ward.web.schemas.alerts import StayLogEntry
from ward.web.schemas.common import Name, Page
from ward.web.schemas.stays import Admission, DeviceChange, DeviceTaken, FlagsChange, Pause, Stay, Transfer
from ward.web.service_protocol import Json, Service
from ward.web.shared import Cursor, InWard, Limit, StayId, Svc, own_stay, page_of, require_stay, send
from ward.web.views import as_read_by, event_view, stay_view

router = APIRouter(prefix=f"{API}/stays", tags=["stays"])


@router.post(
    "",
    status_code=201,
    summary="Admit a patient",
    responses=answers(Stay, 409, status=201, headers={"Location": "The stay's path"}),
)
async def admit(body: Admission, service: Svc, who: Admitter, once: Once) -> Response:
    """A stay begins now. The bed and the devices must be free; 409 says which is not. Flags are for those
    who may set them: they switch rules off."""
    require_ward(who, body.ward)
    if body.flags and not who.may("flag"):
        raise ForbiddenError("flags switch rules off: they are set by a clinician", code="flags")

    async def run() -> Json:
        made = await service.call("admit", **body.model_dump(), by=who.name)
        about(stay=made["id"], ward=body.ward)
        return made

    return await once.answer(run, status=201, location=lambda stay: f"{API}/stays/{stay['id']}")


@router.get("", summary="List stays", responses=answers(Page[Stay]))
async def list_(
    service: Svc,
    who: Lister,
    ward: InWard = None,
    state: Annotated[
        Literal["open", "all"], Query(description="`all` also lists those that are over.")
    ] = "open",
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """The latest admitted first, each as it is now.

    A token with the scope `read:vitals` or `read:alerts` gets ids, wards, beds, times and that part; the
    rest (reference of the patient, flags, devices) is empty.
    """

    def read() -> Json:
        with service.engine_db.connect() as connection:
            found = list_stays(
                connection,
                wards=who.within(ward),
                include_ended=state == "all",
                cursor=cursor,
                limit=limit,
            )
        board = service.board
        return page_of(found, lambda stay: as_read_by(stay_view(board, stay), who))

    return send(await run_in_threadpool(read))


@router.get("/{stay}", summary="One stay as it is now", responses=answers(Stay, 404))
async def get(stay: StayId, service: Svc, who: Reader) -> Response:
    """Signals with their age, NEWS2, alerts and what is pending."""
    return send(await _shown(service, who, stay))


async def _shown(service: Service, who: Principal, stay: str) -> Json:
    return stay_view(service.board, await own_stay(service, who, stay))


@router.get(
    "/{stay}/events", summary="All that was done and told", responses=answers(Page[StayLogEntry], 404)
)
async def events(
    stay: StayId,
    service: Svc,
    who: Reader,
    of: Annotated[
        Literal["all", "stay"], Query(description="`stay`: only what is about the stay and no alert of it.")
    ] = "all",
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """The latest first: admission, moves, devices, flags, pauses, alerts; who did it and when."""
    await own_stay(service, who, stay)

    def read() -> Json:
        with service.engine_db.connect() as connection:
            found = list_events(connection, stay=stay, of_stay_only=of == "stay", cursor=cursor, limit=limit)
            known = get_alerts(connection, {one.event.alert for one in found.items if one.event.alert})
        named = {
            a.id: {"title": a.title, "titles": dict(a.titles), "priority": a.priority, "of": a.kind}
            for a in known.values()
        }
        return page_of(found, lambda one: event_view(one) | named.get(one.event.alert or "", {}))

    return send(await run_in_threadpool(read))


def _named(alert: Alert) -> Json:
    titles = dict(alert.titles)
    return {"title": alert.title, "titles": titles, "priority": alert.priority, "of": alert.kind}


@router.patch("/{stay}", summary="Change the flags", responses=answers(Stay, 404, 409))
async def set_flags(stay: StayId, body: FlagsChange, service: Svc, who: Flagger, once: Once) -> Response:
    """Replaces the flags. A flag that a rule names in `unless` disables that rule at once."""
    await require_stay(service, who, stay)

    async def run() -> Json:
        return await service.call("set_flags", stay=stay, flags=body.flags, by=who.name)

    return await once.answer(run, again=lambda: _shown(service, who, stay))


@router.post("/{stay}/discharge", summary="End the stay", responses=answers(Stay, 404, 409))
async def discharge(stay: StayId, service: Svc, who: Admitter, once: Once) -> Response:
    """Its devices are free again and its alerts close; its history stays readable."""
    await require_stay(service, who, stay)

    async def run() -> Json:
        return await service.call("discharge", stay=stay, by=who.name)

    return await once.answer(run, again=lambda: _shown(service, who, stay))


@router.post("/{stay}/discharge/undo", summary="Take a discharge back", responses=answers(Stay, 404, 409))
async def undo_discharge(stay: StayId, service: Svc, who: Admitter, once: Once) -> Response:
    """Within 10 minutes, while the bed is free: the stay goes on with its history, and with those of its
    devices that are nobody's. Alerts that ended come again where their conditions are sustained anew."""
    await own_stay(service, who, stay)

    async def run() -> Json:
        return await service.call("undo_discharge", stay=stay, by=who.name)

    return await once.answer(run, again=lambda: _shown(service, who, stay))


@router.post("/{stay}/transfer", summary="Move to another bed or ward", responses=answers(Stay, 404, 409))
async def transfer(stay: StayId, body: Transfer, service: Svc, who: Admitter, once: Once) -> Response:
    """Stay, history and alerts go along. In another ward the devices must be attached anew."""
    await require_stay(service, who, stay)
    require_ward(who, body.ward)

    async def run() -> Json:
        return await service.call("transfer", stay=stay, **body.model_dump(), by=who.name)

    return await once.answer(run, again=lambda: _shown(service, who, stay))


@router.post(
    "/{stay}/devices",
    status_code=201,
    summary="Attach a device",
    responses=answers(Stay, 404, 409, status=201),
)
async def attach(stay: StayId, body: DeviceTaken, service: Svc, who: Admitter, once: Once) -> Response:
    """From now on its readings are this patient's; what it sent before is not attributed. A device of another
    stay is a conflict, unless `from_stay` says that this was seen."""
    await require_stay(service, who, stay)
    if body.from_stay is not None:
        await require_stay(service, who, body.from_stay)
        about(stay=stay, detail={"device": body.device, "from_stay": body.from_stay})

    async def run() -> Json:
        return await service.call("attach", stay=stay, **body.model_dump(), by=who.name)

    return await once.answer(run, status=201, again=lambda: _shown(service, who, stay))


@router.delete("/{stay}/devices", summary="Detach a device", responses=answers(Stay, 404, 409))
async def detach(
    stay: StayId,
    service: Svc,
    who: Admitter,
    once: Once,
    device: Annotated[Name | None, Query(description="Its name.", examples=["mon-12"])] = None,
    body: Annotated[DeviceChange | None, Body(description="Instead of the query.")] = None,
) -> Response:
    """From now on its readings are nobody's, until it is attached again."""
    await require_stay(service, who, stay)
    named = device or (body and body.device)
    if not named:
        raise InvalidError("say which device: ?device=NAME", field="device")

    async def run() -> Json:
        return await service.call("detach", stay=stay, device=named, by=who.name)

    return await once.answer(run, again=lambda: _shown(service, who, stay))


@router.post("/{stay}/pause", summary="The patient is away", responses=answers(Stay, 404, 409))
async def pause(stay: StayId, body: Pause, service: Svc, who: Pauser, once: Once) -> Response:
    """Nothing new is raised. Ends by itself after `minutes`, or when readings return; 0 ends it now."""
    await require_stay(service, who, stay)

    async def run() -> Json:
        return await service.call("pause", stay=stay, minutes=body.minutes, by=who.name, reason=body.reason)

    return await once.answer(run, again=lambda: _shown(service, who, stay))
