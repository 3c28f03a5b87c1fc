"""The log of what happened to alerts, as a stream goes on in it: by ``Last-Event-ID``.

A service alone writes its log in order, and a place in it is a number. Engines of a cluster write one log
side by side, each in order for itself: there a place is a number for each partition, ``17-3-204``, and means
the same to every web process.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final, Protocol

from sqlalchemy import Connection, Engine

from ward.store.events import Logged, events_after, last_event
from ward.store.partition import partition_of

BLOCK: Final = 500
"""How many missed events are read at a time."""
DIGITS: Final = 20
Missed = list[tuple[str, Logged]]
"""Events, each with the place that a stream has reached with it."""


class EventLog(Protocol):
    def last(self) -> str:
        """The newest place."""
        ...

    def has(self, place: str) -> bool:
        """Whether it is a place of this log, as it is in the database."""
        ...

    def after(self, place: str, wards: Collection[str] | None) -> tuple[Missed, str | None]:
        """A block of what happened to alerts of these wards (None: all) after a place, and from where the
        next block is; None where there is none, or the place is none of this log."""
        ...


class SingleLog:
    """Of one writer: the whole, or one partition's."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def last(self) -> str:
        with self._engine.connect() as connection:
            return str(last_event(connection, _own(connection)))

    def has(self, place: str) -> bool:
        number = number_of(place)
        return number is not None and number <= int(self.last())

    def after(self, place: str, wards: Collection[str] | None) -> tuple[Missed, str | None]:
        begin = number_of(place)
        if begin is None or begin >= int(self.last()):
            return [], None
        with self._engine.connect() as connection:
            own = _own(connection)
            found = events_after(connection, begin, wards=wards, alerts_only=True, limit=BLOCK, partition=own)
        missed = [(str(one.seq), one) for one in found]
        return missed, missed[-1][0] if len(found) == BLOCK else None


def _own(connection: Connection) -> int | None:
    """The partition whose log it is; None: the whole."""
    part = partition_of(connection)
    return None if part.is_whole else part.number


class DividedLog:
    """Of several writers; ``places`` tells what of each a web process has told."""

    def __init__(self, engine: Engine, places: Callable[[], Sequence[int]]) -> None:
        self._engine, self._places = engine, places

    def last(self) -> str:
        return text_of(self._places())

    def has(self, place: str) -> bool:
        with self._engine.connect() as connection:
            ends = [last_event(connection, number) for number in range(len(self._places()))]
        return covers(text_of(ends), place)

    def after(self, place: str, wards: Collection[str] | None) -> tuple[Missed, str | None]:
        numbers = [number_of(one) for one in place.split("-")]
        at = [number for number in numbers if number is not None]
        if len(at) != len(self._places()) or len(at) != len(numbers):
            return [], None
        missed: Missed = []
        with self._engine.connect() as connection:
            for partition in range(len(at)):
                found = events_after(
                    connection, at[partition], wards=wards, alerts_only=True, limit=BLOCK, partition=partition
                )
                for one in found:
                    at[partition] = one.seq
                    missed.append((text_of(at), one))
                if len(found) == BLOCK:
                    return missed, text_of(at)
        return missed, None


def text_of(places: Sequence[int]) -> str:
    return "-".join(map(str, places))


def covers(place: str, other: str) -> bool:
    """Whether whoever is at ``place`` knows everything up to ``other``. False for what is no place."""
    both = _pairs(place, other)
    return both is not None and all(here >= there for here, there in both)


def joined(place: str, other: str) -> str:
    """The place at which all is known that is known at one of the two; ``other`` where ``place`` is none."""
    both = _pairs(place, other)
    return other if both is None else text_of([max(pair) for pair in both])


def begun(place: str, last: str) -> str:
    """``place``; of a partition of which nothing was known there, ``last``: nobody is told its whole past."""
    both = _pairs(place, last)
    return place if both is None else text_of([here or there for here, there in both])


def _pairs(place: str, other: str) -> list[tuple[int, int]] | None:
    """The numbers of two places side by side; None where they are not of one kind."""
    numbers = [[number_of(part) for part in text.split("-")] for text in (place, other)]
    here, there = ([n for n in found if n is not None] for found in numbers)
    is_whole = len(here) == len(numbers[0]) == len(there) == len(numbers[1])
    return list(zip(here, there, strict=True)) if is_whole else None


def number_of(text: str) -> int | None:
    """None for what is no place."""
    return int(text[:DIGITS]) if text.isascii() and text.isdigit() else None
