"""Reading tables of fields that people wrote: every field with what is allowed, all that is wrong at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ward.alerts.durations import ALLOWED as DURATION
from ward.alerts.durations import parse_duration
from ward.signals import MINUTE

MOST: Final = 2_000
"""Entries of one list; such a file is a page or a year's roster, not a database."""
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,79}", re.ASCII)
_REQUIRED: Final = object()


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where (``level 2 of route 1``), which field, what is found and allowed."""

    place: str
    field: str
    found: str
    allowed: str

    def __str__(self) -> str:
        where = ", ".join(filter(None, (self.place, self.field and f"field {self.field}")))
        return f"{where and where + ': '}{self.found}; allowed: {self.allowed}"


@dataclass(slots=True)
class Fields:
    """Reads fields of one table one by one and collects what is wrong instead of stopping."""

    place: str
    data: Mapping[str, Any]
    problems: list[Problem]
    failed: set[str] = field(default_factory=set)

    def only(self, *names: str) -> None:
        for name in self.data:
            if name not in names:
                self.fail(str(name)[:80], "unknown field", " ".join(names))

    def get(self, name: str, read: Callable[[object], Any], default: Any = _REQUIRED) -> Any:
        value = self.data.get(name)
        if value is None and default is not _REQUIRED:
            return default
        try:
            return read(value)
        except ValueError as error:
            self.fail(name, "missing" if value is None else shown(value), str(error))
        return None

    def fail(self, name: str, found: str, allowed: str) -> None:
        self.failed.add(name)
        self.problems.append(Problem(self.place, name, found, allowed))

    def tables(self, name: str) -> list[Fields]:
        """The parts of a list of tables, those that are none told and left out."""
        given = self.data.get(name)
        if given is None:
            return []
        if not isinstance(given, list) or len(given) > MOST:
            self.fail(name, shown(given), f"at most {MOST} [[{name}]] tables")
            return []
        found = []
        for number, entry in enumerate(given, 1):
            place = f"{name} {number}" + (f" of {self.place}" if self.place else "")
            if isinstance(entry, Mapping):
                found.append(Fields(place, entry, self.problems))
            else:
                self.failed.add(name)
                self.problems.append(Problem(place, "", shown(entry), "a table of fields"))
        return found


def text(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 200 or not value.isprintable():
        raise ValueError("a text in one line, of up to 200 characters")
    return value


def identifier(value: object) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise ValueError("1 to 80 of A-Z a-z 0-9 . _ : -, the first a letter or a digit")
    return value


def identifiers_or_none(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MOST:
        raise ValueError("a list of ids")
    return tuple(dict.fromkeys(identifier(item) for item in value))


def identifiers(value: object) -> tuple[str, ...]:
    if value == []:
        raise ValueError("a list of one or more ids")
    return identifiers_or_none(value)


def one_of(words: Sequence[str]) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise ValueError(" | ".join(words))
        return value

    return read


def some_of(words: Sequence[str]) -> Callable[[object], frozenset[str]]:
    def read(value: object) -> frozenset[str]:
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not listed or not all(item in words for item in listed):
            raise ValueError(f"one or more of {', '.join(words)}")
        return frozenset(listed)

    return read


def duration(least: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if not isinstance(value, str):
            raise ValueError(DURATION)
        ms = parse_duration(value)
        if ms < least:
            raise ValueError("more than zero" if least == 1 else f"at least {least // MINUTE}m")
        return ms

    return read


def yes_or_no(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 1_000:
        raise ValueError("a whole number from 0 to 1000")
    return value


def shown(value: object) -> str:
    said = repr(value)
    return said if len(said) <= 60 else said[:57] + "..."
