"""A start folds many batches at once; what comes of it is what comes of one after another."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from tests.live.world import World
from ward.ingest.packed import Packed
from ward.live import recovery
from ward.live.recovery import Recovery

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
    for run in (batch_by_batch, Recovery.run):
        with world.service.engine_db.begin() as tx:
            tx.execute(text("DELETE FROM history"))
        monkeypatch.setattr(Recovery, "run", run)
        monkeypatch.setattr(recovery, "AT_ONCE", 200)
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
