"""Which version of the schema a database has, and the way to another: forwards and back.

Revisions are Alembic's (``0001``, ``0002``, …). Going forwards happens by itself when the service starts;
going back is asked for (``ward database downgrade``), before an older ward takes the database over.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from ward.errors import InvalidError

MIGRATION_LOCK: Final = 0x77617264
"""PostgreSQL's advisory lock (an arbitrary number: "ward"): two services starting migrate in turn."""
COPIES: Final = 2
"""How many copies from before a change of the schema are kept beside a SQLite file."""
COPY: Final = ".schema-"
"""What the name of a copy has between that of the database and the revision it has."""


class SchemaError(InvalidError):
    """The database has a version that this ward does not know, or cannot be brought to another."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "ward.store:migrations")
    return config


@cache
def revisions() -> tuple[str, ...]:
    """Those that this version of ward knows, the oldest first."""
    scripts = ScriptDirectory.from_config(_config())
    return tuple(script.revision for script in reversed(list(scripts.walk_revisions())))


def newest() -> str:
    return revisions()[-1]


def version(connection: Connection) -> str | None:
    """The database's revision; None for one without tables of ward."""
    return MigrationContext.configure(connection).get_current_revision()


def require_known(revision: str | None) -> None:
    """Raises SchemaError for a revision that this version of ward does not know."""
    known = revisions()
    if revision is not None and revision not in known:
        raise SchemaError(
            f"the database is of a newer ward (schema {revision}; this one knows up to {known[-1]}): "
            f"start that version again, go back with its `ward database downgrade {known[-1]}`, "
            "or restore a backup from before"
        )


def upgrade(engine: Engine, copy: bool = True) -> tuple[str | None, str]:
    """Bring the schema to the newest version, in one transaction; nothing to do is quick and harmless.

    A SQLite file that has data is copied beside it first (``copies``). The revisions before and after.
    Raises SchemaError; then nothing has changed.
    """
    return _move(engine, newest(), command.upgrade, "head", copy)


def downgrade(engine: Engine, to: str, copy: bool = True) -> tuple[str | None, str]:
    """Bring the schema back to an older revision, so that an older ward can go on with the data.

    What only the newer version knows is lost with its tables. Raises SchemaError.
    """
    known = revisions()
    if to not in known:
        raise SchemaError(f"there is no schema {to}; allowed: {', '.join(known)}")
    with engine.connect() as connection:
        now = version(connection)
    require_known(now)
    if now is None:
        raise SchemaError("the database is empty: there is nothing to go back from")
    if known.index(to) > known.index(now):
        raise SchemaError(f"the database has schema {now}, {to} is newer: see `ward database upgrade`")
    return _move(engine, to, command.downgrade, to, copy)


def _move(
    engine: Engine, to: str, move: Callable[[Config, str], None], target: str, copy: bool
) -> tuple[str | None, str]:
    with engine.connect() as connection:
        before = version(connection)
    require_known(before)
    if before == to:
        return before, to
    if copy and before is not None and engine.dialect.name == "sqlite":
        copy_beside(engine, str(before))
    with engine.begin() as tx:
        if engine.dialect.name == "postgresql":
            tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        require_known(version(tx))  # another one may have moved it while we waited
        move_within(tx, move, target)
    return before, to


def move_within(tx: Connection, move: Callable[[Config, str], None], target: str) -> None:
    """``command.upgrade`` or ``command.downgrade`` within the caller's transaction."""
    config = _config()
    config.attributes["connection"] = tx
    move(config, target)


def copy_beside(engine: Engine, revision: str) -> Path:
    """A whole copy of a SQLite file, ``ward.db.schema-0001``, while others may read and write it.

    Raises SchemaError if there is no room; then there is no copy, and no half of one.
    """
    database = Path(str(engine.url.database))
    copy = database.with_name(f"{database.name}{COPY}{revision}")
    part = copy.with_name(f"{copy.name}.part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        with engine.connect() as connection:
            raw = connection.connection.dbapi_connection
            assert isinstance(raw, sqlite3.Connection)
            raw.execute("VACUUM INTO ?", (str(part),))
        with part.open("rb") as file:
            os.fsync(file.fileno())
    except (sqlite3.Error, OSError) as error:
        part.unlink(missing_ok=True)
        said = f"no copy of {database} could be made before the change of schema: {error}"
        raise SchemaError(said) from None
    part.replace(copy)
    for old in copies(engine)[COPIES:]:
        old.unlink(missing_ok=True)
    return copy


def copies(engine: Engine) -> list[Path]:
    """Copies from before a change of the schema, the newest first; none for PostgreSQL."""
    if engine.dialect.name != "sqlite":
        return []
    database = Path(str(engine.url.database))
    found = [path for path in database.parent.glob(f"{database.name}{COPY}*") if path.suffix != ".part"]
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)
