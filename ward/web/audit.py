"""Who saw what of whom, who changed what: every call of the web leaves a line in the audit trail.

Nothing need be done for a new route. Its line's action is its operationId, its object the last part of its
path that names something; a change leaves two lines, ``asked`` before anything is done and what became of it.
What only a route knows (the stay of an alert, who tried to log in) it tells with ``about``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any, Final
from urllib.parse import parse_qs

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ward.errors import UnavailableError
from ward.store.audit import Entry
from ward.web.access import SAFE, Principal, api_routes
from ward.web.limits import Buckets, Budget, address_of
from ward.web.openapi import operation_id
from ward.web.problems import of_ward_error
from ward.web.trail import Trail

QUIET: Final = frozenset(
    {"operations-healthz", "operations-readyz", "operations-metrics", "access-who-am-i"}
    | {"ward-openapi", "ward-documentation", "ward-style", "ward-problem"}
)
"""Reading what tells nothing of patients or people. Refusals are told of these, too."""
RECEIPTS: Final = frozenset({"notices-shown", "sounds-sound"})
"""What pages send by themselves: for each alert that they show (the deliveries keep who and when), and that
they can sound."""
REFUSED: Final = frozenset({401, 403})
STRANGERS: Final = Budget("told", 300, 1)
"""Of one address: refusals of nobody known with a line of their own."""


@dataclass(slots=True)
class Known:
    """What becomes known of a request on its way; only what is set replaces what the route says."""

    actor: str | None = None
    actor_id: str | None = None
    role: str | None = None
    object: str | None = None
    stay: str | None = None
    ward: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)


_known: ContextVar[Known | None] = ContextVar("audit", default=None)


def about(*, detail: dict[str, Any] | None = None, **known: str | None) -> None:
    """Tell the audit line of this request more: ``actor actor_id role object stay ward``, and detail.

    No secret and no patient's reference. Outside a request nothing happens.
    """
    here = _known.get()
    if here is None:
        return
    for name, value in known.items():
        setattr(here, name, value)
    here.detail.update(detail or {})


@dataclass(frozen=True, slots=True)
class Act:
    """A route as the trail calls it. ``change``: not only reading. ``of_ward``: ``?ward=`` says of which."""

    action: str
    pattern: re.Pattern[str]
    methods: frozenset[str]
    change: bool
    of_ward: bool


def acts(app: FastAPI) -> list[Act]:
    """Every route's. Raises RuntimeError if a change would be kept quiet, or two have one name."""
    found = [_act(route) for route in api_routes(app)]
    names = [act.action for act in found]
    if len(set(names)) != len(names):
        raise RuntimeError(f"two routes have one name: {sorted({n for n in names if names.count(n) > 1})}")
    loud = [act.action for act in found if act.change and act.action in QUIET]
    if loud:
        raise RuntimeError(f"{', '.join(loud)}: a change must be told in the audit trail")
    return found


def _act(route: APIRoute) -> Act:
    methods = frozenset(route.methods or ())
    of_ward = any(one.alias == "ward" for one in route.dependant.query_params)
    name = route.operation_id or operation_id(route)
    return Act(name, route.path_regex, methods, bool(methods - SAFE), of_ward)


class Audited:
    """Writes the line of each call before its answer begins. Outside ``Authentication``: refusals count."""

    def __init__(self, app: ASGIApp, trail: Trail, acts: Iterable[Act]) -> None:
        self.app = app
        self.trail = trail
        self.acts = list(acts)
        self._strangers = Buckets()
        self._untold = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._find(scope) if scope["type"] == "http" else None
        if found is None:
            await self.app(scope, receive, send)
            return
        act, named = found
        known = Known()
        scope.setdefault("state", {})["act"] = found
        began = False

        async def told(message: Message) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = True
                if _counts(act, message["status"]) and self._is_told(scope, message["status"], known):
                    await self.trail.write(_entry(self.trail, scope, act, named, known, message["status"]))
            await send(message)

        mark = _known.set(known)
        try:
            await self.app(scope, receive, told)
        except Exception:
            if not began:
                await self.trail.write(_entry(self.trail, scope, act, named, known, 500))
            raise
        finally:
            _known.reset(mark)

    def _is_told(self, scope: Scope, status: int, known: Known) -> bool:
        """Not what was too much: that is counted. Of a flood of wrong credentials only so many have a line
        of their own, the next line says how many had none."""
        if scope["state"].get("limited"):
            return False
        if status == 401 and self._strangers.take(STRANGERS, address_of(scope), monotonic()):
            self._untold += 1
            return False
        if self._untold:
            known.detail["before_untold"], self._untold = self._untold, 0
        return True

    def _find(self, scope: Scope) -> tuple[Act, dict[str, str]] | None:
        for act in self.acts:
            match = act.pattern.match(scope["path"])
            if match and scope["method"] in act.methods:
                return act, match.groupdict()
        return None


class Asked:
    """Before a change is tried, a line that it was asked for; if that cannot be written, the change is not
    tried. Inside ``Authentication``: it is known who asks."""

    def __init__(self, app: ASGIApp, trail: Trail) -> None:
        self.app = app
        self.trail = trail

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope.get("state", {})
        act, named = state.get("act", (None, {}))
        if act is not None and act.change and act.action not in RECEIPTS and "principal" in state:
            entry = _entry(self.trail, scope, act, named, Known(), 0)
            try:
                await self.trail.write(replace(entry, outcome="asked"), must=True)
            except UnavailableError as error:
                await of_ward_error(scope["path"], error)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _counts(act: Act, status: int) -> bool:
    return act.action not in QUIET | RECEIPTS or status in REFUSED


def _outcome(status: int) -> str:
    if status < 400:
        return "done"
    return "refused" if status < 500 else "failed"


def _entry(trail: Trail, scope: Scope, act: Act, named: dict[str, str], known: Known, status: int) -> Entry:
    who: Principal | None = scope.get("state", {}).get("principal")
    name, value = next(reversed(named.items()), (None, None))
    detail: dict[str, Any] = {"from": address_of(scope) or None, **known.detail}
    ward = known.ward
    if status:
        detail["status"] = status
    if known.stay is None and "stay" not in named and 0 < status < 400:
        asked = _asked_ward(scope) if act.of_ward else None
        ward = ward or asked or (who and who.wards and ",".join(sorted(who.wards))) or None
    return Entry(
        at=trail.wall(),
        actor=known.actor or (who.name if who else ""),
        role=known.role or (who.role if who else None),
        action=act.action,
        object=known.object or (f"{name}:{value}"[:200] if name else None),
        ward=ward,
        outcome=_outcome(status),
        detail=detail,
        actor_id=known.actor_id or (who.id if who else None),
        stay=known.stay or named.get("stay"),
        source="web",
    )


def _asked_ward(scope: Scope) -> str | None:
    """``?ward=`` of a list; asked only of calls that were answered, so it is a name that is allowed. Of
    several the last, by which the route goes: the trail must not name another."""
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("ward")
    return asked[-1] if asked else None
