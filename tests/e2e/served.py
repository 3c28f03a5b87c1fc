"""A real ``ward serve`` in a process of its own, against a real broker and database."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine

from tests.brokers import DEADLINE_S, mosquitto_at, until
from tests.databases import migrated
from tests.ports import free_port
from ward.clock import wall_ms
from ward.config import load_settings, prepare_data_dir
from ward.web.identity import create_token
from ward.web.passwords import Passwords
from ward.web.people import create_user

PACK = """
id = "quick"
title = "Rules that need seconds, for tests"
source = "tests"

[[rule]]
id = "spo2-low"
title = "SpO2 below 88 % for 3 s"
priority = "high"
when = ["spo2 < 88"]
for = "3s"
clear_for = "2s"

[[rule]]
id = "rr-high"
title = "Respiratory rate 24 or more for 5 s"
priority = "medium"
when = ["rr >= 24"]
for = "5s"
clear_for = "2s"
"""


WARD = [sys.executable, "-m", "ward"]
PASSWORD = "three words nobody joins"
"""Of every person of the tests."""
START_S = 180
"""A start takes seconds; on a machine that is busy with other tests, more."""


class Served:
    """``start`` and ``kill`` as often as wanted; the data stay."""

    program: Sequence[str] = ("serve",)

    def __init__(self, folder: Path, mqtt_url: str, database_url: str | None = None, **settings: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        pack = folder / "quick.toml"
        pack.write_text(PACK)
        self.port = free_port()
        self.folder = folder
        given = {
            "HTTP_PORT": self.port,
            "MQTT_URL": mqtt_url,
            "DATA_DIR": folder / "data",
            "PACK": pack,
            "LATENESS_S": 1,
            "SNAPSHOT_S": 2,
            "LOG_LEVEL": "info",
        } | settings
        if database_url:
            given["DATABASE_URL"] = database_url
        kept = {k: v for k, v in os.environ.items() if not k.startswith("WARD_")}
        self.env = kept | {f"WARD_{name}": str(value) for name, value in given.items()}
        self.process: subprocess.Popen[bytes] | None = None
        self.clients: list[httpx.Client] = []
        self.broker_port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "ward", *arguments],
            env=self.env,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @contextlib.contextmanager
    def database(self) -> Iterator[Engine]:
        """As the command line opens it; here, for a process takes a second of a core."""
        settings, _ = load_settings(environ=self.env)
        prepare_data_dir(settings.data_dir)
        with migrated(settings.database) as opened:
            yield opened

    def token(self, role: str = "admin", *wards: str) -> str:
        with self.database() as opened:
            return create_token(opened, name=f"{role}-test", role=role, wards=wards or None, now=wall_ms())[1]

    def add_user(self, login: str, name: str, role: str, *wards: str) -> None:
        """One who logs in with ``PASSWORD``."""
        hashed = Passwords().hash_now(PASSWORD)
        with self.database() as opened:
            create_user(
                opened, login=login, name=name, role=role, wards=wards or None, now=wall_ms(), hashed=hashed
            )

    def start(self, ready: bool = True) -> None:
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen([*WARD, *self.program], env=self.env, stderr=log, stdout=log)
        log.close()
        if ready:
            until(self.is_ready, START_S)

    def is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "log").read_text()[-3000:]
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/readyz", timeout=10).status_code == 200
        return False

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(DEADLINE_S)

    def stop(self) -> int:
        """As an operator would; returns the exit status."""
        if self.process is None or self.process.poll() is not None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_S)

    def client(self, token: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"}
        made = httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=DEADLINE_S)
        self.clients.append(made)
        return made


@contextlib.contextmanager
def served(*arguments: Any, **settings: Any) -> Iterator[Served]:
    made = Served(*arguments, **settings)
    try:
        yield made
    finally:
        for client in made.clients:
            client.close()
        if made.process is not None and made.process.poll() is None:
            made.kill()


@contextlib.contextmanager
def served_with_broker(folder: Path, **settings: Any) -> Iterator[Served]:
    """And a Mosquitto of its own, at ``broker_port``. Skips where there is none."""
    with (
        mosquitto_at(free_port(), "allow_anonymous true") as port,
        served(folder, f"mqtt://127.0.0.1:{port}", **settings) as made,
    ):
        made.broker_port = port
        yield made


def wait_for(client: httpx.Client, path: str, found: Any, timeout_s: float = DEADLINE_S) -> Any:
    """The answer to GET ``path`` once ``found`` says yes to it; asked again while the service is away."""
    deadline = time.monotonic() + timeout_s
    answer: Any = None
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            response = client.get(path)
            answer = response.json()
            if response.status_code == 200 and found(answer):
                return answer
        time.sleep(0.05)
    raise AssertionError(f"{path}: not in time; last answer {str(answer)[:1500]}")
