"""From an older ward to this one and back, with its data; never silently on a schema that is not known."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, create_engine, inspect, select, text

from tests.brokers import client_at, mosquitto_at, until
from tests.e2e.served import served, wait_for
from tests.ports import free_port
from ward.signals import N_OBSERVED
from ward.store import schema
from ward.store.chunks import COLUMNS, History
from ward.store.database import migrate, open_database
from ward.store.history import read_history, write_chunks
from ward.store.meta import put_meta
from ward.store.tables import history

ROOT = Path(__file__).parent.parent.parent
OLDER = "66314af"
"""A commit whose schema is 0001, and nothing newer."""
SPAN: int = 40
"""So many samples over 88, then as many under it; the rule needs 3 s, which are fewer."""


@pytest.fixture
def old(database_url: str) -> Engine:
    """A database as the first schema has it, with a row in each of some tables."""
    from alembic import command

    engine = open_database(database_url)
    with engine.begin() as tx:
        schema.move_within(tx, command.upgrade, "0001")
        tx.execute(
            text(
                "INSERT INTO stays (id, patient_ref, ward, bed, flags, start) "
                "VALUES ('s', 'p', 'w', '1', '[]', 1)"
            )
        )
        tx.execute(
            text(
                "INSERT INTO alerts (id, stay, ward, bed, rule, title, priority, kind, state, listed_at) "
                "VALUES ('a', 's', 'w', '1', 'r', 't', 'high', 'physiological', 'active', 5)"
            )
        )
        tx.execute(text("INSERT INTO journal (written, payload) VALUES (1, :b)"), {"b": b"\x00\xff"})
        tx.execute(
            text("INSERT INTO tokens (id, name, role, hash, created) VALUES ('t', 'me', 'admin', 'h', 1)")
        )
        tx.execute(
            text(
                "INSERT INTO sessions (hash, name, role, created, last_seen, expires) "
                "VALUES ('x', 'me', 'admin', 1, 1, 2)"
            )
        )
    yield engine
    engine.dispose()


TABLES = {"stays": "id", "alerts": "id", "journal": "position", "tokens": "id", "sessions": "hash"}


def kept(engine: Engine) -> dict[str, list[dict[str, object]]]:
    """Those rows, by the columns that the first schema has."""
    found = {}
    with engine.connect() as connection:
        for name, key in TABLES.items():
            rows = connection.execute(text(f"SELECT * FROM {name} ORDER BY {key}"))
            found[name] = [dict(row._mapping) for row in rows]
    return found


def columns(engine: Engine) -> dict[str, set[str]]:
    look = inspect(engine)
    return {name: {c["name"] for c in look.get_columns(name)} for name in look.get_table_names()}


def test_an_old_database_comes_up_to_date_and_goes_back_with_all_its_data(old: Engine) -> None:
    before, shape = kept(old), columns(old)
    assert schema.upgrade(old) == ("0001", schema.newest())
    after = kept(old)
    for name, rows in before.items():
        assert [{k: row[k] for k in rows[0]} for row in after[name]] == rows
    assert schema.upgrade(old) == (schema.newest(), schema.newest())
    assert schema.downgrade(old, "0001") == (schema.newest(), "0001")
    assert kept(old) == before
    assert columns(old) == shape
    assert schema.upgrade(old) == ("0001", schema.newest())


def test_each_step_back_and_forth_works_by_itself(old: Engine) -> None:
    migrate(old)
    known = schema.revisions()
    for revision in [*reversed(known[:-1]), *known]:
        with old.connect() as connection:
            now = schema.version(connection)
        if known.index(revision) < known.index(str(now)):
            schema.downgrade(old, revision, copy=False)
        else:
            from alembic import command

            with old.begin() as tx:
                schema.move_within(tx, command.upgrade, revision)
        with old.connect() as connection:
            assert schema.version(connection) == revision
    assert len(kept(old)["alerts"]) == 1


def test_an_older_ward_gets_history_that_it_can_read(engine: Engine) -> None:
    """Dense chunks go back to the quick form, exactly; derived scores, which it does not know, go."""
    hour = np.arange(1_200) * 3_000
    measured = History.of(signal=0, time=hour, value=np.round(80 + np.sin(hour / 1e5), 1), device=7, seq=hour)
    scores = History.of(signal=N_OBSERVED, time=[0, 300_000], value=[3, 5])
    with engine.begin() as tx:
        write_chunks(tx, [("s", None, measured), ("s", None, scores), ("u", None, scores)])
        write_chunks(tx, [("t", None, measured.take(slice(0, 5)))])
        damaged = {"stay": "x", "start": 0, "end": 1, "count": 1, "payload": b"W2no chunk"}
        tx.execute(history.insert().values(damaged))
    both = History.concat([measured, scores])
    with engine.begin() as tx:
        write_chunks(tx, [("v", None, both)])
    schema.downgrade(engine, "0011", copy=False)
    with engine.connect() as connection:
        rows = connection.execute(select(history).order_by(history.c.id)).all()
    assert [(row.stay, row.count, row.payload[:2]) for row in rows] == [
        ("s", 1200, b"W1"), ("t", 5, b"W1"), ("x", 1, b"W2"), ("v", 1200, b"W1"),
    ]  # fmt: skip
    schema.upgrade(engine, copy=False)
    with engine.connect() as connection:
        back = {stay: read_history(connection, stay, None, 0, 10**15) for stay in ("s", "v")}
    for found in back.values():
        assert all((getattr(found, n) == getattr(measured, n)).all() for n in COLUMNS)


def test_a_sqlite_file_is_copied_before_its_schema_changes(old: Engine) -> None:
    before = kept(old)
    migrate(old)
    if old.dialect.name != "sqlite":
        assert schema.copies(old) == []
        return
    (copy,) = schema.copies(old)
    assert copy.name == "ward.db.schema-0001"
    assert copy.stat().st_mode & 0o777 == 0o600
    other = create_engine(f"sqlite:///{copy}")
    assert kept(other) == before
    other.dispose()
    for revision in ("0005", "0004", "0001"):
        schema.downgrade(old, revision)
    assert len(schema.copies(old)) == schema.COPIES
    migrate(old)  # at the newest again: nothing to copy when nothing changes
    names = {path.name for path in schema.copies(old)}
    migrate(old)
    assert {path.name for path in schema.copies(old)} == names


def test_no_room_for_a_copy_stops_the_upgrade_before_it_begins(
    old: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    if old.dialect.name != "sqlite":
        pytest.skip("only SQLite is copied")

    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ward.store.schema.os.fsync", full)
    with pytest.raises(schema.SchemaError, match=r"no copy .* No space left"):
        migrate(old)
    with old.connect() as connection:
        assert schema.version(connection) == "0001"
    assert not list(Path(str(old.url.database)).parent.glob("*.part"))


def test_a_newer_schema_is_refused_with_what_to_do(engine: Engine) -> None:
    with engine.begin() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '0999'"))
        put_meta(tx, schema.COMPATIBLE, "0998")
    with pytest.raises(schema.SchemaError, match=r"newer ward \(schema 0999; .*downgrade"):
        migrate(engine)
    with pytest.raises(schema.SchemaError, match="newer ward"):
        schema.downgrade(engine, "0001")


def test_what_is_no_way_back_is_refused(engine: Engine) -> None:
    with pytest.raises(schema.SchemaError, match="there is no schema 12; allowed: 0001"):
        schema.downgrade(engine, "12")
    schema.downgrade(engine, "0003")
    with pytest.raises(schema.SchemaError, match="newer"):
        schema.downgrade(engine, "0005")


# ------------------------------------------------------------------ the real thing


def older_ward(folder: Path) -> Path:
    """The older version's code, from the repository's history."""
    asked = ["git", "archive", OLDER, "ward"]
    try:
        done = subprocess.run(asked, cwd=ROOT, capture_output=True, check=False, timeout=60)
    except FileNotFoundError:
        pytest.skip("needs git")
    if done.returncode:
        pytest.skip(f"the history does not reach back to {OLDER}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    return folder


class Stream(threading.Thread):
    """A device that goes on, whoever is listening: SpO2 alternates between long spans over and under 88.

    It moves too little for the filter to wait for what follows: a span is shorter than its patience.
    """

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.sent: list[float] = []
        self._port, self._over = port, threading.Event()

    def run(self) -> None:
        with client_at(self._port) as device:
            n = 0
            while not self._over.is_set():
                spo2 = 87.8 + n % 2 * 0.1 if n // SPAN % 2 else 88.0 + n % 3 * 0.1
                now = datetime.now(UTC).isoformat(timespec="milliseconds")
                sample = {"seq": n, "time": now, "readings": {"spo2": spo2}}
                device.publish("ward/v1/w/mon/vitals", json.dumps(sample), 1).wait_for_publish(10)
                self.sent.append(spo2)
                n += 1
                time.sleep(0.1)

    def end(self) -> list[float]:
        self._over.set()
        self.join(15)
        return self.sent


def test_an_older_ward_hands_over_to_this_one_and_takes_back_under_load(
    tmp_path: Path, database_url: str
) -> None:
    code = older_ward(tmp_path / "older")
    port = free_port()
    with (
        mosquitto_at(port, "allow_anonymous true", "max_queued_messages 0"),
        served(tmp_path, f"mqtt://127.0.0.1:{port}", database_url) as ward,
    ):
        this = ward.env | {"PYTHONSAFEPATH": "1"}
        older = this | {"PYTHONPATH": str(code)}
        ward.env = older
        token = ward.command("token", "create", "--role", "admin", "--name", "programs")
        ward.start()
        api = ward.client(token)
        body = {"patient_ref": "p1", "ward": "w", "bed": "1", "devices": ["mon"], "flags": []}
        stay = api.post("/stays", json=body).json()["id"]
        stream = Stream(port)
        stream.start()

        def raised() -> list[int]:
            """Since when it was so, each time that it was raised: the alert may be the same."""
            found = api.get(f"/alerts?stay={stay}&limit=500").json()["items"]
            logs = [api.get(f"/alerts/{a['id']}").json()["log"] for a in found if a["rule"] == "spo2-low"]
            turns = [e for log in logs for e in log if e["after"] == "active" != e["before"]]
            return sorted(e["detail"]["since"] for e in turns)

        until(lambda: len(raised()) >= 1, 60)
        by_older = raised()
        assert ward.stop() == 0

        ward.env = this
        ward.start()  # brings the schema up to date by itself
        assert ward.command("database", "version").startswith(f"database {schema.newest()}")
        until(lambda: len(raised()) > len(by_older), 60)
        by_this = raised()
        assert by_this[: len(by_older)] == by_older
        assert ward.stop() == 0

        ward.command("database", "downgrade", "0001")
        ward.env = older
        ward.start()
        until(lambda: len(raised()) > len(by_this), 60)
        sent = stream.end()
        vitals = wait_for(
            api,
            f"/stays/{stay}/vitals?signal=spo2",
            lambda a: len(a["signals"]["spo2"]["value"]) >= len(sent),
        )
        assert vitals["signals"]["spo2"]["value"] == sent
        told = raised()
        assert told[: len(by_this)] == by_this
        # One undisturbed ward raises once in each span under 88, the last of which may be too young.
        spans = sum(len(sent) > SPAN + 2 * SPAN * n for n in range(100))
        assert len(told) == len(set(told))
        assert spans - 1 <= len(told) <= spans
