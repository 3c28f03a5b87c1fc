"""A backup holds everything, of one moment, for whom it is meant; a restore gives back all or nothing."""

from __future__ import annotations

import io
import itertools
import os
import random
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyrage
import pytest
from click.testing import Result
from sqlalchemy import Engine, create_engine, insert, select, text
from typer.testing import CliRunner

from tests.databases import migrated
from tests.live.world import World
from tests.protection.rows import counters, rows
from ward.cli import app
from ward.errors import ConflictError, InvalidError
from ward.protection.archive import ArchiveError, Summary
from ward.protection.backup import dump, read_backup, write_backup
from ward.protection.keys import UnfitKeyError, identities, make_identity, recipient
from ward.protection.restore import check, restore
from ward.store.audit import verify
from ward.store.database import open_database
from ward.store.schema import COMPATIBLE
from ward.store.serving import AlreadyServingError, is_serving, serving
from ward.store.tables import events, journal, meta

NOW = 1_800_000_000_000


def quiet(table: str, count: int) -> None:
    pass


def busy_ward(folder: Path, url: str | None = None) -> World:
    """A ward in which something of everything has happened."""
    world = World(folder, url, snapshot_s=60)
    stay = world.admit("1", ("mon",), ("copd",))
    world.admit("2", ("mon2",))
    world.live(5, hr=71.25, spo2=97.5, rr=14)
    world.publish("mon", b'{"readings": {"hr": "\\ud800"}, "nonsense')
    world.publish("nobodys", {"readings": {"hr": 60}})
    world.tick()
    world.do("observe", stay=stay, time=None, values={"consciousness": "V", "temp": 37.25})
    world.live(130, hr=20, spo2=70, rr=4)
    world.runner.take_snapshot()
    active = [a for a in world.alerts(stay) if a.state == "active"]
    world.do("acknowledge", alert=active[0].id, assessment="actionable", note="größer ✓ \x00")
    rule = world.service.core.rulebook.effective()[0]
    world.do("put_rule", rule_id=rule.id, definition={"title": "of one"}, scope=f"stay:{stay}", expected="0")
    world.live(3, hr=70, spo2=97, rr=14)
    return world


def backup_of(engine: Engine, data_dir: Path | None = None) -> bytes:
    return b"".join(dump(engine, data_dir, NOW, quiet))


def restored(content: bytes, url: str, data_dir: Path, keys: Any = (), **options: Any) -> Engine:
    source = io.BytesIO(content)
    engine = open_database(url)
    restore(source, keys, check(source, keys), engine, data_dir, **({"force": False, "now": NOW} | options))
    return engine


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
def test_every_row_of_every_table_comes_back_on_either_database(
    database_url: str, into: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    world = busy_ward(tmp_path / "data", database_url)
    source = world.service.engine_db
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "secret.key").write_bytes(b"\x00key")
    content = backup_of(source, tmp_path / "data")
    before, numbers = rows(source), counters(source)
    assert {name for name, found in before.items() if found} >= {
        "alerts", "assignments", "dead_letters", "devices", "events", "history", "journal", "meta", "rules",
        "snapshots", "stays",
    }  # fmt: skip
    world.close()

    if into == "sqlite":
        url = f"sqlite:///{tmp_path / 'other' / 'ward.db'}"
    elif database_url.startswith("sqlite"):
        url = str(request.getfixturevalue("postgres_url"))
    else:
        url = database_url  # the same server, emptied
        everything_gone(url)
    engine = restored(content, url, tmp_path / "other")
    after = rows(engine)
    (line,) = after.pop("audit")
    assert "backup.restore" in line
    assert before.pop("audit") == []
    assert after == before
    assert counters(engine) == numbers
    key = tmp_path / "other" / "secret.key"
    assert key.read_bytes() == b"\x00key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    with engine.connect() as connection:
        assert verify(connection).holds
    engine.dispose()


