"""A whole cluster on this machine: nats-servers, PostgreSQL, engines, one that stands by, webs."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.cluster.nodes import Cluster
from tests.cluster.roles import Role
from tests.cluster.test_mapping import KINDS, MAPPED
from tests.cluster.throughput import seconds_of
from tests.faults.house import MissingPartError, Postgres, children_of, wait_until
from tests.parts import nats_server

PARTITIONS: Final = 2
PATIENCE_S: Final = 180.0
START_S: Final = 600.0
"""Eleven processes start at once, perhaps while other tests run."""
LOOK_S: Final = 0.1
ENGINES: Final = {"a": ("0", "1"), "b": ("1", "0"), "c": ("", "0-1")}
"""The partitions of each engine, and those for which it stands by."""


class House:
    """Everything starts with ``begin``; ``engines`` and ``webs`` are to be killed and started one by one."""

    def __init__(self, pack: str) -> None:
        if nats_server() is None:
            raise MissingPartError("needs nats-server: apt-get install nats-server")
        self.folder = Path(tempfile.mkdtemp(prefix="ward-siege-"))
        self.postgres = Postgres(self.folder / "postgres")
        mappings = [f'"ward.v1.*.*.{kind}": "{MAPPED.format(of=PARTITIONS, kind=kind)}"' for kind in KINDS]
        self.nats = Cluster(3, more="\n".join(["mappings {", *mappings, "}"]))
        self.pack = self.folder / "siege.toml"
        self.pack.write_text(pack)
        self.token = ""
        self.roles: dict[str, Role] = {}

    @property
    def engines(self) -> list[Role]:
        return [one for name, one in self.roles.items() if name.startswith("engine")]

    @property
    def webs(self) -> list[Role]:
        return [one for name, one in self.roles.items() if name.startswith("web")]

    def nats_version(self) -> str:
        """As ``nats-server --version`` says: ``nats-server 2.9.10``."""
        said = subprocess.run([str(nats_server()), "--version"], capture_output=True, text=True, check=True)
        return said.stdout.strip().replace(": v", " ")

    def begin(self) -> None:
        self.postgres.start()
        self.nats.start()
        nodes = self.nats.nodes
        programs: dict[str, tuple[str, ...]] = {"web-a": ("web",), "web-b": ("web",)}
        for name, (own, others) in ENGINES.items():
            has = ("--partitions", own) if own else ()
            programs[f"engine-{name}"] = ("engine", *has, "--standby", others)
        for number, (name, program) in enumerate(programs.items()):
            first = nodes[number % len(nodes)]
            others = [node for node in nodes if node is not first]
            self.roles[name] = Role(
                self.folder / name,
                f"mqtt://127.0.0.1:{first.mqtt}?protocol=3.1.1",
                self.postgres.url,
                program=program,
                PACK=self.pack,
                LATENESS_S=2,
                SNAPSHOT_S=60,
                MQTT_ALSO=",".join(f"127.0.0.1:{node.mqtt}" for node in others),
                MQTT_MAPPED="parts",
                JOURNAL_URL=",".join(self.nats.urls),
            )
        self.token = self.roles["web-a"].token()
        for role in self.roles.values():
            role.start(ready=False)

    def name_of(self, role: Role) -> str:
        return next(name for name, one in self.roles.items() if one is role)

    def partition_url(self, engine: Role, number: int) -> str:
        return f"http://127.0.0.1:{engine.port + number}"

    def owners(self) -> list[Role | None]:
        """Who is ready for each partition."""
        return [next((e for e in self.engines if status(e.port + n) == 200), None) for n in range(PARTITIONS)]

    def stands_by(self, engine: Role) -> bool:
        """Whether all its processes are there, each with its partition or in reserve."""
        own, others = ENGINES[self.name_of(engine).removeprefix("engine-")]
        numbers = range(PARTITIONS) if len(others) > 1 else sorted(int(n) for n in own + others)
        return all(status(engine.port + number, "/healthz") == 200 for number in numbers)

    def alive(self, role: Role) -> bool:
        return role.process is not None and role.process.poll() is None

    def processor_s(self) -> dict[str, float]:
        """Seconds of processor that each kind of process has used since it was started."""
        found = {"engines": 0.0, "webs": 0.0}
        for name, role in self.roles.items():
            if role.process is not None and self.alive(role):
                pids = children_of(role.process.pid) if "engine" in name else [role.process.pid]
                found["engines" if "engine" in name else "webs"] += sum(seconds_of(pid) for pid in pids)
        found["nats"] = sum(seconds_of(node.pid) for node in self.nats.nodes)
        assert self.postgres.process is not None
        server = self.postgres.process.pid
        found["postgres"] = sum(seconds_of(pid) for pid in children_of(server)) + seconds_of(
            server, ended=True
        )
        found["devices and screens"] = time.process_time()
        return found

    def stop(self) -> list[str]:
        """In order, as an operator would; which of them did not end well."""
        running = {name: one.process for name, one in self.roles.items() if one.process and self.alive(one)}
        for process in running.values():
            process.terminate()
        return [name for name, process in running.items() if _status_of(process) != 0]

    def close(self, keep: bool = False) -> None:
        for role in self.roles.values():
            for client in role.clients:
                client.close()
            if self.alive(role):
                role.kill()
        self.nats.stop()
        self.postgres.stop()
        if keep:
            print(f"kept: {self.folder}", flush=True)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


def _status_of(process: subprocess.Popen[bytes]) -> int | None:
    """None where it does not end."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(90)
    return None


