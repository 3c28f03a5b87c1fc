"""Databases for tests: a fresh, migrated one per test, on SQLite and on PostgreSQL.

Use it from a folder's ``conftest.py``: ``from tests.databases import *``-style imports of ``engine``
(parametrised over both), ``sqlite_engine``, ``postgres_engine``, ``postgres_url``.

PostgreSQL is the server at ``WARD_TEST_POSTGRES`` (a URL whose user may create databases), or one
started here from Debian's binaries in a temporary folder.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.engine import make_url

from tests.ports import free_port
from ward.store.database import migrate, open_database

_TEMPLATES: list[str] = []
"""Names of databases that others are copies of."""
MAINTENANCE = "postgres"
"""The database that every server has."""
HOW = "needs PostgreSQL: apt-get install postgresql, or set WARD_TEST_POSTGRES=postgresql://user@host/db"


def binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda p: int(p.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("pg_ctl")
    return Path(on_path).resolve().parent if on_path else None


@contextlib.contextmanager
def server() -> Iterator[str]:
    """A PostgreSQL of our own on 127.0.0.1; the server refuses root, so root hands it to ``postgres``."""
    found = binaries()
    if found is None:
        pytest.skip(HOW)
    runas: list[str] = []
    folder = Path(tempfile.mkdtemp(prefix="ward-postgres-"))
    try:
        if os.geteuid() == 0:
            try:
                user = pwd.getpwnam("postgres")
            except KeyError:
                pytest.skip(HOW)
            os.chown(folder, user.pw_uid, user.pw_gid)
            runas = ["runuser", "-u", "postgres", "--"]
        port = free_port()
        control = [*runas, str(found / "pg_ctl"), "-D", str(folder / "data"), "-s", "-w"]
        # Trust is right for a server that lives a minute, on this machine only.
        _run([*control, "initdb", "-o", "-A trust -U ward -E UTF8 --locale=C --no-sync"], folder)
        options = f"-h 127.0.0.1 -p {port} -k {folder} -F"
        _run([*control, "-l", str(folder / "log"), "-o", options, "start"], folder)
        try:
            yield f"postgresql+psycopg://ward@127.0.0.1:{port}/postgres"
        finally:
            _run([*control, "-m", "immediate", "stop"], folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[str], folder: Path) -> None:
    # Output goes to a file: the server inherits it, and a pipe would keep this process waiting.
    with (folder / "output").open("ab") as output:
        done = subprocess.run(command, stdout=output, stderr=output, cwd=folder, timeout=60, check=False)
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{(folder / 'output').read_text()}")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a server; one a test session."""
    given = os.environ.get("WARD_TEST_POSTGRES")
    if given:
        yield given
        for template in _TEMPLATES:
            _on(given, f"DROP DATABASE {template}")
    else:
        with server() as url:
            yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of a fresh and empty database, dropped afterwards."""
    name = f"ward_test_{uuid.uuid4().hex}"
    _on(postgres_server, f"CREATE DATABASE {name}")
    url = make_url(postgres_server).set(database=name)
    yield url.render_as_string(hide_password=False)
    _on(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'database' / 'ward.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """URL of an empty database, once for each kind."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


@contextlib.contextmanager
def migrated(url: str) -> Iterator[Engine]:
    """An empty database is filled from one that was migrated before: a tenth of what migrating takes. Not the
    server's own, which cannot be made anew from within itself."""
    opened = open_database(url)
    if opened.url.database != MAINTENANCE and not inspect(opened).get_table_names():
        opened.dispose()
        fill(url)
    migrate(opened)
    yield opened
    opened.dispose()


def fill(url: str) -> None:
    """The newest schema for an empty database, or for a SQLite file that is not there."""
    parsed = make_url(url)
    if parsed.database is not None and parsed.drivername == "sqlite":
        Path(parsed.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copy(_sqlite_template(), parsed.database)
        return
    server = parsed.set(database=MAINTENANCE).render_as_string(hide_password=False)
    template = _postgres_template(server)
    _on(
        server,
        f"DROP DATABASE {parsed.database} WITH (FORCE)",
        f"CREATE DATABASE {parsed.database} TEMPLATE {template}",
    )


@cache
def _sqlite_template() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="ward-template-")
    atexit.register(folder.cleanup)
    path = Path(folder.name) / "ward.db"
    made = open_database(f"sqlite:///{path}")
    migrate(made)
    made.dispose()
    return path


@cache
def _postgres_template(server: str) -> str:
    name = f"ward_template_{uuid.uuid4().hex}"
    _TEMPLATES.append(name)
    _on(server, f"CREATE DATABASE {name}")
    made = open_database(make_url(server).set(database=name))
    migrate(made)
    made.dispose()
    return name


def _on(server: str, *statements: str) -> None:
    opened = open_database(server).execution_options(isolation_level="AUTOCOMMIT")
    with opened.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    opened.dispose()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A migrated database, once for each kind."""
    with migrated(database_url) as opened:
        yield opened


@pytest.fixture
def sqlite_engine(sqlite_url: str) -> Iterator[Engine]:
    with migrated(sqlite_url) as opened:
        yield opened


@pytest.fixture
def postgres_engine(postgres_url: str) -> Iterator[Engine]:
    with migrated(postgres_url) as opened:
        yield opened
