"""``ward web``: dashboard and API of a cluster, without a core. Any number of them, anywhere."""

from __future__ import annotations

import contextlib

import structlog

from ward.cluster.remote import RemoteService
from ward.config import Settings, SettingsError
from ward.server import check_port, end_on_term, http_server, set_up_log
from ward.web.log import DividedLog

log = structlog.get_logger(__name__)


def run_web(settings: Settings) -> None:
    """Run until a signal ends it. Raises SettingsError and what makes a start impossible."""
    if settings.partitions < 2:
        raise SettingsError(
            "partitions: `ward web` is for a cluster (WARD_PARTITIONS); else use `ward serve`"
        )
    if settings.cluster_secret is None:
        raise SettingsError("cluster_secret: engines and web processes need the same (WARD_CLUSTER_SECRET)")
    set_up_log(settings.log_level)
    end_on_term()
    check_port(settings)
    with contextlib.suppress(KeyboardInterrupt):
        service = RemoteService(settings)
        try:
            service.start()
            places = DividedLog(service.engine_db, service.whole.places)
            log.info("listening", dashboard=f"http://{settings.http_host}:{settings.http_port}/")
            http_server(service, settings, places).run()
        finally:
            service.stop()
