"""Rules: what is in force where, every version of it, and changes that overwrite nobody's."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.errors import ForbiddenError, InvalidError, NotFoundError, PreconditionError
from ward.store.rules import RuleVersion, current_rules, rule_history
from ward.store.stays import get_stay
from ward.web.access import Principal, RuleReader, Tuner
from ward.web.describe import API, answers
from ward.web.problems import PreconditionRequiredError, SecondPersonError
from ward.web.schemas.common import Id, Page
from ward.web.schemas.rules import Rule, RuleChange
from ward.web.schemas.rules import RuleVersion as VersionShape
from ward.web.service_protocol import Json, Service
from ward.web.shared import InWard, RuleId, Svc, own_stay, send
from ward.web.views import version_view

router = APIRouter(prefix=f"{API}/rules", tags=["rules"])

InStay = Annotated[Id | None, Query(description="As it is for this stay.", examples=["01jd6qk2"])]
ETAG = {"ETag": "The version; send it as `If-Match` with a change."}


async def scope_of(service: Service, who: Principal, ward: str | None, stay: str | None) -> str:
    """``all``, ``ward:X`` or ``stay:Y``. Raises InvalidError for both, NotFoundError for another's."""
    if ward is not None and stay is not None:
        raise InvalidError("a scope is a ward or a stay, not both", field="query.stay")
    if stay is not None:
        await own_stay(service, who, stay)
        return f"stay:{stay}"
    if ward is not None:
        if not who.sees(ward):
            raise NotFoundError(f"no ward {ward}")
        return f"ward:{ward}"
    return "all"


@dataclass(frozen=True, slots=True)
class Present:
    """A rule as it is in a scope: None where there is none."""

    rule: Json | None
    etag: str


async def present(service: Service, rule_id: str, scope: str) -> Present:
    def read() -> int:
        with service.engine_db.connect() as connection:
            own = (v for v in current_rules(connection, [scope]) if v.rule_id == rule_id)
            return next((v.version for v in own), 0)

    rule = next((rule for rule in service.rules(scope) if rule["id"] == rule_id), None)
    newest = await run_in_threadpool(read)
    # What a caller saw is the rule in force and the scope's own version: a change of either is a change.
    seen = (scope, newest, rule and rule["scope"], rule and rule["version"])
    return Present(rule, f'"{hashlib.sha256(repr(seen).encode()).hexdigest()[:20]}"')


@router.get("", summary="The rules in force", responses=answers(Page[Rule], 404))
async def list_(service: Svc, who: RuleReader, ward: InWard = None, stay: InStay = None) -> Response:
    """For all, or for one ward or stay: its own, else the ward's, else everybody's, else the pack's."""
    scope = await scope_of(service, who, ward, stay)
    return send({"items": list(service.rules(scope)), "next": None})


@router.get("/{rule}", summary="One rule in force", responses=answers(Rule, 404, headers=ETAG))
async def get(
    rule: RuleId, service: Svc, who: RuleReader, ward: InWard = None, stay: InStay = None
) -> Response:
    """With an `ETag`, which a change must name."""
    now = await present(service, rule, await scope_of(service, who, ward, stay))
    if now.rule is None:
        raise NotFoundError(f"no rule {rule}")
    return send(now.rule, headers={"ETag": now.etag})


@router.put("/{rule}", summary="Change a rule", responses=answers(Rule, 404, 412, 428, headers=ETAG))
async def put(
    request: Request,
    rule: RuleId,
    body: RuleChange,
    service: Svc,
    who: Tuner,
    ward: InWard = None,
    stay: InStay = None,
    if_match: Annotated[
        str | None,
        Header(description="The `ETag` that reading the rule in this scope gave.", examples=['"3f0c9a"']),
    ] = None,
    if_none_match: Annotated[
        str | None, Header(description="`*` makes a new rule, if there is none with this id.", examples=["*"])
    ] = None,
) -> Response:
    """Applies from the next evaluation, in this scope. Every version is kept, with who made it. Where a
    second person is required (`WARD_SECOND_PERSON`), somebody who is logged in changes this way what is of
    one patient; what is of a ward she proposes with `POST /drafts`. Tokens are not held to that."""
    scope = await scope_of(service, who, ward, stay)
    if service.second_person and who.session and stay is None:
        raise SecondPersonError(
            "rules of a ward change through a draft that a second person approves", code="second-person"
        )
    if scope == "all" and who.wards is not None:
        raise ForbiddenError(
            "a rule for all wards can be changed only by who sees all wards; use ?ward=", code="all-wards"
        )
    if body.id not in (None, rule):
        raise InvalidError("the id in the body is not that of the path", field="body.id")
    now = await present(service, rule, scope)
    _require_match(now, if_match, if_none_match)
    changed = body.model_dump(by_alias=True, exclude_none=True, exclude={"until", "why"})
    made = await service.call(
        "put_rule",
        rule_id=rule,
        definition={**changed, "id": rule},
        scope=scope,
        by=who.name,
        expected=None if now.rule is None else str(now.rule["version"]),
        until=body.until,
        why=body.why,
    )
    after = await present(service, rule, scope)
    return send(made, 200 if now.rule else 201, {"ETag": after.etag})


@router.delete("/{rule}", summary="End a patient's own limits", responses=answers(Rule, 404))
async def end_limit(
    rule: RuleId,
    service: Svc,
    who: Tuner,
    stay: Annotated[Id, Query(description="Whose.", examples=["01jd6qk2"])],
) -> Response:
    """The ward's hold again, from the next evaluation. Every version is kept."""
    await own_stay(service, who, stay)
    return send(await service.call("end_limit", rule_id=rule, stay=stay, by=who.name))


def _require_match(now: Present, if_match: str | None, if_none_match: str | None) -> None:
    if if_match is None:
        if if_none_match != "*":
            said = "changing a rule needs If-Match; a new one If-None-Match: *"
            raise PreconditionRequiredError(said, code="rule-changed")
        if now.rule is not None:
            raise PreconditionError("there is a rule with this id already", code="rule-exists")
    elif now.rule is None:
        raise NotFoundError("there is no rule with this id to change; a new one needs If-None-Match: *")
    elif now.etag not in (tag.strip().removeprefix("W/") for tag in if_match.split(",")):
        raise PreconditionError("this rule was changed since you read it; read it again", code="rule-changed")


@router.get("/{rule}/history", summary="Every version of a rule", responses=answers(Page[VersionShape], 404))
async def history(
    rule: RuleId, service: Svc, who: RuleReader, ward: InWard = None, stay: InStay = None
) -> Response:
    """The latest first: who changed what when. Of every scope that you see, unless one is asked for."""
    scope = await scope_of(service, who, ward, stay)

    def read() -> list[RuleVersion]:
        with service.engine_db.connect() as connection:
            found = rule_history(connection, rule, None if scope == "all" else scope)
            wards = {v.scope: _ward_of(service, v.scope) for v in found}
        return [v for v in found if v.scope == "all" or who.sees(wards[v.scope] or "?")]

    versions = await run_in_threadpool(read)
    if not versions and not any(known["id"] == rule for known in service.rules(scope)):
        raise NotFoundError(f"no rule {rule}")
    return send({"items": [version_view(version) for version in versions], "next": None})


def _ward_of(service: Service, scope: str) -> str | None:
    kind, _, name = scope.partition(":")
    if kind != "stay":
        return name
    with service.engine_db.connect() as connection:
        try:
            return get_stay(connection, name).ward
        except NotFoundError:
            return None
