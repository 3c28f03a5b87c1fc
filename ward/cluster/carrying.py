"""``ward notify``: carries the alerts of a cluster to people.

It has no core: what is to be told is in the database since the transaction in which the engine decided it.
"""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Mapping
from typing import Any, Final

import structlog
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ward.alerts.plan import Plan, Plans
from ward.clock import wall_ms
from ward.cluster.owner import Owner
from ward.cluster.usable import still_usable
from ward.config import Settings, SettingsError
from ward.errors import NotFoundError, UnauthorizedError
from ward.ingest.broker_url import BrokerUrl
from ward.ingest.mqtt import MqttLink
from ward.live.faults import why
from ward.live.heartbeats import Heartbeats
from ward.live.plans import load_plans
from ward.live.watchdog import Watchdog
from ward.notify.config import Parts, load_channels
from ward.notify.duty import PEOPLE
from ward.notify.notifier import Notifier
from ward.server import check_port, end_on_term, http_config, set_up_log
from ward.store.database import migrate, open_database
from ward.store.deliveries import Sending, not_delivered
from ward.store.partition import settle_partitions
from ward.store.stays import occupied
from ward.web.access import is_secure
from ward.web.doors import doors_of
from ward.web.identity import Identity
from ward.web.passwords import Passwords

LOOK_S: Final = 2.0
"""So soon a plan or a ward that is new is known."""
UNDELIVERED_S: Final = 10.0
"""An engine has so long to note that somebody could not be told, well inside the sender's lease."""
LIMITS: Final = {"sender": 90.0, "plans": 120.0, "mqtt": 30.0}
"""Seconds without a heartbeat after which a part is late."""

log = structlog.get_logger(__name__)
Json = dict[str, Any]


class Carrier:
    """Everything of one process but its HTTP server. Raises SettingsError, ChannelsFileError, PlanError."""

    def __init__(self, settings: Settings) -> None:
        if settings.partitions < 2:
            raise SettingsError(
                "partitions: `ward notify` is for a cluster (WARD_PARTITIONS); `ward serve` sends itself"
            )
        if settings.cluster_secret is None:
            raise SettingsError(
                "cluster_secret: engines are told what nobody could be told with it (WARD_CLUSTER_SECRET)"
            )
        self._settings = settings
        self._stop = threading.Event()
        self.beats = Heartbeats()
        self.link: MqttLink | None = None
        publish = Parts(
            publish=lambda topic, payload: self.link is not None and self.link.publish(topic, payload)
        )
        channels = load_channels(settings.channels_file, publish)
        if any(channel.kind == "mqtt" for channel in channels.values()):
            self.link = self._make_link()
        self.db = open_database(settings.database, "ward-notify")
        migrate(self.db)
        with self.db.begin() as tx:
            settle_partitions(tx, settings.partitions)
        self._owners = [
            Owner(self.db, number, settings.cluster_secret, silence_s=UNDELIVERED_S)
            for number in range(settings.partitions)
        ]
        self._plans = Plans()
        self._wards: set[str] = set()
        self._read()
        self.notifier = Notifier(
            self.db,
            channels,
            self._undelivered,
            plan_of=self._plan_of,
            wards=lambda: {*self._plans.by_ward, *self._wards},
            ward_now=wall_ms,
            link=settings.public_url,
            language=settings.language,
            beat=lambda: self.beats.beat("sender"),
            duty=PEOPLE,
        )
        self._reader = threading.Thread(target=self._read_again, name="plans", daemon=True)
        self._watchdog = Watchdog(self.beats, self._threads, vital="sender")

    def _make_link(self) -> MqttLink:
        given = self._settings
        return MqttLink(
            given.mqtt_url,
            now=wall_ms,
            client_id=f"{given.mqtt_client_id[:40]}-notify-{uuid.uuid4().hex[:12]}",
            topics=(),
            **given.mqtt_files,
            beat=lambda: self.beats.beat("mqtt"),
            also=BrokerUrl.places(given.mqtt_also),
        )

    # ------------------------------------------------------------------ life

    def start(self) -> None:
        for part, limit in LIMITS.items():
            if part != "mqtt" or self.link is not None:
                self.beats.expect(part, limit)
        if self.link is not None:
            self.link.start()
        self._reader.start()
        self.notifier.start()
        self._watchdog.start()

    def stop(self) -> None:
        """What is being sent may end; what waits is another's, or a later start's."""
        self._watchdog.stop()
        self._stop.set()
        self.notifier.stop()
        if self.link is not None:
            self.link.stop()
        if self._reader.is_alive():
            self._reader.join(10.0)
        for owner in self._owners:
            owner.close()
        self.db.dispose()

    def _threads(self) -> dict[str, threading.Thread]:
        """Those without which nobody is told."""
        threads = {"notify": self.notifier.thread, "plans": self._reader}
        link = self.link.thread if self.link is not None else None
        return threads | ({"mqtt": link} if link is not None else {})

    # ------------------------------------------------------------------ what the sender needs of the wards

    def _read_again(self) -> None:
        while not self._stop.wait(LOOK_S):
            self.beats.beat("plans")
            try:
                self._read()
            except Exception as error:  # what was known holds meanwhile, and the thread goes on
                log.warning("the plans cannot be read now", error=why(error))

    def _read(self) -> None:
        self._plans, _ = load_plans(self.db, self._settings.plan_file, self._settings.zone)
        with self.db.connect() as connection:
            still_usable(connection)
            self._wards = occupied(connection)

    def _plan_of(self, ward: str) -> Plan:
        return self._plans.of(ward)

    def _undelivered(self, sending: Sending, error: str) -> None:
        """The engine notes it, durably, and has the next level told. Nothing for an alert that is over."""
        asked = {"command": "not_delivered", "arguments": not_delivered(sending, error), "acts": []}
        with contextlib.suppress(NotFoundError):
            self._owners[sending.partition].post("call", asked, UNDELIVERED_S)

    # ------------------------------------------------------------------ how it is

    def reasons(self) -> list[str]:
        """Why people cannot be told through this process. A channel that does not work is the engines' alert,
        and a warning here: started anew this process would not reach the other side either."""
        reasons = [fault for fault in (self.notifier.fault,) if fault]
        if self.link is not None and not self.link.stats().connected:
            reasons.append("not connected to the broker")
        late = self.beats.late(time.monotonic())
        return reasons + [f"{part}: no sign of life for {s:.0f} s" for part, s in sorted(late.items())]


