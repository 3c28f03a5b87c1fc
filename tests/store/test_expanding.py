"""Each migration says whether the ward before it goes on beside, and those that say so keep to it."""

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import event

from tests.store.expanding import trips
from ward.store import schema
from ward.store.database import open_database
from ward.store.schema import move_within


def scripts():
    config = Config()
    config.set_main_option("script_location", "ward.store:migrations")
    return list(reversed(list(ScriptDirectory.from_config(config).walk_revisions())))


def test_each_migration_says_whether_it_expands():
    assert [one.revision for one in scripts() if type(getattr(one.module, "expands", None)) is not bool] == []


def test_what_says_that_it_expands_only_adds(database_url):
    engine, said = open_database(database_url), []
    event.listen(engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    for one in scripts():
        said.clear()
        with engine.begin() as tx:
            move_within(tx, command.upgrade, one.revision)
        if one.module.expands:
            assert trips(said) == [], one.revision
    engine.dispose()


def test_it_would_be_seen_that_one_does_not(database_url):
    """Those that are known to take away or to write, as the databases are told."""
    engine, said, found = open_database(database_url), [], {}
    event.listen(engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    for revision in ("0001", "0002", "0003", "0004"):
        said.clear()
        with engine.begin() as tx:
            move_within(tx, command.upgrade, revision)
        found[revision] = trips([one for one in said if "alembic_version" not in one])
    engine.dispose()
    assert any("UPDATE sessions" in one for one in found["0002"])
    assert any("CREATE TRIGGER" in one for one in found["0003"])
    assert (found["0001"], found["0004"]) == ([], [])


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("DROP TABLE a", "may be added"),
        ("ALTER TABLE a DROP COLUMN b", "may be added"),
        ("ALTER TABLE a ALTER COLUMN b SET NOT NULL", "may be added"),
        ("ALTER TABLE a ADD CONSTRAINT c UNIQUE (b)", "may be added"),
        ("UPDATE a SET b = 1", "may be added"),
        ("DELETE FROM a", "may be added"),
        ("ALTER TABLE a ADD COLUMN b TEXT NOT NULL", "leaves it out"),
        ("ALTER TABLE a ADD COLUMN b TEXT REFERENCES c (id)", "only hold"),
        ("ALTER TABLE a ADD COLUMN b UUID DEFAULT gen_random_uuid() NOT NULL", "anew"),
        ("CREATE UNIQUE INDEX i ON a (b)", "refuses"),
        ("CREATE TABLE n (a TEXT, FOREIGN KEY(a) REFERENCES b (id))", "could not delete"),
    ],
)
def test_what_the_ward_before_trips_over(said, why):
    (found,) = trips([said])
    assert why in found


@pytest.mark.parametrize(
    "said",
    [
        "ALTER TABLE a ADD COLUMN b TEXT",
        "ALTER TABLE a ADD COLUMN b INTEGER DEFAULT '0' NOT NULL",
        "CREATE INDEX i ON a (b)",
        "CREATE TABLE n (a TEXT, FOREIGN KEY(a) REFERENCES b (id) ON DELETE CASCADE)",
    ],
)
def test_what_it_does_not_see(said):
    assert trips([said]) == []
    assert trips(["CREATE TABLE n (a TEXT)", "CREATE UNIQUE INDEX i ON n (a)"]) == []


def test_from_which_on_is_what_every_one_since_only_added(monkeypatch):
    monkeypatch.setattr(
        schema, "_expanding", lambda: {"1": False, "2": True, "3": False, "4": True, "5": True}
    )
    assert [schema.compatible_from(n) for n in "12345"] == ["1", "1", "3", "3", "3"]
