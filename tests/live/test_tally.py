"""The slow beat in the whole service: monitored time and what was in force, once, also over a crash."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.databases import *  # noqa: F403
from tests.live.world import START, World
from tests.scoring.risky import fit_members, write_model
from ward.live import snapshots
from ward.live.tally import LONGEST
from ward.reports.tally import MONITORED, PRESENT, QUANTITIES
from ward.signals import HOUR, MINUTE, SECOND
from ward.store.tallies import DAY, read_tallies

FINE = {"spo2": 97.0, "hr": 80.0}


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    made = World(tmp_path, database_url)
    yield made
    made.close()


def counted(world: World) -> dict[str, Any]:
    """All that is kept, summed over days; a snapshot writes it."""
    snapshots.save(world.service.core, world.now)
    found: dict[str, Any] = {}
    with world.service.engine_db.connect() as connection:
        for tally in read_tallies(connection, 0, START + 10 * DAY):
            assert tally.ward == "w"
            for name, counts in tally.counts.items():
                found[name] = [a + b for a, b in zip(found.get(name, [0] * len(counts)), counts, strict=True)]
    return found


def seconds_at(found: dict[str, Any], name: str, value: float) -> int:
    quantity = next(q for q in QUANTITIES if q.name == name)
    return int(found[name][int((value - quantity.low) // quantity.width)])


def go_on(world: World, minutes: int, **readings: float) -> None:
    """A reading each 15 s, a little different from the one before: what stands still is doubted."""
    for number in range(4 * minutes):
        if readings:
            world.measure(**{name: value + 0.3 * (number % 2) for name, value in readings.items()})
        world.tick(15 * SECOND)


def test_time_is_counted_by_what_was_in_force(world: World) -> None:
    world.admit("1")
    world.admit("2", devices=())
    go_on(world, 1, **FINE)
    go_on(world, 10, **FINE)
    found = counted(world)
    assert sum(found[PRESENT]) == pytest.approx(2 * 660, abs=120)
    watched = sum(found[MONITORED])
    assert watched == pytest.approx(660, abs=60), "a bed without a device is not monitored"
    hour = START % DAY // HOUR
    assert found[MONITORED][hour] == watched
    assert seconds_at(found, "spo2", 97) == seconds_at(found, "hr", 80) == sum(found["spo2"]) == watched
    assert seconds_at(found, "news2", 0) == watched
    assert "rr" not in found, "what nobody has is not counted"


def test_what_is_unknown_is_not_monitored_and_a_sick_patient_is(world: World) -> None:
    world.admit()
    go_on(world, 5, spo2=90.0, hr=120.0)
    before = counted(world)
    assert seconds_at(before, "news2", 5) >= 120
    go_on(world, 10)
    after = counted(world)
    assert sum(after[PRESENT]) == sum(before[PRESENT]) + 600
    assert sum(after[MONITORED]) <= sum(before[MONITORED]) + 120, "its hold ends after 90 s"


def test_a_crash_counts_nothing_twice_and_loses_what_no_snapshot_had(world: World) -> None:
    world.admit()
    go_on(world, 6, **FINE)
    kept = counted(world)
    go_on(world, 3, **FINE)
    world.crash()
    assert counted(world) == kept
    go_on(world, 5, **FINE)
    assert sum(kept[MONITORED]) + 240 <= sum(counted(world)[MONITORED]) <= sum(kept[MONITORED]) + 300


def test_time_in_which_the_core_stood_still_was_not_watched(world: World) -> None:
    world.admit()
    go_on(world, 2, **FINE)
    before = sum(counted(world)[PRESENT])
    world.clock.time += 2 * HOUR
    world.measure(**FINE)
    world.tick(15 * SECOND)
    assert sum(counted(world)[PRESENT]) == before + LONGEST // SECOND
    assert LONGEST == 5 * MINUTE


def test_why_staff_were_interrupted_is_kept_with_the_event(world: World) -> None:
    world.admit()
    go_on(world, 20, spo2=80.0, hr=80.0)
    told = [(event.kind, event.notify) for event in world.events() if event.notify]
    assert ("raised", "first") in told
    assert all(event.notify is None for event in world.events("acknowledged"))


def test_the_risk_in_force_is_counted_where_there_is_a_model(tmp_path: Path) -> None:
    world = World(tmp_path, risk_model=str(write_model(tmp_path, list(fit_members()))))
    world.admit()
    well = {"hr": 80.0, "spo2": 97.0, "rr": 16.0, "sbp": 122.0, "dbp": 66.0, "temp": 36.9}
    for number in range(30):
        world.measure(**{name: value + 0.1 * (number % 3) for name, value in well.items()})
        world.tick(LONGEST)
    found = counted(world)
    now = float(world.service.core.engine.risk.value[0])
    assert seconds_at(found, "risk", now) >= LONGEST // SECOND
    assert sum(found["risk"]) <= sum(found[MONITORED]), "UNKNOWN is not counted"
    assert sum(found["risk"]) >= HOUR // SECOND
    world.close()


def test_a_bed_that_was_never_measured_has_no_score(world: World) -> None:
    """Nothing known is UNKNOWN, and never a NEWS2 of 0 that looks like health."""
    stay = world.admit()
    world.tick()
    shown = world.service.board.stays[stay]["news2"]
    assert (shown["score"], shown["risk"]) == (None, None)
    assert len(shown["missing"]) == 7
