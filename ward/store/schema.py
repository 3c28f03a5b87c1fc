"""Which version of the schema a database has, and the way to another: forwards and back.

Revisions are Alembic's (``0001``, ``0002``, …). Going forwards happens by itself when the service starts;
going back is asked for (``ward database downgrade``), before an older ward takes the database over.

Each migration says whether it ``expands``: only adds what the ward before it neither needs nor trips over.
Over such a one wards of before and after work side by side, and the database says from which on
(``compatible_from`` in ``meta``). Any other waits until nobody is at work.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from ward.errors import InvalidError
from ward.store.lease import raise_all
from ward.store.meta import get_meta, put_meta
from ward.store.serving import others_at_work

MIGRATION_LOCK: Final = 0x77617264
"""PostgreSQL's advisory lock (an arbitrary number: "ward"): two services starting migrate in turn."""
COMPATIBLE: Final = "compatible_from"
"""In ``meta``: the oldest schema whose ward may work on the one that is there."""
LOCK_MS: Final = 500
"""A change of the schema waits so long for a table that somebody reads: others wait behind it, so it tries
again. Less than the second after which the server looks for a deadlock: it is we who give way."""
STEP_MS: Final = 10_000
"""No step of it holds a table for longer while others are at work."""
PATIENCE_S: Final = 60.0
PAUSE_S: Final = 0.5
_HELD, _SLOW = "55P03", "57014"
"""PostgreSQL's words for both."""
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
def _expanding() -> dict[str, bool]:
    """Each revision that this version of ward knows, the oldest first, and whether it only adds."""
    scripts = ScriptDirectory.from_config(_config())
    return {one.revision: one.module.expands for one in reversed(list(scripts.walk_revisions()))}


def revisions() -> tuple[str, ...]:
    """Those that this version of ward knows, the oldest first."""
    return tuple(_expanding())


def newest() -> str:
    return revisions()[-1]


def compatible_from(revision: str) -> str:
    """The oldest schema whose ward may work on that of ``revision``: every one after it only added."""
    known = revisions()
    for one in reversed(known[: known.index(revision) + 1]):
        if not _expanding()[one]:
            return one
    return known[0]


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


def require_usable(connection: Connection) -> str | None:
    """The database's revision. Raises SchemaError for one that this version of ward neither knows nor may
    work on."""
    now = version(connection)
    if now is not None and now not in revisions() and get_meta(connection, COMPATIBLE) not in revisions():
        require_known(now)
    return now


def require_turn(engine: Engine, own: int | None = None) -> str | None:
    """The database's revision. Raises SchemaError where this ward cannot work on the database now: it is of
    a newer one, or would have to lose what others at work need. ``own``: as for ``upgrade``."""
    with engine.connect() as connection:
        before = require_usable(connection)
    if _takes_away(before) and others_at_work(engine, own):
        raise SchemaError(
            f"this ward needs schema {newest()}, and the older ones that are at work on {before} cannot go "
            "on with it: stop all of them first, then start this one"
        )
    return before


def _takes_away(before: str | None) -> bool:
    """Whether the way from there to the newest has a step that does not only add."""
    known = revisions()
    if before is None or before not in known:
        return False
    return not all(_expanding()[one] for one in known[known.index(before) + 1 :])


def upgrade(engine: Engine, copy: bool = True, own: int | None = None) -> tuple[str | None, str]:
    """Bring the schema to the newest version, in one transaction; nothing to do is quick and harmless, also
    where a newer ward has been, beside which this one may work.

    A SQLite file that has data is copied beside it first (``copies``). ``own``: what ``serving`` gave, or the
    lease's session, where the caller is the one at work. The revisions before and after. Raises SchemaError;
    then nothing has changed.
    """
    before = require_turn(engine, own)
    if before is not None and before not in revisions():
        return before, before
    return _move(engine, newest(), command.upgrade, "head", copy, own)


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
    engine: Engine,
    to: str,
    move: Callable[[Config, str], None],
    target: str,
    copy: bool,
    own: int | None = None,
) -> tuple[str | None, str]:
    with engine.connect() as connection:
        before = version(connection)
    require_known(before)
    if before == to:
        return before, to
    if copy and before is not None and engine.dialect.name == "sqlite":
        copy_beside(engine, str(before))
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return _moved(engine, to, move, target, own)
        except OperationalError as error:
            said = getattr(error.orig, "sqlstate", None)
            if said not in (_HELD, _SLOW):
                raise
            if said == _SLOW or time.monotonic() > deadline:
                raise SchemaError(
                    f"the schema could not be brought to {to} while others are at work: a step took longer "
                    f"than {STEP_MS / 1000:g} s, or somebody (a backup?) reads a table all the while; try "
                    "again, or stop the others first"
                ) from None
        time.sleep(PAUSE_S)


def _moved(
    engine: Engine, to: str, move: Callable[[Config, str], None], target: str, own: int | None
) -> tuple[str | None, str]:
    with engine.begin() as tx:
        is_postgres = engine.dialect.name == "postgresql"
        if is_postgres:
            tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            tx.execute(text(f"SET LOCAL lock_timeout = {LOCK_MS}"))
            if others_at_work(engine, own):
                tx.execute(text(f"SET LOCAL statement_timeout = {STEP_MS}"))
        before = require_usable(tx)  # another one may have moved it while we waited
        if before is not None and before not in revisions():
            return before, before
        if is_postgres and move is command.upgrade and _takes_away(before):
            require_turn(engine, own)
            raise_all(tx)
        move_within(tx, move, target)
        if get_meta(tx, COMPATIBLE) != compatible_from(to):
            put_meta(tx, COMPATIBLE, compatible_from(to))
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
