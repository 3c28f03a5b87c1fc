"""Wards with their beds, and devices before they are attached: whose they are, and what they show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.clock import iso
from ward.errors import NotFoundError
from ward.signals import HOUR
from ward.store.plans import current_plans
from ward.store.stays import beds_of, last_beds
from ward.web.access import Admitter, Principal, Reader
from ward.web.audit import about
from ward.web.describe import API, answers
from ward.web.schemas.common import Line, Name, Page
from ward.web.schemas.places import DeviceNow, Ward
from ward.web.service_protocol import Json, Service
from ward.web.shared import Svc, send

router = APIRouter(prefix=f"{API}/wards", tags=["wards"])

HEARD: Final = 24 * HOUR
"""Devices that were silent for longer are not offered."""
OfWard = Annotated[Name, Path(description="The ward.", examples=["6A"])]
OfDevice = Annotated[Name, Path(description="Its name in the topic.", examples=["mon-12"])]


@router.get("", summary="The wards", responses=answers(Page[Ward]))
async def wards(service: Svc, who: Reader) -> Response:
    """Those that one sees: where somebody was admitted, a device was heard, a plan was made, or that are
    one's own."""
    return send({"items": await run_in_threadpool(lambda: list(_wards(service, who))), "next": None})


@router.get("/{ward}/devices", summary="Devices to attach", responses=answers(Page[DeviceNow], 404))
async def free_devices(
    ward: OfWard,
    service: Svc,
    who: Admitter,
    bed: Annotated[
        Line | None, Query(description="Those that were there last come first.", examples=["12"])
    ] = None,
) -> Response:
    """Those of the ward that are nobody's and were heard within a day, with what they show now: first those
    that were at this bed before, then those heard last."""
    _require(who, ward)
    found = await run_in_threadpool(lambda: _free(service, who, ward, bed))
    return send({"items": found, "next": None})


@router.get("/{ward}/devices/{device}", summary="Look at a device", responses=answers(DeviceNow, 404))
async def look(ward: OfWard, device: OfDevice, service: Svc, who: Admitter) -> Response:
    """Before it is attached: whether it was ever heard here, whose it is, and what it shows now."""
    _require(who, ward)
    known = {one["id"]: one for one in service.board.devices}
    shown = known.get(f"{ward}/{device}")
    about(ward=ward, object=f"device:{ward}/{device}", stay=shown["stay"] if shown else None)
    return send(await run_in_threadpool(lambda: _look(service, who, ward, device, shown)))


def _require(who: Principal, ward: str) -> None:
    if not who.sees(ward):
        raise NotFoundError(f"no ward {ward}")
    about(ward=ward)


def _wards(service: Service, who: Principal) -> Iterator[Json]:
    with service.engine_db.connect() as connection:
        beds, plans = beds_of(connection), {plan.ward: plan for plan in current_plans(connection)}
    devices: dict[str, list[Mapping[str, Any]]] = {}
    for device in service.board.devices:
        devices.setdefault(device["ward"], []).append(device)
    for ward in sorted({*beds, *plans, *devices, *(who.wards or ())}):
        if not who.sees(ward):
            continue
        mine, plan, here = beds.get(ward, {}), plans.get(ward), devices.get(ward, [])
        yield {
            "ward": ward,
            "beds": [{"bed": bed, "stay": stay} for bed, stay in mine.items()],
            "stays": sum(stay is not None for stay in mine.values()),
            "devices": len(here),
            "unassigned": sum(device["stay"] is None for device in here),
            "plan": "ward" if plan and plan.definition is not None else "default",
            "plan_version": plan.version if plan else 0,
        }


def _free(service: Service, who: Principal, ward: str, bed: str | None) -> list[Json]:
    since = str(iso(service.clock.now() - HEARD))
    free = [
        device
        for device in service.board.devices
        if device["ward"] == ward and device["stay"] is None and (device["last_seen_at"] or "") >= since
    ]
    found = [_look(service, who, ward, device["device"], device) for device in free]
    found.sort(key=lambda one: one["last_seen_at"] or "", reverse=True)
    return sorted(found, key=lambda one: bed is None or one["last_bed"] != bed)


def _look(service: Service, who: Principal, ward: str, device: str, shown: Mapping[str, Any] | None) -> Json:
    with service.engine_db.connect() as connection:
        last_bed, last_until = last_beds(connection, ward, [device]).get(device, (None, None))
    stay = shown["stay"] if shown else None
    view = service.board.stays.get(stay) if stay else None
    others = (d["ward"] for d in service.board.devices if d["device"] == device and d["ward"] != ward)
    seen = dict(shown) if shown else {}
    return {
        "ward": ward,
        "device": device,
        "known": shown is not None,
        "stay": stay,
        "bed": view["bed"] if view else None,
        **{name: seen.get(name) for name in ("online", "last_seen_at", "offset_s")},
        "last_bed": last_bed,
        "last_until": iso(last_until),
        "elsewhere": sorted(other for other in others if who.sees(other)),
        "signals": service.showing(ward, device) if who.may("read:vitals") else {},
    }
