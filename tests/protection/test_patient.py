"""One patient's data: all of it to be given away, and all of it gone, down to the bytes of the file."""

from __future__ import annotations

import csv
import io
import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from sqlalchemy import insert, select

from tests.live.world import World
from tests.protection.rows import rows
from ward.clock import wall_ms
from ward.errors import ConflictError, NotFoundError
from ward.ingest.journal import SqlJournal
from ward.live.snapshots import State
from ward.protection.export import SECTIONS, as_json, as_zip
from ward.protection.pseudonym import FILE, Pseudonyms
from ward.store import erasure
from ward.store.audit import Entry, append, verify
from ward.store.drafts import Draft, add_draft
from ward.store.idempotency import claim, remember
from ward.store.tables import deliveries, metadata, snapshots
from ward.store.trials import Trial, keep_trial

REF = "Zacharias-Q-7731"
HR, SPO2, TEMP = 71.6875, 70.8125, 37.34375
"""Values that nobody else has, exact in binary, so that they can be searched for."""
VALUES = (HR, SPO2, TEMP)


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Any:
    made = World(tmp_path / "data", database_url)
    yield made
    made.close()


def a_life(world: World) -> tuple[str, str]:
    """A stay with everything, discharged; and another one, who stays. Their ids."""
    stay = str(
        world.do("admit", patient_ref=REF, ward="w", bed="1", devices=["mon"], flags=["copd"])["id"]
    )  # fmt: skip
    other = world.admit("2", ("mon2",))
    world.publish("mon", f'{{"readings": {{"hr": "{REF}"}}}}'.encode())
    world.publish("mon2", b'{"readings": {"hr": "no number"}}')
    for _ in range(150):
        world.measure("mon", hr=HR, spo2=SPO2, rr=4)
        world.measure("mon2", hr=60, spo2=97)
        world.tick()
    world.do("observe", stay=stay, time=None, values={"temp": TEMP, "consciousness": "V"})
    (alert, *_) = [a for a in world.alerts(stay) if a.state == "active"]
    world.do("acknowledge", alert=alert.id, assessment="actionable", note=f"called {REF}")
    rule = world.service.core.rulebook.effective()[0]
    world.do("put_rule", rule_id=rule.id, definition={"title": "x"}, scope=f"stay:{stay}", expected="0")
    world.runner.take_snapshot()
    world.tick()
    db = world.service.engine_db
    with db.begin() as tx:
        given = {"changes": [], "trial": None, "by": "Ada", "by_id": "user:1", "at": world.now}
        draft = Draft(id="d", title="t", why=f"for {REF}", scope=f"stay:{stay}", state="proposed", **given)
        add_draft(tx, draft)
        keep_trial(tx, Trial("t", "user:1", f"stay:{stay}", world.now, [], {}, {}), 500)
        claim(tx, key="k", actor="a", route="POST /api/v1/stays", digest="d", now=1)
        remember(
            tx,
            key="k",
            actor="a",
            route="POST /api/v1/stays",
            status=201,
            body={"id": stay, "patient_ref": REF},
        )
        append(tx, [Entry(world.now, "Ada", "nurse", "stays-get", stay=stay)])
        row = {
            "key": "t",
            "alert": alert.id,
            "stay": stay,
            "ward": "w",
            "priority": "high",
            "kind": "physiological",
        }
        row |= {
            "reason": "first",
            "level": 1,
            "person": "Ada",
            "channel": "mail",
            "text": {},
            "created": 1,
            "due": 1,
        }
        tx.execute(insert(deliveries).values(row | {"state": "sent"}))
    world.do("discharge", stay=stay)
    world.live(3, "mon2", hr=60, spo2=97)
    return stay, other


def traces(content: bytes) -> list[str]:
    """What of the patient is in some bytes: her reference, or a value only she had."""
    found = [REF] if REF.encode() in content or REF.encode().hex().encode() in content.lower() else []
    return found + [str(v) for v in VALUES if struct.pack("<d", v) in content or str(v).encode() in content]


