"""Test alerts: through every channel, to everybody whom a ward's plan may tell just now.

Each is a delivery like any other, so it goes the whole way, and its row is the record that it arrived: when
the channel took it, and which person says that she saw it.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Final

from ward.alerts.deliver import Delivery
from ward.alerts.plan import BUILT_IN, DASHBOARD, EVERYBODY, Plan, Recipient

NOBODY: Final = "test"
"""Whom a channel is tested with that the plan does not use now; it goes to the channel's ``test_to``."""


def everyone(plan: Plan, now: int) -> list[Recipient]:
    """Everybody on duty whom any way of the plan may tell, each once a channel. ``now``: the ward's."""
    found: dict[Recipient, None] = {}
    for route in (*plan.routes, *BUILT_IN):
        found.update(dict.fromkeys(plan.told_up_to(route, len(route.levels) - 1, now)))
    return list(found)


def by_hand(ward: str, plan: Plan, channels: Collection[str], now: int, wall: int) -> list[Delivery]:
    """A test of ``channels``, asked for now (ward's and machine's ms)."""
    return _tests(ward, f"test/{ward}/{uuid.uuid4().hex}", plan, channels, now, wall)


def of_shift(ward: str, plan: Plan, channels: Collection[str], now: int, wall: int) -> list[Delivery]:
    """The test of each shift that runs now, if the plan wants one; made again it is the same."""
    if not plan.test_each_shift:
        return []
    batches = [f"test/{ward}/{shift.id}/{day}" for shift, day, _, _ in plan.roster.running(now)]
    return [test for batch in batches for test in _tests(ward, batch, plan, channels, now, wall)]


def _tests(
    ward: str, batch: str, plan: Plan, channels: Collection[str], now: int, wall: int
) -> list[Delivery]:
    to = [one for one in everyone(plan, now) if one.channel in channels]
    reached = {one.channel for one in to}
    for channel in sorted(set(channels) - reached):
        person = EVERYBODY if channel == DASHBOARD else NOBODY
        to.append(Recipient(person, person, channel))
    return [_test(ward, batch, plan, one, wall) for one in to]


def _test(ward: str, batch: str, plan: Plan, to: Recipient, wall: int) -> Delivery:
    return Delivery(
        key=f"{batch}|{to.key}",
        alert=None,
        stay=None,
        ward=ward,
        episode=None,
        priority="low",
        kind="technical",
        reason="test",
        level=0,
        person=to.person,
        channel=to.channel,
        address=to.address,
        created=wall,
        due=wall,
        text={"batch": batch, "to": to.name, "zone": plan.zone},
    )
