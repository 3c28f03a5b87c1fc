"""The trail's end as the data folder knows it: what the chain alone cannot show, shows here."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, update

from tests.audit.test_chain import T, entry, unlocked, write
from ward.errors import InvalidError
from ward.live.trail_keeper import TrailKeeper
from ward.store.audit import Entry, append, prune
from ward.store.audit_head import DAY, Heads
from ward.store.tables import audit


@pytest.fixture
def heads(tmp_path: Path) -> Heads:
    return Heads(tmp_path / "data")


def add(engine: Engine, heads: Heads, now: int = T) -> str | None:
    with engine.connect() as connection:
        return heads.add(connection, now).wrong


def test_an_empty_trail_has_no_end(engine: Engine, heads: Heads) -> None:
    assert add(engine, heads) is None
    assert heads.read() == []


def test_one_end_a_day_and_the_newest(engine: Engine, heads: Heads) -> None:
    for n, now in enumerate((T, T + 1, T + DAY, T + DAY + 1, T + 5 * DAY)):
        write(engine, 2, n)
        assert add(engine, heads, now) is None
    assert add(engine, heads, T + 9 * DAY) is None  # nothing new
    assert [one.head.seq for one in heads.read()] == [4, 8, 10]
    assert stat.S_IMODE(heads.path.stat().st_mode) == 0o600


def test_an_end_cut_off_is_seen_at_once_and_stays_seen(engine: Engine, heads: Heads) -> None:
    write(engine, 5)
    add(engine, heads)
    with engine.begin() as tx:
        unlocked(tx)
        tx.execute(delete(audit).where(audit.c.seq > 3))
    assert "cut off" in str(add(engine, heads))
    write(engine, 9)
    assert "not the one that is known" in str(add(engine, heads))
    assert heads.read()[-1].head.seq == 5


def test_a_chain_made_anew_is_seen(engine: Engine, heads: Heads) -> None:
    write(engine, 5)
    add(engine, heads)
    with engine.begin() as tx:
        unlocked(tx)
        tx.execute(delete(audit))
        append(tx, [entry(n, actor="Nobody") for n in range(9)])
    assert "not the one that is known" in str(add(engine, heads))


def test_what_was_written_since_is_checked(engine: Engine, heads: Heads) -> None:
    write(engine, 3)
    add(engine, heads)
    write(engine, 3)
    with engine.begin() as tx:
        unlocked(tx)
        tx.execute(update(audit).where(audit.c.seq == 5).values(actor="x"))
    assert "altered" in str(add(engine, heads))


def test_pruning_is_no_damage(engine: Engine, heads: Heads) -> None:
    write(engine, 5)
    add(engine, heads)
    write(engine, 5, 10)
    prune(engine, T + 12, Entry(T, "housekeeping", None, ""))
    assert add(engine, heads) is None
    assert heads.read()[-1].head.seq == 11


@pytest.mark.parametrize("content", ["{", '{"at": 1}\n', "[]\n", "\xff"])
def test_a_damaged_file_is_told_and_can_be_sealed(engine: Engine, heads: Heads, content: str) -> None:
    heads.path.parent.mkdir()
    heads.path.write_text(content, "latin-1")
    with pytest.raises(InvalidError, match=r"audit\.heads"):
        heads.read()
    head = write(engine, 1)
    heads.seal(head, T)
    assert add(engine, heads) is None


def test_the_keeper_tells_a_fault(engine: Engine, tmp_path: Path) -> None:
    keeper = TrailKeeper(engine, tmp_path, lambda: T, pause=60)
    keeper.start()
    write(engine, 3)
    keeper.stop()  # the last turn
    assert keeper.fault is None
    assert [one.head.seq for one in Heads(tmp_path).read()] == [3]
    with engine.begin() as tx:
        unlocked(tx)
        tx.execute(delete(audit).where(audit.c.seq == 3))
    keeper.turn()
    assert "cut off" in str(keeper.fault)
    Heads(tmp_path).path.write_text("{")
    keeper.turn()
    assert "damaged" in str(keeper.fault)
