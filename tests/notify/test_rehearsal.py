"""Test alerts: to whom a plan may tell now, once a shift, and the record that they arrived."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from tests.notify.office import Script
from ward.alerts.plan import Plan
from ward.alerts.plan_file import parse_plan, read_toml
from ward.notify.channels import Configured
from ward.notify.notifier import Notifier
from ward.notify.rehearsal import everyone, of_shift

PLAN = """
timezone = "Europe/Zurich"
test_each_shift = true

[[person]]
id = "ada"
name = "Ada"
address = { pager = "1" }
[[person]]
id = "ben"
name = "Ben"
address = { pager = "2" }
[[person]]
id = "technician"
name = "Technician"

[[team]]
id = "nurses"
name = "Nurses"
people = ["ada", "ben"]

[[shift]]
id = "day"
from = "07:00"
to = "19:00"
[[shift]]
id = "night"
from = "19:00"
to = "07:00"
[[roster]]
team = "nurses"
shift = "day"
people = ["ada"]
[[roster]]
team = "nurses"
shift = "night"
people = ["ben"]

[[route]]
[[route.level]]
tell = ["nurses"]
channels = ["pager", "dashboard"]
[[route]]
kind = "technical"
[[route.level]]
tell = ["technician"]
channels = ["mail"]
"""
CHANNELS = ("dashboard", "pager", "mail", "lamp")


def plan(**changes: object) -> Plan:
    return parse_plan(read_toml(PLAN, "plan") | changes)


def at(hour: int, day: int = 10) -> int:
    return round(datetime(2026, 11, day, hour, tzinfo=ZoneInfo("Europe/Zurich")).timestamp() * 1000)


def to(tests: list) -> set[tuple[str, str, str | None]]:
    return {(test.person, test.channel, test.address) for test in tests}


def test_everybody_whom_the_plan_may_tell_now():
    told = {(one.person, one.channel) for one in everyone(plan(), at(8))}
    assert ("ada", "pager") in told
    assert ("technician", "mail") in told
    assert ("everybody", "dashboard") in told
    assert not any(person == "ben" for person, _ in told)


def test_a_test_goes_through_every_channel_also_those_that_the_plan_does_not_use():
    tests = of_shift("w", plan(), CHANNELS, at(20), 0)
    assert ("ben", "pager", "2") in to(tests)
    assert ("test", "lamp", None) in to(tests)
    assert {test.channel for test in tests} == set(CHANNELS)
    assert {(test.reason, test.alert, test.stay) for test in tests} == {("test", None, None)}


def test_one_a_shift_whenever_it_is_asked_for():
    first = {test.key for test in of_shift("w", plan(), CHANNELS, at(8), 1)}
    assert {test.key for test in of_shift("w", plan(), CHANNELS, at(18), 2)} == first
    assert not first & {test.key for test in of_shift("w", plan(), CHANNELS, at(20), 3)}
    assert not first & {test.key for test in of_shift("w", plan(), CHANNELS, at(8, 11), 4)}
    assert {test.key for test in of_shift("w", plan(), CHANNELS, at(6, 11), 5)} == {
        test.key for test in of_shift("w", plan(), CHANNELS, at(20), 6)
    }


def test_only_where_the_plan_wants_it():
    assert not of_shift("w", plan(test_each_shift=False), CHANNELS, at(8), 0)


@pytest.fixture
def pager() -> Script:
    return Script()


@pytest.fixture
def notifier(engine: Engine, pager: Script):
    now = [at(8)]
    made = Notifier(
        engine,
        {"pager": Configured("pager", "mqtt", pager, 30_000, 4, "bed", "9")},
        lambda sending, error: None,
        plan_of=lambda ward: plan(),
        wards=lambda: ["w"],
        ward_now=lambda: now[0],
    )
    made.now = now
    yield made
    made.stop()


def test_the_shifts_test_is_sent_and_on_record(notifier: Notifier, pager: Script):
    assert notifier.test_shifts() == 1
    assert notifier.test_shifts() == 0
    while notifier._sender.send_due():
        pass
    notifier._sender._lanes["pager"].workers.shutdown(wait=True)
    assert [(m.person, m.address, m.reason) for m in pager.heard] == [("ada", "1", "test")]
    assert "Test alert of ward w" in pager.heard[0].text
    (test,) = notifier.tests(None)["items"]
    assert test["state"] == "sent"
    seen = notifier.seen(test["id"], None, "Ada")
    assert seen["seen_by"] == "Ada"
    (channel,) = notifier.channels(None)
    assert channel["last_test"]["seen_by"] == "Ada"
    notifier.now[0] = at(20)
    assert notifier.test_shifts() == 1


def test_a_channel_that_nobody_uses_is_tested_with_its_own_address(notifier: Notifier, pager: Script):
    notifier._plan_of = lambda ward: plan(route=[])
    notifier.test("w", "pager")
    notifier._sender.send_due()
    notifier._sender._lanes["pager"].workers.shutdown(wait=True)
    assert [(m.person, m.address) for m in pager.heard] == [("test", "9")]