def everything_gone(url: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()


def test_the_ward_goes_on_from_a_restored_database(tmp_path: Path) -> None:
    """The same alerts and history; nothing is raised twice, and what is raised now is new."""
    world = busy_ward(tmp_path / "data")
    stay = next(iter(world.service.core.stays))
    content = backup_of(world.service.engine_db)
    kept = {a.id: (a.state, a.acknowledged_by, a.note) for a in world.alerts()}
    history = readings(world.stored(stay))
    world.close()

    url = f"sqlite:///{tmp_path / 'other' / 'ward.db'}"
    restored(content, url, tmp_path / "other").dispose()
    other = World(tmp_path / "other", snapshot_s=60)
    assert raised(other) == raised(world)
    assert {a.id: (a.state, a.acknowledged_by, a.note) for a in other.alerts()} == kept
    other.clock.time = world.now + 3_600_000  # an hour later, nobody has measured anything meanwhile
    other.tick()
    more = set(readings(other.stored(stay))) - set(history)
    assert set(history) <= set(readings(other.stored(stay)))
    assert {time for time, _, _ in more} <= {world.now - 1000}  # in the journal, too young to be judged
    other.seq = world.seq
    other.live(130, hr=20, spo2=70, rr=4)
    again = [line for line in raised(other) if line not in raised(world)]
    assert again
    assert all(at > world.now for _, _, at in again)
    assert set(raised(world)) <= set(raised(other))
    other.close()


def raised(world: World) -> list[tuple[str, str, int]]:
    return [(stay, rule, at) for stay, rule, at, _ in world.told() if at is not None]


def readings(history: Any) -> list[tuple[Any, ...]]:
    return list(zip(history.time.tolist(), history.signal.tolist(), history.value.tolist(), strict=True))


def test_a_backup_is_of_one_moment_while_others_write(engine: Engine) -> None:
    """Rows of several tables are written in one transaction: a backup never has the one without the other."""
    stop = threading.Event()
    written = []

    def write() -> None:
        for n in itertools.count():
            if stop.is_set():
                return
            with engine.begin() as tx:
                tx.execute(insert(meta).values(key=f"k{n}", value=n))
                tx.execute(insert(events).values(at=n, kind="x"))
                tx.execute(insert(journal).values(written=n, payload=b"x" * 2000))
            written.append(n)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while len(written) < 20:
            pass
        found = [read_backup(io.BytesIO(backup_of(engine)), []) for _ in range(3)]
    finally:
        stop.set()
        writer.join()
    for summary in found:
        own = 1  # which schema's ward may work on it
        assert summary.rows["meta"] - own == summary.rows["events"] == summary.rows["journal"] >= 20
    assert found[0].rows["meta"] < found[2].rows["meta"]


def test_memory_does_not_grow_with_the_database(sqlite_engine: Engine, tmp_path: Path) -> None:
    import tracemalloc

    content = random.Random(1).randbytes(1 << 20)
    with sqlite_engine.begin() as tx:
        for n in range(30):
            tx.execute(insert(journal).values(written=n, payload=content))
    key = make_identity(tmp_path / "key")
    with sqlite_engine.connect():  # what is made once is not counted
        pass
    tracemalloc.start()
    write_backup(tmp_path / "b", dump(sqlite_engine, None, NOW, quiet), [recipient(key)])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "b").stat().st_size > 30 << 20
    assert peak < 15 << 20


def test_nothing_plain_is_in_the_file_or_beside_it(tmp_path: Path) -> None:
    world = busy_ward(tmp_path / "data")
    key = make_identity(tmp_path / "key")
    folder = tmp_path / "backups"
    folder.mkdir()
    file = folder / "b.age"
    write_backup(file, dump(world.service.engine_db, None, NOW, quiet), [recipient(key)])
    world.close()
    assert [path.name for path in folder.iterdir()] == ["b.age"]
    content = file.read_bytes()
    assert content.startswith(b"age-encryption.org/v1\n-> X25519 ")
    assert b"ward-backup" not in content
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    # Any implementation of age opens it; what is in it is gzip of JSON lines.
    import gzip
    import json

    plain = gzip.decompress(pyrage.decrypt(content, identities(tmp_path / "key")))
    first, *_, last = [json.loads(line) for line in plain.splitlines()]
    assert first["ward-backup"] == 1
    assert last["done"]["rows"] > 10


def test_a_backup_is_for_each_of_its_recipients_and_for_nobody_else(tmp_path: Path, engine: Engine) -> None:
    publics = [make_identity(tmp_path / name) for name in ("a", "b", "c")]
    file = tmp_path / "backup"
    write_backup(file, dump(engine, None, NOW, quiet), [recipient(p) for p in publics[:2]])
    for name in ("a", "b"):
        with file.open("rb") as source:
            assert read_backup(source, identities(tmp_path / name)).header is not None
    with file.open("rb") as source, pytest.raises(UnfitKeyError, match="made for another key"):
        read_backup(source, identities(tmp_path / "c"))
    with file.open("rb") as source, pytest.raises(UnfitKeyError, match="--identity"):
        read_backup(source, [])


