"""What is done now and then beside the ward's work: old rows out, small chunks together, erasures that were
asked for from the command line, and a look at the machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy import Engine as Database

from ward.clock import Clock, wall_ms
from ward.config import Settings
from ward.live import metrics
from ward.live.drift import DriftWatch
from ward.machine import free_bytes, machine_clock, wanted_bytes
from ward.signals import HOUR
from ward.store import erasure
from ward.store.history import compact
from ward.store.retention import retain
from ward.store.stays import wards_of
from ward.web.shelf import Shelf

EVERY_S: Final = 600.0
LOOK_S: Final = 2.0
"""So often it is seen whether an erasure was asked for."""
MACHINE_S: Final = 30.0
FIRST_SHEETS_S: Final = 30.0
"""The first downtime sheets are written so soon after a start."""
SHEET_S: Final = 8.0
"""From one ward's to the next: a page takes a third of a second of the processor that the core needs, too."""
ANSWER_S: Final = 300.0
DAY: Final = 24 * HOUR
BY_COMMAND: Final = "ward patient erase"

log = structlog.get_logger(__name__)


class Housekeeping:
    """One thread. ``ask(command, arguments)`` has the core carry something out, and answers with a future."""

    def __init__(
        self,
        db: Database,
        settings: Settings,
        clock: Clock,
        ask: Callable[[str, dict[str, Any]], Any],
        beat: Callable[[], None],
    ) -> None:
        self._db, self._settings, self._clock, self._ask, self._beat = db, settings, clock, ask, beat
        self._shelf = Shelf.of(settings)
        self._stop = threading.Event()
        self._compacted = 0
        """The last chunk of the history (id) that was looked at."""
        self.drift = DriftWatch(db, settings.drift_reference_days, settings.part)
        self.thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)
        self.reasons: dict[str, str] = {}
        """Why the machine makes the service not ready, by what is wrong with it."""
        self.warnings: dict[str, str] = {}
        """What somebody should see to."""
        self.sheets: Callable[[], Iterator[object]] = lambda: iter(())
        """Writes the downtime sheets, one at each step."""
        self._writing: Iterator[object] | None = None

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        self._stop.set()

    @property
    def is_stopping(self) -> bool:
        return self._stop.is_set()

    def _run(self) -> None:
        next_look = 0.0
        sheets_s = self._settings.downtime_min * 60
        next_sheets = time.monotonic() + min(sheets_s, FIRST_SHEETS_S)
        next_house, next_sheet = time.monotonic() + EVERY_S, 0.0
        while not self._stop.wait(LOOK_S):
            self._beat()
            self._guard(self.erase_asked)
            if not self._settings.part.is_whole:
                self._guard(self.follow_rules)
            if time.monotonic() >= next_look:
                next_look = time.monotonic() + MACHINE_S
                self._guard(self.look_at_machine)
            if sheets_s and not self._writing and time.monotonic() >= next_sheets:
                next_sheets = time.monotonic() + sheets_s
                self._writing = self.sheets()
            if self._writing and time.monotonic() >= next_sheet:
                next_sheet = time.monotonic() + SHEET_S
                self._guard(self._write_sheet)
            if time.monotonic() >= next_house:
                next_house = time.monotonic() + EVERY_S
                self._guard(self.keep_house)
                self._guard(lambda: self.drift.look(self._clock.now()))

    def _write_sheet(self) -> None:
        assert self._writing is not None
        if next(self._writing, None) is None:
            self._writing = None

    def _guard(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception:  # tried again at the next turn; it must not end the thread
            metrics.ERRORS.labels("housekeeping").inc()
            log.exception("housekeeping failed")

    def keep_house(self) -> None:
        """Small chunks together, and out with what is older than it is kept. Of several engines on one
        database the first does it for all."""
        if self._settings.part.number:
            return
        now = self._clock.now()
        since = 0 if self._compacted else now - DAY  # after a start: what the one before may have left
        self._compacted = compact(self._db, self._compacted, since, self._rest).upto
        days = self._settings.model_dump()
        gone = retain(self._db, days, ward=now, machine=wall_ms(), rest=self._rest)
        gone["recordings"] = self._shelf.forget(wall_ms())
        if any(gone.values()):
            log.info("forgotten", **{name.replace(" ", "_"): n for name, n in gone.items() if n})

    def _rest(self, took_s: float) -> bool:
        """As long as the work took, so that whoever writes finds its turn; true where all is to end."""
        self._beat()
        return self._stop.wait(took_s)

    def erase_asked(self) -> None:
        with self._db.connect() as connection:
            waiting = erasure.asked(connection)
            waiting = [stay for stay in waiting if self._is_own(wards_of(connection, [stay]))]
        for stay in waiting:
            self._ask("erase", {"stay": stay, "by": BY_COMMAND}).result(ANSWER_S)
            log.info("a stay was erased", stay=stay)
        if waiting:
            erasure.scrub(self._db)

    def _is_own(self, wards: Collection[str]) -> bool:
        part = self._settings.part
        return all(part.has(ward) for ward in wards) if wards else part.number == 0

    def follow_rules(self) -> None:
        """What another engine has changed for every ward."""
        self._ask("follow_others", {}).result(ANSWER_S)

    def look_at_machine(self) -> None:
        """Sets ``reasons``, ``warnings`` and the gauges."""
        reasons: dict[str, str] = {}
        warnings: dict[str, str] = {}
        if self._settings.clock_check != "off":
            synchronised = machine_clock().synchronised
            metrics.CLOCK_UNSYNCHRONISED.set(synchronised == "no")
            if synchronised == "no":
                found = reasons if self._settings.clock_check == "require" else warnings
                found["clock"] = "the machine's clock is not synchronised: times and delays may be wrong"
        folder = data_folder(self._settings)
        if folder is not None:
            free, wanted = free_bytes(folder), wanted_bytes(folder, self._settings.disk_low_mb)
            metrics.DISK_FREE.set(free)
            if free < wanted:
                reasons["disk"] = f"the disk is nearly full: {free / 1e6:.0f} MB left of {wanted / 1e6:.0f}"
        for name, text in (reasons | warnings).items():
            if name not in self.reasons and name not in self.warnings:
                log.warning("the machine is not as it should be", what=text)
        self.reasons, self.warnings = reasons, warnings


def data_folder(settings: Settings) -> Path | None:
    """Where this machine keeps the data; None where a database elsewhere does, and there is no folder."""
    if settings.database.startswith("sqlite"):
        return Path(settings.database.partition(":///")[2]).parent
    return settings.data_dir if settings.data_dir.is_dir() else None
