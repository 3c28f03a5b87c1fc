"""Processes of a cluster, before one broker and one PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.e2e.served import Served
from tests.faults.house import Broker, MissingPartError, Postgres, children_of
from tests.ports import free_port, free_ports
from ward.partitions import Partition

SETTINGS = {"PARTITIONS": 2, "CLUSTER_SECRET": "only-the-cluster-knows"}
WARDS = [next(w for w in ("6A", "6B", "7A", "7B") if Partition(n, 2).has(w)) for n in (0, 1)]
PATIENCE_S = 180


class Role(Served):
    """``ward engine`` (whose readiness the webs tell) or ``ward web``."""

    def __init__(self, *arguments, program, **settings):
        super().__init__(*arguments, **SETTINGS, **settings)
        self.program = program
        self.port = free_ports(2) if program[0] == "engine" else free_port()
        self.env["WARD_HTTP_PORT"] = str(self.port)

    def kill(self):
        for child in children_of(self.process.pid):
            os.kill(child, signal.SIGKILL)
        super().kill()


@contextlib.contextmanager
def parts(prefix: str) -> Iterator[tuple[Path, Broker, tuple[str, str]]]:
    """A folder, a broker, and where that and a PostgreSQL are, as a role is told."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))  # pytest's own PostgreSQL may not look into
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        try:
            broker, postgres = Broker(folder / "broker"), Postgres(folder / "postgres")
        except MissingPartError as missing:
            pytest.skip(str(missing))
        for part in (broker, postgres):
            stack.callback(part.stop)
            part.start()
        yield folder, broker, (f"mqtt://127.0.0.1:{broker.port}", postgres.url)


@contextlib.contextmanager
def started(roles: Iterable[Role]) -> Iterator[None]:
    """All of them begin at once, and are killed at the end, where they go on."""
    with contextlib.ExitStack() as stack:
        for one in roles:
            stack.callback(lambda one=one: one.process and one.process.poll() is None and one.kill())
            one.start(ready=False)
        yield
        for client in (client for one in roles for client in one.clients):
            client.close()
