"""Derived scores are kept as a history of their own, and nothing is computed from them."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.live.world import World
from ward.live.history import stored_readings
from ward.live.scores import EVERY, LOOK
from ward.protection.export import as_zip
from ward.scoring.filter import QUESTIONABLE, REASONS, VALID
from ward.signals import INDEX, MINUTE, N_OBSERVED
from ward.store.chunks import ITSELF, History
from ward.store.history import read_history
from ward.trial.stored import stored_trial

NEWS2 = INDEX["news2"]
WELL = {"hr": 70.0, "rr": 16.0, "spo2": 97.0, "sbp": 120.0, "temp": 37.0}


@pytest.fixture
def world(tmp_path: Path):
    world = World(tmp_path / "data", risk_model="none")
    yield world
    world.close()


def scores(world: World, stay: str) -> History:
    world.runner.take_snapshot()
    with world.service.engine_db.connect() as connection:
        return read_history(connection, stay, [NEWS2], 0, world.now + 1)


def whole(world: World, stay: str) -> None:
    world.do("observe", stay=stay, time=None, values={"consciousness": "A", "oxygen": False})


def test_a_score_is_kept_when_it_changes_and_every_few_minutes(world: World) -> None:
    stay = world.admit()
    whole(world, stay)
    world.live(30, **WELL)
    begun = world.now
    for _ in range(60):
        world.measure(**WELL)
        world.tick(10_000)
    world.live(30, **WELL | {"rr": 22.0})
    kept = scores(world, stay)
    assert set(kept.device.tolist()) == {ITSELF}
    changes = np.flatnonzero(np.diff(kept.value)) + 1
    assert kept.value[changes].tolist() == [2]
    assert begun + 10 * MINUTE < kept.time[changes[0]] <= begun + 10 * MINUTE + 30_000
    apart = np.diff(kept.time[: changes[0]])
    assert (apart <= EVERY + LOOK).all()
    assert len(apart) <= 4  # not each time that it was looked at
    assert kept.mark[-1] == VALID


def test_a_score_that_lacks_a_part_is_kept_in_doubt(world: World) -> None:
    """Nobody may take the least that it can be for what it is."""
    stay = world.admit()
    world.live(15, hr=70.0, rr=16.0, spo2=97.0)
    lacking = scores(world, stay)
    assert lacking.value[-1] == 0
    assert (lacking.mark[-1], REASONS[lacking.reason[-1]]) == (QUESTIONABLE, "parts-missing")
    whole(world, stay)
    world.live(15, **WELL)
    for _ in range(42):
        world.measure(hr=70.0, rr=16.0, temp=37.0, sbp=120.0)
        world.tick(10_000)  # spo2 is silent for longer than it holds
    stale = scores(world, stay)
    assert (stale.mark[-1], REASONS[stale.reason[-1]]) == (QUESTIONABLE, "parts-stale")


def test_an_unknown_score_is_not_kept(world: World) -> None:
    stay = world.admit(flags=("pregnant",))
    world.live(15, **WELL)
    assert len(scores(world, stay)) == 0
    other = world.admit(bed="2", devices=("two",))
    world.live(15, device="two", hr=70.0, rr=16.0, spo2=97.0)
    last = world.now
    for _ in range(60):
        world.tick(10_000)
    assert scores(world, other).time[-1] <= last + 90_000


def test_no_score_after_the_stay_is_over(world: World) -> None:
    stay = world.admit()
    world.live(15, **WELL)
    before = len(scores(world, stay))
    world.do("discharge", stay=stay)
    for _ in range(40):
        world.measure(**WELL | {"rr": 26.0})
        world.tick(10_000)
    assert before
    assert len(scores(world, stay)) == before


def test_nothing_is_computed_from_scores(world: World) -> None:
    """Late readings, trials: they take what was measured or entered."""
    stay = world.admit()
    world.live(20, **WELL)
    assert len(scores(world, stay))
    world.measure(time=world.now - 15_000, hr=71.0)
    world.tick(10_000)
    assert "rebuild" not in world.service.core.faults
    db, core = world.service.engine_db, world.service.core
    with db.connect() as connection:
        found = stored_readings(connection, core.history, stay, 0, world.now, {})
    assert found.signal.max() < N_OBSERVED
    rules = [{"id": "spo2-below-88", "for": "5m"}]
    request = {"start": world.now - MINUTE, "end": world.now, "rules": rules}
    made = stored_trial(db, core.rulebook, request, lambda *_: None)
    assert made["stays"] == 1


def test_scores_go_out_with_the_patient(world: World, tmp_path: Path) -> None:
    stay = world.admit()
    world.live(15, **WELL)
    assert len(scores(world, stay))
    with (tmp_path / "p.zip").open("wb") as file:
        as_zip(world.service.engine_db, [stay], file)
    with zipfile.ZipFile(tmp_path / "p.zip") as archive:
        name = next(n for n in archive.namelist() if "readings" in n)
        rows = archive.read(name).decode().splitlines()
    assert any(",news2," in row and ",ward," in row for row in rows)
