"""A start folds many batches at once; what comes of it is what comes of one after another."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from tests.live.world import START, World
from ward.ingest.packed import Packed
from ward.live import metrics, pieces, recovery
from ward.live.core import Core
from ward.live.recovery import Recovery
from ward.scoring.engine import Engine
from ward.scoring.filter import QUESTIONABLE
from ward.scoring.readings import Int, Readings
from ward.scoring.sustain import Transitions

BEDS = ("1", "2", "3")


def day(world: World, seed: int) -> None:
    """Three beds: samples one by one and in batches, losses, repetitions, late ones, a restart."""
    rng = random.Random(seed)
    for bed in BEDS:
        world.admit(bed, (f"mon-{bed}",))
    spo2 = dict.fromkeys(BEDS, 97)
    kept: dict[str, list[dict[str, Any]]] = {bed: [] for bed in BEDS}
    for second in range(400):
        for bed in BEDS:
            if rng.random() < 0.01:
                spo2[bed] = rng.choice([97, 86, 78])
            name = f"mon-{bed}"
            sample = world.sample(name, spo2=spo2[bed], hr=80, rr=rng.choice([16, 26]))
            if bed == "2" and 100 < second < 160:
                kept[bed].append(sample)  # its network is away; what it measured comes later
            elif bed == "3":
                kept[bed].append(sample)
                if len(kept[bed]) == 10:
                    world.publish(name, {"samples": kept[bed]})
                    kept[bed] = []
            elif rng.random() < 0.95:
                world.publish(name, sample)
                if rng.random() < 0.1:
                    world.publish(name, sample)
        if second == 160:
            world.publish("mon-2", {"samples": kept["2"]})
            world.publish("mon-2", {"state": "online", "session": "b", "interval_s": {"spo2": 1}}, "status")
        world.tick()
    world.tick(3_000)


def folded(world: World) -> dict[str, Any]:
    """What a start came to."""
    core = world.service.core
    core.settle(world.now)
    engine = core.engine
    cells, left = engine.sustain.pending(engine.frontier)
    stored = {stay: world.stored(stay) for stay in core.stays}
    return {
        "alerts": sorted((a.stay, a.rule, a.state, a.breach_since, a.cleared_at) for a in world.alerts()),
        "router": core.router.snapshot(),
        "pending": dict(zip(cells.tolist(), left.tolist(), strict=True)),
        "held": {k: v.tolist() for k, v in engine.held.snapshot().items() if "value" not in k},
        "values": np.nan_to_num(engine.held.value).tolist(),
        "until": engine.until,
        "frontier": engine.frontier.tolist(),
        "stored": {
            stay: sorted(zip(r.time, r.signal, r.device, r.seq, r.value, r.mark, strict=True))
            for stay, r in stored.items()
        },
    }


def batch_by_batch(self: Recovery, _: Any) -> int:
    """The plain way: each batch taken and evaluated as it was live."""
    batches = self._journal.read_parts(self._core.position, 10**6)
    for position, parts in batches:
        self._guarded(position, lambda parts=parts, position=position: self._alone(parts, position))
    return len(batches)


@pytest.mark.parametrize("seed", range(3))
def test_at_once_is_as_batch_by_batch(tmp_path, monkeypatch, seed):
    world = World(tmp_path / "data", lateness_s=2)
    day(world, seed)
    told = world.told()
    assert told
    assert any(isinstance(p, Packed) for _, parts in world.runner._journal.read_parts(0) for p in parts)
    found = []
    for run in (batch_by_batch, Recovery._read):
        with world.service.engine_db.begin() as tx:
            tx.execute(text("DELETE FROM history"))
        monkeypatch.setattr(Recovery, "_read", run)
        monkeypatch.setattr(pieces, "AT_ONCE", 200)
        monkeypatch.setattr(recovery, "TABLE", 150)
        world.crash()
        assert not world.runner.faults
        found.append(folded(world))
        assert world.told() == told  # nothing again, nothing anew
    assert found[0].keys() == found[1].keys()
    for part, expected in found[0].items():
        assert found[1][part] == expected, part
    world.close()


def test_a_damaged_batch_among_many_costs_itself(tmp_path):
    world = World(tmp_path / "data")
    stay = world.admit()
    for _ in range(20):
        world.publish("mon", {"samples": [world.sample(time=world.now + n, spo2=97) for n in range(10)]})
        world.tick()
    with world.service.engine_db.begin() as tx:
        position = tx.execute(text("SELECT max(position) - 5 FROM journal")).scalar_one()
        payload = tx.execute(text("SELECT payload FROM journal WHERE position = :p"), {"p": position})
        cut = bytearray(payload.scalar_one())
        cut[cut.index(b"\0\0\0\0\0\0\0", 40)] = 77  # a device number that there is not
        tx.execute(
            text("UPDATE journal SET payload = :x WHERE position = :p"), {"x": bytes(cut), "p": position}
        )
    world.crash()
    world.tick(3_000)
    assert len(world.stored(stay)) == 190
    assert world.runner.faults == {"recovery": recovery.PASSED_OVER}
    world.close()


def poisoned(monkeypatch, *values: float) -> None:
    """Readings of these values make evaluation fail half-way, in whatever company they come."""
    real = Engine._evaluate_in_parts

    def evaluate(self: Engine, valid: Readings, span: Int) -> Transitions:
        found = real(self, valid, span)
        if np.isin(valid.value, values).any():
            raise ZeroDivisionError
        return found

    monkeypatch.setattr(Engine, "_evaluate_in_parts", evaluate)


def a_ward(folder: Path, bad: Mapping[int, float], *, without: bool = False) -> World:
    """Two beds for five minutes, written down and not evaluated; ``bad``: seconds of the first bed and the
    value that it measures then, or does not, if ``without``."""
    world = World(folder)
    for bed in ("1", "2"):
        world.admit(bed, (f"mon-{bed}",))
    for second in range(300):
        for bed in ("1", "2"):
            low = bed == "1" and second >= 100
            readings = {"hr": 80.0, "spo2": 78.0 if low else 97.0}
            if bed == "1" and second in bad:
                readings = {"hr": 80.0} if without else {"hr": 80.0, "spo2": bad[second]}
            world.measure(f"mon-{bed}", **readings)
        world.clock.time += 1_000
        world.runner.take_messages()
    return world


def by_bed(world: World, found: dict[str, Any]) -> dict[str, Any]:
    """The same, in terms of beds: which stay has which slot is a matter of chance."""
    core = world.service.core
    beds = {stay.id: stay.bed for stay in core.stays.values()}
    slots = [core.slots.get(stay) for stay in sorted(beds, key=beds.__getitem__)]
    rules = len(core.engine.rules)
    return {
        "alerts": sorted((beds[stay], *rest) for stay, *rest in found["alerts"]),
        "stored": {beds[stay]: rows for stay, rows in found["stored"].items()},
        "pending": {(slots.index(cell // rules), cell % rules): t for cell, t in found["pending"].items()},
        "values": [found["values"][slot] for slot in slots],
        "held": {name: [column[slot] for slot in slots] for name, column in found["held"].items()},
        "frontier": [found["frontier"][slot] for slot in slots],
        "until": found["until"],
    }


def test_readings_that_cannot_be_evaluated_cost_themselves(tmp_path, monkeypatch):
    """And all else is as if they had never been: nothing is left of what was evaluated half-way."""
    bad = {50: 96.5, 210: 77.5}
    world, other = a_ward(tmp_path / "a", bad), a_ward(tmp_path / "b", bad, without=True)
    poisoned(monkeypatch, *bad.values())
    before = metrics.ERRORS.labels("recovery")._value.get()
    for each in (world, other):
        each.crash()
    assert metrics.ERRORS.labels("recovery")._value.get() == before + 1, "both are in one step"
    assert recovery.PASSED_OVER in world.service.health()["reasons"]
    assert not other.runner.faults
    found, expected = by_bed(world, folded(world)), by_bed(other, folded(other))
    rows = {
        (time - START) // 1_000: mark
        for time, *_, value, mark in found["stored"]["1"]
        if value in bad.values()
    }
    assert rows == dict.fromkeys(bad, QUESTIONABLE), "they are kept, in doubt"
    found["stored"]["1"] = [row for row in found["stored"]["1"] if row[4] not in bad.values()]
    assert found == expected
    assert ("1", "spo2-below-80") in {alert[:2] for alert in found["alerts"]}
    for each in (world, other):
        each.close()


@pytest.mark.parametrize("again", [0, 8])
def test_where_nothing_can_be_folded_the_start_comes_to_an_end(tmp_path, monkeypatch, again):
    """Whatever fails and however often: what can be taken is, the rest is told."""
    world = a_ward(tmp_path, {})
    monkeypatch.setattr(recovery, "MOST_AGAIN", again)
    monkeypatch.setattr(recovery, "TABLE", 100)
    real = Core._follow

    def follow(self: Core, t: Transitions, now: int) -> None:
        if self.engine.until < START + 200_000:
            raise ZeroDivisionError
        real(self, t, now)

    monkeypatch.setattr(Core, "_follow", follow)
    world.crash()
    assert recovery.PASSED_OVER in world.service.health()["reasons"]
    world.tick(3_000)
    assert {len(rows) for rows in folded(world)["stored"].values()} == {600}
    assert "spo2-below-80" not in {a.rule for a in world.alerts()}, "it came up in the part that failed"
    world.live(130, device="mon-1", spo2=97)
    world.live(90, device="mon-1", spo2=78)
    assert "spo2-below-80" in {a.rule for a in world.alerts()}
    world.close()
