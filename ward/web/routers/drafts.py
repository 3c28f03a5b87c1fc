"""Drafts of changed rules: proposed by one, approved by another, put in force, taken back."""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.alerts.drafts import MOVES, Act, Person, Second, State, is_changed, leads_from, require
from ward.clock import iso
from ward.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, PreconditionError
from ward.store.access import people_of
from ward.store.drafts import Draft, Entry, add_draft, get_draft, list_drafts, log_of, move_draft, note
from ward.store.stays import get_stay
from ward.web.access import CAPABILITIES, Approver, Principal, RuleReader, Tuner
from ward.web.audit import about
from ward.web.describe import API, answers
from ward.web.idempotency import Once
from ward.web.routers.rules import present, scope_of
from ward.web.schemas.common import Id, Page
from ward.web.schemas.drafts import Draft as DraftShape
from ward.web.schemas.drafts import DraftComment, DraftShort, DraftWord, NewDraft
from ward.web.service_protocol import Json, Service
from ward.web.shared import Cursor, InWard, Limit, Svc, send
from ward.web.tried import Tried

router = APIRouter(prefix=f"{API}/drafts", tags=["drafts"])

DraftId = Annotated[Id, Path(description="The draft's id.", examples=["5b0d2c9a4f7e1a36"])]
CONCERNED: Final = frozenset({"proposed", "approved", "applied"})
"""States in which it matters whether somebody else changed a rule."""


