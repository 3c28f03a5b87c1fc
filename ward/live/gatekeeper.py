"""Keeps the gate up to date: who may speak, as the database says, and which numbers were heard."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Final

import msgspec
import structlog
from sqlalchemy import Engine as Database

from ward.clock import Clock
from ward.config import Settings
from ward.errors import InvalidError
from ward.ingest.broker_url import BrokerUrl
from ward.ingest.credentials import Credentials, gate_credentials, master_secret
from ward.ingest.gate import Gate
from ward.ingest.signatures import Numbers
from ward.live import metrics
from ward.store.credentials import (
    credentials_version,
    list_credentials,
    load_heard,
    load_numbers,
    save_numbers,
)

POLL_S: Final = 1.0
"""So long after `ward device add` a device may speak."""
SAVE_EVERY: Final = 30
"""Polls between two savings of the numbers; what is newer than that stands beside the journal."""

PART: Final = "devices"
FORGED: Final = "forged-messages"

log = structlog.get_logger(__name__)
_numbers = msgspec.msgpack.Decoder(dict[str, Numbers])


def credentials_of(database: Database, settings: Settings) -> Credentials:
    return Credentials(
        database,
        settings.data_dir,
        BrokerUrl.parse(settings.mqtt_url),
        ca_file=settings.mqtt_ca_file,
        folder=settings.mqtt_files_dir,
        pid_file=settings.mqtt_pid_file,
        reload_command=settings.mqtt_reload_command,
    )


class Gatekeeper:
    """One thread beside the service's own."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.gate = Gate(settings.devices)
        self._faults: dict[str, str] = {}
        self._db, self._settings = database, settings
        self._version = -1
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gatekeeper", daemon=True)

    def report(
        self, faults: dict[str, str], others: Callable[[], Iterable[str]], clock: Clock
    ) -> Callable[[], list[str]]:
        """Tell what does not work in ``faults``; the names of ``others``' faults and ours: forged messages
        concern staff, though the service itself is well."""
        self._faults = faults
        return lambda: [*others(), *([FORGED] if self.gate.is_alarmed(clock.now()) else [])]

    def prepare(self) -> None:
        """Read everything; before the first message. Raises what the database raises."""
        with self._db.connect() as connection:
            payloads, since = load_numbers(connection), load_heard(connection)
        self.gate.restore(
            {
                (nonce, kind): heard
                for nonce, data in payloads.items()
                for kind, heard in _numbers.decode(data).items()
            },
            since,
        )
        self.look()

    def start(self) -> None:
        """Bring the broker's files up to date where they are ours to write, and go on looking."""
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def look(self) -> None:
        """Tell the gate what has changed."""
        with self._db.connect() as connection:
            version = credentials_version(connection)
            if version == self._version:
                return
            listed = list_credentials(connection)
        try:
            known = gate_credentials(listed, master_secret(self._settings.data_dir) if listed else b"")
        except InvalidError as error:
            self._faults[PART] = f"{PART}: {error.detail}"
            if self._version < 0:  # without a key, but never unknown: who must sign is not heard unsigned
                self.gate.know(gate_credentials(listed, b""))
            return
        self.gate.know(known)
        self._version = version
        lost = [c.user for c in known if c.key is None and (c.must_sign or self.gate.mode == "signed")]
        self._faults.pop(PART, None)
        if lost:  # they are refused until the secret is back or their keys are made anew
            self._faults[PART] = (
                f"{PART}: the device-secret in the data folder is not the one that the keys of {len(lost)} "
                "devices were made with; restore it, or rotate them"
            )

    def save(self) -> None:
        """Write down which numbers were heard."""
        upto = self.gate.settled  # before asking: what is settled meanwhile may not be in the answer
        changed = self.gate.changed()
        if not changed:
            return
        try:
            with self._db.begin() as tx:
                numbers = {nonce: msgspec.msgpack.encode(kinds) for nonce, kinds in changed.items()}
                save_numbers(tx, numbers, upto)
        except Exception:
            self.gate.unsaved(changed)
            raise

    def _run(self) -> None:
        self._round(self._write_files)
        polls = 0
        while not self._stop.wait(POLL_S):
            self._round(self.look)
            polls += 1
            if polls % SAVE_EVERY == 0:
                self._round(self.save)
        self._round(self.save)

    def _write_files(self) -> None:
        if self._settings.mqtt_files_dir is None:
            return
        unreloaded = credentials_of(self._db, self._settings).publish_files()
        if unreloaded is not None:
            log.warning("the broker's files may not be in force", reason=unreloaded)

    @staticmethod
    def _round(work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:  # the database may be away; tried again at the next turn
            metrics.ERRORS.labels("gatekeeper").inc()
            log.exception("the gate's keeper could not do its round")
