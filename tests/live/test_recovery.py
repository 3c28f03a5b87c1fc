"""A crash at any point: nothing acknowledged is lost, no alert lost or raised twice, no clock wrong."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.databases import postgres_server, postgres_url  # noqa: F401
from tests.live.world import START, World
from ward.live import metrics

BEDS = ("1", "2", "3")


def quick(folder: Path, name: str, rule: str) -> str:
    """The file of a pack with one high rule; ``rule``: what else it says."""
    pack = folder / "quick.toml"
    head = 'id = "quick"\ntitle = "t"\nsource = "tests"\n'
    pack.write_text(f'{head}[[rule]]\nid = "{name}"\ntitle = "{name}"\npriority = "high"\n{rule}\n')
    return str(pack)


def story(seed: int) -> list[tuple[int, str, dict[str, float]]]:
    """(second, device, readings): three beds, each with breaches, recoveries and gaps."""
    rng = random.Random(seed)
    found = []
    for bed in BEDS:
        second = 0
        while second < 600:
            spo2 = rng.choice([97, 97, 86, 78])
            rr = rng.choice([16, 16, 26])
            length = rng.randrange(20, 200)
            if rng.random() < 0.15:
                second += length
                continue
            for _ in range(min(length, 600 - second)):
                found.append((second, f"mon-{bed}", {"spo2": spo2, "rr": rr, "hr": 80}))
                second += 1
    return sorted(found, key=lambda row: row[0])


def play(
    folder: Path, seed: int, *, crashes: bool, database_url: str | None = None, seconds: int = 600, **settings
) -> tuple[list, list]:
    """(alerts by bed, readings by bed) after the story, with crashes in it or without."""
    rng = random.Random(seed + 1)
    world = World(folder, database_url, **settings)
    stays = {world.admit(bed, (f"mon-{bed}",)): bed for bed in BEDS}
    rows = story(seed)
    for second in range(seconds):
        while rows and rows[0][0] == second:
            _, device, readings = rows.pop(0)
            world.measure(device, **readings)
        if crashes and rng.random() < 0.01:
            world.crash()
        world.tick()
        if crashes and rng.random() < 0.01:
            world.crash()
        if crashes and rng.random() < 0.02:
            world.runner.take_snapshot()
    world.tick(3_000)
    found = outcome(world, stays)
    assert not world.runner.faults
    world.close()
    return found


def outcome(world: World, stays: dict[str, str]) -> tuple[list, list]:
    """(alerts by bed, readings by bed) of these stays, whose beds are given."""
    alerts = sorted(
        (stays[a.stay], a.rule, a.breach_since, a.raised_at, a.cleared_at)
        for a in world.alerts()
        if a.kind == "physiological" and a.raised_at is not None
    )
    readings = []
    for stay, bed in stays.items():
        stored = world.stored(stay)
        readings.append(
            (bed, sorted(zip(stored.time, stored.signal, stored.value, stored.mark, strict=True)))
        )
    return alerts, readings


@pytest.mark.parametrize("seed", range(4))
def test_a_crashed_service_comes_back_as_if_it_had_never_stopped(tmp_path, seed):
    calm, calm_readings = play(tmp_path / "calm", seed, crashes=False)
    rough, rough_readings = play(tmp_path / "rough", seed, crashes=True)
    assert calm
    assert rough == calm
    assert rough_readings == calm_readings


def test_the_same_on_postgresql(tmp_path, postgres_url):  # noqa: F811
    calm, calm_readings = play(tmp_path / "calm", 3, crashes=False)
    rough, rough_readings = play(tmp_path / "rough", 3, crashes=True, database_url=postgres_url)
    assert rough == calm
    assert rough_readings == calm_readings


def test_pending_active_acknowledged_and_shelved_survive(world):
    """Law 3."""
    stay = world.admit()
    world.live(70, spo2=78, hr=135, rr=26)
    found = {a.rule: a for a in world.alerts(stay)}
    world.do("acknowledge", alert=found["spo2-below-80"].id, assessment="actionable", note=None)
    pending = {p["rule"]: p for p in world.service.board.stays[stay]["pending"]}
    world.do("shelve", alert=pending["rr-from-24"]["id"], minutes=30, reason="turning")
    world.live(240, spo2=78, hr=135, rr=26)
    before = {(a.rule, a.state) for a in world.alerts(stay)}
    left = {p["rule"]: p["left_s"] for p in world.service.board.stays[stay]["pending"]}
    world.crash()
    assert {(a.rule, a.state) for a in world.alerts(stay)} == before
    assert {("spo2-below-80", "acknowledged"), ("rr-from-24", "shelved")} <= before
    after = {p["rule"]: p["left_s"] for p in world.service.board.stays[stay]["pending"]}
    assert after == pytest.approx(left, abs=1)  # what was journalled last is evaluated a tick later
    assert left["hr-above-130"] == pytest.approx(30 * 60 - 310 + 2, abs=2)


def test_a_shelf_expires_while_the_service_is_down(world):
    """Law 4: on the clock, not on data."""
    stay = world.admit()
    world.live(70, spo2=78)
    (alert,) = world.alerts(stay)
    world.do("shelve", alert=alert.id, minutes=5, reason="suction")
    world.live(60, spo2=78)
    world.clock.time += 600_000
    world.crash()
    world.tick()
    (alert,) = [a for a in world.alerts(stay) if a.rule == "spo2-below-80"]
    assert alert.state != "shelved"


def test_a_snapshot_cut_in_half_is_passed_over(world):
    from sqlalchemy import text

    stay = world.admit()
    world.live(40, spo2=78)
    world.runner.take_snapshot()
    world.live(10, spo2=78)
    world.runner.take_snapshot()
    with world.service.engine_db.begin() as tx:
        newest = "(SELECT max(id) FROM snapshots)"
        tx.execute(text(f"UPDATE snapshots SET payload = substr(payload, 1, 100) WHERE id = {newest}"))
    world.crash()
    world.live(15, spo2=78)
    assert [(a.rule, a.raised_at) for a in world.alerts(stay)] == [("spo2-below-80", START + 60_000)]


def test_a_changed_threshold_is_versioned_attributed_and_in_force_after_a_crash(world):
    """Law 10."""
    stay = world.admit()
    world.live(30, spo2=90)
    rules = {r["id"]: r for r in world.service.rules("all")}
    wanted = {"when": ["spo2 < 91"], "for": "1m", "within": "1m", "gap": "1m"}
    changed = world.do(
        "put_rule",
        rule_id="spo2-below-80",
        definition=wanted,
        scope="ward:w",
        expected=str(rules["spo2-below-80"]["version"]),
    )
    assert (changed["scope"], changed["version"], changed["by"]) == ("ward:w", 1, "nurse")
    world.live(5, spo2=90)
    world.crash()
    world.live(65, spo2=90)
    assert [a.rule for a in world.alerts(stay)] == ["spo2-below-80"]
    assert {r["id"]: r for r in world.service.rules("ward:w")}["spo2-below-80"]["when"] == ["spo2 < 91"]
    assert {r["id"]: r for r in world.service.rules("all")}["spo2-below-80"]["when"] == ["spo2 < 80"]


def test_a_crash_in_the_middle_of_a_backlog_makes_none_of_it_late(tmp_path):
    world = World(tmp_path)
    world.admit()
    world.live(10, spo2=97, hr=80)
    begun = world.now
    world.clock.time += 60_000  # nobody listens, the broker keeps it
    for part in (range(1, 31), range(31, 61)):  # one batch of the journal each, both received now
        for second in part:
            world.measure(time=begun + 1_000 * second, spo2=97, hr=80)
        world.runner.take_messages()
    before = metrics.LATE._value.get()
    world.crash()
    world.tick()
    assert metrics.LATE._value.get() == before
    assert world.service.core.engine.until > begun + 55_000
    world.close()


def test_a_backlog_counts_as_drained_when_what_comes_is_no_older_than_evaluation_waits_for(tmp_path):
    world = World(tmp_path)
    runner, core = world.runner, world.service.core
    runner._is_connected = lambda: False
    assert not runner._is_drained(60.0, has_heard=True)
    runner._is_connected = lambda: True
    assert runner._is_drained(0.5, has_heard=False)
    core.reached = world.now - core.engine.lateness
    assert runner._is_drained(0.0, has_heard=True)
    assert not runner._is_drained(0.0, has_heard=False)  # that was before the start
    core.reached -= 1
    assert not runner._is_drained(0.0, has_heard=True)
    world.close()


def test_what_was_told_is_not_over_where_clocks_are_still_before_it(tmp_path):
    """The filter waits for what follows a leap, and a start evaluates a little less than was evaluated."""
    rule = 'when = ["spo2 < 88"]\nfor = "5s"\nclear_for = "4s"'
    world = World(tmp_path / "data", pack=quick(tmp_path, "low", rule))
    world.admit()
    world.live(20, spo2=97, hr=80)
    while not world.alerts():
        world.live(1, spo2=75, hr=80)
    (told,) = world.alerts()
    world.crash()
    assert int(world.service.core.engine.frontier[0]) < told.raised_at
    world.live(30, spo2=75, hr=80)
    assert [(a.state, a.raised_at, a.cleared_at) for a in world.alerts()] == [
        ("active", told.raised_at, None)
    ]
    world.live(30, spo2=97, hr=80)
    (over,) = world.alerts()
    assert over.cleared_at > told.raised_at
    world.close()


def test_an_alert_has_the_value_of_its_raise_also_where_a_start_tells_it(tmp_path):
    world = World(tmp_path / "data")
    stay = world.admit()
    world.live(30, spo2=97)
    for second in range(90):  # written down, and not evaluated: as when the service dies behind a backlog
        world.measure(spo2=78.0 if second < 65 else 71.0)
        world.clock.time += 1_000
        world.runner.take_messages()
    world.crash()
    world.tick()
    (alert,) = [a for a in world.alerts(stay) if a.rule == "spo2-below-80"]
    assert alert.raised_at == START + 90_000
    assert (alert.signal, alert.value) == ("spo2", 78.0)
    world.close()


def test_a_score_is_told_as_it_was_at_the_raise_also_by_a_start(tmp_path):
    world = World(tmp_path / "data", pack=quick(tmp_path, "ill", 'when = ["news2 >= 5"]\nfor = "20s"'))
    stay = world.admit()
    world.measure(temp=39.5, sbp=120)  # 2; written down long before
    world.live(5, hr=80, rr=16)
    world.runner.take_snapshot()
    for second in range(90):  # 2 + 2 + 2, and then 1 more of the heart rate
        world.measure(hr=115.0 if second < 60 else 135.0, rr=22)
        world.clock.time += 1_000
        world.runner.take_messages()
    world.crash()
    world.tick()
    (alert,) = world.alerts(stay)
    assert alert.raised_at < START + 60_000
    assert (alert.signal, alert.value) == ("news2", 6.0)
    world.close()


def test_where_the_pulse_stands_in_at_the_raise_its_value_is_told(tmp_path):
    world = World(tmp_path / "data", pack=quick(tmp_path, "fast", 'when = ["hr > 130"]\nfor = "20s"'))
    stay = world.admit()
    world.live(5, hr=90, pr=90)
    for second in range(160):  # the heart rate is heard no more, and comes back after the raise
        world.measure(
            **({"hr": 140.0, "pr": 134.0} if second > 135 else {"pr": 90.0 if second < 100 else 134.0})
        )
        world.clock.time += 1_000
        world.runner.take_messages()
    world.crash()
    world.tick()
    (alert,) = world.alerts(stay)
    assert (alert.signal, alert.value) == ("pr", 134.0)
    world.close()


QUICK = (
    'id = "quick"\ntitle = "t"\nsource = "tests"\n'
    '[[rule]]\nid = "fast"\ntitle = "fast"\npriority = "medium"\n'
    'when = ["rr >= 24"]\nfor = "7s"\nclear_for = "4s"\n'
)
RATES = {12: 20, **dict.fromkeys([10, 11, *range(13, 26)], 25)}
"""Two seconds in breach, one that ends it, then a breach that lasts: raised at 20, not at 17."""


def backlog(world: World, begun: int, seconds: int) -> None:
    """A batch of the journal for each second; of the patient in bed x one sample comes with the next."""
    for second in range(1, seconds):
        at = begun + 1_000 * second
        for bed in BEDS:
            world.measure(f"mon-{bed}", time=at + 500, rr=16, hr=80)
        for own in {12: (), 13: (12, 13)}.get(second, (second,)):
            world.measure("mon-x", time=begun + 1_000 * own, rr=RATES.get(own, 20), hr=80)
        world.runner.take_messages()


def raised(world: World) -> list[tuple[int, int]]:
    """(since, at) of every time that somebody was told, in seconds."""
    found = [(a.breach_since, a.raised_at) for a in world.alerts() if a.rule == "fast"]
    assert len(world.events("raised")) == len(found)
    return found


def four_beds(folder: Path) -> World:
    folder.mkdir()
    (folder / "quick.toml").write_text(QUICK)
    world = World(folder / "data", pack=str(folder / "quick.toml"))
    for bed in (*BEDS, "x"):
        world.admit(bed, (f"mon-{bed}",))
    world.tick()
    return world


def test_a_start_behind_a_backlog_tells_what_was_told_and_nothing_else(tmp_path):
    world = four_beds(tmp_path / "ward")
    begun = world.now
    world.clock.time += 60_000
    before = metrics.LATE._value.get()
    backlog(world, begun, 50)
    world.tick()
    told = raised(world)
    assert told == [(begun + 13_000, begun + 20_000)]
    world.crash()
    world.tick()
    assert raised(world) == told
    assert metrics.LATE._value.get() == before
    world.close()


def test_a_start_builds_clocks_again_when_they_were_built_live(tmp_path):
    """What came late live comes late in a start as well, and ends what it ended."""
    world = four_beds(tmp_path / "ward")
    for second in range(50):
        for bed in BEDS:
            world.measure(f"mon-{bed}", rr=16, hr=80)
        at = world.now
        if second != 12:
            world.measure("mon-x", rr=RATES.get(second, 20), hr=80)
        else:
            kept = world.sample("mon-x", at, rr=RATES[12], hr=80)
        if second == 15:
            world.publish("mon-x", kept)
        world.tick()
    told = raised(world)
    assert len(told) == 1
    world.crash()
    world.tick()
    assert raised(world) == told
    world.close()
