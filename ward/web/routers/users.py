"""Users, for administrators of all wards."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.clock import iso
from ward.store import people as store
from ward.store.access import sessions_of_users
from ward.web import people, throttle
from ward.web.access import Administrator, require_all_wards
from ward.web.audit import about
from ward.web.describe import API, answers
from ward.web.identity import Identity
from ward.web.schemas.common import Id, Page
from ward.web.schemas.people import InvitedUser, NewUser, User, UserChange
from ward.web.service_protocol import Json
from ward.web.shared import Cursor, Ident, Limit, Svc, page_of, send
from ward.web.views import user_view

router = APIRouter(prefix=f"{API}/users", tags=["access"])
UserId = Annotated[Id, Path(description="The user's id.", examples=["9f1c2b7a5d3e8f60"])]


@router.get("", summary="List users", responses=answers(Page[User]))
async def list_users(
    identity: Ident, who: Administrator, cursor: Cursor = None, limit: Limit = 100
) -> Response:
    """By user name, also those that are disabled."""
    require_all_wards(who)

    def read() -> Json:
        with identity.engine.connect() as connection:
            found = store.list_users(connection, cursor=cursor, limit=limit)
            return page_of(found, _view(identity, connection, found.items))

    return send(await run_in_threadpool(read))


@router.post(
    "",
    status_code=201,
    summary="Make a user",
    responses=answers(InvitedUser, 409, status=201, headers={"Location": "The user's path"}),
)
async def create_user(body: NewUser, identity: Ident, who: Administrator) -> Response:
    """She sets her password with the `code`, on the dashboard at `#/password`, within a day."""
    require_all_wards(who)

    def make() -> Json:
        now = identity.wall()
        user = people.create_user(identity.engine, **body.model_dump(), now=now)
        about(object=f"user:{user.id}", detail={"login": user.login, "role": user.role, "wards": user.wards})
        return _invited(*people.reset_password(identity.engine, user.id, now))

    made = await run_in_threadpool(make)
    return send(made, 201, {"Location": f"{API}/users/{made['id']}"})


@router.get("/{user}", summary="One user", responses=answers(User, 404))
async def get_user(user: UserId, identity: Ident, who: Administrator) -> Response:
    """What she may, and whether she has a password."""
    require_all_wards(who)

    def read() -> Json:
        with identity.engine.connect() as connection:
            found = store.get_user(connection, user)
            return _view(identity, connection, [found])(found)

    return send(await run_in_threadpool(read))


@router.patch("/{user}", summary="Change a user", responses=answers(User, 404, 409))
async def change_user(
    user: UserId, body: UserChange, identity: Ident, service: Svc, who: Administrator
) -> Response:
    """Holds at once, also in sessions and streams that are open. The last administrator stays one."""
    require_all_wards(who)
    asked = {name: getattr(body, name) for name in body.model_fields_set}
    changes = {name: value for name, value in asked.items() if value is not None or name == "wards"}
    about(detail=changes)
    changed = await run_in_threadpool(
        lambda: people.change_user(identity.engine, user, identity.wall(), **changes)
    )
    service.hub.doubt()
    return send(user_view(changed))


@router.post(
    "/{user}/reset",
    status_code=201,
    summary="Take a password away",
    responses=answers(InvitedUser, 404, 409, status=201),
)
async def reset_password(user: UserId, identity: Ident, service: Svc, who: Administrator) -> Response:
    """Logs her out everywhere; she sets a new one with the `code`. Also ends a lock-out."""
    require_all_wards(who)

    def run() -> Json:
        return _invited(*people.reset_password(identity.engine, user, identity.wall()))

    made = await run_in_threadpool(run)
    service.hub.doubt()
    return send(made, 201)


@router.post(
    "/{user}/pardon", status_code=204, summary="End a lock-out", responses=answers(None, 404, status=204)
)
async def pardon_user(user: UserId, identity: Ident, who: Administrator) -> Response:
    """After too many wrong guesses of her password, by whomever; the password stays as it is."""
    require_all_wards(who)
    await run_in_threadpool(people.pardon, identity.engine, user)
    return Response(status_code=204)


@router.delete(
    "/{user}/sessions",
    status_code=204,
    summary="Log a user out everywhere",
    responses=answers(None, 404, status=204),
)
async def log_out_user(user: UserId, identity: Ident, service: Svc, who: Administrator) -> Response:
    """She may log in again at once; to keep her out, disable her."""
    require_all_wards(who)
    await run_in_threadpool(people.log_out_everywhere, identity.engine, user)
    service.hub.doubt()
    return Response(status_code=204)


def _view(
    identity: Identity, connection: Connection, users: Collection[store.User]
) -> Callable[[store.User], Json]:
    """A user's view with where she is logged in, and whether she is locked out."""
    now = identity.wall()
    open_now = sessions_of_users(connection, now)
    locked = throttle.locked_until(connection, [user.login_key for user in users], now)
    return lambda user: user_view(user, open_now.get(user.id), locked.get(user.login_key))


def _invited(user: store.User, code: str, expires: int) -> Json:
    return {**user_view(user), "code": code, "code_expires_at": iso(expires)}
