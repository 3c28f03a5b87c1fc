"""How the cluster is, as a web process can tell: what each engine says of itself, and the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Engine, text

from ward import __version__
from ward.clock import iso, wall_ms
from ward.config import Settings, mask
from ward.errors import ForbiddenError
from ward.ingest.topics import SUBSCRIPTIONS
from ward.protection.backup import LAST
from ward.store.audit_head import Heads
from ward.store.meta import get_meta
from ward.store.people import has_other_admin

Json = dict[str, Any]
NO_PRACTICE: Final = "there is no simulated ward in a cluster"


class NoPractice:
    """As ``ward.web.service_protocol.Practice``."""

    async def start(self, beds: int, by: str) -> Json:
        raise ForbiddenError(NO_PRACTICE, code="simulator-off")

    async def end(self, by: str) -> Json:
        raise ForbiddenError(NO_PRACTICE, code="simulator-off")


class Overview:
    """As ``ward.web.service_protocol.Operations``."""

    def __init__(self, settings: Settings, db: Engine, health: Callable[[], Json]) -> None:
        self._settings, self._db, self._health = settings, db, health
        self._begun = wall_ms()
        self.practice = NoPractice()

    def view(self, minutes: int) -> Json:
        """Curves are each engine's: Prometheus has them."""
        health = self._health()
        with self._db.connect() as connection:
            backup = get_meta(connection, LAST)
            has_admin = has_other_admin(connection, "")
            size = connection.scalar(text("SELECT pg_database_size(current_database())"))
        return {
            "time": iso(wall_ms()),
            "started_at": iso(self._begun),
            "version": __version__,
            **{name: health[name] for name in ("ready", "live", "reasons", "warnings", "pack", "speed")},
            "parts": [],
            "broker": {
                "url": mask("mqtt_url", self._settings.mqtt_url),
                "connected": "broker" not in health["failing"],
                "said": None,
                "last_message_age_s": health["last_message_age_s"],
                "topics": list(SUBSCRIPTIONS),
                "devices": self._settings.devices,
            },
            "channels_failing": health["channels_failing"],
            "database": {"kind": self._db.dialect.name, "bytes": int(size or 0)},
            "backup": None if backup is None else {"at": iso(backup["at"]), "bytes": backup["bytes"]},
            "administrator": has_admin,
            "simulator": {"allowed": False, "running": False, "ward": "", "patients": True},
            "times": [],
            "series": {},
        }

    def verify_trail(self, lines: int) -> Json:
        """See ``ward.operations.Operations``."""
        with self._db.connect() as connection:
            return Heads(self._settings.data_dir).look(connection, lines)
