"""The plan in the how-to and that of the demo are real ones, and do what the text beside them says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.alerts.ward_plan import clock
from ward.alerts.plan import Plan
from ward.alerts.plan_file import load_plan, parse_plan, read_toml
from ward.alerts.preview import holes, journey, remarks
from ward.demo import PLAN
from ward.zones import DAY

HOW_TO = Path(__file__).parent.parent / "docs" / "escalation.md"


@pytest.fixture
def example() -> Plan:
    (text,) = re.findall(r"```toml\n(.*?)```", HOW_TO.read_text(), re.DOTALL)
    return parse_plan(read_toml(text, "escalation.md"))


def test_the_example_is_a_plan_without_holes(example: Plan) -> None:
    start = clock("00:00", "2026-12-20")
    assert holes(example, start, start + 14 * DAY) == []
    assert remarks(example, ["dashboard", "pager", "mail"]) == []


@pytest.mark.parametrize(
    ("day", "time", "who"),
    [
        ("2026-12-23", "10:00", ("ada", "ben")),
        ("2026-12-24", "10:00", ("ada", "ben", "cleo")),
        ("2026-12-26", "10:00", ("cleo",)),
        ("2026-12-26", "27:00", ("cleo",)),
    ],
)
def test_its_roster_does_what_its_comments_say(example: Plan, day: str, time: str, who) -> None:
    assert example.on_duty("nurses", clock(time, day)) == who


def test_its_alerts_travel_as_its_comments_say(example: Plan) -> None:
    def way(kind, priority, rule, time="10:00"):
        begin = clock(time)
        steps = journey(example, kind, priority, rule, begin)
        return [
            ((s.at - begin) // 60_000, {one.person for one in s.to}) for s in steps if s.level is not None
        ]

    assert way("physiological", "high", "x", "27:00") == [(0, {"cleo"}), (2, {"charge"}), (5, {"oncall"})]
    assert way("physiological", "low", "x", "27:00") == [(180, {"everybody"})]
    assert way("technical", "medium", "device-lost:mon-1") == [(0, {"devices"}), (30, {"devices"})]
    assert way("technical", "medium", "spo2-absent") == [(0, {"cleo"})]


def test_the_demo_has_a_plan_without_holes() -> None:
    plan, _ = load_plan(PLAN)
    start = clock("00:00")
    assert holes(plan, start, start + 7 * DAY) == []
    assert remarks(plan, ["dashboard"]) == []
    assert len(plan.on_duty("nurses", start)) == 2
