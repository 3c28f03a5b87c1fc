"""A whole service with time in the test's hands: no threads, no broker, real database and journal."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.databases import fill
from ward.clock import iso
from ward.config import Settings
from ward.ingest.intake import Incoming
from ward.service import WardService
from ward.signals import N_OBSERVED
from ward.store.alerts import list_alerts
from ward.store.events import list_events
from ward.store.history import read_history

START = 1_800_000_000_000


class HandClock:
    """Shows what it was set to."""

    speed = 1.0

    def __init__(self, now: int = START) -> None:
        self.time = now

    def now(self) -> int:
        return self.time


class World:
    """One service on one database; ``crash`` and go on with another on the same."""

    def __init__(self, folder: Path, database_url: str | None = None, **settings: Any) -> None:
        self._given = {"data_dir": folder, "database_url": database_url, "pack": "ward-rct-2025"} | settings
        self.clock = HandClock()
        if database_url is None and not (folder / "ward.db").exists():
            fill(f"sqlite:///{folder / 'ward.db'}")
        self.acked: list[int] = []
        self.seq: dict[str, int] = {}
        self.sent = 0
        self._out: dict[int, Incoming] = {}
        self._open()

    def _open(self) -> None:
        self.service = WardService(Settings(**self._given), self.clock)
        self.runner = self.service.runner
        self.runner._ack = lambda items: self.acked.extend(item.mid for item in items)
        self.service.core.service_faults = lambda: ()  # there is no broker, and nobody misses it
        look = self.runner.load.look  # that the machine is busy is no overload of this ward
        self.runner.load.look = lambda now, queue, tick_s: look(now, queue, 0.0)
        self.service.recover()

    def crash(self) -> None:
        """Everything in memory is gone; what was not acknowledged comes again from the broker."""
        self.close()
        self._open()
        for item in [i for i in self._out.values() if i.mid not in self.acked]:
            self.service.link.intake.put(item)

    def close(self) -> None:
        self.service._journal.close()
        self.service.engine_db.dispose()

    @property
    def now(self) -> int:
        return self.clock.time

    def do(self, command: str, **arguments: Any) -> Any:
        return self.runner._commands.run(command, self.now, {"by": "nurse"} | arguments)

    def admit(self, bed: str = "1", devices: tuple[str, ...] = ("mon",), flags: tuple[str, ...] = ()) -> str:
        stay = {
            "patient_ref": f"p-{bed}",
            "ward": "w",
            "bed": bed,
            "devices": list(devices),
            "flags": list(flags),
        }
        return str(self.do("admit", **stay)["id"])

    def publish(self, device: str, body: Any, kind: str = "vitals", retain: bool = False) -> Incoming:
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.sent += 1
        item = Incoming(f"ward/v1/w/{device}/{kind}", payload, self.now, 1, retain, self.sent)
        self._out[item.mid] = item
        self.service.link.intake.put(item)
        return item

    def sample(
        self, device: str = "mon", time: int | None = None, **readings: float | None
    ) -> dict[str, Any]:
        self.seq[device] = self.seq.get(device, 0) + 1
        at = self.now if time is None else time
        return {"seq": self.seq[device], "time": iso(at), "readings": readings}

    def measure(self, device: str = "mon", time: int | None = None, **readings: float | None) -> Incoming:
        return self.publish(device, self.sample(device, time, **readings))

    def tick(self, ms: int = 1_000) -> None:
        """Let time pass, take what came, evaluate."""
        self.clock.time += ms
        while self.runner.take_messages():
            pass
        self.runner.tick()

    def live(self, seconds: int, device: str = "mon", **readings: float) -> None:
        """A reading of each signal a second, for so long."""
        for _ in range(seconds):
            self.measure(device, **readings)
            self.tick()

    def alerts(self, stay: str | None = None) -> list[Any]:
        with self.service.engine_db.connect() as connection:
            return list(list_alerts(connection, stay=stay, limit=1000).items)

    def events(self, kind: str | None = None) -> list[Any]:
        with self.service.engine_db.connect() as connection:
            found = [logged.event for logged in list_events(connection, limit=1000).items]
        return [e for e in found if kind is None or e.kind == kind]

    def told(self) -> list[tuple[str, str, int | None, int | None]]:
        """(stay, rule, raised at, cleared at) of every alert, in order."""
        found = [
            (a.stay, a.rule, a.raised_at, a.cleared_at) for a in self.alerts() if a.raised_at is not None
        ]
        return sorted(found, key=str)

    def trial(self, request: dict[str, Any]) -> dict[str, Any]:
        """Its result, over what is stored by now; without the process that the service has for it."""
        from ward.live import snapshots
        from ward.trial.stored import stored_trial

        snapshots.flush(self.service.core)
        return stored_trial(self.service.engine_db, self.service.core.rulebook, request, lambda *_: None)

    def stored(self, stay: str, signals: Iterable[int] | None = range(N_OBSERVED)) -> Any:
        """What was measured of the stay, in the database or on its way there; None: the scores, too."""
        from ward.live import snapshots

        snapshots.flush(self.service.core)
        with self.service.engine_db.connect() as connection:
            return read_history(connection, stay, signals, 0, 2**60)
