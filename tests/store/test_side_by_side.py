"""Who may start on which schema, and when one may be changed, while others are at work on it."""

import threading
import time
from contextlib import contextmanager, nullcontext

import pytest
from alembic import command
from sqlalchemy import text

from ward.config import Settings
from ward.errors import FencedError
from ward.partitions import Partition
from ward.server import owning
from ward.store import schema
from ward.store.database import migrate, open_database
from ward.store.lease import Lease
from ward.store.meta import get_meta, put_meta
from ward.store.serving import others_at_work, serving

NEXT = "9999"


@contextmanager
def ahead(engine, oldest):
    """The database of a newer ward, that says from which on one may work on it."""
    with engine.begin() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = :next"), {"next": NEXT})
        put_meta(tx, schema.COMPATIBLE, oldest)
    yield


@contextmanager
def pending(engine, monkeypatch, *, expands):
    """This ward has one migration more than the database, which only adds, or does not."""
    newest, known = schema.newest(), schema.revisions()
    schema.downgrade(engine, known[-2], copy=False)
    is_expanding = {**schema._expanding(), newest: expands}
    monkeypatch.setattr(schema, "_expanding", lambda: is_expanding)
    yield


@contextmanager
def engine_at_work(url, number, of=2):
    """Has a partition; its fenced writer."""
    database, lost = open_database(url), []
    lease = Lease(database, lost.append, Partition(number, of))
    lease.take(time.sleep)
    lease.claim()
    writer = open_database(url, lease.name)
    lease.fence(writer)
    try:
        yield lease, writer
    finally:
        lease.close()
        writer.dispose()
        database.dispose()


def version_of(engine):
    with engine.connect() as connection:
        return schema.version(connection)


def test_a_newer_schema_that_only_added_is_worked_on_as_it_is(engine):
    with ahead(engine, schema.newest()):
        migrate(engine)
        assert schema.upgrade(engine) == (NEXT, NEXT)
    assert version_of(engine) == NEXT


def test_one_that_took_something_away_is_refused(engine):
    with ahead(engine, NEXT), pytest.raises(schema.SchemaError, match="newer ward"):
        migrate(engine)


def test_it_is_not_waited_for_a_database_that_is_beyond_it(postgres_engine, postgres_url):
    settings = Settings(database_url=postgres_url, standby=True, partitions=2, partition=0)
    with (
        ahead(postgres_engine, NEXT),
        pytest.raises(schema.SchemaError, match="newer ward"),
        owning(settings),
    ):
        pass


def test_the_database_says_from_which_on(engine, monkeypatch):
    with pending(engine, monkeypatch, expands=True):
        migrate(engine)
    with engine.connect() as connection:
        assert get_meta(connection, schema.COMPATIBLE) == schema.compatible_from(schema.newest())
    schema.downgrade(engine, schema.revisions()[-2], copy=False)
    with engine.connect() as connection:
        oldest = schema.compatible_from(schema.revisions()[-2])
        assert get_meta(connection, schema.COMPATIBLE) == oldest


@pytest.mark.parametrize("expands", [True, False])
def test_beside_others_a_schema_only_grows(engine, monkeypatch, expands):
    with pending(engine, monkeypatch, expands=expands), serving(engine) as own:
        before = version_of(engine)
        refused = nullcontext() if expands else pytest.raises(schema.SchemaError, match="stop all of them")
        with refused:
            migrate(engine)
        assert version_of(engine) == (schema.newest() if expands else before)
        migrate(engine, own)  # who is at work itself is no other
        assert version_of(engine) == schema.newest()


def test_an_engine_that_cannot_take_over_does_not_stand_by(postgres_engine, postgres_url, monkeypatch):
    settings = Settings(database_url=postgres_url, standby=True, partitions=2, partition=0)
    with (
        pending(postgres_engine, monkeypatch, expands=False),
        engine_at_work(postgres_url, 1),
        pytest.raises(schema.SchemaError, match="stop all of them"),
        owning(settings),
    ):
        pass


def test_who_lost_its_session_writes_nothing_on_what_was_taken_away(
    postgres_engine, postgres_url, monkeypatch
):
    with pending(postgres_engine, monkeypatch, expands=False), engine_at_work(postgres_url, 1) as (lease, w):
        assert others_at_work(postgres_engine, None)
        assert not others_at_work(postgres_engine, lease.session)
        lease._end()  # as where PostgreSQL started anew
        migrate(postgres_engine)
        with pytest.raises(FencedError), w.begin() as tx:
            put_meta(tx, "written", 1)


def test_growing_gives_way_to_who_reads(postgres_engine, monkeypatch):
    """It does not stand in the queue for a table, in which everybody else would wait behind it."""
    monkeypatch.setattr(schema, "PAUSE_S", 0.1)
    with pending(postgres_engine, monkeypatch, expands=True):
        with postgres_engine.connect() as reader:
            reader.execute(text("SELECT 1 FROM alembic_version"))
            reader.execute(text("LOCK TABLE events IN ACCESS SHARE MODE"))
            done = []
            moving = threading.Thread(target=lambda: done.append(_add_to_events(postgres_engine)))
            moving.start()
            for _ in range(5):
                with postgres_engine.begin() as tx:  # raises where it waits as long as the reader reads
                    tx.execute(text("SET LOCAL statement_timeout = '20s'"))
                    tx.execute(text("SELECT count(*) FROM events"))
            assert done == []
        moving.join(schema.PATIENCE_S)
        assert done == [schema.newest()]


def _add_to_events(engine):
    def move(config, target):
        config.attributes["connection"].execute(text("ALTER TABLE events ADD COLUMN more TEXT"))
        command.upgrade(config, target)

    return schema._move(engine, schema.newest(), move, "head", copy=False)[1]


def test_it_does_not_try_for_ever(postgres_engine, monkeypatch):
    monkeypatch.setattr(schema, "PATIENCE_S", 0.0)
    with pending(postgres_engine, monkeypatch, expands=True), postgres_engine.connect() as reader:
        reader.execute(text("LOCK TABLE events IN ACCESS SHARE MODE"))
        with pytest.raises(schema.SchemaError, match="a backup"):
            _add_to_events(postgres_engine)
