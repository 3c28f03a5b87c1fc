"""What fails half-way while it runs: the core starts again from the snapshot, and nothing is lost."""

from __future__ import annotations

import random
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from tests.live.test_recovery import BEDS, outcome, story
from tests.live.world import World
from ward.errors import UnavailableError
from ward.live import metrics, runner, snapshots
from ward.live.core import Core
from ward.scoring.engine import Engine
from ward.scoring.filter import QUESTIONABLE


class Mishaps:
    """Makes a method fail after it has done its work, now and then; never within a start."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, of: type, method: str, share: float) -> None:
        self.armed, self.share, self.count = False, share, 0
        self._rng = random.Random(7)
        real = getattr(of, method)

        def failing(*arguments: Any, **named: Any) -> Any:
            found = real(*arguments, **named)
            if self.armed and self._rng.random() < self.share:
                self.count += 1
                raise ZeroDivisionError
            return found

        monkeypatch.setattr(of, method, failing)
        monkeypatch.setattr(runner, "BACK_OFF_S", 0.0)

    def second(self, world: World) -> None:
        """A round of the core's thread, as it goes on with whatever failed."""
        world.clock.time += 1_000
        self.armed = False
        if world.service.core.is_spoilt:
            world.runner.start_again()
        self.armed = True
        while world.runner.take_messages():
            pass
        world.runner._round("engine", world.runner.tick)
        self.armed = False


def play(world: World, mishaps: Mishaps | None) -> tuple[list[Any], list[Any]]:
    """(alerts, readings) by bed after ten minutes of three beds."""
    stays = {world.admit(bed, (f"mon-{bed}",)): bed for bed in BEDS}
    rows = story(1)
    for second in range(620):
        while rows and rows[0][0] == second:
            _, device, readings = rows.pop(0)
            world.measure(device, **readings)
        mishaps.second(world) if mishaps else world.tick()
        if second % 97 == 0 and not world.service.core.is_spoilt:
            world.runner.take_snapshot()
    if world.service.core.is_spoilt:
        world.runner.start_again()
    return outcome(world, stays)


@pytest.fixture
def calm(tmp_path) -> tuple[list[Any], list[Any]]:
    world = World(tmp_path / "calm")
    found = play(world, None)
    world.close()
    return found


@pytest.mark.parametrize(
    ("of", "method", "share"), [(Engine, "step", 0.02), (Core, "note_routed", 0.01), (Engine, "_take", 0.02)]
)
def test_a_step_or_a_batch_that_fails_half_way_costs_nothing(world, calm, monkeypatch, of, method, share):
    mishaps = Mishaps(monkeypatch, of, method, share)
    assert play(world, mishaps) == calm
    assert calm[0]
    assert mishaps.count > 5
    assert world.service.core.is_spoilt is False


def test_until_it_has_started_again_nothing_is_evaluated_and_the_journal_is_kept(world, monkeypatch):
    stay = world.admit()
    world.live(5, hr=80)
    world.runner.take_snapshot()
    mishaps = Mishaps(monkeypatch, Engine, "step", 1.0)
    world.measure(hr=81)
    mishaps.second(world)
    assert world.runner.faults == {"engine": "engine: ZeroDivisionError"}
    with pytest.raises(UnavailableError):
        world.runner.take_snapshot()
    with pytest.raises(UnavailableError):
        world.runner.tick()
    world.measure(hr=82)
    world.runner.take_messages()
    world.runner.start_again()
    world.live(5, hr=83)
    world.runner.take_snapshot()
    assert [value for value in world.stored(stay).value if value in (81, 82)] == [81, 82]


def test_while_the_database_is_away_it_waits_with_its_start(world, monkeypatch):
    world.admit()
    world.live(5, hr=80)
    mishaps = Mishaps(monkeypatch, Engine, "step", 1.0)
    world.measure(hr=81)
    mishaps.second(world)
    with monkeypatch.context() as away:
        away.setattr(snapshots, "get_all_meta", _away)
        with pytest.raises(OperationalError):
            world.runner.start_again()
        assert world.service.core.is_spoilt
    world.runner.start_again()
    assert not world.service.core.is_spoilt


def _away(*_: object) -> None:
    raise OperationalError("select", {}, Exception("the server closed the connection"))


def test_readings_whose_marks_fail_are_in_the_history_in_doubt(world, monkeypatch):
    stay = world.admit()
    world.live(3, hr=80)
    real = world.service.core._note_marks
    monkeypatch.setattr(world.service.core, "_note_marks", lambda _: 1 / 0)
    world.live(1, hr=90)
    world.tick(3_000)
    monkeypatch.setattr(world.service.core, "_note_marks", real)
    world.live(3, hr=80)
    kept = world.stored(stay)
    assert dict(zip(kept.value.tolist(), kept.mark.tolist(), strict=True))[90] == QUESTIONABLE


def test_what_fails_in_the_start_too_is_passed_over_and_told(world, monkeypatch):
    """A reading that no step can take, whatever else is in it."""
    stay = world.admit()
    world.live(5, hr=80)
    real = Engine._evaluate

    def failing(self: Engine, valid: Any, span: Any) -> Any:
        if (valid.value == 99).any():
            raise ZeroDivisionError
        return real(self, valid, span)

    monkeypatch.setattr(Engine, "_evaluate", failing)
    monkeypatch.setattr(runner, "BACK_OFF_S", 0.0)
    before = metrics.ERRORS.labels("recovery")._value.get()
    world.measure(hr=99)
    world.clock.time += 1_000
    world.runner.take_messages()
    world.clock.time += 2_000
    world.runner._round("engine", world.runner.tick)
    assert world.service.core.is_spoilt
    world.runner.start_again()
    world.tick()
    assert metrics.ERRORS.labels("recovery")._value.get() == before + 1
    assert "passed over" in world.runner.faults["recovery"]
    world.live(5, hr=82)
    assert not world.service.core.is_spoilt
    kept = world.stored(stay)
    assert dict(zip(kept.value.tolist(), kept.mark.tolist(), strict=True))[99] == QUESTIONABLE
