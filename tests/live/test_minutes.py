"""Two hours of each signal by the minute, and what of a view is told as changed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.live.world import START, World
from ward.live.changes import AGES, KEYS, change
from ward.live.minutes import BINS, SHOWN, Minutes
from ward.scoring.readings import Readings
from ward.signals import INDEX, MINUTE
from ward.web.hub import Message

STAY = {"a": 0}


def readings(*given: tuple[str, int, float], slot: int = 0) -> Readings:
    return Readings.of(
        len(given),
        slot=slot,
        signal=[INDEX[name] for name, *_ in given],
        time=[time for _, time, _ in given],
        value=[value for *_, value in given],
        seq=0,
        device=1,
        hold=90_000,
        status=0,
        quality=math.nan,
    )


def take(ring: Minutes, *given: tuple[str, int, float], valid: bool = True, slot: int = 0) -> None:
    ring.take(readings(*given, slot=slot), np.full(len(given), valid))


def test_the_last_valid_value_of_each_minute_and_gaps_as_gaps():
    ring, begin = Minutes(2), START // MINUTE * MINUTE
    take(ring, ("hr", begin + 50_000, 72.4), ("hr", begin + 10_000, 60.0))
    take(ring, ("hr", begin + 55_000, 250.0), valid=False)  # an artefact is no value
    take(ring, ("hr", begin + 2 * MINUTE, 80.0), ("temp", begin + 2 * MINUTE, 36.74))
    seen = ring.show(begin + 3 * MINUTE, STAY).view("a", begin // MINUTE)
    assert seen["signals"] == {"hr": [72, None, 80], "temp": [None, None, 36.7]}


def test_only_news_is_told_and_what_comes_late_is_news():
    ring, begin = Minutes(1), START // MINUTE * MINUTE
    take(ring, ("hr", begin, 70.0), ("hr", begin + MINUTE, 71.0))
    first = begin // MINUTE
    assert ring.show(begin + 2 * MINUTE, STAY).news == {"a": first}
    assert ring.show(begin + 3 * MINUTE, STAY).news == {}
    take(ring, ("hr", begin - 30 * MINUTE, 65.0))
    assert ring.show(begin + 3 * MINUTE, STAY).news == {"a": first - 30}
    take(ring, ("hr", begin - 3 * 60 * MINUTE, 65.0))  # beyond the ring
    assert ring.show(begin + 3 * MINUTE, STAY).news == {}


def test_the_minute_that_goes_on_waits_until_it_is_over():
    ring, begin = Minutes(1), START // MINUTE * MINUTE
    take(ring, ("hr", begin, 70.0))
    assert ring.show(begin + 30_000, STAY).news == {}
    assert ring.show(begin + MINUTE, STAY).news == {"a": begin // MINUTE}


def test_after_a_long_silence_nothing_old_is_left():
    ring, begin = Minutes(1), START // MINUTE * MINUTE
    take(ring, *(("hr", begin + n * MINUTE, 70.0) for n in range(BINS)))
    take(ring, ("hr", begin + 10 * BINS * MINUTE, 90.0))
    shown = ring.show(begin + (10 * BINS + 1) * MINUTE, STAY).view("a")
    assert shown["signals"] == {"hr": [*[None] * (BINS - 1), 90]}


def test_a_freed_slot_forgets_and_a_copy_does_not_change():
    ring, begin = Minutes(1), START // MINUTE * MINUTE
    take(ring, ("hr", begin, 70.0))
    kept = ring.show(begin + MINUTE, STAY)
    ring.forget(0)
    ring.resize(4)
    assert kept.view("a")["signals"]["hr"][-1] == 70
    assert ring.show(begin + MINUTE, {"b": 0}).view("b")["signals"] == {}
    assert ring.value.shape == (4, len(SHOWN), BINS)


def test_what_comes_late_changes_nothing_that_was_shown():
    ring, begin = Minutes(2), START // MINUTE * MINUTE
    take(ring, ("hr", begin, 70.0))
    kept = ring.show(begin + MINUTE, STAY)
    take(ring, ("hr", begin + 1_000, 75.0))
    take(ring, ("spo2", begin - MINUTE, 91.0))
    assert kept.view("a", begin // MINUTE)["signals"] == {"hr": [70]}
    then = ring.show(begin + MINUTE, STAY)
    assert then.view("a", begin // MINUTE - 1)["signals"] == {"hr": [None, 75], "spo2": [91, None]}


def test_minutes_are_kept_once_and_those_without_a_value_take_no_room():
    ring, begin = Minutes(1_000), START // MINUTE * MINUTE
    take(ring, ("hr", begin, 70.0), ("hr", begin + 60 * MINUTE, 71.0))
    shown = [ring.show(begin + (61 + n) * MINUTE, STAY).values for n in range(2)]
    assert len({id(values) for some in shown for values in some}) == 3


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(SHOWN), st.integers(0, 3 * BINS), st.integers(0, 9))
    )
)
def test_a_ring_goes_on_from_what_was_dumped(seen):
    ring, begin = Minutes(3), START // MINUTE * MINUTE
    for slot, name, minute, value in seen:
        take(ring, (name, begin + minute * MINUTE, value), slot=slot)
    other = Minutes(3)
    other.load(ring.dump())
    slots = {"a": 0, "b": 1, "c": 2}  # the minute that goes on has the place of the oldest
    now = begin + (3 * BINS + 1) * MINUTE
    shown, then = ring.show(now, slots), other.show(now, slots)
    last = {(slot, name, minute): value for slot, name, minute, value in seen}
    assert [shown.view(stay) for stay in slots] == [then.view(stay) for stay in slots]
    for stay, slot in slots.items():
        signals = shown.view(stay)["signals"]
        for name in SHOWN:
            known = [None, *(last.get((slot, name, m)) for m in range(2 * BINS + 2, 3 * BINS + 1))]
            assert signals.get(name, [None] * BINS) == known


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.close()


class Screen:
    """What a page knows that is told of changes only."""

    def __init__(self, world: World) -> None:
        self.views: dict[str, Any] = {}
        self.sizes: list[int] = []
        hub, tell = world.service.hub, world.service.hub.tell

        def heard(messages: Sequence[Message]) -> int:
            for message in messages:
                if message.kind == "stays":
                    self.take(msgspec.json.decode(msgspec.json.encode(message.data())))
            return tell(messages)

        hub.tell = heard

    def take(self, data: Any) -> None:
        self.sizes.append(len(msgspec.json.encode(data)))
        for told in data["stays"]:
            view = self.views.get(told["id"]) or told["view"]
            view |= told.get("set", {})
            for name, members in told.get("signals", {}).items():
                view["signals"][name] |= members
            for name, members in told.get("parts", {}).items():
                view["news2"]["parts"][name] |= members
            if "news2" in told:
                view["news2"] |= told["news2"]
            for kind, key in KEYS.items():
                for item in view[kind]:
                    item |= told.get(kind, {}).get(item[key], {})
            self.views[told["id"]] = view


def as_told(view: Any) -> Any:
    """Without what is told now and then only."""
    plain = msgspec.json.decode(msgspec.json.encode(view))
    return (
        plain
        | {"time": None}
        | {k: [{**d, **dict.fromkeys(ages)} for d in plain[k]] for k, ages in AGES.items()}
    )


def test_whoever_is_told_the_changes_knows_the_whole_and_a_second_is_small(world):
    screen = Screen(world)
    stay = world.admit(flags=("copd",))
    for second in range(200):
        world.measure(
            hr=70 + second % 7, spo2=84 if second > 60 else 96, rr=14, sbp=120 if second < 5 else 80
        )
        world.tick()
        if second == 90:
            world.do("observe", stay=stay, time=None, values={"consciousness": "V", "oxygen": True})
        if second == 120:
            world.do("pause", stay=stay, minutes=5)
        assert as_told(screen.views[stay]) == as_told(world.service.board.stays[stay])
    assert sorted(screen.sizes)[len(screen.sizes) // 2] < 500


JSON = st.none() | st.integers(0, 3)
SIGNALS = st.dictionaries(st.sampled_from("hs"), st.fixed_dictionaries({"value": JSON, "state": JSON}))
PARTS = st.dictionaries(st.sampled_from("hs"), st.fixed_dictionaries({"points": JSON, "time": JSON}))
ITEMS = {
    "devices": ("online", "last_seen_at"),
    "pending": ("due_at", "left_s", "value"),
    "alerts": ("state", "in_breach"),
}
LISTS = {
    name: st.lists(
        st.fixed_dictionaries({KEYS[name]: st.sampled_from("xy"), **dict.fromkeys(members, JSON)}), max_size=2
    )
    for name, members in ITEMS.items()
}
VIEWS = st.fixed_dictionaries(
    {
        "id": st.just("a"),
        "bed": JSON,
        "time": JSON,
        "signals": SIGNALS,
        "news2": st.none() | st.fixed_dictionaries({"score": JSON, "parts": PARTS}),
        **LISTS,
    }
)


@given(VIEWS, VIEWS, st.booleans())
def test_a_change_brings_one_view_to_the_other(before, after, everything):
    screen = Screen.__new__(Screen)
    screen.sizes, screen.views = [], {"a": msgspec.json.decode(msgspec.json.encode(before))}
    found = change(before, after, everything=everything)
    if found is not None:
        screen.take({"stays": [msgspec.json.decode(msgspec.json.encode(found))]})
    if everything:
        assert screen.views["a"] | {"time": None} == after | {"time": None}
    assert as_told(screen.views["a"]) == as_told(after)


def test_the_time_left_stands_still_while_nobody_knows_whether_a_breach_goes_on(world):
    """And then it is not told again each second, but once: also how much it was when it stopped."""
    stay = world.admit()
    world.live(30, spo2=84, hr=80, rr=14)
    (counting,) = (p for p in world.service.board.stays[stay]["pending"] if p["rule"] == "spo2-below-88")
    assert counting["due_at"] is not None
    world.live(150, hr=80, rr=14)  # the probe is off
    views = [world.service.board.stays[stay]]
    world.live(1, hr=80, rr=14)
    views.append(world.service.board.stays[stay])
    (before, after) = (next(p for p in view["pending"] if p["rule"] == "spo2-below-88") for view in views)
    assert after["due_at"] is None
    assert 0 < after["left_s"] == before["left_s"] <= counting["left_s"]
    assert "pending" not in (change(*views, everything=False) or {})


def test_what_only_ages_is_told_with_what_does_not():
    """A screen was not told the time left each second: when the clock stops it has to know where."""
    empty = {"id": "a", "signals": {}, "news2": None, "devices": [], "alerts": []}
    waits = {"id": "p", "due_at": 9, "left_s": 5, "value": 84}
    later, stopped = waits | {"left_s": 4}, waits | {"left_s": 4, "due_at": None}
    views = [empty | {"pending": [one]} for one in (waits, later, stopped)]
    assert change(views[0], views[1], everything=False) is None
    assert change(views[1], views[2], everything=False) == {
        "id": "a",
        "pending": {"p": {"due_at": None, "left_s": 4, "value": 84}},
    }


def test_what_is_sustained_in_a_pause_is_seen_though_nobody_is_told(world):
    stay = world.admit()
    world.live(5, spo2=97, hr=80, rr=14)
    world.do("pause", stay=stay, minutes=30)
    world.live(90, spo2=75, hr=80, rr=14)
    view = world.service.board.stays[stay]
    held = [p for p in view["pending"] if p["held_by"] == "pause"]
    assert [p["rule"] for p in held] == ["spo2-below-80"]
    assert held[0]["left_s"] is None
    assert view["alerts"] == []
    world.do("pause", stay=stay, minutes=0)
    world.tick()
    view = world.service.board.stays[stay]
    assert [a["rule"] for a in view["alerts"]] == ["spo2-below-80"]
    assert view["alerts"][0]["id"] == held[0]["id"]
    assert view["alerts"][0]["in_breach"] is True
    assert all(p["held_by"] is None for p in view["pending"])


def test_an_alert_that_goes_on_after_its_condition_says_so(world):
    stay = world.admit()
    world.live(70, spo2=75, hr=80, rr=14)
    world.live(20, spo2=97, hr=80, rr=14)
    assert [a["in_breach"] for a in world.service.board.stays[stay]["alerts"]] == [False]


def test_the_minutes_come_through_a_crash(world):
    stay = world.admit()
    for _ in range(4):
        world.measure(hr=80)
        world.tick(MINUTE)
    world.runner.take_snapshot()
    before = world.service.board.minutes.view(stay)["signals"]
    world.crash()
    world.runner.tick()
    assert before["hr"].count(80) >= 3
    assert world.service.board.minutes.view(stay)["signals"] == before
