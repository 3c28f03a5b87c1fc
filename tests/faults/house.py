"""The house that faults are done to: broker, database and service as processes that can be killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx

from tests.databases import binaries as installed
from tests.e2e.served import Served
from tests.faults.stream import ADDING_UP, PACK
from tests.parts import mosquitto
from tests.ports import free_port

PLAIN: Final = ("persistence true",)
"""As Debian sets it up: saved each half hour and when it ends."""
EACH_SECOND: Final = ("persistence true", "autosave_interval 1")
EACH_CHANGE: Final = ("persistence true", "autosave_on_changes true", "autosave_interval 1")
"""Saved whole after every message: as durable as Mosquitto can be, and only for a trickle of messages."""


MOST_ENDS: Final = 20


class MissingPartError(Exception):
    """A part that the fault needs is not on this machine."""


def wait_until(condition: Callable[[], object], timeout_s: float, what: str) -> float:
    """Seconds until it came true. Raises AssertionError where it does not."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > timeout_s:
            raise AssertionError(f"{what}: not within {timeout_s:.0f} s")
        time.sleep(0.02)
    return time.monotonic() - begun


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


class Broker:
    """Mosquitto with its own persistence."""

    def __init__(self, folder: Path, settings: tuple[str, ...] = PLAIN) -> None:
        binary = mosquitto()
        if binary is None:
            raise MissingPartError("needs Mosquitto: apt-get install mosquitto")
        self._binary, self.port, self._folder = binary, free_port(), folder
        folder.mkdir(parents=True, exist_ok=True)
        lines = [
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous true",
            "max_queued_messages 0",
            "max_inflight_messages 0",
            f"persistence_location {folder}/",
            *settings,
        ]
        if os.geteuid() == 0:
            lines.append("user root")  # so that it may write into a folder of root's
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
        self.process: subprocess.Popen[bytes] | None = None

    def version(self) -> str:
        """As ``mosquitto -h`` says: ``Mosquitto 2.0.21``."""
        said = subprocess.run([self._binary, "-h"], capture_output=True, text=True, check=False).stdout
        return f"Mosquitto {said.partition('version ')[2].split(maxsplit=1)[0]}"

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            command = [self._binary, "-c", str(self._folder / "mosquitto.conf")]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_until(lambda: listens(self.port), 20, "the broker listens")

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)


