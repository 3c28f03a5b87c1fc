"""A ward's care plan: who is told of an alert first, who next if nobody takes it, and through what.

Values and questions to them; nothing here reads a clock. Times in ms, ``now`` is the ward's.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from ward.alerts.carers import Carer
from ward.alerts.roster import Roster
from ward.scoring.rules import Kind, Priority
from ward.signals import HOUR, MINUTE
from ward.zones import DAY, instant, local

Span = tuple[int, int]
"""From, to: ms."""
Answer = TypeVar("Answer")

EVERYBODY: Final = "everybody"
"""Who is meant where no person is: all that look at a channel, such as the ward's dashboards."""
ASSIGNED: Final = "assigned"
"""Who is meant: whoever has the patient now, if anybody has."""
EARLY: Final = HOUR
"""Whoever takes a patient so long before her shift begins has it until that shift ends."""
LONGEST_CARE: Final = 16 * HOUR
"""Nobody has a patient for longer than this: also where no shift ends."""
DASHBOARD: Final = "dashboard"
"""The channel that always exists."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person and the channel to tell her through, with her address there where she has one."""

    person: str
    name: str
    channel: str
    address: str | None = None

    @property
    def key(self) -> str:
        return f"{self.person}/{self.channel}"


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str
    addresses: Mapping[str, str] = field(default_factory=dict)
    """by channel"""


