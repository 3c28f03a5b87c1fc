"""The HTTP server around the service; also the set-up of the log."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, Protocol

import structlog
import uvicorn
from sqlalchemy.exc import OperationalError
from starlette.types import ASGIApp

from ward.cluster.inside import tell_address, with_inside
from ward.config import Settings, SettingsError, prepare_data_dir
from ward.live.heartbeats import Heartbeats
from ward.live.watchdog import end_process
from ward.machine import share_one_heap
from ward.models import find_risk
from ward.service import WardService
from ward.standing_by import standing_by
from ward.store import schema
from ward.store.database import migrate, open_database
from ward.store.lease import Lease
from ward.store.serving import serving
from ward.web.app import create_app, gathered_routes
from ward.web.doors import doors_of
from ward.web.log import EventLog
from ward.web.patience import HEAD_BYTES, PatientProtocol, room
from ward.web.service_protocol import Service
from ward.web.shelf import Shelf

GRACE_S: Final = 5
LOOP_S: Final = 10.0
"""An event loop that stands for so long serves nobody."""
log = structlog.get_logger(__name__)

LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def set_up_log(level: str) -> None:
    """Lines for people on a terminal, JSON otherwise; to standard error."""
    on_terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer() if on_terminal else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(stream=sys.stderr, level=max(LEVELS[level], logging.WARNING))


def http_server(
    service: Beating,
    settings: Settings,
    log_: EventLog | None = None,
    inside: Callable[[ASGIApp, str], ASGIApp] | None = None,
) -> uvicorn.Server:
    """Not started; ``run`` blocks until a signal, ``should_exit`` ends it. ``inside`` puts before the
    application what is said within a cluster."""
    app: Any = create_app(
        service,
        doors=doors_of(settings),
        root=settings.root_path,
        one_sound=settings.one_sound,
        shelf=Shelf.of(settings),
        log=log_,
    )
    if inside is not None and settings.cluster_secret:
        app = inside(app, settings.cluster_secret)
    return StoppingServer(http_config(app, settings), service)


def http_config(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    """How every process of ward answers: patient with slow clients, as far as there is room, and believing
    only the proxies that it is told of."""
    PatientProtocol.most = room()
    return uvicorn.Config(
        app,
        http=PatientProtocol,
        h11_max_incomplete_event_size=HEAD_BYTES,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        host=settings.http_host,
        port=settings.http_port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )


class Beating(Service, Protocol):
    """A service that notices when its parts stand still."""

    @property
    def beats(self) -> Heartbeats: ...


class StoppingServer(uvicorn.Server):
    """Ends the event streams first: a server that waits for them would never stop. Beats for them."""

    def __init__(self, config: uvicorn.Config, service: Beating) -> None:
        super().__init__(config)
        self._service = service

    async def on_tick(self, counter: int) -> bool:
        """The event loop, on which every stream lives, goes round."""
        self._service.beats.beat("events")
        return await super().on_tick(counter)

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        self._service.beats.expect("events", LOOP_S)

    async def shutdown(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        self._service.beats.forget("events")
        self._service.hub.close()
        await super().shutdown(sockets)  # type: ignore[arg-type]


def check_port(settings: Settings) -> None:
    """Raises ``SettingsError`` where the port is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.http_host, settings.http_port))
        except OSError as error:
            taken = f"http_port = {settings.http_port}: {error.strerror}"
            raise SettingsError(f"{taken}; choose another with WARD_HTTP_PORT") from error


def serve(settings: Settings) -> None:
    """Run until a signal ends it. Raises ``SettingsError`` and what makes a start impossible."""
    if not settings.part.is_whole:
        raise SettingsError("partitions: a divided database is served by `ward engine`")
    if settings.notify == "elsewhere":
        raise SettingsError("notify: `ward serve` carries alerts itself; `ward notify` is for a cluster")
    run(settings)


def run(settings: Settings, after_s: float = 0.0) -> None:
    """The same for the wards of one partition; ``after_s``: to others it is left for so long."""
    share_one_heap()
    set_up_log(settings.log_level)
    end_on_term()
    check_port(settings)
    with contextlib.suppress(KeyboardInterrupt), owning(settings, after_s) as lease:
        service = WardService(settings, lease=lease)
        with service.running(in_background=True):
            log.info("listening", dashboard=f"http://{settings.http_host}:{settings.http_port}/")
            if lease is not None and not settings.part.is_whole:
                tell_address(service, settings)
            inside = None if settings.part.is_whole else partial(with_inside, service)
            http_server(service, settings, inside=inside).run()


@contextlib.contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Two services on one database would each tell half of the truth. Raises ConflictError."""
    if settings.database_url is None:
        prepare_data_dir(settings.data_dir)
    database = open_database(settings.database)
    try:
        with serving(database) as own:
            migrate(database, own)
            yield
    finally:
        database.dispose()


@contextlib.contextmanager
def owning(settings: Settings, after_s: float = 0.0) -> Iterator[Lease | None]:
    """The only one on the database; with ``standby`` after waiting, however long, for another to fail."""
    if not settings.standby:
        with alone(settings):
            yield None
        return
    database = open_database(settings.database)
    lease = None
    try:
        if database.dialect.name != "postgresql":
            raise SettingsError(
                "standby: needs PostgreSQL (WARD_DATABASE_URL), which several machines can reach"
            )
        with contextlib.suppress(OperationalError):  # where it is away it is waited for
            schema.require_turn(database)  # who cannot take over must not try
        lease = Lease(database, end_process, settings.part)
        find_risk(settings.risk_model)  # most of what a start takes; here it delays nobody
        gathered_routes()
        schema.revisions()  # where the database was away
        with standing_by(settings):
            log.info("standing by", healthz=f"http://{settings.http_host}:{settings.http_port}/healthz")
            time.sleep(after_s)
            lease.take(time.sleep)
        migrate(database, lease.session)
        which = {} if settings.part.is_whole else {"partition": settings.partition}
        log.info("this service has the database", epoch=lease.claim(), **which)
        lease.keep()
        yield lease
    finally:
        if lease is not None:
            lease.close()
        database.dispose()


def end_on_term() -> None:
    """SIGTERM unwinds like Ctrl-C: the server hands it back once it has stopped, and it must not kill us
    before the service has written what it holds."""

    def unwind(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, unwind)