@router.get("", summary="Proposed changes", responses=answers(Page[DraftShort]))
async def list_(
    service: Svc,
    who: RuleReader,
    state: Annotated[list[State] | None, Query(description="Only these; several are allowed.")] = None,
    ward: InWard = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """The latest first: for all, and for the wards and patients that you see."""

    def read() -> Json:
        with service.engine_db.connect() as connection:
            scopes = None if ward is None else ["all", f"ward:{ward}"]
            page = list_drafts(connection, states=state, scopes=scopes, cursor=cursor, limit=limit)
            seen = [draft for draft in page.items if _sees(connection, who, draft.scope)]
        return {"items": [_short(draft) for draft in seen], "next": page.next}

    return send(await run_in_threadpool(read))


@router.post(
    "",
    status_code=201,
    summary="Propose a change",
    responses=answers(DraftShape, 404, 409, 412, status=201),
)
async def propose(request: Request, body: NewDraft, service: Svc, who: Tuner, once: Once) -> Response:
    """Nothing changes by it. It keeps what the rules were: once somebody changes one of them otherwise, it
    must be tried anew. A change for all wards is proposed by who sees all wards."""
    scope = await _scope(service, who, body.scope)

    async def run() -> Json:
        base, changes, trial = await _changes(request.app.state.tried, service, who, body, scope)
        after = {rule["id"]: rule for rule in service.changed(scope, changes)}
        listed = [
            {"rule": rule, "base": base[rule], "change": change, "after": after.get(rule)}
            for rule, change in changes.items()
        ]
        draft = Draft(
            id=secrets.token_hex(8),
            title=body.title,
            why=body.why or None,
            scope=scope,
            state="proposed",
            changes=listed,
            trial=trial,
            by=who.name,
            by_id=who.id,
            at=service.clock.now(),
        )
        about(object=f"draft:{draft.id}", detail={"scope": scope, "rules": sorted(changes)})

        def write() -> None:
            with service.engine_db.begin() as tx:
                add_draft(tx, draft)

        await run_in_threadpool(write)
        return await _view(service, who, draft)

    return await once.answer(run, status=201, location=lambda made: f"{API}/drafts/{made['id']}")


@router.get("/{draft}", summary="One draft", responses=answers(DraftShape, 404))
async def get(draft: DraftId, service: Svc, who: RuleReader) -> Response:
    """With the figures it rests on, what was changed since, its log, and what you may do with it."""
    return send(await _view(service, who, await _own(service, who, draft)))


@router.post("/{draft}/comment", summary="Say something", responses=answers(DraftShape, 404))
async def comment(draft: DraftId, body: DraftComment, service: Svc, who: Tuner, once: Once) -> Response:
    """Whatever its state."""
    found = await _own(service, who, draft)

    async def run() -> Json:
        def write() -> None:
            with service.engine_db.begin() as tx:
                note(tx, Entry(found.id, service.clock.now(), who.name, "comment", body.text))

        await run_in_threadpool(write)
        return await _view(service, who, found)

    return await once.answer(run, again=lambda: _view(service, who, found))


@router.post("/{draft}/approve", summary="Approve it", responses=answers(DraftShape, 404, 409, 412))
async def approve(draft: DraftId, body: DraftWord, service: Svc, who: Approver, once: Once) -> Response:
    """By a second person: not by who proposed it (unless `WARD_SECOND_PERSON=false`). It does not put it in
    force yet."""
    return await _act("approve", draft, body.text, service, who, once)


@router.post("/{draft}/reject", summary="Reject it", responses=answers(DraftShape, 404, 409))
async def reject(draft: DraftId, body: DraftWord, service: Svc, who: Approver, once: Once) -> Response:
    """Also after it was approved, as long as it is not in force."""
    return await _act("reject", draft, body.text, service, who, once)


@router.post("/{draft}/withdraw", summary="Take the proposal back", responses=answers(DraftShape, 404, 409))
async def withdraw(draft: DraftId, body: DraftWord, service: Svc, who: Tuner, once: Once) -> Response:
    """By who proposed it, as long as it is not in force."""
    return await _act("withdraw", draft, body.text, service, who, once)


@router.post("/{draft}/apply", summary="Put it in force", responses=answers(DraftShape, 404, 409, 412))
async def apply(draft: DraftId, body: DraftWord, service: Svc, who: Tuner, once: Once) -> Response:
    """All its rules at once, from the next evaluation. Each is a version like one that `PUT /rules/{id}`
    makes, and says who proposed and who approved it. Nothing happens where a rule was changed since."""
    return await _act("apply", draft, body.text, service, who, once)


@router.post("/{draft}/return", summary="Back to before it", responses=answers(DraftShape, 404, 409, 412))
async def return_(draft: DraftId, body: DraftWord, service: Svc, who: Tuner, once: Once) -> Response:
    """The rules become what they were before it was put in force, as new versions: nothing is deleted. No
    second person is needed: it was in force before. Nothing happens where a rule was changed since."""
    return await _act("return", draft, body.text, service, who, once)


# --- how --------------------------------------------------------------------------------------------


async def _act(act: Act, id: str, text: str | None, service: Service, who: Principal, once: Once) -> Response:
    draft = await _own(service, who, id)
    _require_whole(who, draft.scope)

    if act == "reject" and _author(draft).is_same(_person(who)):
        act = "withdraw"  # who thinks better of her own proposal takes it back, and the history says so

    async def run() -> Json:
        second = await run_in_threadpool(_second_person, service, draft)
        after = require(act, draft.state, _author(draft), _person(who), second)
        if MOVES[act].unchanged and (conflicts := _conflicts(service, draft)):
            changed = [one["rule"] for one in conflicts]
            raise PreconditionError(
                f"changed meanwhile: {', '.join(changed)}",
                rules=changed,
                code="draft-stale",
                params={"rules": ", ".join(changed)},
            )
        about(detail={"scope": draft.scope, "rules": [change["rule"] for change in draft.changes]})
        if act == "apply":
            await service.call("apply_draft", draft=id, state=draft.state, by=who.name)
        elif act == "return":
            await service.call("return_draft", draft=id, state=draft.state, by=who.name, why=text or None)
        else:
            entry = Entry(id, service.clock.now(), who.name, act, text or None)
            await run_in_threadpool(_move, service, draft, entry, after)
        return await now()

    async def now() -> Json:
        return await _view(service, who, await _own(service, who, id))

    return await once.answer(run, again=now)


def _move(service: Service, draft: Draft, entry: Entry, after: State) -> None:
    more: Json = {"approved_by": entry.by, "approved_at": entry.at} if entry.kind == "approve" else {}
    with service.engine_db.begin() as tx:
        move_draft(tx, draft, entry, state=after, **more)


def _second_person(service: Service, draft: Draft) -> Second:
    author = _author(draft)
    with service.engine_db.connect() as connection:
        found = people_of(connection, CAPABILITIES["approve"], service.clock.now())
    return Second(service.second_person, sum(not author.is_same(Person(*one)) for one in found))


def _author(draft: Draft) -> Person:
    return Person(draft.by_id, draft.by)


def _person(who: Principal) -> Person:
    return Person(who.id, who.name)


async def _scope(service: Service, who: Principal, scope: str) -> str:
    """Raises NotFoundError for another's ward or stay, ForbiddenError for what reaches further than she."""
    kind, _, name = scope.partition(":")
    found = await scope_of(service, who, name if kind == "ward" else None, name if kind == "stay" else None)
    _require_whole(who, scope)
    if kind == "ward":
        about(ward=name)
    return found


def _require_whole(who: Principal, scope: str) -> None:
    if scope == "all" and who.wards is not None:
        raise ForbiddenError("what changes rules for all wards is for who sees all wards", code="all-wards")


def _sees(connection: Any, who: Principal, scope: str) -> bool:
    kind, _, name = scope.partition(":")
    if kind == "all" or who.wards is None:
        return True
    if kind == "ward":
        return who.sees(name)
    try:
        return bool(get_stay(connection, name, who.wards))
    except NotFoundError:
        return False


async def _own(service: Service, who: Principal, id: str) -> Draft:
    """The draft, if she sees whom it is for; else NotFoundError."""

    def read() -> Draft:
        with service.engine_db.connect() as connection:
            found = get_draft(connection, id)
            if not _sees(connection, who, found.scope):
                raise NotFoundError(f"no draft {id}")
        return found

    found = await run_in_threadpool(read)
    kind, _, name = found.scope.partition(":")
    if kind == "ward":
        about(ward=name)
    elif kind == "stay":
        about(stay=name)
    return found


async def _changes(
    tried: Tried, service: Service, who: Principal, body: NewDraft, scope: str
) -> tuple[dict[str, Json | None], dict[str, Json], Json | None]:
    """(each rule as it is, what shall be different of each, the trial)."""
    if body.trial is not None:
        trial = await run_in_threadpool(tried.get, body.trial, who)
        if trial.scope != scope:
            raise InvalidError(f"this trial was of the scope {trial.scope}", field="body.scope")
        given, found = list(trial.rules), trial.found
    else:
        listed = body.rules or ()
        given = [rule.model_dump(by_alias=True, exclude_none=True) for rule in listed]
        trial, found = None, None
    changes = {rule["id"]: {name: v for name, v in rule.items() if name != "id"} for rule in given}
    if len(changes) < len(given):
        raise InvalidError("the same rule twice", field="body.rules")
    base: dict[str, Json | None] = {}
    for rule in changes:
        now = await present(service, rule, scope)
        base[rule] = now.rule
        seen = (body.seen or {}).get(rule, now.etag)
        if seen != now.etag or (trial is not None and is_changed(trial.base[rule], now.rule)):
            raise PreconditionError(
                f"rule {rule} was changed since; read it, or try it, again", rules=[rule], code="rule-changed"
            )
    return base, changes, found


def _conflicts(service: Service, draft: Draft) -> list[Json]:
    """Rules that are others than those the draft was made from; once it is in force, than those it made."""
    if draft.state not in CONCERNED:
        return []
    try:
        now = {rule["id"]: rule for rule in service.rules(draft.scope)}
    except NotFoundError:  # the patient has left
        return []
    made = {one["rule"]: one["version"] for one in draft.made or ()}
    found = []
    for change in draft.changes:
        rule = now.get(change["rule"])
        if draft.state == "applied":
            is_other = not _is_made(change, rule, (draft.scope, made[change["rule"]]))
        else:
            is_other = is_changed(change["base"], rule)
        if is_other:
            found.append({"rule": change["rule"], "now": rule})
    return found


def _is_made(change: Json, rule: Json | None, made: tuple[str, int]) -> bool:
    """Whether the rule is what the draft put in force: gone, or that version."""
    return change["after"] is None if rule is None else (rule["scope"], rule["version"]) == made


async def _view(service: Service, who: Principal, draft: Draft) -> Json:
    def read() -> tuple[Second, list[Entry]]:
        with service.engine_db.connect() as connection:
            return _second_person(service, draft), log_of(connection, draft.id)

    second, log = await run_in_threadpool(read)
    conflicts = _conflicts(service, draft)
    return {
        **_short(draft),
        "trial": draft.trial,
        "conflicts": conflicts,
        "second_person": {"required": second.required, "others": second.others},
        "may": _may(draft, who, second, bool(conflicts)),
        "log": [{"at": iso(e.at), "by": e.by, "kind": e.kind, "text": e.text} for e in log],
    }


def _may(draft: Draft, who: Principal, second: Second, is_stale: bool) -> list[str]:
    if not who.may("tune"):
        return []
    found = ["comment"]
    if draft.scope == "all" and who.wards is not None:
        return found
    for act, move in MOVES.items():
        if move.unchanged and is_stale:
            continue
        if draft.state not in leads_from(act, second):
            continue
        if act == "reject" and _author(draft).is_same(_person(who)):
            continue  # hers is to withdraw
        try:
            require(act, draft.state, _author(draft), _person(who), second)
        except (ConflictError, ForbiddenError):
            continue
        found.append(act)
    return found


def _short(draft: Draft) -> Json:
    return {
        "id": draft.id,
        "title": draft.title,
        "why": draft.why,
        "scope": draft.scope,
        "state": draft.state,
        "by": draft.by,
        "at": iso(draft.at),
        "approved_by": draft.approved_by,
        "approved_at": iso(draft.approved_at),
        "changes": draft.changes,
    }
