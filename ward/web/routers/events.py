"""The stream that keeps a dashboard live."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from functools import partial
from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import APIRouter, Header, Query, Request
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from ward.clock import iso
from ward.errors import UnauthorizedError
from ward.store.alerts import get_alerts
from ward.web.access import Principal, Watcher, is_secure
from ward.web.describe import API, problem_answer
from ward.web.hub import BEHIND, Closed, Event, Form, Subscription, for_everybody, on_wire
from ward.web.identity import Identity
from ward.web.log import EventLog, Missed, begun, covers, joined
from ward.web.rendered import Rendered
from ward.web.service_protocol import Board, Json, Service
from ward.web.shared import Ident, Svc
from ward.web.streaming import EventStream
from ward.web.views import alert_view, event_view, pending_as_alert

HEARTBEAT_S: Final = 3.0

router = APIRouter(prefix=API, tags=["events"])

STREAM: Final = """`text/event-stream`; each `data` is one JSON object:

| event | data | id |
|---|---|---|
| `snapshot` | `{time, speed, stays, alerts, pending}`: all that you see, as it is now | place in the log |
| `alert` | `{alert, event}`: the alert after the change, and the change | place in the log |
| `stay` | a stay's view, when anything of it changed | |
| `stay-removed` | `{id}`: discharged, or moved to a ward that you do not see | |
| `stays` | only with `form=changes`, each second: `{time, stays}`, of each stay what is other than before: \
`{id, view}`, all of it, or `{id, set, signals, parts, news2, devices, pending, alerts}`, members to \
replace: in the view, in each of its signals and of the parts of its NEWS2, in its NEWS2, in each of its \
devices (by `device`) and of what is pending and raised (by `id`). Whoever is told nothing of a stay knows \
it as it is at `time` | |
| `minutes` | only with `form=changes`, each minute: `{stays}`, by stay the last valid values of some \
minutes as in the snapshot's `minutes` | |
| `device` | a device's view | |
| `notice` | `{id, ward, alert, reason, text}`: somebody is to be told on a dashboard of `ward`; a page that \
shows the ward says so with `POST /notices/shown` | |
| `heartbeat` | `{time, speed, last_message_age_s, ready, live, reasons, failing}`, every 3 s | |

`live` false: what the stream tells is not of now (the evaluation stands still, or the service is starting); \
say so over the whole screen.

`form=changes` is for screens: the same, in a tenth of the bytes. Its snapshot holds `minutes`, by stay the \
last two hours: `{from, to, signals}`, a value a minute, null where there was no valid one; of `alerts` it \
holds those that are no stay's, and no `pending`. A client that is far behind gets the `alert` events \
that it was not told, then a snapshot again; so does everybody when another engine takes wards over.

