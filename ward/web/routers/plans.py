"""Care plans: who is told, when, through what; who is on duty; and a look at it before it is needed."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.alerts.plan import Plan, Recipient
from ward.alerts.plan_file import PlanError, parse_plan, read_toml
from ward.alerts.plan_lines import in_lines
from ward.alerts.plan_text import plan_to_fields, to_toml
from ward.alerts.preview import holes, journey, remarks
from ward.clock import iso
from ward.errors import NotFoundError, PreconditionError
from ward.signals import HOUR
from ward.store.plans import PlanVersion, plan_history
from ward.web.access import AlertReader, Principal, Tuner
from ward.web.audit import about
from ward.web.describe import API, answers
from ward.web.problems import PreconditionRequiredError
from ward.web.schemas.common import Id, Name, Page, Time
from ward.web.schemas.plans import Checked, Duty, Kind, PlanFields, PlanRead, PlanText, Preview, Priority
from ward.web.schemas.plans import Plan as PlanShape
from ward.web.schemas.plans import PlanVersion as VersionShape
from ward.web.service_protocol import Json, Service
from ward.web.shared import Svc, send

router = APIRouter(prefix=f"{API}/wards/{{ward}}", tags=["plans"])

WEEK: Final = 7 * 24 * HOUR
ETAG: Final = {"ETag": "The version; send it as `If-Match` with a change."}
OfWard = Annotated[Name, Path(description="The ward.", examples=["6A"])]
IfMatch = Annotated[
    str | None, Header(description="The `ETag` that reading the plan gave.", examples=['"6A-3"'])
]
At = Annotated[Time | None, Query(description="Default: now.")]


@router.get("/plan", summary="The plan in force", responses=answers(PlanShape, 404, headers=ETAG))
async def get(ward: OfWard, service: Svc, who: AlertReader) -> Response:
    """The ward's own, or the default one. Addresses are shown to those who may change it."""
    _require(who, ward)
    newest = await _newest(service, ward)
    return send(_in_force(service, who, ward, newest), headers={"ETag": _etag(ward, newest)})


@router.put("/plan", summary="Change the plan", responses=answers(PlanShape, 404, 412, 428, headers=ETAG))
async def put(ward: OfWard, body: PlanFields, service: Svc, who: Tuner, if_match: IfMatch = None) -> Response:
    """All of it is replaced. It applies from the next evaluation: what was told stays told, open alerts go
    on by the new plan. Every version is kept, with who made it. `remarks` says what is perhaps not meant,
    such as a channel that is not configured."""
    return await _change(service, who, ward, body.model_dump(by_alias=True, exclude_none=True), if_match)


@router.delete("/plan", summary="Back to the default plan", responses=answers(PlanShape, 404, 412, 428))
async def delete(ward: OfWard, service: Svc, who: Tuner, if_match: IfMatch = None) -> Response:
    """The ward's own versions stay in its history."""
    return await _change(service, who, ward, None, if_match)


@router.get("/plan/history", summary="Every version", responses=answers(Page[VersionShape], 404))
async def history(ward: OfWard, service: Svc, who: AlertReader) -> Response:
    """The latest first."""
    _require(who, ward)
    versions = await run_in_threadpool(_versions, service, ward)
    return send({"items": [_version(version, who) for version in versions], "next": None})


@router.get("/plan/preview", summary="How an alert would travel", responses=answers(Preview, 404))
async def preview(
    ward: OfWard,
    service: Svc,
    who: AlertReader,
    priority: Annotated[Priority, Query(description="Of the alert.", examples=["high"])],
    kind: Annotated[Kind, Query(description="Of the alert.")] = "physiological",
    rule: Annotated[Id | None, Query(description="Of the alert.", examples=["device-lost"])] = None,
    at: At = None,
) -> Response:
    """Who would be told when of an alert that nobody takes, as the roster is then."""
    _require(who, ward)
    begin = service.clock.now() if at is None else at
    steps = _steps(service.plan(ward), kind, priority, rule or "", begin)
    return send({"ward": ward, "at": iso(begin), "kind": kind, "priority": priority, "steps": steps})


@router.post("/plan/check", summary="Check a plan", responses=answers(Checked, 404))
async def check(ward: OfWard, body: PlanFields, service: Svc, who: Tuner) -> Response:
    """Whether it could be used, and where nobody would be on duty in the coming week. Changes nothing."""
    _require(who, ward)
    plan = parse_plan(body.model_dump(by_alias=True, exclude_none=True))
    return send({"holes": _gaps(service, plan), "remarks": await _remarks(service, who, plan)})