class Postgres:
    """A server of our own, fsync on, that dies with all its children."""

    def __init__(self, folder: Path) -> None:
        binaries = installed()
        if binaries is None:
            raise MissingPartError("needs PostgreSQL: apt-get install postgresql")
        self._binaries, self._folder, self.port = binaries, folder, free_port()
        folder.mkdir(parents=True, exist_ok=True)
        self._runas: dict[str, Any] = {}
        if os.geteuid() == 0:  # the server refuses root
            for path in (folder, *folder.parents[: len(folder.parents) - 2]):
                path.chmod(path.stat().st_mode | 0o055)
            shutil.chown(folder, "postgres", "postgres")
            self._runas = {"user": "postgres", "group": "postgres", "extra_groups": []}
        self._run("initdb", "-D", str(folder / "data"), "-A", "trust", "-U", "ward", "-E", "UTF8",
                  "--locale=C", "--no-sync")  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql+psycopg://ward@127.0.0.1:{self.port}/postgres"

    def version(self) -> str:
        said = subprocess.run([self._binaries / "postgres", "-V"], capture_output=True, text=True, check=True)
        return f"PostgreSQL {said.stdout.split()[2]}"

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._binaries / program), *arguments]
        done = subprocess.run(command, capture_output=True, cwd=self._folder, check=False, **self._runas)
        assert done.returncode == 0, done.stderr.decode()

    def start(self, addresses: str = "127.0.0.1") -> None:
        with (self._folder.parent / "postgres.log").open("ab") as log:
            command = [str(self._binaries / "postgres"), "-D", str(self._folder / "data"), "-h", addresses]
            command += ["-p", str(self.port), "-k", str(self._folder)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder, **self._runas)
        wait_until(self._answers, 60, "the database answers")

    def _answers(self) -> bool:
        command = [str(self._binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0

    def kill(self) -> None:
        """-9 to the server and every process of its own, as when the power goes."""
        assert self.process is not None
        server = self.process.pid
        self.process.send_signal(signal.SIGSTOP)  # it makes no more of them
        wait_until(lambda: state_of(server) in ("T", ""), 10, "the server stands")
        children = children_of(server)
        self.process.kill()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self.process.wait(10)
        # Its next start refuses while one of them still holds the shared memory.
        wait_until(lambda: all(state_of(child) in ("Z", "") for child in children), 10, "all of it is gone")
        (self._folder / "data" / "postmaster.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)


def stat_of(pid: int) -> list[str]:
    """What the system says of a process after its name: its state, its parent and more. Raises OSError where
    there is none."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def children_of(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            pid = int(stat.parent.name)
            if int(stat_of(pid)[1]) == parent:
                found.append(pid)
    return found


def state_of(pid: int) -> str:
    """The letter that the system has for it, none where there is no such process."""
    with contextlib.suppress(OSError):
        return stat_of(pid)[0]
    return ""


def resident_mb(pid: int) -> float:
    """Memory of a process that is in RAM, MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


class House:
    """Broker, database (``sqlite`` or ``postgresql``) and the real service in front of them.

    ``ports`` puts something of the harness (a proxy) between the service and a part: given the part's
    name and port it answers the port that the service is told.
    """

    def __init__(
        self,
        database: str,
        *,
        adding_up: bool = True,
        between: Callable[[str, int], int] = lambda part, port: port,
        broker: tuple[str, ...] = PLAIN,
        **settings: Any,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ward-faults-"))
        self.database = database
        self.broker = self._broker(broker)
        self.postgres = Postgres(self.folder / "postgres") if database == "postgresql" else None
        pack = self.folder / "faults.toml"
        pack.write_text(PACK + (ADDING_UP if adding_up else ""))
        self.pack = pack
        url = None
        if self.postgres:
            self.postgres.start()
            seen = between("database", self.postgres.port)
            url = self.postgres.url.replace(f":{self.postgres.port}/", f":{seen}/")
        self.broker.start()
        mqtt = f"mqtt://127.0.0.1:{between('broker', self.broker.port)}"
        given = {"PACK": pack, "LATENESS_S": 2, "SNAPSHOT_S": 5} | settings
        self.ward = self._service("ward", mqtt, url, given)
        self.undo: list[Callable[[], object]] = []
        """Called when the house is closed."""
        self.ended: list[int] = []
        """Exit status of each time that the service ended by itself."""
        self._wanted = False
        self.started: list[float] = []
        """Monotonic seconds of each start of the service."""
        self.token = ""

    def _broker(self, settings: tuple[str, ...]) -> Broker:
        return Broker(self.folder / "broker", settings)

    def _service(self, name: str, mqtt: str, url: str | None, given: dict[str, Any]) -> Served:
        made = Served(self.folder / name, mqtt, url, **given)
        made.port = free_port()
        made.env["WARD_HTTP_PORT"] = str(made.port)
        return made

    @property
    def database_url(self) -> str:
        """Where the judge reads, past any proxy."""
        if self.postgres:
            return self.postgres.url
        return f"sqlite:///{Path(self.ward.env['WARD_DATA_DIR']) / 'ward.db'}"

    def versions(self) -> str:
        """What the service runs with: ``Mosquitto 2.0.21, SQLite 3.40.1``."""
        database = self.postgres.version() if self.postgres else f"SQLite {sqlite3.sqlite_version}"
        return f"{self.broker.version()}, {database}"

    def begin(self) -> None:
        """First start; after it ``api`` answers."""
        self.token = self.ward.token()
        self.start()
        wait_until(self.is_ready, 60, "the service is ready")

    def start(self) -> None:
        self.started.append(time.monotonic())
        self.ward.start(ready=False)
        self._wanted = True

    def kill(self) -> None:
        self._wanted = False
        self.ward.kill()

    def is_ready(self) -> bool:
        """Green at /readyz. A service that ended by itself is started again, as its supervisor would."""
        if self._wanted and not self.is_alive():
            self.ended.append(self.ward.process.returncode if self.ward.process else 0)
            assert len(self.ended) < MOST_ENDS, f"the service ends again and again: {self.log()[-2000:]}"
            time.sleep(1)
            self.start()
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.ward.url}/readyz", timeout=2).status_code == 200
        return False

    def reasons(self) -> list[str]:
        """Why the service is not ready; empty where it is, or does not answer at all."""
        with contextlib.suppress(httpx.HTTPError, ValueError):
            answer = httpx.get(f"{self.ward.url}/readyz", timeout=2).json()
            return [str(reason) for reason in answer["reasons"]]
        return []

    def api(self) -> httpx.Client:
        return self.ward.client(self.token)

    def metric(self, name: str) -> float | None:
        """One number of /metrics without labels; None while it cannot be had."""
        headers = {"Authorization": f"Bearer {self.token}"}
        with contextlib.suppress(httpx.HTTPError):
            for line in httpx.get(f"{self.ward.url}/metrics", headers=headers, timeout=5).text.splitlines():
                if line.startswith(f"{name} "):
                    return float(line.split()[1])
        return None

    def is_alive(self) -> bool:
        return self.ward.process is not None and self.ward.process.poll() is None

    def log(self) -> str:
        path = self.ward.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def close(self, keep: bool = False) -> None:
        for client in self.ward.clients:
            client.close()
        if self.is_alive():
            self.ward.kill()
        self.broker.stop()
        if self.postgres:
            self.postgres.stop()
        for undo in self.undo:
            undo()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)
