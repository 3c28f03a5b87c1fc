"""Tokens, for administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.errors import ForbiddenError
from ward.store.access import list_tokens, revoke_token
from ward.web.access import Administrator, Principal
from ward.web.audit import about
from ward.web.describe import API, answers
from ward.web.identity import create_token
from ward.web.schemas.access import CreatedToken, NewToken, Token
from ward.web.schemas.common import Id, Page
from ward.web.shared import Ident, send
from ward.web.views import token_view

router = APIRouter(prefix=f"{API}/tokens", tags=["access"])
TokenId = Annotated[Id, Path(description="The token's id, not its secret.", examples=["9f1c2b7a5d3e8f60"])]


@router.get("", summary="List tokens", responses=answers(Page[Token]))
async def list_(identity: Ident, who: Administrator) -> Response:
    """Also those that expired or were revoked, the earliest first; never their secrets."""
    _require_all_wards(who)

    def read() -> list[dict[str, object]]:
        with identity.engine.connect() as connection:
            return [token_view(token) for token in list_tokens(connection)]

    return send({"items": await run_in_threadpool(read), "next": None})


@router.post("", status_code=201, summary="Make a token", responses=answers(CreatedToken, status=201))
async def create(body: NewToken, identity: Ident, who: Administrator) -> Response:
    """The secret is in this answer and nowhere else."""
    _require_all_wards(who)

    def make() -> dict[str, object]:
        token, secret = create_token(
            identity.engine,
            name=body.name,
            role=body.role,
            wards=body.wards,
            expires=body.expires_at,
            now=identity.wall(),
        )
        about(object=f"token:{token.id}", detail={"role": token.role, "wards": token.wards})
        return {**token_view(token), "token": secret}

    return send(await run_in_threadpool(make), 201)


@router.delete(
    "/{token}", status_code=204, summary="Revoke a token", responses=answers(None, 404, status=204)
)
async def revoke(token: TokenId, identity: Ident, who: Administrator) -> Response:
    """At once; browsers that logged in with it are logged out."""
    _require_all_wards(who)

    def run() -> None:
        with identity.engine.begin() as tx:
            revoke_token(tx, token, identity.wall())

    await run_in_threadpool(run)
    return Response(status_code=204)


def _require_all_wards(who: Principal) -> None:
    """Tokens reach over wards: who sees only some could give herself the others."""
    if who.wards is not None:
        raise ForbiddenError("tokens are made by who sees all wards")
