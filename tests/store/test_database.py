"""Opening and migrating: durable settings, private files, one schema on both kinds of database."""

import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, func, insert, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError

from ward.store.database import migrate, open_database
from ward.store.meta import get_meta
from ward.store.tables import journal, meta, metadata, stays


def test_migrated_schema_is_the_metadata(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []


def test_compare_would_notice_a_difference(engine: Engine) -> None:
    with engine.begin() as tx:
        tx.execute(text("ALTER TABLE stays ADD COLUMN extra TEXT"))
        tx.execute(text("DROP INDEX uq_stays_open_bed"))
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    assert {difference[0] for difference in differences} == {"remove_column", "add_index"}


def test_migrating_again_changes_nothing(engine: Engine) -> None:
    with engine.begin() as tx:
        tx.execute(insert(meta).values(key="kept", value=1))
    migrate(engine)
    with engine.connect() as connection:
        assert get_meta(connection, "kept") == 1


def test_two_services_may_migrate_at_once(database_url: str) -> None:
    failures: list[BaseException] = []

    def start() -> None:
        try:
            opened = open_database(database_url)
            migrate(opened)
            opened.dispose()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_downgrade_leaves_nothing(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "ward.store:migrations")
    with engine.begin() as tx:
        config.attributes["connection"] = tx
        command.downgrade(config, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]


def test_sqlite_is_durable_and_private(sqlite_engine: Engine) -> None:
    with sqlite_engine.connect() as connection:
        found = {
            name: connection.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    path = Path(str(sqlite_engine.url.database))
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_postgres_is_durable(postgres_engine: Engine) -> None:
    with postgres_engine.connect() as connection:
        assert connection.scalar(text("SHOW synchronous_commit")) == "on"


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "mysql://u:secret@h/d", "nonsense", "", "mongodb://x"]
)
def test_other_urls_are_refused_with_what_is_allowed(url: str) -> None:
    with pytest.raises(ValueError, match="allowed: sqlite:///") as refused:
        open_database(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_postgres_always_means_psycopg(scheme: str) -> None:
    opened = open_database(f"{scheme}://ward@localhost/ward")
    assert opened.url.drivername == "postgresql+psycopg"


def test_a_writer_that_reads_first_waits_for_its_turn(engine: Engine) -> None:
    """Read then write in two transactions at once: both must succeed, none may see 'locked'."""
    with engine.begin() as tx:
        tx.execute(insert(meta).values(key="n", value=0))

    def add() -> None:
        for _ in range(20):
            with engine.begin() as tx:
                n = tx.scalar(select(meta.c.value).where(meta.c.key == "n").with_for_update())
                tx.execute(meta.update().where(meta.c.key == "n").values(value=n + 1))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.connect() as connection:
        assert connection.scalar(select(meta.c.value).where(meta.c.key == "n")) == 80


def test_readers_do_not_wait_for_a_writer(engine: Engine) -> None:
    with engine.begin() as tx:
        tx.execute(insert(meta).values(key="unseen", value=1))
        with engine.connect() as reader:
            assert get_meta(reader, "unseen") is None


def test_a_failed_transaction_leaves_nothing(engine: Engine) -> None:
    def write() -> None:
        with engine.begin() as tx:
            tx.execute(insert(meta).values(key="a", value=1))
            tx.execute(insert(meta).values(key="a", value=2))

    with pytest.raises(IntegrityError):
        write()
    with engine.connect() as connection:
        assert get_meta(connection, "a") is None


def test_positions_are_never_used_again(engine: Engine) -> None:
    row = {"written": 0, "payload": b""}
    with engine.begin() as tx:
        first = tx.execute(insert(journal), [row, row]) and tx.scalar(select(func.max(journal.c.position)))
        tx.execute(journal.delete())
    with engine.begin() as tx:
        again = tx.execute(insert(journal).values(row)).inserted_primary_key
    assert (first, again) == (2, (3,))


def test_messages_name_no_patient(engine: Engine) -> None:
    row = {"id": "s", "patient_ref": "Jane Doe", "ward": "A", "bed": "1", "flags": [], "start": 0}
    with engine.begin() as tx:
        tx.execute(insert(stays).values(row))
    with engine.begin() as tx, pytest.raises(IntegrityError) as refused:
        tx.execute(insert(stays).values(row))
    assert "Jane Doe" not in str(refused.value)


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(open_database(make_url("postgresql://ward:secret@localhost/ward")))


def test_a_database_opened_twice_keeps_its_log_from_other_processes(sqlite_url: str) -> None:
    first = open_database(sqlite_url)
    migrate(first)
    with first.begin() as tx:
        tx.execute(insert(meta).values(key="kept", value=1))
    again = open_database(sqlite_url)
    path = make_url(sqlite_url).database
    look = f"import sqlite3; c = sqlite3.connect({path!r}); c.execute('SELECT * FROM meta'); c.close()"
    subprocess.run([sys.executable, "-c", look], check=True, timeout=60)
    assert Path(f"{path}-wal").exists()
    with again.begin() as tx:
        tx.execute(insert(meta).values(key="also", value=2))
    with first.connect() as connection:
        assert (get_meta(connection, "kept"), get_meta(connection, "also")) == (1, 2)
    again.dispose()
    first.dispose()
