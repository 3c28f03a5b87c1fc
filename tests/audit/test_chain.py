"""The chain: whatever is done to its lines behind the service's back, ``verify`` finds and names it."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, delete, insert, select, text, update
from sqlalchemy.exc import DatabaseError

from ward.errors import ConflictError
from ward.store.audit import GENESIS, Entry, Head, append, digest, head, prune, read, search, verify
from ward.store.tables import audit

T = 1_795_262_400_000
EACH = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def entry(n: int = 0, **changes: Any) -> Entry:
    made = Entry(T + n, "Nurse Ada", "nurse", "stays-get", f"stay:s{n}", "6A", stay=f"s{n}")
    return replace(made, **changes)


def write(engine: Engine, count: int, start: int = 0) -> Head:
    with engine.begin() as tx:
        found = append(tx, [entry(start + n) for n in range(count)])
    assert found is not None
    return found


def verdict(engine: Engine, **options: Any) -> Any:
    with engine.connect() as connection:
        return verify(connection, **options)


def lines(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(read(connection))


def unlocked(tx: Connection) -> None:
    """What somebody with the database in their hands does first."""
    if tx.dialect.name == "sqlite":
        for name in ("audit_no_update", "audit_no_delete", "audit_no_replace"):
            tx.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
    else:
        tx.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))


def test_lines_count_from_one_and_hold(engine: Engine) -> None:
    assert verdict(engine).head == Head(0, GENESIS)
    write(engine, 3)
    last = write(engine, 2, 3)
    found = verdict(engine)
    assert (found.lines, found.head, found.holds) == (5, last, True)
    assert [line.seq for line in lines(engine)] == [1, 2, 3, 4, 5]
    with engine.begin() as tx:
        assert append(tx, []) is None


TEXTS = st.one_of(st.none(), st.text(max_size=8))
ENTRIES = st.builds(
    Entry,
    at=st.integers(0, 2**60),
    actor=st.text(max_size=8),
    role=TEXTS,
    action=st.text(max_size=8),
    object=TEXTS,
    ward=TEXTS,
    outcome=st.sampled_from(["done", "refused"]),
    detail=st.dictionaries(st.text(max_size=4), st.one_of(st.integers(), st.text(max_size=6), st.floats())),
    actor_id=TEXTS,
    stay=TEXTS,
)


@EACH
@given(st.lists(ENTRIES, max_size=5))
def test_whatever_is_told_holds(engine: Engine, entries: list[Entry]) -> None:
    """Also text that a database would not take as it is: NUL, half a surrogate pair."""
    with engine.begin() as tx:
        append(tx, entries)
    assert verdict(engine).holds


FIELDS = [column.name for column in audit.columns if column.name != "seq"]


@EACH
@given(data=st.data())
def test_any_damage_is_found_and_named(engine: Engine, data: st.DataObject) -> None:
    """One line altered, removed, put in, or two swapped; the first line that does not fit is named."""
    with engine.begin() as tx:
        unlocked(tx)
        tx.execute(delete(audit))
        known = append(tx, [entry(n) for n in range(8)])
        n = data.draw(st.integers(1, 8), "line")
        kind = data.draw(st.sampled_from(["alter", "rehash", "remove", "insert", "swap"]))
        row = tx.execute(select(audit).where(audit.c.seq == n)).one()._mapping
        first = n
        if kind == "alter":
            name = data.draw(st.sampled_from(FIELDS))
            new = row["at"] + 1 if name == "at" else (row[name] or "") + "x"
            tx.execute(update(audit).where(audit.c.seq == n).values({name: new}))
        elif kind == "rehash":  # altered with a hash that fits: then the next does not
            line = next(read(tx, after=n - 1))
            forged = replace(line, actor="Nobody")
            change = {"actor": "Nobody", "hash": digest(forged)}
            tx.execute(update(audit).where(audit.c.seq == n).values(change))
            first = n + 1 if n < 8 else n
        elif kind == "remove":
            tx.execute(delete(audit).where(audit.c.seq == n))
        elif kind == "insert":
            move = [dict(r._mapping) for r in tx.execute(select(audit).where(audit.c.seq >= n))]
            tx.execute(delete(audit).where(audit.c.seq >= n))
            tx.execute(insert(audit), [{**r, "seq": r["seq"] + 1} for r in move])
            tx.execute(insert(audit), [{**row, "actor": "Somebody"}])
        else:
            other = data.draw(st.integers(1, 8).filter(lambda m: m != n), "other")
            for seq, to in ((n, -1), (other, n), (-1, other)):
                tx.execute(update(audit).where(audit.c.seq == seq).values(seq=to))
            first = min(n, other)
        found = verify(tx, known=[known] if known else [])
        assert (found.holds, found.bad) == (False, first), found


@pytest.mark.parametrize("kept", [0, 1, 4])
def test_an_end_cut_off_shows_by_a_head_from_elsewhere(engine: Engine, kept: int) -> None:
    last = write(engine, 5)
    with engine.begin() as tx:
        unlocked(tx)
        tx.execute(delete(audit).where(audit.c.seq > kept))
    assert verdict(engine).holds  # the chain alone cannot know
    found = verdict(engine, known=[last])
    assert (found.bad, found.head.seq) == (kept + 1, kept)
    assert "cut off" in str(found.wrong)


def test_a_chain_made_anew_shows_by_a_head_from_elsewhere(engine: Engine) -> None:
    last = write(engine, 5)
    with engine.begin() as tx:
        unlocked(tx)
        tx.execute(delete(audit).where(audit.c.seq > 2))
        append(tx, [entry(n, actor="Nobody") for n in range(9)])
    assert verdict(engine).holds
    assert verdict(engine, known=[last]).bad == last.seq


def test_from_a_line_on(engine: Engine) -> None:
    write(engine, 5)
    with engine.begin() as tx:
        unlocked(tx)
        tx.execute(update(audit).where(audit.c.seq == 2).values(actor="x"))
    assert verdict(engine).bad == 2
    assert verdict(engine, after=2).lines == 3


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'x' WHERE seq = 1",
        "DELETE FROM audit WHERE seq = 3",
        "DELETE FROM audit",
    ],
)
def test_the_database_itself_refuses(engine: Engine, statement: str) -> None:
    write(engine, 3)
    with pytest.raises(DatabaseError, match="append-only"), engine.begin() as tx:
        tx.execute(text(statement))
    assert verdict(engine).lines == 3


def test_postgres_refuses_to_truncate(postgres_engine: Engine) -> None:
    write(postgres_engine, 1)
    with pytest.raises(DatabaseError, match="append-only"), postgres_engine.begin() as tx:
        tx.execute(text("TRUNCATE audit"))


def test_sqlite_refuses_to_replace(sqlite_engine: Engine) -> None:
    write(sqlite_engine, 1)
    with pytest.raises(DatabaseError, match="append-only"), sqlite_engine.begin() as tx:
        tx.execute(text("INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 1"))


def test_pruning_leaves_a_trail_that_holds(engine: Engine) -> None:
    write(engine, 2500)
    system = Entry(T + 9000, "housekeeping", None, "")
    assert prune(engine, T + 2000, system) == 2000
    assert prune(engine, T + 2000, system) == 0
    found = verdict(engine)
    assert (found.holds, found.lines) == (True, 501)
    assert verdict(engine, after=1000).holds
    said = lines(engine)[-1]
    assert (said.action, said.object, said.actor) == ("audit.prune", "2000", "housekeeping")
    assert prune(engine, T + 2400, system) == 400
    assert verdict(engine).holds
    with engine.begin() as tx:  # more than was said
        unlocked(tx)
        tx.execute(delete(audit).where(audit.c.seq <= 2450))
    assert verdict(engine).bad == 1


def test_pruning_everything_old_keeps_the_last(engine: Engine) -> None:
    write(engine, 3)
    assert prune(engine, T + 9000, Entry(T, "housekeeping", None, "")) == 2
    assert [line.seq for line in lines(engine)] == [3, 4]
    assert verdict(engine).holds


def test_what_does_not_hold_is_not_pruned(engine: Engine) -> None:
    write(engine, 5)
    with engine.begin() as tx:
        unlocked(tx)
        tx.execute(update(audit).where(audit.c.seq == 2).values(actor="x"))
    with pytest.raises(ConflictError, match="line 2"):
        prune(engine, T + 4, Entry(T, "housekeeping", None, ""))
    assert len(lines(engine)) == 5


def test_a_change_that_is_taken_back_leaves_no_line(engine: Engine) -> None:
    with engine.connect() as connection, connection.begin() as tx:
        append(connection, [entry()])
        tx.rollback()
    write(engine, 1)
    assert [line.seq for line in lines(engine)] == [1]


def appending(url: str, times: int) -> None:
    """Run in another process."""
    from ward.store.database import open_database

    engine = open_database(url)
    for n in range(times):
        write(engine, 2, n)
    engine.dispose()


def test_threads_and_processes_append_in_one_order(engine: Engine) -> None:
    url = engine.url.render_as_string(hide_password=False)
    code = f"from tests.audit.test_chain import appending; appending({url!r}, 15)"
    others = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    threads = [
        threading.Thread(target=lambda: [write(engine, 1) for _ in range(10)] and None) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [other.wait(60) for other in others] == [0, 0]
    found = verdict(engine)
    assert (found.holds, found.lines) == (True, 2 * 15 * 2 + 4 * 10)


def test_searching(engine: Engine) -> None:
    write(engine, 4)
    with engine.begin() as tx:
        append(tx, [entry(9, ward="6B", actor="Bob", action="rules-put", stay=None)])
    with engine.connect() as connection:

        def found(**options: Any) -> list[int]:
            return [line.seq for line in search(connection, **options).items]

        assert found() == [5, 4, 3, 2, 1]
        assert found(wards=frozenset({"6B"})) == [5]
        assert found(wards=frozenset()) == []
        assert found(stay="s2") == [3]
        assert found(actor="Bob") == found(action="rules-put") == [5]
        assert found(start=T + 1, end=T + 3) == [3, 2]
        first = search(connection, limit=2)
        assert found(cursor=first.next, limit=2) == [3, 2]
        assert head(connection).seq == 5
