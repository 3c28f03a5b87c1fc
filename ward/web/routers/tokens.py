"""Tokens, for administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.clock import iso
from ward.store.access import list_tokens, revoke_token
from ward.web.access import Administrator, require_all_wards
from ward.web.audit import about
from ward.web.describe import API, answers
from ward.web.identity import CODE_MS, create_link, create_token
from ward.web.schemas.access import CreatedToken, Link, NewToken, Token
from ward.web.schemas.common import Id, Page
from ward.web.shared import Ident, Svc, send
from ward.web.views import token_view

router = APIRouter(prefix=f"{API}/tokens", tags=["access"])
TokenId = Annotated[Id, Path(description="The token's id, not its secret.", examples=["9f1c2b7a5d3e8f60"])]


@router.get("", summary="List tokens", responses=answers(Page[Token]))
async def list_(identity: Ident, who: Administrator) -> Response:
    """Also those that expired or were revoked, the earliest first; never their secrets."""
    require_all_wards(who)

    def read() -> list[dict[str, object]]:
        with identity.engine.connect() as connection:
            return [token_view(token) for token in list_tokens(connection)]

    return send({"items": await run_in_threadpool(read), "next": None})


@router.post("", status_code=201, summary="Make a token", responses=answers(CreatedToken, status=201))
async def create(body: NewToken, identity: Ident, who: Administrator) -> Response:
    """The secret is in this answer and nowhere else."""
    require_all_wards(who)

    def make() -> dict[str, object]:
        token, secret = create_token(
            identity.engine,
            name=body.name,
            role=body.role,
            wards=body.wards,
            scopes=body.scopes,
            expires=body.expires_at,
            now=identity.wall(),
        )
        about(object=f"token:{token.id}", detail={"role": token.role, "wards": token.wards})
        return {**token_view(token), "token": secret}

    return send(await run_in_threadpool(make), 201)


@router.delete(
    "/{token}", status_code=204, summary="Revoke a token", responses=answers(None, 404, status=204)
)
async def revoke(token: TokenId, identity: Ident, service: Svc, who: Administrator) -> Response:
    """At once; browsers that logged in with it are logged out."""
    require_all_wards(who)

    def run() -> None:
        with identity.engine.begin() as tx:
            revoke_token(tx, token, identity.wall())

    await run_in_threadpool(run)
    service.hub.doubt()
    return Response(status_code=204)


@router.post(
    "/{token}/link",
    status_code=201,
    summary="Make a link that logs in",
    responses=answers(Link, 404, status=201),
)
async def link(token: TokenId, identity: Ident, who: Administrator) -> Response:
    """For the screen on the wall: opened there once, within an hour, it stays logged in until the token is
    revoked."""
    require_all_wards(who)
    now = identity.wall()
    code = await run_in_threadpool(create_link, identity.engine, token, now)
    return send({"path": f"login?code={code}", "expires_at": iso(now + CODE_MS)}, 201)
