"""How much anybody may ask: token buckets, pure, with the time given.

They protect the ward from a program gone wild and from a guesser, not from the ward's own screens: what a
dashboard does stays far below. What is dear (trials, raw readings, the audit trail) has a budget of its own,
and so have streams and exports, which are counted while they are open.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import Final
from urllib.parse import parse_qs

from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ward.web.access import Public
from ward.web.describe import API
from ward.web.problems import problem

MOST: Final = 10_000
"""Buckets that are kept; beyond that the one that was used longest ago goes, it is full again by then."""

STALLED_S: Final = 30.0
"""Who takes nothing of an export for so long gets no more of it."""

limited: Final = Counter(
    "ward_http_limited_total", "Requests refused because there were too many", ("budget",)
)


@dataclass(frozen=True, slots=True)
class Budget:
    """So many at once, and ``rate`` more each second."""

    name: str
    burst: float
    rate: float


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Buckets:
    """One bucket for each key and budget. Not thread-safe: it lives on the event loop."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._buckets: OrderedDict[tuple[str, str], _Bucket] = OrderedDict()

    def take(self, budget: Budget, key: str, now: float) -> float:
        """0.0 and one is taken; else the seconds until there is one. ``now`` in steady seconds."""
        bucket = self._buckets.get((budget.name, key))
        if bucket is None:
            bucket = self._buckets[budget.name, key] = _Bucket(budget.burst, now)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end((budget.name, key))
        bucket.left = min(budget.burst, bucket.left + max(now - bucket.at, 0.0) * budget.rate)
        bucket.at = now
        if bucket.left < 1.0:
            return (1.0 - bucket.left) / budget.rate
        bucket.left -= 1.0
        return 0.0


@dataclass(frozen=True, slots=True)
class Limits:
    """``anybody``: calls of one login or token. ``dear``: those of them that read much; ``trial``: that keep
    a processor busy. ``guest``: calls of one address without credentials, enough for 200 screens that load
    the dashboard at once from behind one proxy. ``stranger``: calls of one address with wrong credentials.
    ``streams``: open at once, of one login or token, and ``all_streams`` altogether; so ``exports``, each of
    which keeps a connection to the database that the core would lack, and ``trials`` and ``looks`` (into a
    recording), each a busy process."""

    anybody: Budget = Budget("anybody", 2_000, 200)
    dear: Budget = Budget("dear", 1_000, 20)
    trial: Budget = Budget("trial", 20, 0.5)
    guest: Budget = Budget("guest", 5_000, 500)
    stranger: Budget = Budget("stranger", 3_000, 20)
    streams: int = 400
    all_streams: int = 4_000
    exports: int = 2
    all_exports: int = 4
    trials: int = 1
    all_trials: int = 2
    looks: int = 2
    all_looks: int = 3


LIMITS: Final = Limits()


TRIAL: Final = f"{API}/rules/trial"
BUSY: Final = "trials are running (one for each login or token, two altogether)"


def is_trial(method: str, path: str) -> bool:
    """What keeps a processor busy, or people."""
    is_report = path.startswith(f"{API}/reports/")
    if path == f"{API}/audit/verify":
        return True
    return is_report or (method == "POST" and path in (TRIAL, f"{API}/channels/test", f"{API}/recordings"))


def is_look(path: str) -> bool:
    """Into a recording, which is read as a whole for it."""
    return path.startswith(f"{API}/recordings/") and path.endswith("/vitals")


def is_dear(path: str, query: bytes) -> bool:
    """Exports, the trail, and readings one by one (a chart asks for bins)."""
    if path.endswith("/vitals"):
        return "resolution" not in parse_qs(query.decode("latin-1"))
    return path in (f"{API}/audit", "/openapi.json", "/docs") or is_export(path)


def is_export(path: str) -> bool:
    """What is read from the database while it is sent."""
    return path.endswith(("/export", "/delays"))


def address_of(scope: Scope) -> str:
    """The caller's, as far as the server trusts whoever says so."""
    client = scope.get("client")
    return client[0] if client else ""