def status(port: int, path: str = "/readyz") -> int:
    """0 where nobody answers."""
    return asked(port, path)[0]


def asked(port: int, path: str = "/readyz") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


@dataclass(slots=True)
class Span:
    """Monotonic seconds in which something was not ready, and the reasons that it gave at first."""

    what: str
    begin: float
    end: float | None = None
    reasons: list[str] = field(default_factory=list)


class Readiness(threading.Thread):
    """Asks all the time who is ready: each partition, at whichever engine, and each web."""

    def __init__(self, house: House) -> None:
        super().__init__(name="readiness", daemon=True)
        self._house = house
        self._ended = threading.Event()
        self.spans: list[Span] = []
        self.owner: list[Role | None] = [None] * PARTITIONS
        self._things: dict[str, Callable[[], list[str] | None]] = {}
        self._open: dict[str, Span] = {}

    def run(self) -> None:
        for number in range(PARTITIONS):
            self._things[f"partition {number}"] = lambda number=number: self._partition(number)  # type: ignore[misc]
        for name, role in self._house.roles.items():
            if name.startswith("web"):
                self._things[name] = lambda role=role: _reasons(role.port)  # type: ignore[misc]
        while not self._ended.wait(LOOK_S):
            for what, ask in self._things.items():
                at, reasons = time.monotonic(), ask()
                if reasons is None:
                    if (span := self._open.pop(what, None)) is not None:
                        span.end = time.monotonic()
                elif what not in self._open:
                    self._open[what] = Span(what, at, reasons=reasons)
                    self.spans.append(self._open[what])
                elif reasons and reasons[0] not in self._open[what].reasons:
                    self._open[what].reasons += reasons[:1]

    def _partition(self, number: int) -> list[str] | None:
        known = self.owner[number]
        said: list[str] | None = []
        for engine in sorted(self._house.engines, key=lambda engine: engine is not known):
            answered = _reasons(engine.port + number)
            if answered is None:
                self.owner[number] = engine
                return None
            if engine is known:
                said = answered
        return said

    def all_ready(self, but: str = "") -> bool:
        return not self._open.keys() - {but}

    def wait(self, timeout_s: float, what: str, but: str = "") -> None:
        """Until everything has been ready for a second."""
        since = time.monotonic()

        def steady() -> bool:
            nonlocal since
            if not self.all_ready(but):
                since = time.monotonic()
            return time.monotonic() - since > 1.0

        wait_until(steady, timeout_s, what)

    def close(self) -> None:
        self._ended.set()
        self.join(10)


def _reasons(port: int) -> list[str] | None:
    """None: it is ready."""
    code, body = asked(port)
    if code == 200:
        return None
    with contextlib.suppress(ValueError, KeyError):
        return [str(reason) for reason in json.loads(body)["reasons"]]
    return []


@contextlib.contextmanager
def house(pack: str, keep: bool = False) -> Iterator[House]:
    made = House(pack)
    try:
        yield made
    finally:
        made.close(keep)
