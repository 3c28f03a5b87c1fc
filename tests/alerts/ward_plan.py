"""A ward's plan for tests, as a ward would write it: 6A in Zurich, with three shifts."""

from __future__ import annotations

from typing import Any

from ward.alerts.plan import Plan
from ward.alerts.plan_file import parse_plan, read_toml
from ward.zones import DAY, day_of, instant

TEXT = """
timezone = "Europe/Zurich"
give_up = "90s"

[quiet]
from = "22:00"
to = "06:00"
priority = ["low"]

[[person]]
id = "ada"
name = "Ada Berg"
address = { phone = "101" }
[[person]]
id = "ben"
name = "Ben Cole"
address = { phone = "102" }
[[person]]
id = "cleo"
name = "Cleo Dunn"
address = { phone = "103", pager = "900" }
[[person]]
id = "doc"
name = "Doctor on call"
address = { pager = "911" }
[[person]]
id = "tom"
name = "Tom, medical technology"
address = { mail = "tom@example.org" }

[[team]]
id = "nurses"
name = "Nurses on the floor"
people = ["ada", "ben"]
[[team]]
id = "charge"
name = "Charge nurse"
people = ["cleo"]

[[shift]]
id = "early"
from = "06:30"
to = "14:30"
[[shift]]
id = "late"
from = "14:30"
to = "22:30"
[[shift]]
id = "night"
from = "22:30"
to = "06:30"

[[roster]]
team = "nurses"
shift = "early"
people = ["ben"]
[[roster]]
team = "nurses"
shift = "late"
people = ["ben"]
[[roster]]
team = "nurses"
shift = "night"
people = ["ada"]

[[route]]
priority = ["high"]
remind = "10m"
remind_at_most = 2
[[route.level]]
tell = ["nurses"]
channels = ["dashboard", "phone"]
[[route.level]]
after = "2m"
tell = ["charge"]
channels = ["phone"]
[[route.level]]
after = "5m"
tell = ["doc"]
channels = ["pager"]

[[route]]
priority = ["medium", "low"]
[[route.level]]
tell = ["nurses"]
channels = ["phone"]
[[route.level]]
after = "15m"
tell = ["charge"]
channels = ["phone"]

[[route]]
kind = "technical"
rules = ["device-lost", "clock-offset"]
[[route.level]]
tell = ["tom"]
channels = ["mail"]

[[route]]
kind = "technical"
rules = ["measure-again"]
[[route.level]]
tell = ["nurses"]
channels = ["phone"]
"""
NIGHT = "2026-11-22"


def fields(**changes: Any) -> dict[str, Any]:
    """The plan's fields, some of them exchanged; None leaves one out."""
    given = read_toml(TEXT, "6A.toml") | changes
    return {name: value for name, value in given.items() if value is not None}


def plan(**changes: Any) -> Plan:
    return parse_plan(fields(**changes))


def clock(time: str, day: str = NIGHT, zone: str = "Europe/Zurich") -> int:
    """ms of ``03:05`` or ``03:05:30`` on the ward's clock; ``27:00`` is 03:00 of the day after."""
    hours, minutes, *seconds = (int(part) for part in time.split(":"))
    ms = ((hours * 60 + minutes) * 60 + sum(seconds)) * 1000
    return instant(zone, day_of(day) + ms // DAY, ms % DAY)
