"""The risk in the running service: from readings to reasons, and the same after crashes and moves."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from tests.live.world import World
from tests.scoring.risky import fit_members, write_model

MINUTE = 60_000
PACK = """
id = "on-risk"
[[rule]]
id = "ill"
title = "Looks ill"
priority = "medium"
kind = "physiological"
when = ["risk >= 0.3"]
for = "20m"
"""
WELL = {"hr": 80, "spo2": 97, "rr": 16, "sbp": 122, "dbp": 66, "temp": 36.9}


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    (folder / "pack.toml").write_text(PACK)
    return write_model(folder, list(fit_members()))


def world_of(folder: Path, model: Path | str, **settings) -> World:
    pack = Path(model).parent / "pack.toml" if isinstance(model, Path) else "default"
    return World(folder, risk_model=str(model), pack=str(pack), **settings)


def ill(step: int) -> dict[str, float]:
    """Readings of a patient who breathes faster and saturates worse from the second hour on."""
    worse = max(0, step - 24) / 24
    return WELL | {"rr": round(16 + 12 * worse), "spo2": round(97 - 6 * worse), "hr": 80 + step % 3}


def play(world: World, steps: int = 45, *, crash: float = 0.0, late: range = range(0), seed: int = 1) -> str:
    """Every five minutes a reading of everything; those of ``late`` come at the end."""
    rng = random.Random(seed)
    stay = world.admit()
    kept = []
    for step in range(steps):
        sample = world.sample("mon", **ill(step))
        if step in late:
            kept.append(sample)
        else:
            world.publish("mon", sample)
        world.tick(5 * MINUTE)
        if rng.random() < crash:
            world.runner.take_snapshot()
        if rng.random() < crash:
            world.crash()
    if kept:
        world.publish("mon", {"samples": kept})
    for _ in range(8):  # until what came late is folded in
        world.tick()
    return stay


def seen(world: World, stay: str) -> dict:
    """What people see of the risk, but for the machine's own moment."""
    world.tick(5_000)
    return world.service.risk(stay) | {"age_s": None, "computed_at": None}


def told(world: World) -> list:
    return [(rule, raised, cleared) for _, rule, raised, cleared in world.told() if rule == "ill"]


def test_who_gets_worse_is_told_with_reasons(tmp_path, model):
    world = world_of(tmp_path / "data", model)
    stay = play(world)
    assert [rule for rule, *_ in told(world)] == ["ill"]
    alert = next(a for a in world.alerts(stay) if a.rule == "ill")
    assert alert.signal == "risk"
    assert 0.3 <= alert.value <= 1
    assert alert.raised_at - alert.breach_since == 20 * MINUTE
    shown = world.service.risk(stay)
    assert shown["state"] == "known"
    assert 0 < shown["low"] < shown["value"] < shown["high"] < 1
    assert shown["model"] == "tiny"
    assert shown["missing"] == []
    assert 0 <= shown["age_s"] < 5 * 60 + 10
    assert world.service.board.stays[stay]["risk"] == shown["value"]
    words = {c["group"]: c["words"] for c in shown["contributions"]}
    assert re.fullmatch(r"RR rose from 1[6-9] to 2[5-7] in \d h", words["breathing"])
    assert re.fullmatch(r"SpO2 fell from 9[67] to 92 % in \d h", words["oxygen"])
    world.tick(30 * 3_600_000)
    assert world.service.risk(stay)["state"] == "not-enough-data"
    world.close()


def test_crashes_change_nothing(tmp_path, model):
    plain, shaken = (world_of(tmp_path / name, model) for name in ("plain", "shaken"))
    stays = play(plain), play(shaken, crash=0.2)
    assert told(shaken) == told(plain)
    assert seen(shaken, stays[1]) == seen(plain, stays[0])
    plain.close()
    shaken.close()


def test_what_came_late_counts_as_if_it_had_come_in_time(tmp_path, model):
    plain, delayed = (world_of(tmp_path / name, model) for name in ("plain", "delayed"))
    stays = play(plain), play(delayed, late=range(28, 40))
    assert seen(delayed, stays[1]) == seen(plain, stays[0])
    assert [r for r, *_ in told(delayed)] == ["ill"]
    plain.close()
    delayed.close()


def test_the_score_goes_with_the_stay(tmp_path, model):
    world = world_of(tmp_path / "data", model)
    stay = play(world, 40)
    before = seen(world, stay)
    world.do("transfer", stay=stay, ward="w", bed="9")
    world.do("pause", stay=stay, minutes=30)
    assert seen(world, stay) == before
    slot = world.service.core.slots.get(stay)
    world.do("discharge", stay=stay)
    world.service.core.end_stay(stay)
    world.tick()
    assert world.service.risk(stay) == {"state": "not-enough-data", "model": "tiny"}
    other = world.admit("2", ("other",))
    assert world.service.core.slots.get(other) == slot
    world.measure("other", **WELL)
    world.tick(5 * MINUTE)
    world.tick()
    shown = world.service.risk(other)
    assert shown["state"] == "known"
    assert not [c for c in shown["contributions"] if "rose" in c["words"] or "fell" in c["words"]]
    world.close()


def test_a_start_with_the_score_on_a_snapshot_without_it(tmp_path, model):
    world = world_of(tmp_path / "data", "none")
    stay = play(world, 40)
    world.tick(5_000)
    assert world.service.risk(stay) == {"state": "no-model", "model": None}
    assert world.service.board.stays[stay]["risk"] is None
    world.runner.take_snapshot()
    world._given |= {"risk_model": str(model)}
    world.crash()
    world.tick(5 * MINUTE)
    world.tick(5_000)
    assert world.service.risk(stay)["state"] == "known"  # from what is held; the hours before fill by and by
    world._given |= {"risk_model": "none"}
    world.runner.take_snapshot()
    world.crash()
    assert world.service.risk(stay)["state"] == "no-model"
    world.close()
