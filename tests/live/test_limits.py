"""Limits of one patient: they end on the clock, like a shelf, whatever the data and the service do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.live.world import START, World
from ward.alerts.overrides import Override, Rulebook
from ward.alerts.packs import load_pack, rule_to_dict
from ward.errors import InvalidError, NotFoundError
from ward.signals import HOUR, MINUTE

RULE = "spo2-below-85"


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.close()


def limit(world, stay, **more):
    given = {"definition": {"when": ["spo2 < 80"]}, "scope": f"stay:{stay}", "expected": None}
    return world.do("put_rule", rule_id=RULE, by="dr", **(given | more))


def shown(world, stay):
    return [(one["rule"], one["by"]) for one in world.runner.keeper.board.stays[stay]["limits"]]


def test_it_ends_on_the_clock_without_any_data_and_the_wards_rule_holds_again(world):
    stay = world.admit()
    made = limit(world, stay, until=world.now + 4 * HOUR, why="known COPD")
    assert made["until"] is not None
    assert shown(world, stay) == [(RULE, "dr")]
    world.tick(4 * HOUR - 1_000)
    assert shown(world, stay) == [(RULE, "dr")]
    world.tick()
    assert shown(world, stay) == []
    (rule,) = [r for r in world.service.rules(f"stay:{stay}") if r["id"] == RULE]
    assert (rule["scope"], rule["when"]) == ("pack", ["spo2 < 85"])


def test_it_ends_also_where_the_service_was_down_by_then(world):
    stay = world.admit()
    limit(world, stay, until=world.now + HOUR)
    world.clock.time += 2 * HOUR
    world.crash()
    world.tick()
    assert shown(world, stay) == []
    world.crash()
    world.tick()
    assert shown(world, stay) == []


def test_from_its_end_on_the_wards_rule_counts(world):
    stay = world.admit()
    limit(world, stay, until=world.now + MINUTE)
    world.live(5 * 60 + 5, spo2=83.0)
    assert world.alerts() == []
    world.live(65, spo2=83.0)
    assert [alert.rule for alert in world.alerts()] == [RULE]


def test_a_person_ends_it_before(world):
    stay = world.admit()
    limit(world, stay, until=world.now + HOUR)
    world.do("end_limit", rule_id=RULE, stay=stay)
    assert shown(world, stay) == []
    with pytest.raises(NotFoundError):
        world.do("end_limit", rule_id=RULE, stay=stay)
    limit(world, stay, until=world.now + HOUR)  # and it may be set again
    assert shown(world, stay) == [(RULE, "dr")]


def test_an_end_in_the_past_or_of_a_whole_ward_is_refused(world):
    stay = world.admit()
    with pytest.raises(InvalidError, match="future"):
        limit(world, stay, until=world.now)
    with pytest.raises(InvalidError, match="one patient"):
        limit(world, stay, scope="ward:w", until=world.now + HOUR)


PACK = load_pack("ward-rct-2025")


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 50) | st.none(), st.booleans()), max_size=12))
def test_what_is_over_is_just_what_has_an_end_that_has_come_and_was_not_followed_by_another(steps):
    book = Rulebook(PACK)
    last = {}
    for version, (which, until, follows) in enumerate(steps, 1):
        rule = PACK.rules[which]
        end = None if until is None or follows else START + until
        last[rule.id] = end
        definition = {} if follows else rule_to_dict(rule)
        book.put(Override(rule.id, "stay:s", version, definition, "dr", START, False, follows, end))
    now = START + 25
    assert {o.rule_id for o in book.over(now)} == {r for r, end in last.items() if end and end <= now}
