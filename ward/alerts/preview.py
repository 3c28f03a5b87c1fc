"""A plan looked at before it is needed: how an alert would travel, who is on duty, where nobody is."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Final

from ward.alerts.carers import Carer
from ward.alerts.model import RANK
from ward.alerts.plan import ASSIGNED, DASHBOARD, EVERYBODY, Person, Plan, Recipient, Route
from ward.scoring.rules import Kind, Priority
from ward.signals import SECOND
from ward.zones import clock_text

USUAL: Final[tuple[tuple[Kind, Priority, str], ...]] = (
    ("physiological", "high", ""),
    ("physiological", "medium", ""),
    ("physiological", "low", ""),
    ("technical", "medium", "device-lost"),
    ("technical", "low", "clock-offset"),
)
SOMEBODY: Final = Carer(ASSIGNED, "whoever has the patient", 0, 0)
"""Stands in for the carer of a patient who is only thought of."""
_SHOWN_REMINDERS: Final = 3
_NIGHTS: Final = 3
"""A wait longer than a day without its night ends on no day."""


@dataclass(frozen=True, slots=True)
class Step:
    """At ``at`` (ms) these are told, if nobody has taken the alert. ``level`` None: a reminder."""

    at: int
    level: int | None
    to: tuple[Recipient, ...]
    missed: tuple[int, ...] = ()
    """levels passed over, as nobody is on duty"""


def journey(plan: Plan, kind: Kind, priority: Priority, rule: str, at: int) -> list[Step]:
    """Who would be told of an alert raised at ``at`` that nobody takes; with the first reminders. The patient
    is somebody's, who can be told through every channel."""
    plan = _knowing(plan)
    route = plan.route(kind, priority, rule)
    begin = plan.quiet_until(priority, at) or at
    steps: list[Step] = []
    told = -1
    for number, level in enumerate(route.levels):
        if number <= told:
            continue
        when = _awake(plan, priority, begin, level.after)
        reached = plan.reach(route, number, when, SOMEBODY)
        told = reached.level
        steps.append(Step(when, told, reached.to, reached.missed))
    for count in range(1, min(route.remind_at_most, _SHOWN_REMINDERS) + 1 if route.remind else 1):
        assert route.remind is not None
        when = _awake(plan, priority, begin, count * route.remind)
        level_then = route.level(plan.waited(priority, begin, when))
        steps.append(Step(when, None, plan.told_up_to(route, level_then, when, SOMEBODY)))
    return sorted(steps, key=lambda step: step.at)


def _knowing(plan: Plan) -> Plan:
    return replace(plan, people={**plan.people, ASSIGNED: Person(ASSIGNED, SOMEBODY.name)})


def samples(plan: Plan) -> list[tuple[Kind, Priority, str]]:
    """(kind, priority, rule) of an alert for each way that the plan has: the usual ones, and one for every
    route of its own, so that none stays unseen."""
    found = dict.fromkeys(USUAL)
    seen = {plan.route(*one) for one in USUAL}
    for route in plan.routes:
        for rule in route.rules or ("",):
            for priority in sorted(route.priorities or RANK, key=lambda p: -RANK[p]):
                if plan.route(route.kind, priority, rule) is route and (rule or route not in seen):
                    seen.add(route)
                    found[route.kind, priority, rule] = None
                    break
    return list(found)


def _awake(plan: Plan, priority: Priority, begin: int, wait: int) -> int:
    """When an alert has waited so long that waits since ``begin``: quiet hours begin the wait anew."""
    at = begin + wait
    for _ in range(_NIGHTS):
        until = plan.quiet_until(priority, at) or at - plan.waited(priority, begin, at)
        if until <= begin:
            break
        begin, at = until, until + wait
    return at


@dataclass(frozen=True, slots=True)
class Hole:
    """Nobody of the team is on duty from ``start`` to ``end`` (ms)."""

    team: str
    start: int
    end: int

    def text(self, plan: Plan) -> str:
        zone = plan.zone
        name = plan.teams[self.team].name
        until = clock_text(zone, self.end + SECOND - 1)
        return f"{name}: nobody is on duty from {clock_text(zone, self.start)} to {until}"


def holes(plan: Plan, start: int, end: int) -> list[Hole]:
    """Of every team that some alert is told to, between two instants; by time."""
    used = dict.fromkeys(who for route in plan.routes for level in route.levels for who in level.tell)
    found = [
        Hole(team, *hole)
        for team in used
        if team in plan.teams
        for hole in plan.roster.holes(team, start, end)
    ]
    return sorted(found, key=lambda hole: (hole.start, hole.team))


def remarks(plan: Plan, channels: Collection[str] | None = None) -> list[str]:
    """What is allowed and perhaps not meant: a channel that is not among those configured (None: not known
    here) or without an address, a way that nothing takes."""
    named = dict.fromkeys(c for route in plan.routes for level in route.levels for c in level.channels)
    found = [
        f"channel {channel}: not configured; there are: {', '.join(channels)}"
        for channel in named
        if channels is not None and channel not in channels
    ]
    found += [
        f"person {person}: no address for {channel}; right only if that channel has one of its own"
        for person, channel in dict.fromkeys(_named(plan))
        if channel not in plan.people[person].addresses
    ]
    for number, route in enumerate(plan.routes, 1):
        if all(set(level.tell) == {ASSIGNED} for level in route.levels):
            found.append(f"route {number}: tells nobody but whoever has the patient; else the dashboards")
        if any(_covers(earlier, route) for earlier in plan.routes[: number - 1]):
            found.append(f"route {number}: never taken, a route before it fits all of its alerts")
    return found


def _named(plan: Plan) -> Iterator[tuple[str, str]]:
    """Persons and channels that some level may tell."""
    for route in plan.routes:
        for level in route.levels:
            for who in level.tell:
                people = plan.teams[who].people if who in plan.teams else (who,)
                lines = (line.people for line in plan.roster.lines if line.team == who)
                for person in (*people, *(one for part in lines for one in part)):
                    if person not in (EVERYBODY, ASSIGNED):
                        yield from ((person, channel) for channel in level.channels if channel != DASHBOARD)


def _covers(one: Route, other: Route) -> bool:
    priorities = not one.priorities or (bool(other.priorities) and other.priorities <= one.priorities)
    rules = not one.rules or (bool(other.rules) and set(other.rules) <= set(one.rules))
    return one.kind == other.kind and priorities and rules