@router.post("/plan/read", summary="Read a plan's text", responses=answers(PlanRead, 404))
async def read(ward: OfWard, body: PlanText, service: Svc, who: Tuner) -> Response:
    """For an editor: what is wrong in which line (422), else the fields to `PUT`, where nobody would be on
    duty, and how an alert would travel by it. Changes nothing."""
    _require(who, ward)
    try:
        fields = read_toml(body.text, "plan")
        plan = parse_plan(fields)
    except PlanError as error:
        raise in_lines(error, body.text) from None
    begin = service.clock.now() if body.at is None else body.at
    found = {"holes": _gaps(service, plan), "remarks": await _remarks(service, who, plan)}
    steps = _steps(plan, body.kind, body.priority, "", begin)
    return send({**found, "definition": fields, "steps": steps})


@router.get("/duty", summary="Who is on duty", responses=answers(Duty, 404))
async def duty(ward: OfWard, service: Svc, who: AlertReader, at: At = None) -> Response:
    """By the plan in force."""
    _require(who, ward)
    plan, now = service.plan(ward), service.clock.now() if at is None else at
    shifts = [
        {"id": shift.id, "name": shift.name, "since": iso(start), "until": iso(end)}
        for shift, _, start, end in plan.roster.running(now)
    ]
    teams = [
        {"id": team.id, "name": team.name, "people": [_person(plan, p) for p in plan.on_duty(team.id, now)]}
        for team in plan.teams.values()
    ]
    return send({"ward": ward, "at": iso(now), "shifts": shifts, "teams": teams})


# --- how --------------------------------------------------------------------------------------------


def _steps(plan: Plan, kind: Kind, priority: Priority, rule: str, begin: int) -> list[Json]:
    return [
        {
            "at": iso(step.at),
            "after_s": (step.at - begin) / 1000,
            "level": step.level,
            "tell": [_told(one) for one in step.to],
            "nobody_on_duty": list(step.missed),
        }
        for step in journey(plan, kind, priority, rule, begin)
    ]


def _gaps(service: Service, plan: Plan) -> list[Json]:
    now = service.clock.now()
    return [
        {"team": gap.team, "since": iso(gap.start), "until": iso(gap.end), "text": gap.text(plan)}
        for gap in holes(plan, now, now + WEEK)
    ]


def _require(who: Principal, ward: str) -> None:
    if not who.sees(ward):
        raise NotFoundError(f"no ward {ward}")
    about(ward=ward)


def _versions(service: Service, ward: str) -> list[PlanVersion]:
    with service.engine_db.connect() as connection:
        return plan_history(connection, ward)


async def _newest(service: Service, ward: str) -> PlanVersion | None:
    return next(iter(await run_in_threadpool(_versions, service, ward)), None)


def _etag(ward: str, newest: PlanVersion | None) -> str:
    return f'"{newest.version if newest else 0}"'


async def _change(
    service: Service, who: Principal, ward: str, definition: dict[str, Any] | None, if_match: str | None
) -> Response:
    _require(who, ward)
    newest = await _newest(service, ward)
    if if_match is None:
        said = "changing a plan needs If-Match with the ETag that reading it gave"
        raise PreconditionRequiredError(said, code="plan-changed")
    if _etag(ward, newest) not in (tag.strip().removeprefix("W/") for tag in if_match.split(",")):
        raise PreconditionError("this plan was changed since you read it; read it again", code="plan-changed")
    expected = newest.version if newest else 0
    await service.call("put_plan", ward=ward, definition=definition, by=who.name, expected=expected)
    made = await _newest(service, ward)
    shown = _in_force(service, who, ward, made)
    if definition is not None:
        shown["remarks"] = await _remarks(service, who, service.plan(ward))
    return send(shown, headers={"ETag": _etag(ward, made)})


async def _remarks(service: Service, who: Principal, plan: Plan) -> list[str]:
    channels = await run_in_threadpool(service.notifier.channels, who.wards)
    return remarks(plan, [channel["name"] for channel in channels])


def _in_force(service: Service, who: Principal, ward: str, newest: PlanVersion | None) -> Json:
    own = newest is not None and newest.definition is not None
    fields = plan_to_fields(service.plan(ward))
    return {
        "ward": ward,
        "source": "ward" if own else "default",
        "version": newest.version if newest else 0,
        "by": newest.by if newest else None,
        "at": iso(newest.at) if newest else None,
        "definition": _shown(fields, who),
        "text": to_toml(fields) if who.may("tune") else None,
    }


def _version(version: PlanVersion, who: Principal) -> Json:
    definition = version.definition
    return {
        "ward": version.ward,
        "version": version.version,
        "by": version.by,
        "at": iso(version.at),
        "definition": None if definition is None else _shown(definition, who),
    }


def _shown(fields: dict[str, Any], who: Principal) -> dict[str, Any]:
    """A telephone number is its owner's: only who may change the plan sees it."""
    if who.may("tune"):
        return fields
    people = [
        {**person, "address": dict.fromkeys(person["address"])} if "address" in person else person
        for person in fields.get("person", ())
    ]
    return {**fields, "person": people}


def _told(one: Recipient) -> Json:
    return {"person": one.person, "name": one.name, "channel": one.channel}


def _person(plan: Plan, person: str) -> Json:
    return {"id": person, "name": plan.people[person].name}