def everywhere(world: World) -> list[str]:
    """Traces in each row, in what is packed inside of rows, and in every byte of the files."""
    found = []
    for name, lines in rows(world.service.engine_db).items():
        found += [f"{name}: {each}" for line in lines for cell in line for each in traces(as_bytes(cell))]
    with world.service.engine_db.connect() as connection:
        for (payload,) in connection.execute(select(snapshots.c.payload)):
            state = msgspec.msgpack.decode(zlib.decompress(payload), type=State)
            found += [f"snapshot: {each}" for each in traces(state.router)]
            with np.load(io.BytesIO(state.arrays), allow_pickle=False) as arrays:
                for part in arrays.files:
                    values = np.asarray(arrays[part]).tobytes()
                    found += [f"snapshot {part}: {each}" for each in traces(values)]
    for _, entries in SqlJournal(world.service.engine_db).read(0, 10_000):
        found += [f"journal: {value}" for value in VALUES if str(value) in repr(entries)]
    if world.service.engine_db.dialect.name == "sqlite":
        folder = Path(str(world.service.engine_db.url.database)).parent
        for path in folder.iterdir():
            found += [f"{path.name}: {each}" for each in traces(path.read_bytes())]
    return found


def as_bytes(cell: Any) -> bytes:
    return cell if isinstance(cell, bytes) else json.dumps(cell, default=str).encode()


def test_an_erased_patient_is_nowhere_and_nobody_else_is_missing(world: World) -> None:
    stay, other = a_life(world)
    assert any(REF in each for each in everywhere(world))
    assert any(str(SPO2) in each for each in everywhere(world))
    kept = [(t, v) for t, v in zip(*columns(world, other), strict=True)]
    before = {name: len(lines) for name, lines in rows(world.service.engine_db).items()}
    with world.service.engine_db.connect() as connection:
        held = erasure.held(connection, erasure.require_ended(connection, stay))
    assert all(held.values()), held
    assert held["readings"] == len(columns(world, stay)[0]), "readings, not rows that hold them"

    answer = world.do("erase", stay=stay)
    assert answer["rows"] == held
    assert erasure.scrub(world.service.engine_db)
    assert everywhere(world) == []
    assert [(t, v) for t, v in zip(*columns(world, other), strict=True)] == kept
    after = rows(world.service.engine_db)
    assert len(after["stays"]) == 1
    assert len(after["dead_letters"]) == before["dead_letters"] - held["refused"] == 1
    with world.service.engine_db.connect() as connection:
        assert verify(connection).holds
    assert [stay in str(line) for line in after["audit"]] == [True]

    # Neither in memory, nor after a crash, nor a late reading brings anything back.
    world.tick(2_000)
    world.measure("mon", time=world.now - 30_000, hr=HR)
    world.live(20, "mon2", hr=60, spo2=97)
    world.crash()
    world.live(5, "mon2", hr=60, spo2=97)
    assert world.alerts(stay) == []
    assert len(world.stored(stay, None)) == 0
    assert [s["id"] for s in world.service.board.stays.values()] == [other]
    assert REF not in str(everywhere(world))


def columns(world: World, stay: str) -> tuple[list[int], list[float]]:
    found = world.stored(stay, None)
    return found.time.tolist(), found.value.tolist()