def test_a_key_may_be_protected_with_a_passphrase(tmp_path: Path) -> None:
    make_identity(tmp_path / "key", "correct horse")
    assert b"AGE-SECRET" not in (tmp_path / "key").read_bytes()
    assert len(identities(tmp_path / "key", lambda: "correct horse")) == 1
    with pytest.raises(UnfitKeyError, match="--passphrase-file"):
        identities(tmp_path / "key")
    with pytest.raises(UnfitKeyError, match="does not open"):
        identities(tmp_path / "key", lambda: "wrong")
    with pytest.raises(UnfitKeyError, match="never written over"):
        make_identity(tmp_path / "key")


def test_a_secret_key_given_for_a_public_one_is_not_shown() -> None:
    with pytest.raises(UnfitKeyError) as refused:
        recipient("AGE-SECRET-KEY-1QQQQ")
    assert "QQQQ" not in str(refused.value)


@pytest.mark.parametrize("encrypted", [True, False])
def test_a_damaged_or_cut_backup_is_refused_in_a_line_wherever_it_is_hurt(
    tmp_path: Path, sqlite_engine: Engine, encrypted: bool
) -> None:
    with sqlite_engine.begin() as tx:
        tx.execute(
            insert(journal), [{"written": n, "payload": random.Random(n).randbytes(300)} for n in range(500)]
        )
    public = make_identity(tmp_path / "key")
    keys = identities(tmp_path / "key")
    file = tmp_path / "backup"
    write_backup(file, dump(sqlite_engine, None, NOW, quiet), [recipient(public)] if encrypted else [])
    content = file.read_bytes()
    whole = read_backup(io.BytesIO(content), keys)
    assert whole.rows["journal"] == 500
    rng = random.Random(3)
    hurt = [content[:n] for n in (0, 1, 30, len(content) // 2, len(content) - 20, len(content) - 1)]
    hurt += [content + b"more", b"junk", b"\x1f\x8bjunk", b"age-encryption.org/v1\n"]
    for _ in range(60):
        place = rng.randrange(len(content))
        hurt.append(content[:place] + bytes([content[place] ^ 1 << rng.randrange(8)]) + content[place + 1 :])
    for each in hurt:
        why, found = refusal(each, keys)
        if found is None:
            assert why
            assert "\n" not in why
        else:  # gzip has a few bits that mean nothing; the hashes have shown that the rows are right
            assert not encrypted
            assert len(each) == len(content)
            assert found.rows == whole.rows


def refusal(content: bytes, keys: Any) -> tuple[str, Summary | None]:
    try:
        return "", read_backup(io.BytesIO(content), keys)
    except InvalidError as refused:
        return refused.detail, None


def forged(*lines: str) -> bytes:
    import gzip

    return gzip.compress("\n".join(lines).encode() + b"\n")


HEAD = '{"ward-backup":1,"version":"9","schema":"0001","created":1,"database":"sqlite"}'
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ((HEAD.replace(":1,", ":2,", 1), '{"done":{"tables":0,"rows":0,"files":0}}'), "form 2"),
        ((HEAD.replace("0001", "0999"), '{"done":{"tables":0,"rows":0,"files":0}}'), "newer ward"),
        ((HEAD, '{"done":{"tables":1,"rows":0,"files":0}}'), "missing"),
        ((HEAD, '{"file":"../x","mode":384,"content":"","sha256":"' + EMPTY + '"}'), "no name of a file"),
        ((HEAD, '{"file":"/x","mode":384,"content":"","sha256":"' + EMPTY + '"}'), "no name of a file"),
        ((HEAD, '{"file":"x","mode":384,"content":"","sha256":"no"}'), "not as it was written"),
        ((HEAD, '{"table":"stays","columns":["id"],"binary":[]}', "[1,2]"), "damaged in table stays"),
        ((HEAD, "[" * 100_000), "damaged"),
        (("{}",), "damaged"),
    ],
)
def test_what_a_forged_backup_says_is_not_believed(lines: tuple[str, ...], why: str) -> None:
    with pytest.raises(ArchiveError, match=why):
        check(io.BytesIO(forged(*lines)), [])


