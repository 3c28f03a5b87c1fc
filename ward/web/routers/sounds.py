"""Which of a ward's screens makes the sounds."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from ward.web.access import Shower
from ward.web.describe import API, answers
from ward.web.schemas.sounds import Sounds, SoundsOf
from ward.web.shared import send
from ward.web.sounding import Sounding

router = APIRouter(prefix=API, tags=["sounds"])


@router.post("/sounds", summary="A screen can sound", responses=answers(SoundsOf))
async def sound(body: Sounds, request: Request, who: Shower) -> Response:
    """Said by a dashboard every 3 s for the wards that it shows, as long as its sound is on and really can be
    heard; the answer tells for each whether it is to sound. In a ward where one screen sounds for all
    (`WARD_ONE_SOUND`) that is the first that said so and is still heard of. Wards that it does not see are
    not in the answer. Send `X-Ward-Active: 0`: no person did this."""
    sounding: Sounding = request.app.state.sounding
    answer = {}
    for ward in body.wards:
        if who.sees(ward):
            heard = sounding.hear(ward, body.screen, able=body.able, take=body.take)
            shared = sounding.is_shared(ward)
            answer[ward] = {"shared": shared, "sounds": heard.sounds, "others": heard.others}
    return send({"wards": answer})
