"""In which line of a plan's text a problem is, so that who writes one sees it where it stands."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from ward.alerts.fields import Problem
from ward.alerts.plan_file import PlanError

_HEAD: Final = re.compile(r"\s*\[{1,2}\s*([A-Za-z_.]+)\s*\]{1,2}")
_KEY: Final = re.compile(r"""\s*["']?([A-Za-z_]+)["']?\s*=\s*(.*)""")
_TOLD: Final = re.compile(r"\(at line (\d+), column \d+\)")


@dataclass(slots=True)
class _Block:
    """A table as it is written; ``places``: what its problems call it; ``keys``: the line of each."""

    line: int
    places: set[str]
    keys: dict[str, int] = field(default_factory=dict)


def in_lines(error: PlanError, written: str) -> PlanError:
    """The same, each problem with its ``line``."""
    found = PlanError(error.file, error.problems)
    told = found.extra["problems"]
    assert isinstance(told, list)
    for one, problem in zip(told, error.problems, strict=True):
        one["line"] = line_of(written, problem)
    return found


def line_of(written: str, problem: Problem) -> int | None:
    """Counted from 1; of a table that is wrong as a whole, or lacks a field, the line of its heading. None
    where the text does not show it."""
    told = _TOLD.search(problem.found)
    if told:
        return int(told[1])
    if problem.found.endswith("(at end of document)"):
        return max(1, len(written.splitlines()))
    for block in _blocks(written):
        if problem.place in block.places:
            return block.keys.get(problem.field, block.line)
        if not problem.place and problem.field in block.places:
            return block.line
    return None


def _blocks(written: str) -> Iterator[_Block]:
    block = _Block(1, {""})
    kind, counts = "", Counter[str]()
    for number, text in enumerate(written.splitlines(), 1):
        if head := _HEAD.match(text):
            yield block
            kind = head[1].rpartition(".")[2]
            if "." not in head[1]:
                outer = f"{kind} {counts[kind] + 1}"
                counts["level"] = 0
            counts[kind] += 1
            own = f"{kind} {counts[kind]}"
            block = _Block(number, {kind, own if "." not in head[1] else f"{own} of {outer}"})
        elif key := _KEY.match(text):
            block.keys.setdefault(key[1], number)
            if key[1] == "id":
                value = key[2].strip()
                block.places.add(f"{kind} {value[1:].partition(value[0])[0]}" if value else kind)
    yield block
