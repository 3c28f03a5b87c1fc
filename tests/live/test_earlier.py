"""A rebuild knows what slow signals were before its first hours: clocks go on as if nothing had come late."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.live.world import START, World
from ward.live import metrics
from ward.live.earlier import LOOK_BACK, Earlier
from ward.scoring.held import Held
from ward.scoring.readings import Readings
from ward.signals import HOUR, INDEX, MINUTE, N_OBSERVED, hold_of

EVERY = 80_000
PACK = 'id = "p"\ntitle = "p"\nsource = "tests"\n' + "".join(
    f'[[rule]]\nid = "{name}"\ntitle = "t"\npriority = "medium"\nwhen = ["{when}"]\nfor = "{long}"\n'
    for name, when, long in (
        ("score", "news2 >= 4", "30m"),
        ("worse", "news2 >= 6", "20m"),
        ("warm", "temp > 38", "25m"),
        ("awake", "consciousness < 1", "20m"),
    )
)


def ward(folder: Path) -> World:
    folder.mkdir()
    (folder / "p.toml").write_text(PACK)
    return World(folder / "data", pack=str(folder / "p.toml"))


def clocks(world: World) -> dict[str, Any]:
    """What is in breach, what is raised since when, and how long what is pending still is from firing."""
    engine = world.service.core.engine
    cell, (pending, left) = engine.sustain.cell, engine.sustain.pending(engine.frontier)
    return {
        "state": cell["state"].tolist(),
        "raised": np.where(cell["raised"], cell["raised_since"], 0).tolist(),
        "left": dict(zip(pending.tolist(), left.tolist(), strict=True)),
    }


def lived(folder: Path, seed: int, *, late: bool) -> tuple[Any, Any]:
    """Six hours in which a person enters slow signals now and then, and a monitor's samples come in time,
    or, in the last, some minutes late."""
    rng, delays = random.Random(seed), random.Random(seed + 1)
    world = ward(folder)
    stay = world.admit()
    slow = {"oxygen": (True, False), "consciousness": ("A", "C"), "temp": (37.0, 38.6)}
    now = dict.fromkeys(slow, 0)
    held: list[dict[str, Any]] = []
    away, low = 0, False
    for n in range(6 * HOUR // EVERY):
        for name, values in slow.items():
            if rng.random() < 0.008 or n == 1:  # more often than not it is what it was
                now[name] ^= rng.random() < 0.2
                world.do("observe", stay=stay, time=None, values={name: values[now[name]]})
        away = max(away - 1, 0) or (delays.randrange(2, 6) if delays.random() < 0.15 else 0)
        low ^= not away and rng.random() < 0.06  # what comes late says nothing else than what is held
        held.append(world.sample(time=world.now, spo2=(93 if low else 97) + n % 2 * 0.2, hr=80 + n % 3))
        if not (late and away and n * EVERY > 4 * HOUR):
            world.publish("mon", {"samples": held})
            held = []
        world.tick(EVERY)
    world.publish("mon", {"samples": held})
    for _ in range(8):
        world.tick()
    alerts = [(a.rule, a.breach_since) for a in world.alerts(stay) if a.kind == "physiological"]
    found = sorted(alerts), clocks(world)
    world.close()
    return found


@pytest.mark.parametrize("seed", [6, 10])
def test_clocks_of_slow_signals_are_what_they_had_been_had_nothing_come_late(tmp_path, seed):
    in_time = lived(tmp_path / "in-time", seed, late=False)
    before = metrics.LATE._value.get()
    late = lived(tmp_path / "late", seed, late=True)
    assert metrics.LATE._value.get() > before + 1
    assert len(in_time[0]) > 1
    assert late == in_time


def test_a_value_entered_anew_does_not_begin_a_clock_anew(tmp_path):
    """Oxygen since hours, entered again a moment before a reading comes late."""
    world = ward(tmp_path / "w")
    stay = world.admit()
    world.do("observe", stay=stay, time=None, values={"oxygen": True})
    world.clock.time += 4 * HOUR
    begun = world.now
    for n in range(70):
        if n == 20:
            world.do("observe", stay=stay, time=None, values={"oxygen": True})
        if n == 22:
            world.measure(time=world.now - 61_000, spo2=93, hr=80)
        world.measure(spo2=93 + n % 2 * 0.2, hr=80)
        world.tick(30_000)
    (alert,) = [a for a in world.alerts(stay) if a.rule == "score"]
    assert (alert.breach_since, alert.raised_at) == (begun, begun + 30 * MINUTE)
    world.close()


# ------------------------------------------------------------------ what is looked for, and how often


class Shelf:
    """Valid readings of one stay; notes which spans were asked for."""

    def __init__(self, rows: list[tuple[int, int, int, float]]) -> None:
        signal, time, device, value = zip(*rows, strict=True) if rows else ((),) * 4
        self.every = Readings.of(
            len(rows), slot=0, signal=signal, time=time, device=device, value=value,
            hold=[hold_of(s, by_person=d == 0) for s, d in zip(signal, device, strict=True)],
        ).in_order()  # fmt: skip
        self.asked: list[tuple[int, int]] = []

    def read(self, signals, begin: int, end: int) -> Readings:
        self.asked.append((begin, end))
        rows = self.every
        return rows.take(np.isin(rows.signal, list(signals)) & (rows.time >= begin) & (rows.time < end))

    def before(self, start: int) -> dict[int, tuple[int, float]]:
        held, end = Held(1), np.array([start - 1])
        held.settle(held.take(self.every.take(self.every.time < start), end), end)
        return as_table(held.readings(0))


def as_table(readings: Readings) -> dict[int, tuple[int, float]]:
    columns = (readings.signal, readings.time, readings.value)
    return {s: (t, v) for s, t, v in zip(*(c.tolist() for c in columns), strict=True)}


rows = st.lists(
    st.tuples(
        st.sampled_from([INDEX["hr"], INDEX["temp"], INDEX["oxygen"]]),
        st.integers(0, 60 * HOUR).map(lambda at: START + at),
        st.just(1),
        st.floats(30, 40),
    ),
    max_size=30,
    unique_by=lambda row: row[:2],
)


@settings(max_examples=60)
@given(rows, st.lists(st.integers(1, 60).map(lambda h: START + h * HOUR), min_size=1, max_size=5))
def test_it_finds_the_last_value_of_each_signal_however_it_was_asked_before(given_rows, starts):
    shelf, earlier = Shelf(given_rows), Earlier()
    for n, start in enumerate(starts):
        signals = {row[0] for row in given_rows[n:]}
        found = as_table(earlier.before(0, start, signals, START, shelf.read))
        assert found == {s: row for s, row in shelf.before(start).items() if s in signals}


def test_who_has_a_signal_that_two_measure_is_found_too():
    """A person's temperature holds for six hours; what a patch says meanwhile counts after that."""
    temp = INDEX["temp"]
    rows = [(temp, START + HOUR, 0, 38.0)]
    rows += [(temp, START + 2 * HOUR + n * MINUTE, 1, 37.0) for n in range(600)]
    shelf = Shelf(rows)
    for start, expected in ((START + 6 * HOUR, 38.0), (START + 8 * HOUR, 37.0)):
        (reading,) = as_table(Earlier().before(0, start, {temp}, START, shelf.read)).values()
        assert reading[1] == expected


def test_what_was_found_is_read_once_also_that_there_is_nothing():
    shelf, earlier = Shelf([(INDEX["temp"], START + HOUR, 1, 37.0)]), Earlier()
    every, late = set(range(N_OBSERVED)), START + 100 * HOUR
    assert len(earlier.before(0, late, every, START, shelf.read)) == 1
    edges = [late, *(late - n * LOOK_BACK for n in (1, 3, 7)), START]
    assert shelf.asked == [(begin, end) for end, begin in pairwise(edges)]
    shelf.asked.clear()
    assert len(earlier.before(0, late, every, START, shelf.read)) == 1
    assert not shelf.asked
    earlier.before(0, late + HOUR, every, START, shelf.read)
    assert shelf.asked == [(late, late + HOUR)]
    shelf.asked.clear()
    earlier.before(0, late - HOUR, every, START, shelf.read)  # something came that is older than what is kept
    assert shelf.asked[0] == (late - HOUR - LOOK_BACK, late - HOUR)
    earlier.drop(0)
    earlier.before(0, late - HOUR, every, START, shelf.read)
    assert shelf.asked[-1][0] == START
