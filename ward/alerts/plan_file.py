"""Care plans as people write them, in TOML or as the same fields in JSON. A plan that is wrong anywhere is
refused whole, with every reason."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

from ward.alerts.fields import (
    Fields,
    Problem,
    count,
    duration,
    identifier,
    identifiers,
    identifiers_or_none,
    one_of,
    shown,
    some_of,
    text,
    yes_or_no,
)
from ward.alerts.plan import ASSIGNED, DASHBOARD, EVERYBODY, Level, Person, Plan, Quiet, Route, Team
from ward.alerts.roster import EVERY_DAY, Line, Roster, Shift
from ward.errors import InvalidError
from ward.scoring.rules import KINDS, PRIORITIES, Kind, Priority
from ward.signals import MINUTE
from ward.zones import day_of, is_zone, weekday

RESERVED: Final = (EVERYBODY, ASSIGNED)
"""What a level may tell beside persons and teams."""
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MOST_LEVELS: Final = 10
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_REMIND_HIGH: Final = 10 * MINUTE
_REMIND_AT_MOST: Final = 12


class PlanError(InvalidError):
    """A plan that cannot be used. ``file`` names it, ``problems`` lists all that is wrong."""

    type, title = "invalid-plan", "The care plan is not valid"

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        self.file = file
        self.problems = tuple(problems)
        super().__init__(
            "\n".join(f"{file}: {problem}" for problem in problems),
            file=file,
            problems=[
                {"rule": p.place or None, "field": p.field or None, "found": p.found, "allowed": p.allowed}
                for p in problems
            ],
        )


def load_plan(path: str | Path) -> tuple[Plan, dict[str, Any]]:
    """The plan of a file, and its fields as JSON has them. Raises ``PlanError``."""
    try:
        written = Path(path).read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        problem = Problem("", "", f"cannot be read ({reason})", "a TOML file in UTF-8")
        raise PlanError(str(path), [problem]) from error
    fields = read_toml(written, str(path))
    return parse_plan(fields, str(path)), fields


def read_toml(written: str, file: str) -> dict[str, Any]:
    """The fields, with days as text, as JSON has them. Raises ``PlanError``."""
    try:
        return cast(dict[str, Any], _plain(tomllib.loads(written)))
    except (ValueError, RecursionError) as error:  # also what Python says of a number of 5,000 digits
        raise PlanError(file, [Problem("", "", f"not TOML: {error}", "TOML 1.0")]) from error


def parse_plan(fields: Mapping[str, Any], file: str = "plan") -> Plan:
    """``file`` is only used to say where a problem is. Raises ``PlanError`` with all problems."""
    problems: list[Problem] = []
    top = Fields("", fields, problems)
    top.only("timezone", "give_up", "test_each_shift", "quiet", "person", "team", "shift", "roster", "route")
    zone = top.get("timezone", _zone)
    people = _by_id(problems, "person", [_person(f) for f in top.tables("person")])
    teams = _by_id(problems, "team", [_team(f) for f in top.tables("team")])
    shifts = _by_id(problems, "shift", [_shift(f) for f in top.tables("shift")])
    lines = [(f, _line(f)) for f in top.tables("roster")]
    routes = [(f, _route(f)) for f in top.tables("route")]
    quiet = _quiet(top)
    give_up = top.get("give_up", duration(1), 2 * MINUTE)
    tests = top.get("test_each_shift", yes_or_no, False)
    for team in teams.values():
        _known(problems, f"team {team.id}", "people", team.people, people)
    problems += [
        Problem(f"team {name}", "id", "a person's too", "an id that no person has")
        for name in sorted(people.keys() & teams.keys())
    ]
    for fields_of, line in lines:
        _check_line(fields_of, line, people, teams, shifts)
    for fields_of, route in routes:
        for number, level in enumerate(route.levels if route else (), 1):
            place = f"level {number} of {fields_of.place}"
            _known(problems, place, "tell", level.tell, {**people, **teams, **dict.fromkeys(RESERVED)})
    if problems:
        raise PlanError(file, problems)
    roster = Roster(zone, shifts, tuple(cast(Line, line) for _, line in lines))
    ways = tuple(cast(Route, route) for _, route in routes)
    return Plan(roster, people, teams, ways, quiet, give_up, tests)


# --- tables -----------------------------------------------------------------------------------------


def _person(f: Fields) -> Person | None:
    f.only("id", "name", "address")
    name = f.get("id", identifier)
    f.place = f"person {name}" if name else f.place
    if name in RESERVED:
        f.fail("id", "reserved", f"any id but {' and '.join(RESERVED)}")
    called = f.get("name", text, name)
    addresses = f.get("address", _addresses, {})
    return None if f.failed else Person(name, called, addresses)


def _team(f: Fields) -> Team | None:
    f.only("id", "name", "people")
    name = f.get("id", identifier)
    f.place = f"team {name}" if name else f.place
    if name in RESERVED:
        f.fail("id", "reserved", f"any id but {' and '.join(RESERVED)}")
    called = f.get("name", text, name)
    people = f.get("people", identifiers)
    return None if f.failed else Team(name, called, people)


def _shift(f: Fields) -> Shift | None:
    f.only("id", "name", "from", "to", "days")
    name = f.get("id", identifier)
    f.place = f"shift {name}" if name else f.place
    called = f.get("name", text, name)
    start, end = f.get("from", _clock), f.get("to", _clock)
    days = f.get("days", _weekdays, EVERY_DAY)
    return None if f.failed else Shift(name, called, start, end, days)


def _line(f: Fields) -> Line | None:
    f.only("team", "shift", "people", "date", "days")
    team, shift = f.get("team", identifier), f.get("shift", identifier)
    people = f.get("people", identifiers_or_none)
    date, days = f.get("date", _date, None), f.get("days", _weekdays, None)
    if date is not None and days is not None:
        f.fail("days", "beside a date", "date or days, not both")
    return None if f.failed else Line(team, shift, people, date, days)


def _check_line(
    f: Fields,
    line: Line | None,
    people: Mapping[str, Person],
    teams: Mapping[str, Team],
    shifts: Mapping[str, Shift],
) -> None:
    if line is None:
        return
    _known(f.problems, f.place, "team", (line.team,), teams)
    _known(f.problems, f.place, "shift", (line.shift,), shifts)
    _known(f.problems, f.place, "people", line.people, people)
    shift = shifts.get(line.shift)
    wanted = {weekday(line.date)} if line.date is not None else line.days
    if shift is not None and wanted is not None and not wanted <= shift.days:
        named = "date" if line.date is not None else "days"
        runs = ", ".join(DAYS[day] for day in sorted(shift.days))
        f.fail(named, f"a day on which the shift {shift.id} does not begin", runs)


def _route(f: Fields) -> Route | None:
    f.only("kind", "priority", "rules", "level", "remind", "remind_at_most")
    kind = f.get("kind", one_of(KINDS), "physiological")
    priorities = f.get("priority", some_of(PRIORITIES), frozenset())
    rules = f.get("rules", identifiers, ())
    levels = [_level(part) for part in f.tables("level")]
    if not levels:
        f.fail("level", "no levels", "one or more [[route.level]] tables")
    elif len(levels) > _MOST_LEVELS:
        f.fail("level", f"{len(levels)} levels", f"at most {_MOST_LEVELS}")
    urgent = kind == "physiological" and (not priorities or "high" in priorities)
    remind = f.get("remind", _remind, _REMIND_HIGH if urgent else 0)
    at_most = f.get("remind_at_most", count, _REMIND_AT_MOST)
    if f.failed or not all(levels):
        return None
    found = _waits(f, cast(list[Level], levels))
    if f.failed:
        return None
    return Route(
        cast(Kind, kind),
        cast(frozenset[Priority], priorities),
        rules,
        found,
        remind or None,
        at_most if remind else 0,
    )


def _remind(value: object) -> int:
    return 0 if value == "never" else duration(MINUTE)(value)


def _level(f: Fields) -> Level | None:
    f.only("after", "tell", "channels")
    after = f.get("after", duration(0), -1)
    tell = f.get("tell", identifiers)
    channels = f.get("channels", identifiers, (DASHBOARD,))
    return None if f.failed else Level(after, tell, channels)


def _waits(f: Fields, levels: list[Level]) -> tuple[Level, ...]:
    """The first level is told at once; each further one must wait longer than the one before."""
    first, *others = levels
    if first.after > 0:
        _fail_level(f, 1, "it waits", "nothing or 0s: the first level is told at once")
    found = [replace(first, after=0)]
    for number, level in enumerate(others, 2):
        if level.after <= found[-1].after:
            _fail_level(f, number, "not later than the level before", "a longer wait, such as 5m")
        found.append(level)
    return tuple(found)


def _fail_level(f: Fields, number: int, found: str, allowed: str) -> None:
    f.failed.add("level")
    f.problems.append(Problem(f"level {number} of {f.place}", "after", found, allowed))


def _quiet(top: Fields) -> Quiet | None:
    data = top.data.get("quiet")
    if data is None:
        return None
    if not isinstance(data, Mapping):
        top.fail("quiet", shown(data), "a table with from, to and priority")
        return None
    f = Fields("quiet", data, top.problems)
    f.only("from", "to", "priority")
    start, end = f.get("from", _clock), f.get("to", _clock)
    priorities = f.get("priority", some_of(PRIORITIES), frozenset({"low"}))
    if priorities and "high" in priorities:
        f.fail("priority", "high", "low, medium: a high alert is never kept quiet")
    if start is not None and start == end:
        f.fail("to", "the same time as from", "another time")
    return None if f.failed else Quiet(start, end, cast(frozenset[Priority], priorities))


def _by_id(problems: list[Problem], what: str, found: Iterable[Any]) -> dict[str, Any]:
    by_id: dict[str, Any] = {}
    for one in found:
        if one is None:
            continue
        if one.id in by_id:
            problems.append(Problem(f"{what} {one.id}", "id", "used more than once", "each id once"))
        by_id[one.id] = one
    return by_id


def _known(
    problems: list[Problem], place: str, name: str, ids: Iterable[str], known: Mapping[str, object]
) -> None:
    for one in ids:
        if one not in known:
            allowed = ", ".join(list(known)[:20]) or "none is defined"
            problems.append(Problem(place, name, f"unknown {one!r}", allowed))


# --- fields -----------------------------------------------------------------------------------------


def _clock(value: object) -> int:
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError('a time of day from "00:00" to "23:59"')
    return (int(found[1]) * 60 + int(found[2])) * MINUTE


def _date(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError("a day such as 2026-12-24")
    try:
        return day_of(value)
    except ValueError:
        raise ValueError("a day such as 2026-12-24") from None


def _weekdays(value: object) -> frozenset[int]:
    return frozenset(DAYS.index(day) for day in some_of(DAYS)(value))


def _zone(value: object) -> str:
    if not isinstance(value, str) or not is_zone(value):
        raise ValueError("a time zone such as Europe/Zurich")
    return value


def _addresses(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise ValueError('a table of addresses by channel, such as { pager = "4711" }')
    return {identifier(channel): text(address) for channel, address in value.items()}


def _plain(value: object) -> object:
    """Days and times as text: JSON has no others."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
