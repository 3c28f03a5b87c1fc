"""A pulled cable: ward's end and PostgreSQL in two network namespaces, and the link between them goes down.

``python -m tests.faults.cable`` says after how long the connection is given up. A proxy cannot show this:
its kernel goes on acknowledging.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.faults.house import MissingPartError, Postgres, wait_until

HERE, THERE = "10.77.0.1", "10.77.0.2"
CLIENT = """
import sys, time
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from ward.store import database

if sys.argv[2]:
    database.NO_HALF_OPEN["tcp_user_timeout"] = int(sys.argv[2])
with database.open_database(sys.argv[1]).connect() as connection:
    connection.execute(text("SELECT 1"))
    print("connected", flush=True)
    sys.stdin.readline()
    begun = time.monotonic()
    try:
        connection.execute(text("SELECT 2"))
    except OperationalError:
        print(time.monotonic() - begun, flush=True)
"""


class Cable:
    """Between a namespace, whose commands begin with ``there``, and a PostgreSQL: there at ``url``, on this
    side of the cable at ``here``."""

    def __init__(self, near: str, there: list[str], url: str, here: str) -> None:
        self._near, self.there, self.url, self.here = near, there, url, here

    def pull(self) -> None:
        _ip(f"link set {self._near} down")

    def plug(self) -> None:
        _ip(f"link set {self._near} up")


@contextlib.contextmanager
def cable() -> Iterator[Cable]:
    """Raises ``MissingPartError``."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        raise MissingPartError("needs root and ip, to make a network namespace")
    name = f"ward{os.getpid()}"
    near, far = f"wa{os.getpid()}"[:15], f"wb{os.getpid()}"[:15]
    if subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode:
        raise MissingPartError("needs the right to make a network namespace")
    folder = Path(tempfile.mkdtemp(prefix="ward-cable-"))
    postgres = None
    try:
        _ip(f"link add {near} type veth peer name {far}", f"link set {far} netns {name}")
        _ip(f"addr add {HERE}/24 dev {near}", f"link set {near} up")
        _ip(f"-n {name} addr add {THERE}/24 dev {far}", f"-n {name} link set {far} up")
        postgres = Postgres(folder / "postgres")
        with (folder / "postgres" / "data" / "postgresql.conf").open("a") as config:
            config.write(f"listen_addresses = '127.0.0.1,{HERE}'\n")
        with (folder / "postgres" / "data" / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {THERE}/32 trust\n")
        postgres.start(f"127.0.0.1,{HERE}")
        there = ["ip", "netns", "exec", name, sys.executable]
        yield Cable(near, there, postgres.url.replace("127.0.0.1", HERE), postgres.url)
    finally:
        if postgres is not None and postgres.process is not None:
            postgres.kill()
        subprocess.run(["ip", "link", "del", near], capture_output=True, check=False)
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
        wait_until(lambda: not Path(f"/run/netns/{name}").exists(), 10, "the namespace is gone")
        shutil.rmtree(folder, ignore_errors=True)


def seconds_until_noticed(user_timeout_ms: int | None = None, patience_s: float = 60.0) -> float:
    """How long a statement waits on a connection whose cable was pulled before it. Raises
    ``MissingPartError``, and ``subprocess.TimeoutExpired`` where it waits longer than ``patience_s``."""
    with cable() as made:
        command = [*made.there, "-c", CLIENT, made.url, str(user_timeout_ms or "")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
            try:
                assert client.stdout is not None
                assert client.stdout.readline() == "connected\n"
                made.pull()
                said, _ = client.communicate("\n", timeout=patience_s)
                return float(said)
            finally:
                client.kill()


def _ip(*commands: str) -> None:
    for command in commands:
        subprocess.run(["ip", *command.split()], check=True)


if __name__ == "__main__":
    print(f"given up after {seconds_until_noticed():.1f} s")
