"""Two engines on one database: each watches its own wards, and nothing of one gets into the other."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from tests.databases import postgres_server, postgres_url  # noqa: F401
from tests.e2e.served import PACK
from tests.live.world import World
from ward.clock import iso
from ward.config import Settings
from ward.errors import ConflictError
from ward.ingest.intake import Incoming
from ward.live import snapshots
from ward.partitions import Partition
from ward.service import WardService
from ward.store.devices import device_names
from ward.store.events import list_events
from ward.store.history import read_history
from ward.store.outbox import waiting
from ward.store.tables import outbox

PARTS = [Partition(number, 2) for number in (0, 1)]
WARDS = [next(w for w in ("6A", "6B", "7A", "7B") if part.has(w)) for part in PARTS]


@pytest.fixture
def both(tmp_path, postgres_url):  # noqa: F811
    pack = tmp_path / "quick.toml"
    pack.write_text(PACK)
    given = {"partitions": 2, "pack": str(pack)}
    made = [World(tmp_path / f"{n}", postgres_url, partition=n, **given) for n in (0, 1)]
    yield made
    for world in made:
        world.close()


def admit(world, ward):
    given = {"patient_ref": "p", "ward": ward, "bed": "1", "devices": ["mon"], "flags": []}
    return world.do("admit", **given)["id"]


def live(both, seconds, **readings):
    """What all devices say, as a broker without mappings gives it: all to each."""
    for _ in range(seconds):
        for ward in WARDS:
            for world in both:
                world.sent += 1
                seq = world.seq[ward] = world.seq.get(ward, 0) + 1
                body = json.dumps({"seq": seq, "time": iso(world.now), "readings": readings}).encode()
                item = Incoming(f"ward/v1/{ward}/mon/vitals", body, world.now, 1, False, world.sent)
                world._out[item.mid] = item
                world.service.link.intake.put(item)
        for world in both:
            world.tick()


def test_each_watches_its_own_and_goes_on_where_it_was(both):
    stays = [admit(world, ward) for world, ward in zip(both, WARDS, strict=True)]
    live(both, 3, hr=80, spo2=96, rr=30)
    for world in both:
        world.runner.take_snapshot()
    live(both, 2, hr=80, spo2=96, rr=30)
    both[0].crash()
    live(both, 10, hr=80, spo2=96, rr=30)
    alone = [world.told() for world in both]
    assert alone[0] == alone[1]  # one database, in which both see all that was told
    assert sorted((stay, rule) for stay, rule, _, _ in alone[0]) == sorted((s, "rr-high") for s in stays)
    assert len({raised for _, _, raised, _ in alone[0]}) == 1
    for world, stay, other in zip(both, stays, reversed(stays), strict=True):
        assert set(world.service.board.stays) == {stay}
        assert all(alert["stay"] != other for alert in world.service.board.alerts)
        assert world.acked == sorted(world._out)  # also what is another's: that has its own session
        snapshots.flush(world.service.core)
    with both[0].service.engine_db.connect() as connection:
        counts = [len(read_history(connection, stay, None, 0, 2**60).time) for stay in stays]
        assert counts[0] == counts[1] > 0
        names = device_names(connection)
        assert sorted(names.values()) == sorted(f"{ward}/mon" for ward in WARDS)
        letters = connection.execute(select(outbox.c.partition, outbox.c.topic)).all()
    assert {(0, f"ward/v1/{WARDS[0]}/alerts"), (1, f"ward/v1/{WARDS[1]}/alerts")} == set(letters)
    for world, ward in zip(both, WARDS, strict=True):
        with world.service.engine_db.connect() as connection:
            assert {letter.topic for letter in waiting(connection, 2**60)} == {f"ward/v1/{ward}/alerts"}


def test_what_another_watches_is_left_to_it(both):
    mine = admit(both[0], WARDS[0])
    with pytest.raises(ConflictError, match="another engine"):
        admit(both[1], WARDS[0])
    for command, given in (
        ("discharge", {"stay": mine}),
        ("transfer", {"stay": mine, "ward": WARDS[1], "bed": "2"}),
        ("pause", {"stay": mine, "minutes": 5}),
        ("erase", {"stay": mine}),
        ("put_plan", {"ward": WARDS[0], "definition": None, "expected": 0}),
        ("end_limit", {"rule_id": "spo2-low", "stay": mine}),
    ):
        with pytest.raises(ConflictError, match="another engine"):
            both[1].do(command, **given)
    with pytest.raises(ConflictError, match="another engine"):
        both[0].do("transfer", stay=mine, ward=WARDS[1], bed="2")
    with both[0].service.engine_db.connect() as connection:
        kinds = [logged.event.kind for logged in list_events(connection, limit=100).items]
    assert kinds == ["admitted"]


def test_a_rule_of_every_ward_is_in_force_everywhere(both):
    stays = [admit(world, ward) for world, ward in zip(both, WARDS, strict=True)]
    rule = both[0].service.rules("all")[0]["id"]
    both[0].do("put_rule", rule_id=rule, definition={"title": "Other"}, scope="all", expected=None)
    run = both[1].runner._commands.run
    assert run("follow_others", both[1].now, {}) == {"rules": [rule]}
    assert run("follow_others", both[1].now, {}) == {"rules": []}
    for world, stay in zip(both, stays, strict=True):
        shown = {one["id"]: one["title"] for one in world.service.rules(f"stay:{stay}")}
        assert shown[rule] == "Other"


def test_a_database_is_divided_once(both, tmp_path):
    given = {"data_dir": tmp_path, "database_url": str(both[0]._given["database_url"])}
    for other in ({}, {"partitions": 3}):
        with pytest.raises(ConflictError, match="divided into 2"):
            WardService(Settings(**given, **other))


def test_a_database_that_was_served_whole_is_not_divided(tmp_path, postgres_url):  # noqa: F811
    world = World(tmp_path, postgres_url)
    world.runner.take_snapshot()
    world.close()
    with pytest.raises(ConflictError, match="as a whole"):
        WardService(Settings(data_dir=tmp_path, database_url=postgres_url, partitions=2))
