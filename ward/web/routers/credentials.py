"""Credentials of devices at the broker, for administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.clock import iso
from ward.ingest.credentials import Made
from ward.store.credentials import DeviceCredential, get_credential
from ward.web.access import Administrator, require_all_wards
from ward.web.audit import about
from ward.web.describe import API, answers
from ward.web.schemas.common import Id, Page
from ward.web.schemas.credentials import CreatedCredential, Credential, NewCredential
from ward.web.service_protocol import Json, Service
from ward.web.shared import Ident, Svc, send

router = APIRouter(prefix=f"{API}/devices/credentials", tags=["devices"])
CredentialId = Annotated[Id, Path(description="The credential's id.", examples=["9f1c2b7a5d3e8f60"])]


@router.get("", summary="Who may speak at the broker", responses=answers(Page[Credential]))
async def credentials(service: Svc, who: Administrator) -> Response:
    """By user; never their secrets."""
    require_all_wards(who)
    listed = await run_in_threadpool(service.credentials.all)
    return send({"items": [_view(service, one) for one in listed], "next": None})


@router.post(
    "",
    status_code=201,
    summary="Give a device a credential",
    responses=answers(CreatedCredential, 409, status=201),
)
async def create_credential(
    body: NewCredential, service: Svc, identity: Ident, who: Administrator
) -> Response:
    """Password and key are in this answer and nowhere else. Mosquitto's files are written and read again."""
    require_all_wards(who)

    def add() -> Made:
        return service.credentials.add(
            body.user,
            identity.wall(),
            speaks_for=body.speaks_for,
            hears=body.hears,
            signed=body.signed,
        )

    made = await run_in_threadpool(add)
    about(object=f"device:{body.user}", detail={"speaks_for": body.speaks_for, "hears": body.hears})
    return send(_with_secrets(service, made), 201)


@router.post(
    "/{credential}/rotate",
    summary="A new password and key",
    responses=answers(CreatedCredential, 404),
)
async def rotate_credential(
    credential: CredentialId, service: Svc, identity: Ident, who: Administrator
) -> Response:
    """The old ones end at once."""
    require_all_wards(who)

    def rotate() -> Made:
        with service.engine_db.connect() as connection:
            user = get_credential(connection, credential).user
        return service.credentials.rotate(credential, user, identity.wall())

    made = await run_in_threadpool(rotate)
    about(object=f"device:{made.credential.user}")
    return send(_with_secrets(service, made))


@router.delete(
    "/{credential}",
    status_code=204,
    summary="Take a credential away",
    responses=answers(None, 404, status=204),
)
async def remove_credential(
    credential: CredentialId, service: Svc, identity: Ident, who: Administrator
) -> Response:
    """Its user can say nothing any more."""
    require_all_wards(who)
    await run_in_threadpool(service.credentials.remove, credential, identity.wall())
    return Response(status_code=204)


def _view(service: Service, one: DeviceCredential) -> Json:
    forged = service.forged.get(one.user)
    return {
        "id": one.id,
        "user": one.user,
        "speaks_for": one.speaks_for,
        "hears": one.hears,
        "signed": one.signed,
        "created_at": iso(one.created),
        "rotated_at": None if one.rotated is None else iso(one.rotated),
        "forged": 0 if forged is None else forged.count,
        "forged_at": None if forged is None else iso(forged.last),
    }


def _with_secrets(service: Service, made: Made) -> Json:
    return {
        **_view(service, made.credential),
        "password": made.password,
        "key": made.key,
        "example": service.credentials.example(made),
        "unreloaded": made.unreloaded,
    }