def test_erasing_again_changes_nothing_and_ends_what_a_crash_cut_short(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stay, _ = a_life(world)
    with monkeypatch.context() as broken:
        broken.setattr("ward.live.forget.snapshots.save", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            world.do("erase", stay=stay)
    with world.service.engine_db.connect() as connection:
        assert erasure.asked(connection) == [stay]
    world.crash()
    first = world.do("erase", stay=stay)
    assert first["erased_at"] is not None
    assert world.do("erase", stay=stay) == first
    erasure.scrub(world.service.engine_db)
    assert everywhere(world) == []


def test_a_patient_who_is_there_is_not_erased(world: World) -> None:
    stay = world.admit()
    world.live(3, hr=70)
    before = rows(world.service.engine_db)
    with pytest.raises(ConflictError, match="discharge the patient first"):
        world.do("erase", stay=stay)
    with pytest.raises(NotFoundError):
        world.do("erase", stay="nobody")
    assert rows(world.service.engine_db) == before


def test_what_the_command_line_asked_for_is_done_by_the_running_service(world: World) -> None:
    stay, _ = a_life(world)
    db = world.service.engine_db
    with db.begin() as tx:
        erasure.ask(tx, stay, "me", wall_ms())
    house = world.service.house
    house._ask = lambda command, arguments: _Now(world.runner._commands.run(command, world.now, arguments))
    house.erase_asked()
    assert everywhere(world) == []
    with db.connect() as connection:
        assert erasure.asked(connection) == []


class _Now:
    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def result(self, timeout: float) -> Any:
        return self._answer


def test_every_table_that_names_a_stay_is_erased_or_kept_on_purpose() -> None:
    named = {name for name, table in metadata.tables.items() if "stay" in table.columns}
    assert named - {holding.table.name for holding in erasure.HOLDINGS} == {"audit", "erasures"}


def test_an_export_has_all_that_is_kept_in_open_formats(world: World, tmp_path: Path) -> None:
    stay, other = a_life(world)
    written = world.stored(stay, None)
    document = json.loads(b"".join(as_json(world.service.engine_db, [stay])))
    (found,) = document["stays"]
    assert list(found) == [section.name for section in SECTIONS]
    assert all(found.values()), {name: len(each) for name, each in found.items()}
    assert found["stays"][0]["patient_ref"] == REF
    assert len(found["readings"]) == len(written)
    assert {r["value"] for r in found["readings"] if r["signal"] == "temp"} == {TEMP}
    assert {r["value"] for r in found["readings"] if r["signal"] == "consciousness"} == {"V"}
    assert {r["device"] for r in found["readings"]} == {"w/mon", "person", "ward"}
    assert other not in json.dumps(found["events"])
    assert found["alerts"][0]["raised_at"].endswith("Z")

    buffer = io.BytesIO()
    as_zip(world.service.engine_db, [stay, other], buffer)
    with zipfile.ZipFile(buffer) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        assert {
            f"{s}/{x.name}.{kind}" for s in (stay, other) for x in SECTIONS for kind in ("csv", "jsonl")
        } < names
        table = list(csv.DictReader(io.StringIO(archive.read(f"{stay}/readings.csv").decode())))
        lines = [json.loads(line) for line in archive.read(f"{stay}/readings.jsonl").splitlines()]
    assert lines == found["readings"]
    assert [float(r["value"]) for r in table if r["signal"] == "hr"] == [
        r["value"] for r in lines if r["signal"] == "hr"
    ]


def test_a_pseudonym_is_the_same_for_the_same_patient_and_tells_nothing_without_the_key(
    tmp_path: Path,
) -> None:
    here, again, elsewhere = (Pseudonyms(tmp_path / name) for name in ("a", "a", "b"))
    assert here.of(REF) == again.of(f" {REF} ") != elsewhere.of(REF)
    assert here.of(REF) != here.of(REF.lower())
    assert REF not in here.of(REF)
    assert (tmp_path / "a" / FILE).stat().st_mode & 0o777 == 0o600


async def _admitted(world: World) -> Any:
    world.service.runner.ask = lambda name, arguments: _done(world.do(name, **arguments))  # type: ignore[method-assign]
    return await world.service.call(
        "admit", patient_ref=REF, ward="w", bed="1", devices=[], flags=[], by="Ada"
    )


def _done(answer: Any) -> Any:
    from concurrent.futures import Future

    future: Future[Any] = Future()
    future.set_result(answer)
    return future


def test_with_pseudonyms_the_reference_is_nowhere_from_the_beginning(tmp_path: Path) -> None:
    import asyncio

    made = World(tmp_path / "data", patient_ref="pseudonym")
    try:
        view = asyncio.run(_admitted(made))
        assert view["patient_ref"] == Pseudonyms(tmp_path / "data").of(REF)
        made.tick()
        assert everywhere(made) == []
        with made.service.engine_db.connect() as connection:
            assert erasure.stays_of(connection, [Pseudonyms(tmp_path / "data").of(REF)]) == [view["id"]]
    finally:
        made.close()
