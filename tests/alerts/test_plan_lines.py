"""Each problem of a plan's text is told at the line where it stands."""

from __future__ import annotations

import pytest

from ward.alerts.plan_file import PlanError, parse_plan, read_toml
from ward.alerts.plan_lines import in_lines

GOOD = """timezone = "UTC"
give_up = "90s"

[quiet]
from = "22:00"
to = "06:00"

[[person]]
id = "ada"
name = "Ada"

[[team]]
id = "nurses"
people = ["ada"]

[[shift]]
id = "day"
from = "07:00"
to = "19:00"

[[roster]]
team = "nurses"
shift = "day"
people = ["ada"]

[[route]]
[[route.level]]
tell = ["nurses"]
[[route.level]]
after = "2m"
tell = ["everybody"]

[[route]]
kind = "technical"
[[route.level]]
tell = ["ada"]
"""


def lines(text: str) -> list[int | None]:
    with pytest.raises(PlanError) as refused:
        parse_plan(read_toml(text, "plan"))
    return [one["line"] for one in in_lines(refused.value, text).extra["problems"]]


def test_the_example_is_right() -> None:
    assert len(parse_plan(read_toml(GOOD, "plan")).routes) == 2


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ('timezone = "UTC"', 'timezone = "Mars"', 1),
        ('give_up = "90s"', 'give_up = "soon"', 2),
        ('to = "06:00"', 'to = "26:00"', 6),
        ('people = ["ada"]\n\n[[shift]]', 'people = ["eve"]\n\n[[shift]]', 14),
        ('to = "19:00"', 'too = "19:00"', 19),
        ('shift = "day"', 'shift = "night"', 23),
        ('after = "2m"', 'after = "0s"', 30),
        ('tell = ["everybody"]', 'tell = ["nobody-i-know"]', 31),
        ('kind = "technical"', 'kind = "mystical"', 34),
        ('tell = ["ada"]\n', 'tell = ["ada"\n', 36),
        ('name = "Ada"', "name = ", 10),
    ],
)
def test_where(before: str, after: str, line: int) -> None:
    assert before in GOOD
    assert line in lines(GOOD.replace(before, after, 1))


def test_what_is_missing_is_told_at_its_heading() -> None:
    assert lines(GOOD.replace('tell = ["nurses"]\n', "")) == [27]
    assert lines(GOOD.replace('timezone = "UTC"\n', "\n")) == [1]
