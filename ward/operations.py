"""What somebody asks who runs the service: is it well, since when, what does it measure of itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Engine, text

from ward import __version__
from ward.clock import Clock, iso, wall_ms
from ward.config import Settings, mask
from ward.ingest.topics import SUBSCRIPTIONS
from ward.live.health import LIMITS
from ward.live.heartbeats import Heartbeats
from ward.live.pulse import Pulse
from ward.practice import Practice
from ward.protection.backup import LAST
from ward.store.audit_head import Heads
from ward.store.meta import get_meta
from ward.store.people import has_other_admin

if TYPE_CHECKING:
    from ward.ingest.mqtt import MqttLink

SIZE_S: Final = 60.0
Json = dict[str, Any]


class Operations:
    """Looks at the parts; changes nothing. ``health`` as ``/readyz`` has it; ``reached``: until when (ms of
    the ward's clock) is evaluated."""

    def __init__(
        self,
        settings: Settings,
        db: Engine,
        link: MqttLink,
        beats: Heartbeats,
        clock: Clock,
        practice: Practice,
        health: Callable[[], Json],
        reached: Callable[[], int],
    ) -> None:
        self._settings, self._db, self._link, self._beats, self._clock = settings, db, link, beats, clock
        self._health, self._reached = health, reached
        self.practice = practice
        self.pulse = Pulse(wall_ms, self._more)
        self._begun = wall_ms()
        self._size = (float("-inf"), 0)

    def view(self, minutes: int) -> Json:
        """As ``ward.web.schemas.health.Health``. Asks the database."""
        health = self._health()
        with self._db.connect() as connection:
            backup = get_meta(connection, LAST)
            has_admin = has_other_admin(connection, "")
        curves = self.pulse.view(minutes)
        return {
            "time": iso(wall_ms()),
            "started_at": iso(self._begun),
            "version": __version__,
            **{name: health[name] for name in ("ready", "live", "reasons", "warnings", "pack", "speed")},
            "parts": self._parts(),
            "broker": {
                "url": mask("mqtt_url", self._settings.mqtt_url),
                "connected": self._link.stats().connected,
                "said": health["detail"].get("broker"),
                "last_message_age_s": health["last_message_age_s"],
                "topics": list(SUBSCRIPTIONS),
                "devices": self._settings.devices,
            },
            "channels_failing": health["channels_failing"],
            "database": {"kind": self._db.dialect.name, "bytes": self._database_bytes()},
            "backup": None if backup is None else {"at": iso(backup["at"]), "bytes": backup["bytes"]},
            "administrator": has_admin,
            "simulator": self.practice.view(),
            "times": [iso(at) for at in curves["times"]],
            "series": curves["series"],
        }

    def _parts(self) -> list[Json]:
        now = time.monotonic()
        late = self._beats.late(now)
        return [
            {"part": part, "age_s": round(age, 1), "limit_s": LIMITS.get(part), "late": part in late}
            for part, age in sorted(self._beats.ages(now).items())
        ]

    def verify_trail(self, lines: int) -> Json:
        """Go through the last lines of the audit trail, with the ends that the data folder knows."""
        with self._db.connect() as connection:
            return Heads(self._settings.data_dir).look(connection, lines)

    def _more(self) -> dict[str, float]:
        self._health()  # sets the gauges of the link
        found = {"database": float(self._database_bytes())}
        if (reached := self._reached()) > 0:  # before that nothing was evaluated
            found["delay"] = max(0, self._clock.now() - reached) / 1_000 / self._clock.speed
        return found

    def _database_bytes(self) -> int:
        looked, size = self._size
        if time.monotonic() - looked > SIZE_S:
            self._size = (time.monotonic(), size := self._measured())
        return size

    def _measured(self) -> int:
        if self._db.dialect.name == "sqlite":
            file = Path(self._db.url.database or "")
            return sum(one.stat().st_size for one in (file, Path(f"{file}-wal")) if one.exists())
        with self._db.connect() as connection:
            return int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)