With `Last-Event-ID`, the `alert` events that were missed come first, then the snapshot. A client that \
reads too slowly is disconnected and resumes in this way. A stream ends when its session does, or when what \
it may tell has changed. Who may see the board only gets null for `patient_ref` and for what people wrote."""


@router.get(
    "/events",
    summary="Live changes",
    description=STREAM,
    response_class=EventStream,
    responses={
        200: {"description": "The stream. It does not end by itself."},
        **{code: problem_answer(code) for code in (401, 403, 422, 429, 500)},
    },
)
async def events(
    request: Request,
    service: Svc,
    who: Watcher,
    identity: Ident,
    last_event_id: Annotated[
        str | None, Header(description="The `id` of the last event that was received.", examples=["1042"])
    ] = None,
    form: Annotated[
        Literal["views", "changes"],
        Query(description="How stays are told of: each whole, or by what is other than before."),
    ] = "views",
) -> EventStream:
    return EventStream(_told(request, service, who, identity, last_event_id, form))


async def _told(
    request: Request, service: Service, who: Principal, identity: Identity, place: str | None, form: Form
) -> AsyncGenerator[bytes]:
    """The stream itself, in pieces of one or more whole events."""
    pause = float(request.app.state.heartbeat_s)
    with service.hub.subscribe(who.sees, public=who.sees_board_only, form=form) as subscription:
        # Subscribed first, read after: what happens in between comes twice rather than never.
        log: EventLog = request.app.state.log
        if place is not None and not await run_in_threadpool(log.has, place):
            place = None
        told = _Told(place, await run_in_threadpool(log.last))
        shown = _Shown(service, request.app.state.rendered, who, form)

        async def all_anew() -> AsyncGenerator[bytes]:
            """What was not told of the log, then the board as it is."""
            last = await run_in_threadpool(log.last)
            then: str | None = told.begin(last)
            while then is not None:
                block, reached, then = await run_in_threadpool(_missed, service, log, who, then)
                told.note(reached)
                if block:
                    yield b"".join(block)
            yield shown.snapshot(joined(told.place, last))

        async for piece in all_anew():
            yield piece
        health = service.health(who.wards)
        yield _heartbeat(service, health)
        async for live in _live(subscription, pause):
            if live is None:
                if not await run_in_threadpool(_still, identity, request, who):
                    return
                was, health = health, service.health(who.wards)
                if health["live"] and not was["live"]:  # what was shown meanwhile may lack anything
                    async for piece in all_anew():
                        yield piece
                yield _heartbeat(service, health)
            elif live[0].kind == BEHIND:
                async for piece in all_anew():
                    yield piece
            elif news := [event for event in live if _is_news(event, shown, told)]:
                yield b"".join(event.wire for event in news)


def _is_news(event: Event, shown: _Shown, told: _Told) -> bool:
    if event.id is not None:
        return told.is_news(str(event.id))
    return event.step is None or event.step > shown.number


class _Told:
    """How far a stream has told the log: whoever it is that tells it, each change comes once."""

    def __init__(self, place: str | None, last: str) -> None:
        self.place = last if place is None else place
        self._known = last if place is None else ""
        """Up to here the first snapshot was; what was on its way then is told all the same."""
        self._is_read = False
        """The log was read, perhaps farther than what is on its way."""

    def begin(self, last: str) -> str:
        """From where the log is to be read, which ends at ``last`` or behind it."""
        self._is_read = True
        self.place = begun(self.place, last)
        return self.place

    def note(self, reached: str | None) -> None:
        if reached is not None:
            self.place = joined(self.place, reached)

    def is_news(self, id: str) -> bool:
        """Whether a change at this place is to be told; then it is."""
        if self._is_read and covers(self.place, id) and not covers(self._known, id):
            return False
        self.place = joined(self.place, id)
        return True


async def _live(subscription: Subscription, pause: float) -> AsyncIterator[list[Event] | None]:
    """Events as they come, those that came together in one list, but for ``BEHIND``, which is alone in its;
    None each time a heartbeat is due, however busy the ward is."""
    loop = asyncio.get_running_loop()
    due = loop.time() + pause
    while True:
        try:
            events = await subscription.take(max(due - loop.time(), 0))
            if subscription.doubted():
                yield None
            if any(event.kind == BEHIND for event in events):  # first: what comes with it was told after it
                yield [Event(BEHIND, b"")]
            if others := [event for event in events if event.kind != BEHIND]:
                yield others
        except Closed:
            return
        if loop.time() >= due:
            due = loop.time() + pause
            yield None


def _still(identity: Identity, request: Request, who: Principal) -> bool:
    """Whether who listens may see what she saw; if not, she comes back and gets what she may."""
    try:
        now = identity.identify(request.headers, secure=is_secure(request.scope))
    except UnauthorizedError:
        return False
    except SQLAlchemyError:  # nobody can be asked: a ward that watches goes on seeing its alerts
        return True
    return _rights(now) == _rights(who)


def _rights(who: Principal) -> tuple[object, ...]:
    return (who.role, who.wards, who.capabilities, who.limited)


def _missed(
    service: Service, log: EventLog, who: Principal, after: str
) -> tuple[list[bytes], str | None, str | None]:
    """The next block of missed changes of alerts, the place that it reaches (None: there was none), and where
    the one after it begins; None: nowhere."""
    missed, then = log.after(after, who.wards)
    with service.engine_db.connect() as connection:
        shown = list(_changes(connection, missed, who))
    return shown, missed[-1][0] if missed else None, then


def _changes(connection: Connection, missed: Missed, who: Principal) -> Iterator[bytes]:
    """Without those of a patient who is on a ward by now that she does not see: that ward's the alert is."""
    alerts = get_alerts(connection, {one.event.alert for _, one in missed if one.event.alert})
    for place, one in missed:
        alert = alerts.get(one.event.alert or "")
        if alert is None or not who.sees(alert.ward):
            continue
        data = {"alert": alert_view(alert), "event": event_view(one)}
        yield _event("alert", for_everybody(data) if who.sees_board_only else data, place)


class _Shown:
    """What one stream was shown of the board."""

    def __init__(self, service: Service, rendered: Rendered, who: Principal, form: Form) -> None:
        self._service, self._rendered, self._who, self._form = service, rendered, who, form
        self.number = 0
        """The board of the last snapshot: changes up to it are known."""

    def snapshot(self, last: str) -> bytes:
        """All of it that she sees, put together from texts that are made once for all who see the same."""
        board, who = self._service.board, self._who
        self.number = board.number
        stays = board.seen_by(who.sees)
        rest: dict[str, Any] = {"time": iso(board.time), "speed": self._service.clock.speed}
        alerts = [alert for alert in board.alerts if who.sees(alert["ward"])]
        if self._form == "views":
            rest["alerts"] = alerts
            rest["pending"] = [pending_as_alert(stay, waits) for stay in stays for waits in stay["pending"]]
            minutes = ""
        else:
            rest["alerts"] = [alert for alert in alerts if alert["stay"] is None]
            minutes = ",".join(self._minutes(board, stay["id"]) for stay in stays)
            minutes = f',"minutes":{{{minutes}}}'
        head = msgspec.json.encode(for_everybody(rest) if who.sees_board_only else rest)
        views = ",".join(self._text("stay", stay["id"], stay, partial(dict, stay)) for stay in stays)
        text = f',"stays":[{views}]{minutes}}}'
        return on_wire("snapshot", head[:-1] + text.encode(), last)

    def _minutes(self, board: Board, stay: str) -> str:
        text = self._text("minutes", stay, board.minutes, lambda: board.minutes.view(stay))
        return f"{json.dumps(stay)}:{text}"

    def _text(self, kind: str, id: str, of: object, make: Callable[[], Any]) -> str:
        return self._rendered.text(kind, id, of, make, public=self._who.sees_board_only)


def _heartbeat(service: Service, health: Json) -> bytes:
    data = {
        "time": iso(service.clock.now()),
        "speed": service.clock.speed,
        "last_message_age_s": health.get("last_message_age_s"),
        "ready": health["ready"],
        "live": health["live"],
        "reasons": health["reasons"],
        "failing": health.get("failing", []),
    }
    return _event("heartbeat", data)


def _event(kind: str, data: Any, id: str | None = None) -> bytes:
    return on_wire(kind, msgspec.json.encode(data), id)
