"""Who has which patient: taking over, handing over, giving up."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.alerts.plan import Plan
from ward.clock import iso
from ward.errors import InvalidError, NotFoundError
from ward.store.people import User, all_users
from ward.web.access import Assigner, Principal, Reader
from ward.web.audit import about
from ward.web.describe import API, answers
from ward.web.idempotency import Once
from ward.web.schemas.common import Name
from ward.web.schemas.shift import Assignments, GiveUp, Take, Taken
from ward.web.service_protocol import Json, Service
from ward.web.shared import Svc, send

router = APIRouter(prefix=f"{API}/wards/{{ward}}/assignments", tags=["shift"])

OfWard = Annotated[Name, Path(description="The ward.", examples=["6A"])]
AT_BEDS: Final = frozenset({"nurse", "clinician"})
"""Users of these roles can have patients."""


@router.get("", summary="Who has which patient", responses=answers(Assignments, 404))
async def assignments(ward: OfWard, service: Svc, who: Reader) -> Response:
    """Of every patient of the ward; a null `carer` is a patient whom nobody has."""
    _require(who, ward)
    now = service.clock.now()
    held = [
        {name: stay[name] for name in ("bed", "carer", "carer_before")} | {"stay": stay["id"]}
        for stay in service.board.seen_by(ward.__eq__)
    ]
    shifts = [
        {"id": shift.id, "name": shift.name, "since": iso(start), "until": iso(end)}
        for shift, _, start, end in service.plan(ward).roster.running(now)
    ]
    people = await run_in_threadpool(colleagues, service, ward)
    held.sort(key=lambda one: (len(one["bed"]), one["bed"]))
    return send({"ward": ward, "at": iso(now), "shifts": shifts, "items": held, "people": people})


@router.post("", summary="Take over patients, or hand them over", responses=answers(Taken, 404))
async def take(ward: OfWard, body: Take, service: Svc, who: Assigner, once: Once) -> Response:
    """Whoever had them has them no more. It ends by itself with the shift, at discharge, and when the patient
    goes to another ward. Alerts that nobody took are told to whoever takes the patient, where the ward's plan
    tells her first."""
    _require(who, ward)
    _require_stays(service, ward, body.stays)
    person, name = await run_in_threadpool(_person, service, who, ward, body.person)

    async def run() -> Json:
        return await service.call("assign", stays=body.stays, person=person, name=name, by=who.name)

    about(detail={"stays": body.stays, "person": person})
    return await once.answer(run)


@router.post("/end", summary="Give patients up", responses=answers(Taken, 404))
async def end(ward: OfWard, body: GiveUp, service: Svc, who: Assigner, once: Once) -> Response:
    """Nobody has them then, and everybody sees that."""
    _require(who, ward)
    _require_stays(service, ward, body.stays)

    async def run() -> Json:
        return await service.call("unassign", stays=body.stays, by=who.name)

    about(detail={"stays": body.stays})
    return await once.answer(run)


def colleagues(service: Service, ward: str) -> list[Json]:
    """Who can have patients of the ward: the plan's people, users at the beds. Not on the event loop."""
    plan = service.plan(ward)
    found = [
        {"person": one.id, "name": one.name, "on_duty": _on_duty(plan, one.id, service.clock.now())}
        for one in plan.people.values()
    ]
    with service.engine_db.connect() as connection:
        users = [user for user in all_users(connection) if _at_beds(user, ward)]
    found += [
        {"person": user.name, "name": user.name, "on_duty": None}
        for user in users
        if plan.person_called(user.name) is None and plan.person_called(user.login) is None
    ]
    unique = {one["person"]: one for one in found}
    return sorted(unique.values(), key=lambda one: (one["on_duty"] is not True, one["name"].casefold()))


def _on_duty(plan: Plan, person: str, now: int) -> bool | None:
    """None where no roster speaks of her."""
    if not any(person in line.people for line in plan.roster.lines):
        return None
    return bool(plan.roster.shifts_of(person, now))


def _at_beds(user: User, ward: str) -> bool:
    sees = user.wards is None or ward in user.wards
    return user.disabled is None and user.role in AT_BEDS and sees


def _person(service: Service, who: Principal, ward: str, person: str | None) -> tuple[str, str]:
    """Her id and name. Raises InvalidError for somebody who is not there."""
    if person is None:
        known = service.plan(ward).person_called(who.name)
        return known or who.name, who.name
    found = next((one for one in colleagues(service, ward) if one["person"] == person), None)
    if found is None:
        raise InvalidError(
            "nobody of this ward; see `people` of the list of assignments",
            field="body.person",
            code="not-here",
        )
    return person, found["name"]


def _require(who: Principal, ward: str) -> None:
    if not who.sees(ward):
        raise NotFoundError(f"no ward {ward}")
    about(ward=ward)


def _require_stays(service: Service, ward: str, stays: list[str]) -> None:
    board = service.board.stays
    for stay in stays:
        if stay not in board or board[stay]["ward"] != ward:
            raise NotFoundError(f"no present stay {stay} on this ward")