class Guests:
    """Counts who comes without credentials, or with wrong ones. Outside ``Authentication``: a caller with
    right ones is never kept out by others who come from the same address."""

    def __init__(
        self, app: ASGIApp, limits: Limits, public: Public, clock: Callable[[], float] = monotonic
    ) -> None:
        self.app = app
        self.limits = limits
        self.public = public
        self.clock = clock
        self.buckets = Buckets()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        here = address_of(scope)
        if (scope["method"], scope["path"]) in self.public or not _has_credentials(scope):
            wait = self.buckets.take(self.limits.guest, here, self.clock())
            if wait:
                await too_many(scope, self.limits.guest, wait)(scope, receive, send)
                return
        instead = False

        async def counted(message: Message) -> None:
            nonlocal instead
            if message["type"] == "http.response.start" and message["status"] == 401:
                wait = self.buckets.take(self.limits.stranger, here, self.clock())
                if wait:
                    instead = True
                    await too_many(scope, self.limits.stranger, wait)(scope, receive, send)
            if not instead:
                await send(message)

        await self.app(scope, receive, counted)


def _has_credentials(scope: Scope) -> bool:
    return any(name in (b"authorization", b"cookie") for name, _ in scope["headers"])


class Places:
    """What may be open at once: ``each`` of one login or token, ``every`` altogether. On the event loop."""

    def __init__(self, each: int, every: int) -> None:
        self._each, self._every = each, every
        self._open: dict[str, int] = {}

    def is_full(self, who: str) -> bool:
        return self._open.get(who, 0) >= self._each or sum(self._open.values()) >= self._every

    @contextmanager
    def one(self, who: str) -> Iterator[None]:
        self._open[who] = self._open.get(who, 0) + 1
        try:
            yield
        finally:
            self._open[who] -= 1
            if not self._open[who]:
                del self._open[who]


class Paced:
    """Counts what each login or token asks, and its open streams and exports. Inside ``Authentication``."""

    def __init__(self, app: ASGIApp, limits: Limits, clock: Callable[[], float] = monotonic) -> None:
        self.app = app
        self.limits = limits
        self.clock = clock
        self.buckets = Buckets()
        self.streams = Places(limits.streams, limits.all_streams)
        self.exports = Places(limits.exports, limits.all_exports)
        self.trials = Places(limits.trials, limits.all_trials)
        self.looks = Places(limits.looks, limits.all_looks)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        principal = scope.get("state", {}).get("principal") if scope["type"] == "http" else None
        if principal is None:
            await self.app(scope, receive, send)
            return
        path, method, who = scope["path"], scope["method"], str(principal.id)
        asked = [self.limits.anybody]
        if is_trial(method, path):
            asked.append(self.limits.trial)
        elif is_dear(path, scope["query_string"]):
            asked.append(self.limits.dear)
        for budget in asked:
            wait = self.buckets.take(budget, who, self.clock())
            if wait:
                await too_many(scope, budget, wait)(scope, receive, send)
                return
        if path == f"{API}/events":
            places, name = self.streams, "streams"
        elif is_export(path):
            places, name, send = self.exports, "exports", _taken(send)
        elif path == TRIAL and method == "POST":
            places, name, send = self.trials, "trials", _taken(send)
        elif is_look(path):
            places, name, send = self.looks, "looks", _taken(send)
        else:
            await self.app(scope, receive, send)
            return
        if places.is_full(who):
            why = BUSY if places is self.trials else "too many requests"
            await too_many(scope, Budget(name, 0, 0), 10.0, why)(scope, receive, send)
            return
        with places.one(who), suppress(NotReadError):  # the server hangs up on an answer without an end
            await self.app(scope, receive, send)


class NotReadError(Exception):
    """The caller does not read what is sent."""


def _taken(send: Send) -> Send:
    """``send`` that raises NotReadError where nothing was taken for too long."""

    async def patient(message: Message) -> None:
        try:
            async with asyncio.timeout(STALLED_S):
                await send(message)
        except TimeoutError:
            raise NotReadError from None

    return patient


def too_many(scope: Scope, budget: Budget, wait: float, why: str = "too many requests") -> ASGIApp:
    limited.labels(budget.name).inc()
    scope.setdefault("state", {})["limited"] = True  # not told in the audit trail, but counted
    seconds = max(math.ceil(wait), 1)
    code = "trials-busy" if why == BUSY else "too-many"
    detail = f"{why}; the next is answered in {seconds} s"
    return problem(
        scope["path"],
        "too-many-requests",
        detail,
        headers={"Retry-After": str(seconds)},
        code=code,
        params={"seconds": seconds},
    )
