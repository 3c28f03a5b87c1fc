"""Who may be given an alert or a patient of a ward."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.alerts.plan import Plan
from ward.store.people import list_users
from ward.store.sql import MAX_PAGE
from ward.web.access import CAPABILITIES, Responder, require_ward, wards_of
from ward.web.describe import API, answers
from ward.web.schemas.alerts import Colleague
from ward.web.schemas.common import Name, Page
from ward.web.service_protocol import Json, Service
from ward.web.shared import Svc, send

MOST: Final = 5_000
"""Users that are looked through."""

router = APIRouter(prefix=f"{API}/colleagues", tags=["alerts"])


@router.get("", summary="Colleagues of a ward", responses=answers(Page[Colleague]))
async def colleagues(
    service: Svc, who: Responder, ward: Annotated[Name, Query(description="Whose.", examples=["6A"])]
) -> Response:
    """Users who see the ward and may take alerts, and the people of its plan; those on duty first."""
    require_ward(who, ward)
    return send({"items": await run_in_threadpool(colleagues_of, service, ward), "next": None})


def colleagues_of(service: Service, ward: str) -> list[Json]:
    """Each as ``ward.web.schemas.alerts.Colleague``. Reads the database."""
    plan = service.plan(ward)
    on_duty = _on_duty(plan, service.clock.now())
    found = {
        person.name: {"name": person.name, "on_duty": person.id in on_duty, "reached": bool(person.addresses)}
        for person in plan.people.values()
    }
    for name in _users(service, ward):
        found.setdefault(name, {"name": name, "on_duty": False, "reached": False})
    return sorted(found.values(), key=lambda one: (not one["on_duty"], one["name"]))


def _on_duty(plan: Plan, now: int) -> set[str]:
    return {person for team in plan.teams for person in plan.on_duty(team, now)}


def _users(service: Service, ward: str) -> list[str]:
    names: list[str] = []
    cursor: str | None = None
    with service.engine_db.connect() as connection:
        while len(names) < MOST:
            page = list_users(connection, cursor=cursor, limit=MAX_PAGE)
            for user in page.items:
                wards = wards_of(user.role, user.wards)
                sees = wards is None or ward in wards
                if user.disabled is None and user.role in CAPABILITIES["respond"] and sees:
                    names.append(user.name)
            cursor = page.next
            if cursor is None:
                break
    return names
