"""Shifts and rosters: who is on duty in a team at an instant, on the ward's own clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from ward.zones import DAY, instant, local, weekday

EVERY_DAY = frozenset(range(7))


@dataclass(frozen=True, slots=True)
class Shift:
    """``start`` and ``end`` are ms on the ward's clock; an end that is not later is on the next day.

    A shift belongs to the day on which it begins. ``days``: weekdays on which it begins, Monday 0.
    """

    id: str
    name: str
    start: int
    end: int
    days: frozenset[int] = EVERY_DAY

    def span(self, zone: str, day: int) -> tuple[int, int]:
        """The instants between which it runs, if it begins on that day. Both ends are found alike, so
        that one shift ends exactly where the next begins, also when the clocks change."""
        end = self.end if self.end > self.start else self.end + DAY
        return instant(zone, day, self.start), instant(zone, day, end)


@dataclass(frozen=True, slots=True)
class Line:
    """Who of a team has a shift: on one day (``date``, days since 1970), on weekdays, or always."""

    team: str
    shift: str
    people: tuple[str, ...]
    date: int | None = None
    days: frozenset[int] | None = None

    def rank(self, day: int) -> int:
        """How closely the line speaks of a day: 0 not at all; a date goes before weekdays before always."""
        if self.date is not None:
            return 3 if self.date == day else 0
        if self.days is not None:
            return 2 if weekday(day) in self.days else 0
        return 1


@dataclass(frozen=True, slots=True)
class Roster:
    zone: str
    shifts: Mapping[str, Shift] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()

    def running(self, now: int) -> list[tuple[Shift, int, int, int]]:
        """(shift, its day, from, to) of the shifts that run now."""
        today, _ = local(self.zone, now)
        found = []
        for shift in self.shifts.values():
            for day in (today - 1, today):
                start, end = shift.span(self.zone, day)
                if weekday(day) in shift.days and start <= now < end:
                    found.append((shift, day, start, end))
        return found

    def on_duty(self, team: str, now: int) -> tuple[str, ...] | None:
        """Of the shifts that run now; None where the roster says nothing of the team at all."""
        if all(line.team != team for line in self.lines):
            return None
        people = (p for shift, day, _, _ in self.running(now) for p in self._of(team, shift.id, day))
        return tuple(dict.fromkeys(people))

    def shifts_of(self, person: str, now: int) -> list[tuple[int, int]]:
        """(from, to) of the shifts that run now in which she is on duty, in whatever team."""
        teams = {line.team for line in self.lines}
        return [
            (start, end)
            for shift, day, start, end in self.running(now)
            if any(person in self._of(team, shift.id, day) for team in teams)
        ]

    def _of(self, team: str, shift: str, day: int) -> Iterator[str]:
        mine = [line for line in self.lines if (line.team, line.shift) == (team, shift)]
        closest = max((line.rank(day) for line in mine), default=0)
        for line in mine:
            if closest and line.rank(day) == closest:
                yield from line.people

    def handovers(self, start: int, end: int) -> list[int]:
        """The instants from ``start`` (itself included) to before ``end`` at which a shift begins or ends."""
        first, last = local(self.zone, start)[0], local(self.zone, end)[0]
        found = {start}
        for shift in self.shifts.values():
            for day in range(first - 1, last + 1):
                found.update(at for at in shift.span(self.zone, day) if start <= at < end)
        return sorted(found)

    def holes(self, team: str, start: int, end: int) -> list[tuple[int, int]]:
        """When nobody of the team is on duty between two instants, as (from, to)."""
        found: list[tuple[int, int]] = []
        for at, until in pairwise([*self.handovers(start, end), end]):
            if self.on_duty(team, at) != ():
                continue
            if found and found[-1][1] == at:
                found[-1] = (found[-1][0], until)
            else:
                found.append((at, until))
        return found