def test_a_restore_into_data_is_refused_and_forced_it_replaces_all(engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as tx:
        tx.execute(insert(meta).values(key="theirs", value=1))
    with migrated(f"sqlite:///{tmp_path / 'a' / 'ward.db'}") as other:
        with other.begin() as tx:
            tx.execute(insert(meta).values(key="ours", value={"a": [1, None, 0.1]}))
        content = backup_of(other)
    source = io.BytesIO(content)
    checked = check(source, [])
    with pytest.raises(ConflictError, match="not empty"):
        restore(source, [], checked, engine, tmp_path, force=False, now=NOW)
    assert "theirs" in [row[0] for row in rows(engine)["meta"]]
    restore(source, [], checked, engine, tmp_path, force=True, now=NOW)
    found = dict(tuple(row) for row in rows(engine)["meta"])
    assert found.pop("ours") == {"a": [1, None, 0.1]}
    assert found.keys() == {COMPATIBLE}


def test_tables_of_others_in_the_same_database_are_left_alone(engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as tx:
        tx.execute(text("CREATE TABLE theirs (n INTEGER)"))
        tx.execute(text("INSERT INTO theirs VALUES (7)"))
    content = backup_of(engine)
    assert "theirs" not in read_backup(io.BytesIO(content), []).rows
    source = io.BytesIO(content)
    restore(source, [], check(source, []), engine, tmp_path, force=True, now=NOW)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT n FROM theirs")) == 7


def test_a_restore_that_fails_half_way_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as tx:
        tx.execute(insert(meta).values(key="theirs", value=1))
    before = rows(engine)
    lines = [
        HEAD.replace("0001", "0006"),
        '{"table":"meta","columns":["key","value"],"binary":[]}', '["a",1]', '["a",2]',
    ]  # fmt: skip
    import hashlib

    said = hashlib.sha256(b'["a",1]\n["a",2]\n').hexdigest()
    lines.append('{"rows":2,"sha256":"' + said + '","counter":null}')
    lines.append('{"file":"key","mode":384,"content":"","sha256":"' + EMPTY + '"}')
    lines.append('{"done":{"tables":1,"rows":2,"files":1}}')
    source = io.BytesIO(forged(*lines))
    from sqlalchemy.exc import IntegrityError

    with pytest.raises(IntegrityError):
        restore(source, [], check(source, []), engine, tmp_path / "d", force=True, now=NOW)
    assert rows(engine) == before
    assert not list((tmp_path / "d").iterdir())


def test_an_older_backup_is_brought_up_to_date(engine: Engine, tmp_path: Path) -> None:
    from alembic import command

    from ward.store import schema

    with engine.begin() as tx:
        schema.move_within(tx, command.downgrade, "0001")
        tx.execute(text("INSERT INTO meta (key, value) VALUES ('old', '1')"))
    content = backup_of(engine)
    with migrated(f"sqlite:///{tmp_path / 'a' / 'ward.db'}") as other:
        source = io.BytesIO(content)
        restore(source, [], check(source, []), other, tmp_path, force=False, now=NOW)
        with other.connect() as connection:
            assert schema.version(connection) == schema.newest()
            assert connection.scalar(select(meta.c.value).where(meta.c.key == "old")) == 1


def test_one_service_at_a_time_and_no_restore_under_it(engine: Engine, tmp_path: Path) -> None:
    assert not is_serving(engine)
    content = backup_of(engine)
    with serving(engine):
        assert is_serving(engine)
        with pytest.raises(AlreadyServingError, match="runs on this database already"):
            restored(content, engine.url.render_as_string(hide_password=False), tmp_path)
    assert not is_serving(engine)


@pytest.fixture
def ward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command line, in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("WARD_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WARD_DATA_DIR", str(tmp_path / "data"))
    return lambda *arguments: CliRunner().invoke(app, arguments)


def test_the_commands_say_what_is_wrong_in_a_line_and_leave_nothing(
    tmp_path: Path, ward: Callable[..., Result]
) -> None:
    public = ward("backup-key", "key").stdout.strip()
    ward("backup-key", "other")
    ward("token", "create", "--role", "admin", "--name", "me")
    refused = ward("backup", "b")
    assert refused.exit_code == 2
    assert "--recipient" in refused.stderr
    made = ward("backup", "b", "--recipient", public)
    assert made.exit_code == 0, made.stderr
    assert "is there already" in ward("backup", "b", "--recipient", public).stderr
    assert "whole" in ward("backup", "b", "--verify", "--identity", "key").stderr
    (tmp_path / "data").rename(tmp_path / "gone")
    for arguments, why in (
        (("--identity", "other"), "another key"),
        ((), "--identity FILE"),
    ):
        failed = ward("restore", "b", *arguments)
        assert failed.exit_code == 2
        assert why in failed.stderr
        assert failed.stderr.count("\n") == 1
        assert not (tmp_path / "data").exists()
    (tmp_path / "cut").write_bytes((tmp_path / "b").read_bytes()[:-40])
    failed = ward("restore", "cut", "--identity", "key")
    assert (failed.exit_code, failed.stderr.count("\n")) == (2, 1)
    assert "damaged or cut off" in failed.stderr
    assert not (tmp_path / "data").exists()
    done = ward("restore", "b", "--identity", "key")
    assert done.exit_code == 0, done.stderr
    assert "restored from b: " in done.stderr