def application(carrier: Carrier, identity: Identity) -> Starlette:
    """``/healthz`` and ``/readyz`` for everybody, ``/metrics`` for who may read those of an engine."""

    async def healthz(request: Request) -> Response:
        return _answer({"status": "alive"})

    async def readyz(request: Request) -> Response:
        reasons = carrier.reasons()
        ready: Json = {"ready": not reasons, "reasons": reasons}
        if failing := carrier.notifier.failing():
            ready["warnings"] = [f"{name} does not work" for name in failing]
        return _answer(ready, 503 if reasons else 200)

    async def metrics(request: Request) -> Response:
        status = await run_in_threadpool(_refusal, request)
        if status:
            return _answer({"status": status}, status)
        return Response(await run_in_threadpool(generate_latest), media_type=CONTENT_TYPE_LATEST)

    def _refusal(request: Request) -> int | None:
        try:
            who = identity.identify(request.headers, secure=is_secure(request.scope))
        except UnauthorizedError:
            return 401
        return None if who.may("monitor") else 403

    paths: Mapping[str, Any] = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}
    return Starlette(routes=[Route(path, answer) for path, answer in paths.items()])


def _answer(body: Json, status: int = 200) -> Response:
    return JSONResponse(body, status, headers={"Cache-Control": "no-store"})


def run_notify(settings: Settings) -> None:
    """Run until a signal ends it. Raises what makes a start impossible."""
    set_up_log(settings.log_level)
    end_on_term()
    check_port(settings)
    with contextlib.suppress(KeyboardInterrupt):
        carrier = Carrier(settings)
        app = application(carrier, Identity(carrier.db, wall_ms, doors_of(settings), Passwords()))
        try:
            carrier.start()
            log.info("carrying alerts", readyz=f"http://{settings.http_host}:{settings.http_port}/readyz")
            uvicorn.Server(http_config(app, settings)).run()
        finally:
            carrier.stop()
