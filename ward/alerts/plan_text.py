"""A care plan back as the fields that people write, and as TOML."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ward.alerts.durations import format_duration
from ward.alerts.plan import BUILT_IN, Level, Plan, Route
from ward.alerts.plan_file import DAYS
from ward.alerts.roster import EVERY_DAY, Line, Shift
from ward.scoring.rules import PRIORITIES
from ward.signals import MINUTE
from ward.zones import day_text


def plan_to_fields(plan: Plan) -> dict[str, Any]:
    """JSON- and TOML-ready; ``parse_plan`` gives an equal plan back. One without ways of its own shows the
    built-in ones."""
    quiet = plan.quiet
    lists = {
        "person": [
            {"id": p.id, "name": p.name, **({"address": dict(p.addresses)} if p.addresses else {})}
            for p in plan.people.values()
        ],
        "team": [{"id": t.id, "name": t.name, "people": list(t.people)} for t in plan.teams.values()],
        "shift": [_shift(shift) for shift in plan.roster.shifts.values()],
        "roster": [_line(line) for line in plan.roster.lines],
        "route": [_route(route) for route in plan.routes or BUILT_IN],
    }
    return {
        "timezone": plan.zone,
        "give_up": format_duration(plan.give_up),
        **({"test_each_shift": True} if plan.test_each_shift else {}),
        **(
            {
                "quiet": {
                    "from": _clock(quiet.start),
                    "to": _clock(quiet.end),
                    "priority": [p for p in PRIORITIES if p in quiet.priorities],
                }
            }
            if quiet
            else {}
        ),
        **{name: tables for name, tables in lists.items() if tables},
    }


def to_toml(fields: Mapping[str, Any]) -> str:
    """The fields of a plan as a TOML file; ``read_toml`` gives equal fields back."""
    plain = {n: value for n, value in fields.items() if not (isinstance(value, Mapping) or _is_table(value))}
    lines = [f"{name} = {_value(value)}" for name, value in plain.items()]
    for name, value in fields.items():
        if isinstance(value, Mapping):
            lines += ["", f"[{name}]", *(f"{key} = {_value(part)}" for key, part in value.items())]
        elif _is_table(value):
            lines += [line for part in value for line in _table(name, part)]
    return "\n".join(lines) + "\n"


def _table(name: str, part: Mapping[str, Any]) -> list[str]:
    lines = ["", f"[[{name}]]"]
    lines += [f"{key} = {_value(value)}" for key, value in part.items() if not _is_table(value)]
    for key, value in part.items():
        if _is_table(value):
            lines += [line for inner in value for line in _table(f"{name}.{key}", inner)]
    return lines


def _is_table(value: object) -> bool:
    """What stands under headings of its own."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_text(key)} = {_value(part)}" for key, part in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_value(part) for part in value) + "]"
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(value: str) -> str:
    """JSON's strings are TOML's, but for a delete character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _shift(shift: Shift) -> dict[str, Any]:
    days = {"days": _days(shift.days)} if shift.days != EVERY_DAY else {}
    return {
        "id": shift.id,
        "name": shift.name,
        "from": _clock(shift.start),
        "to": _clock(shift.end),
        **days,
    }


def _line(line: Line) -> dict[str, Any]:
    when: dict[str, Any] = {}
    if line.date is not None:
        when = {"date": day_text(line.date)}
    elif line.days is not None:
        when = {"days": _days(line.days)}
    return {"team": line.team, "shift": line.shift, **when, "people": list(line.people)}


def _route(route: Route) -> dict[str, Any]:
    return {
        "kind": route.kind,
        **({"priority": [p for p in PRIORITIES if p in route.priorities]} if route.priorities else {}),
        **({"rules": list(route.rules)} if route.rules else {}),
        "remind": format_duration(route.remind) if route.remind else "never",
        **({"remind_at_most": route.remind_at_most} if route.remind else {}),
        "level": [_level(level) for level in route.levels],
    }


def _level(level: Level) -> dict[str, Any]:
    return {
        **({"after": format_duration(level.after)} if level.after else {}),
        "tell": list(level.tell),
        "channels": list(level.channels),
    }


def _days(days: frozenset[int]) -> list[str]:
    return [DAYS[day] for day in sorted(days)]


def _clock(ms: int) -> str:
    minutes = ms // MINUTE
    return f"{minutes // 60:02}:{minutes % 60:02}"