@dataclass(frozen=True, slots=True)
class Team:
    """Whoever of them is on duty; all of them where the roster does not name the team."""

    id: str
    name: str
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """``after``: how long (ms) nobody has taken the alert. ``tell``: teams, persons, ``everybody`` or
    ``assigned``."""

    after: int
    tell: tuple[str, ...]
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """The way of some alerts. Empty ``priorities`` or ``rules``: of all. ``remind``: ms, None: never."""

    kind: Kind
    priorities: frozenset[Priority]
    rules: tuple[str, ...]
    levels: tuple[Level, ...]
    remind: int | None = None
    remind_at_most: int = 0

    def fits(self, kind: Kind, priority: Priority, rule: str) -> bool:
        """``device-lost`` names also the rule of one device, ``device-lost:mon-01``."""
        named = not self.rules or rule in self.rules or rule.partition(":")[0] in self.rules
        return kind == self.kind and named and (not self.priorities or priority in self.priorities)

    def level(self, waited: int) -> int:
        """The highest level that is due when nobody has taken the alert for so long."""
        return bisect_right([level.after for level in self.levels], waited) - 1

    def reminders(self, waited: int) -> int:
        """How many reminders are due by then."""
        return min(waited // self.remind, self.remind_at_most) if self.remind else 0


@dataclass(frozen=True, slots=True)
class Quiet:
    """From ``start`` to ``end`` (ms on the ward's clock) alerts of these priorities wait; never high ones."""

    start: int
    end: int
    priorities: frozenset[Priority]


@dataclass(frozen=True, slots=True)
class Reached:
    """Who is told on the way from a level: ``level`` is the first where somebody is on duty, ``missed``
    are those before it where nobody is."""

    level: int
    to: tuple[Recipient, ...]
    missed: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """``routes``: the first that fits an alert is its way; the built-in ones come last and fit any."""

    roster: Roster
    people: Mapping[str, Person] = field(default_factory=dict)
    teams: Mapping[str, Team] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    quiet: Quiet | None = None
    give_up: int = 2 * MINUTE
    """a delivery that is not through after so long counts as failed"""
    test_each_shift: bool = False
    """a test alert at the beginning of each shift, to everybody whom the plan may tell"""

    @property
    def zone(self) -> str:
        return self.roster.zone

    def route(self, kind: Kind, priority: Priority, rule: str) -> Route:
        return next(route for route in (*self.routes, *BUILT_IN) if route.fits(kind, priority, rule))

    def on_duty(self, who: str, now: int) -> tuple[str, ...]:
        """The persons behind a team's or person's id; none behind ``assigned``, which is a patient's."""
        if who == ASSIGNED:
            return ()
        if who not in self.teams:
            return (who,)
        rostered = self.roster.on_duty(who, now)
        return self.teams[who].people if rostered is None else rostered

    def shift_end(self, person: str, now: int) -> int:
        """Until when (ms) somebody has a patient whom she takes now: until her shift ends; where the roster
        does not name her, until the shift ends that runs or is about to begin."""
        soon = now + EARLY
        own = [end for at in (now, soon) for _, end in self.roster.shifts_of(person, at)]
        ends = own or [end for _, _, _, end in self.roster.running(soon)]
        return min(max(ends, default=now + LONGEST_CARE), now + LONGEST_CARE)

    def told_at(self, level: Level, now: int, carer: Carer | None = None) -> tuple[Recipient, ...]:
        """Everybody whom a level tells now, each once a channel; empty where nobody is on duty. ``carer``:
        whoever has the patient."""
        people = dict.fromkeys(person for who in level.tell for person in self.on_duty(who, now))
        found = [self._recipient(person, channel) for person in people for channel in level.channels]
        if carer is not None and ASSIGNED in level.tell:
            found += self.told_as_carer(level, carer)
        return tuple(dict.fromkeys(found))

    def told_as_carer(self, level: Level, carer: Carer) -> list[Recipient]:
        """Through the level's channels; where the plan does not know her, on the dashboards alone."""
        if carer.person in self.people:
            return [self._recipient(carer.person, channel) for channel in level.channels]
        return [Recipient(carer.person, carer.name, c) for c in level.channels if c == DASHBOARD]

    def person_called(self, name: str) -> str | None:
        """The id of the person whose id or name that is."""
        wanted = name.casefold()
        known = (p.id for p in self.people.values() if wanted in (p.id.casefold(), p.name.casefold()))
        return next(known, None)

    def _recipient(self, person: str, channel: str) -> Recipient:
        known = self.people.get(person)
        if known is None:
            return Recipient(person, ALL.name if person == EVERYBODY else person, channel)
        return Recipient(person, known.name, channel, known.addresses.get(channel))

    def reach(self, route: Route, level: int, now: int, carer: Carer | None = None) -> Reached:
        """Tell a level; where nobody is on duty the next one, at once; if there is nobody at all, the
        dashboards. A hole in the roster, or a patient whom nobody has, swallows no alert."""
        missed: list[int] = []
        for number, step in enumerate(route.levels[level:], level):
            if to := self.told_at(step, now, carer):
                return Reached(number, to, tuple(missed))
            missed.append(number)
        return Reached(max(level, len(route.levels) - 1), (ALL,), tuple(missed))

    def told_up_to(
        self, route: Route, level: int, now: int, carer: Carer | None = None
    ) -> tuple[Recipient, ...]:
        """Everybody of the levels up to this one, as they are on duty now."""
        steps = route.levels[: level + 1]
        everyone = dict.fromkeys(one for step in steps for one in self.told_at(step, now, carer))
        return tuple(everyone) or (ALL,)

    def quiet_until(self, priority: Priority, now: int) -> int | None:
        """When the quiet hours end that hold for the priority now; None while it may be told."""
        for _, start, end in self._quiet_hours(priority, now):
            if start <= now < end:
                return end
        return None

    def waited(self, priority: Priority, since: int, now: int, away: Iterable[Span] = ()) -> int:
        """How long an alert has been waiting for somebody; after quiet hours that starts anew. ``away``:
        when its patient was not there, which counts as no waiting."""
        ends = [end for _, _, end in self._quiet_hours(priority, now) if end <= now]
        return time_outside(away, max(since, *ends) if ends else since, now)

    def _quiet_hours(self, priority: Priority, now: int) -> list[tuple[int, int, int]]:
        """(day, from, to) of those of yesterday and today; none where the priority is never quiet."""
        quiet = self.quiet
        if quiet is None or priority not in quiet.priorities:
            return []
        today, _ = local(self.zone, now)
        length = quiet.end if quiet.end > quiet.start else quiet.end + DAY
        return [
            (day, instant(self.zone, day, quiet.start), instant(self.zone, day, length))
            for day in (today - 1, today)
        ]


def time_outside(away: Iterable[Span], since: int, now: int) -> int:
    """How much of the time from ``since`` to ``now`` (ms) lies in none of these spans, which are disjoint."""
    return now - since - sum(max(0, min(end, now) - max(start, since)) for start, end in away)


ALL: Final = Recipient(EVERYBODY, "everybody on the ward", DASHBOARD)


def _dashboards(*after: int) -> tuple[Level, ...]:
    return tuple(Level(wait, (EVERYBODY,), (DASHBOARD,)) for wait in after)


BUILT_IN: Final = (
    Route("physiological", frozenset({"high"}), (), _dashboards(0, 5 * MINUTE), 10 * MINUTE, 12),
    Route("physiological", frozenset({"medium"}), (), _dashboards(0, 30 * MINUTE)),
    Route("physiological", frozenset(), (), _dashboards(0)),
    Route("technical", frozenset(), (), _dashboards(0)),
)
"""What holds where a plan says nothing: the dashboards, again after a while for what is urgent."""
DEFAULT: Final = Plan(Roster("UTC"))


def built_in(zone: str) -> Plan:
    """What holds where there is no plan, by the clocks of the house."""
    return replace(DEFAULT, roster=Roster(zone))


class Plans:
    """The plan of each ward; one for all that have none of their own."""

    def __init__(self, default: Plan = DEFAULT, by_ward: Mapping[str, Plan] | None = None) -> None:
        self.default = default
        self.by_ward = dict(by_ward or {})
        self.failed: dict[str, str] = {}
        """Wards whose plan could not be followed, and what went wrong (the kind of error)."""

    def of(self, ward: str) -> Plan:
        """What belongs to no ward (a fault of the service) goes by the default plan."""
        return DEFAULT if ward in self.failed else self.by_ward.get(ward, self.default)

    def follow(self, ward: str, work: Callable[[Plan], Answer]) -> Answer:
        """Do it by the ward's plan. Where that fails, by the built-in one, and so until the ward's plan is
        changed: a plan that cannot be followed must cost no other ward an alert, and this one none."""
        plan = self.of(ward)
        try:
            return work(plan)
        except Exception as error:
            if plan is DEFAULT:
                raise
            self.failed[ward] = type(error).__name__
            return work(DEFAULT)

    def put(self, ward: str, plan: Plan | None) -> None:
        """None: the ward goes by the default plan again."""
        self.failed.pop(ward, None)
        if plan is None:
            self.by_ward.pop(ward, None)
        else:
            self.by_ward[ward] = plan
