"""What a trial says is what the running core then does, alert by alert and to the millisecond."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.live.world import START, World
from ward.clock import iso
from ward.errors import InvalidError, UnavailableError
from ward.live import snapshots
from ward.trial import process
from ward.trial.process import Trials
from ward.trial.worker import Job

MINUTES = 120
STEP_S = 5
BEDS = ("1", "2")


def course(bed: str) -> dict[str, Any]:
    """A value each 5 s; NaN: nothing came. Wanders over thresholds, with gaps and spikes."""
    rng = np.random.default_rng(int(bed))
    many = MINUTES * 60 // STEP_S
    found = {}
    for name, middle, spread in (("hr", 95.0, 12.0), ("spo2", 90.0, 3.0), ("rr", 22.0, 4.0)):
        walk = np.convolve(rng.normal(size=many + 119), np.ones(120) / np.sqrt(120), "valid")
        values = np.round(np.clip(middle + spread * walk, 1, 100 if name == "spo2" else 200))
        values[rng.integers(0, many, 8)] = 40
        values[rng.random(many) < 0.03] = np.nan
        gap = int(rng.integers(60, many - 60))
        values[gap : gap + 40] = np.nan
        found[name] = values
    return found


def play(world: World, change: dict[str, Any] | None = None) -> dict[str, str]:
    """Two patients for hours; whoever is called comes at once, so that each alert is one of its own. (On the
    replay clock: readings come a minute at a time, and nobody takes that for a device whose clock is off.)"""
    if change is not None:
        version = world.service.core.rulebook.version(change["id"], "all")
        given = {name: value for name, value in change.items() if name != "id"}
        world.do("put_rule", rule_id=change["id"], definition=given, scope="all", expected=str(version))
    stays = {bed: world.admit(bed, (f"mon-{bed}",), ("copd",) if bed == "2" else ()) for bed in BEDS}
    courses = {bed: course(bed) for bed in BEDS}
    for minute in range(MINUTES):
        for bed in BEDS:
            samples = []
            for n in range(minute * 60 // STEP_S, (minute + 1) * 60 // STEP_S):
                now = {k: float(v[n]) for k, v in courses[bed].items() if not np.isnan(v[n])}
                samples.append(world.sample(f"mon-{bed}", START + n * STEP_S * 1_000, **now))
            world.publish(f"mon-{bed}", {"samples": samples})
        world.tick(60_000)
        for alert in world.service.core.book.open_alerts():
            if alert.state == "active":
                world.do("acknowledge", alert=alert.id, assessment="actionable", note=None)
    return {stay: bed for bed, stay in stays.items()}


def told(world: World, beds: dict[str, str]) -> list[tuple[Any, ...]]:
    rules = {rule.id for rule in world.service.core.rulebook.effective()}
    return sorted(
        (beds[a.stay], a.rule, iso(a.raised_at), iso(a.cleared_at) if a.cleared_at else None)
        for a in world.alerts()
        if a.rule in rules and a.raised_at is not None
    )


def listed(items: list[dict[str, Any]], beds: dict[str, str]) -> list[tuple[Any, ...]]:
    return sorted((beds[i["stay"]], i["rule"], i["raised_at"], i["cleared_at"]) for i in items)


def asked(world: World, **given: Any) -> dict[str, Any]:
    return {"rules": [], "stays": None, "wards": None, "start": START, "end": world.now, **given}


def through_its_process(world: World, request: dict[str, Any]) -> dict[str, Any]:
    snapshots.flush(world.service.core)
    *_, (kind, answer) = asyncio.run(collected(world.service.trial(request)))
    assert kind == "result"
    return answer


async def collected(steps: AsyncIterator[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return [step async for step in steps]


def test_a_trialled_change_then_does_what_the_trial_said(tmp_path: Path) -> None:
    before = World(tmp_path / "before", clock="replay")
    beds = play(before)
    change = {"id": "spo2-below-88", "when": ["spo2 < 90"], "for": "4m", "clear_for": "3m"}
    new = {"id": "mine", "title": "mine", "priority": "low", "when": ["rr > 20", "hr >= 90"], "for": "90s"}
    grid = {"rule": "spo2-below-88", "thresholds": [86, 88, 90, 92], "for": ["2m", "5m", "12m"]}
    one = through_its_process(before, asked(before, rules=[change]))
    added = before.trial(asked(before, rules=[new]))
    events = [{"stay": stay, "time": START + 100 * 60_000} for stay in beds]
    cells = before.trial(asked(before, grid=grid, suggest={"per_day": 60}, events=events))
    before.close()
    assert listed(one["now"], beds) == told(before, beds)
    assert one["only_candidate"]

    chosen = cells["suggestion"]["chosen"]["definitions"][0]
    for number, (given, expected) in enumerate([(change, one["raised"]), (new, added["raised"])]):
        world = World(tmp_path / f"after-{number}", clock="replay")
        after = play(world, given)
        assert told(world, after) == listed(expected, beds)
        world.close()
    world = World(tmp_path / "chosen", clock="replay")
    after = play(world, chosen)
    mine = [alert for alert in told(world, after) if alert[1] == "spo2-below-88"]
    assert len(mine) == cells["suggestion"]["chosen"]["alerts"]
    world.close()


def test_a_change_in_a_scope_leaves_narrower_rules_alone(world: World) -> None:
    stays = [world.admit(bed, (f"mon-{bed}",)) for bed in BEDS]
    own = {"when": ["spo2 < 70"], "for": "10m"}
    world.do(
        "put_rule", rule_id="spo2-below-88", definition=own, scope=f"stay:{stays[1]}", expected="0"
    )  # fmt: skip
    for _ in range(30):
        for bed in BEDS:
            world.measure(f"mon-{bed}", spo2=80)
        world.tick(60_000)
    change = {"id": "spo2-below-88", "when": ["spo2 < 85"], "for": "5m"}

    def found(**given: Any) -> list[str]:
        answer = world.trial(asked(world, rules=[change], **given))
        return sorted(i["stay"] for i in answer["raised"] if i["rule"] == "spo2-below-88")

    assert found() == sorted(stays)
    assert found(scope="all") == found(scope="ward:w") == [stays[0]]
    assert found(scope=f"stay:{stays[1]}") == sorted(stays)
    assert found(scope="ward:elsewhere") == [stays[0]]  # there it stays as it is: 88 for 10 min


def test_a_trial_sees_only_what_it_is_given(world: World) -> None:
    stays = [world.admit(bed, (f"mon-{bed}",)) for bed in BEDS]
    for _ in range(30):
        for bed in BEDS:
            world.measure(f"mon-{bed}", spo2=80)
        world.tick(60_000)
    rules = [{"id": "spo2-below-88", "for": "5m"}]
    everything = world.trial(asked(world, rules=rules))
    assert everything["stays"] == 2
    one = world.trial(asked(world, rules=rules, stays=[stays[0]]))
    assert {i["stay"] for i in one["raised"]} == {stays[0]}
    nobody = world.trial(asked(world, rules=rules, wards=["other"]))
    assert (nobody["stays"], nobody["raised"], nobody["patient_days"]) == (0, [], 0)
    later = world.trial(asked(world, rules=rules, start=START + 10 * 60_000))
    assert later["raised"] == []  # it was sustained before, and that leads in
    assert later["patient_days"] < everything["patient_days"]


def test_what_cannot_be_tried_is_refused_in_words(world: World) -> None:
    world.admit()
    world.measure(spo2=80)
    world.tick(60_000)
    for given, why in [
        ({"rules": [{"id": "new", "when": ["spo2 < 88"], "for": "1m"}]}, "priority"),
        ({"grid": {"rule": "none", "thresholds": [1], "for": ["1m"]}}, "no rule none"),
        ({"grid": {"rule": "spo2-below-88", "thresholds": list(range(401)), "for": ["1m"]}}, "too large"),
    ]:
        with pytest.raises(InvalidError) as error:
            world.trial(asked(world, **given))
        assert why in error.value.detail


def job(world: World) -> Job:
    pack = world.service.core.rulebook.pack
    request = asked(world, grid={"rule": "spo2-below-88", "thresholds": [88], "for": ["1m"]})
    return Job(world.service.settings.database, pack.id, list(pack.rules), request)


def test_who_stops_waiting_ends_the_process(world: World) -> None:
    trials = Trials()

    async def leave() -> int:
        async with contextlib.aclosing(trials.run(job(world))) as steps:
            kind, _ = await anext(steps)
            assert kind == "progress"
            (running,) = trials._running
        assert trials._running == set()
        return running.returncode

    assert asyncio.run(leave()) == -9


def test_a_trial_that_takes_too_long_or_dies_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnavailableError, match="longer than 0 s"):
        asyncio.run(collected(Trials(0).run(job(world))))
    broken = Job("no://database", "x", [], {})
    with pytest.raises(UnavailableError, match="ended before its result"):
        asyncio.run(collected(Trials().run(broken)))


def test_progress_goes_on_while_nothing_is_new(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "PULSE_S", 0.02)
    world.admit()
    world.measure(spo2=80)
    world.tick(60_000)
    world.runner.take_snapshot()
    steps = asyncio.run(collected(Trials().run(job(world))))
    assert [kind for kind, _ in steps[:-1]] == ["progress"] * (len(steps) - 1)
    assert len(steps) > 5
    assert steps[0][1] == {"done": 0.0, "what": "starting"}
    done = [value["done"] for _, value in steps[:-1]]
    assert done == sorted(done)
    assert steps[-1][0] == "result"
