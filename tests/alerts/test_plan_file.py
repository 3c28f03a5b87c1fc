"""Plans as people write them: what is refused, with the place and what is allowed; and back to text."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import hypothesis.strategies as st
import pytest
from hypothesis import given

from tests.alerts.ward_plan import TEXT, clock, fields, plan
from ward.alerts.plan import BUILT_IN, DEFAULT
from ward.alerts.plan_file import PlanError, load_plan, parse_plan, read_toml
from ward.alerts.plan_text import plan_to_fields, to_toml
from ward.alerts.preview import journey
from ward.errors import InvalidError
from ward.scoring.rules import KINDS, PRIORITIES
from ward.signals import MINUTE, SECOND


def refused(**changes) -> list[str]:
    with pytest.raises(PlanError) as error:
        plan(**changes)
    assert isinstance(error.value, InvalidError)
    assert error.value.status == 422
    return str(error.value).splitlines()


def level(**changes) -> dict:
    return {"tell": ["nurses"], **changes}


def test_a_plan_is_read_whole() -> None:
    found = plan()
    assert found.zone == "Europe/Zurich"
    assert found.give_up == 90 * SECOND
    assert found.people["cleo"].addresses == {"phone": "103", "pager": "900"}
    assert [level.after for level in found.routes[0].levels] == [0, 2 * MINUTE, 5 * MINUTE]
    assert (found.routes[0].remind, found.routes[0].remind_at_most) == (10 * MINUTE, 2)
    assert found.routes[1].remind is None


def test_a_way_for_high_alerts_reminds_unless_it_says_never() -> None:
    usual = plan(route=[{"level": [level()]}]).routes[0]
    assert (usual.remind, usual.remind_at_most) == (10 * MINUTE, 12)
    assert plan(route=[{"remind": "never", "level": [level()]}]).routes[0].remind is None
    assert plan(route=[{"kind": "technical", "level": [level()]}]).routes[0].remind is None


def test_what_no_way_fits_goes_by_the_built_in_ones() -> None:
    found = plan(route=[])
    assert found.route("physiological", "high", "x") is BUILT_IN[0]
    assert found.route("technical", "high", "service-fault:broker") is BUILT_IN[-1]
    named = plan()
    assert named.route("technical", "medium", "device-lost:mon-1") is named.routes[2]
    assert named.route("technical", "medium", "no-valid-reading") is BUILT_IN[-1]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"timezone": "Mars/North"}, "field timezone: 'Mars/North'; allowed: a time zone such as"),
        ({"timezone": None}, "field timezone: missing; allowed: a time zone"),
        ({"colour": 1}, "field colour: unknown field; allowed: timezone"),
        ({"give_up": "soon"}, "field give_up: 'soon'; allowed: a number and s, m or h"),
        ({"quiet": {"from": "22:00", "to": "06:00", "priority": ["low", "high"]}}, "never kept quiet"),
        ({"quiet": {"from": "22:00", "to": "22:00"}}, "quiet, field to: the same time as from"),
        ({"quiet": {"from": "25:00", "to": "22:00"}}, "quiet, field from: '25:00'; allowed: a time of day"),
        ({"quiet": []}, "field quiet: []; allowed: a table"),
        ({"person": [{"id": "everybody"}]}, "person everybody, field id: reserved"),
        ({"person": {"id": "x"}}, "field person: {'id': 'x'}; allowed: at most 2000 [[person]] tables"),
        ({"person": ["ada"]}, "person 1: 'ada'; allowed: a table of fields"),
        ({"team": [{"id": "ada", "people": ["ben"]}]}, "team ada, field id: a person's too"),
        ({"team": [{"id": "nurses", "people": []}]}, "team nurses, field people: []; allowed: a list of one"),
        ({"team": [{"id": "nurses", "people": ["zoe"]}]}, "team nurses, field people: unknown 'zoe'"),
        ({"shift": [{"id": "early", "from": "7", "to": "15:00"}]}, "shift early, field from: '7'"),
        ({"shift": [{"id": "a", "from": "07:00", "to": "15:00", "days": ["monday"]}]}, "one or more of mon"),
        ({"roster": [{"team": "nurses", "shift": "noon", "people": []}]}, "roster 1, field shift: unknown"),
        ({"roster": [{"team": "nurses", "shift": "early"}]}, "roster 1, field people: missing"),
        ({"roster": [{"team": "nurses", "shift": "early", "people": [], "date": "24.12."}]}, "2026-12-24"),
        ({"route": [{"level": []}]}, "route 1, field level: no levels"),
        ({"route": [{"level": [level(tell=["zoe"])]}]}, "level 1 of route 1, field tell: unknown 'zoe'"),
        ({"route": [{"level": [level(after="1m")]}]}, "told at once"),
        ({"route": [{"level": [level(), level()]}]}, "level 2 of route 1, field after: not later"),
        ({"route": [{"level": [level()] * 11}]}, "11 levels; allowed: at most 10"),
        ({"route": [{"priority": "urgent", "level": [level()]}]}, "one or more of low, medium, high"),
        ({"route": [{"remind": "10s", "level": [level()]}]}, "field remind: '10s'; allowed: at least 1m"),
        ({"route": [{"level": [level(channels=["a b"])]}]}, "level 1 of route 1, field channels"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_what_is_allowed(changes, says) -> None:
    assert any(says in line and line.startswith("plan: ") for line in refused(**changes))


def test_all_that_is_wrong_is_told_at_once() -> None:
    said = refused(timezone="X", give_up="Y", route=[{"level": [level(tell=["zoe"]), level(after="1m")]}])
    assert len(said) == 3


def test_a_line_for_a_day_on_which_the_shift_does_not_begin_is_a_mistake() -> None:
    shifts = [{"id": "week", "from": "07:00", "to": "15:00", "days": ["mon", "tue"]}]
    line = {"team": "nurses", "shift": "week", "people": ["ada"]}
    assert "mon, tue" in refused(shift=shifts, roster=[{**line, "date": "2026-11-22"}])[0]
    assert "mon, tue" in refused(shift=shifts, roster=[{**line, "days": ["mon", "wed"]}])[0]
    assert plan(shift=shifts, roster=[{**line, "date": "2026-11-23"}])


def test_a_file_says_its_name(tmp_path) -> None:
    path = tmp_path / "6A.toml"
    path.write_text(TEXT + "\n[[roster]]\nteam='nurses'\nshift='early'\ndate=2026-12-24\npeople=['ada']\n")
    found, given = load_plan(path)
    assert given["roster"][-1]["date"] == "2026-12-24", "a day is text in JSON"
    assert found.on_duty("nurses", clock("10:00", "2026-12-24")) == ("ada",)
    path.write_text("timezone = ")
    with pytest.raises(PlanError, match=r"6A\.toml: not TOML"):
        load_plan(path)
    with pytest.raises(PlanError, match="No such file"):
        load_plan(tmp_path / "other.toml")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PlanError, match="not UTF-8 text"):
        load_plan(path)


@pytest.mark.parametrize("found", [plan(), plan(route=[], quiet=None, roster=None, shift=None), DEFAULT])
def test_written_out_and_read_again_it_is_the_same(found) -> None:
    written = plan_to_fields(found)
    assert parse_plan(written) == replace(found, routes=found.routes or BUILT_IN)
    assert read_toml(to_toml(written), "x") == written


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


def problems_of(changed) -> int:
    """How many; raises what is neither a plan nor a problem."""
    try:
        found = parse_plan(changed)
    except PlanError as error:
        return len(error.problems)
    for kind, priority in product(KINDS, PRIORITIES):  # what can be read can be used, at any time
        for at in (0, clock("02:30", "2026-03-29"), clock("23:59"), 4_000_000_000_000):
            steps = journey(found, kind, priority, "device-lost:x", at)
            assert steps
            assert all(step.to for step in steps)
    return 0


NAMES = ("timezone", "give_up", "quiet", "person", "team", "shift", "roster", "route", "test_each_shift")


@given(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=4))
def test_anything_is_a_plan_or_a_problem(changes) -> None:
    assert problems_of(fields() | changes) >= 0


@given(st.sampled_from(("person", "team", "shift", "roster", "route")), JSON, st.text(max_size=9))
def test_any_field_of_a_table_is_right_or_told(table, value, name) -> None:
    given_ = fields()
    names = [*given_[table][0], name]
    for one in names:
        changed = {**given_, table: [{**given_[table][0], one: value}, *given_[table][1:]]}
        assert problems_of(changed) >= 0
