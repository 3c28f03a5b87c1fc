"""How often staff would be interrupted, through the real alert book (``ward.lifetime``).

The book goes alert by alert, so what is already known is not worked out again: a stay's alerts are taken in
stretches that nothing connects, and the same stretch (most settings share most of them) is lived once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice, pairwise
from typing import Final

import numpy as np

from ward.lifetime import PROMPT, Span, Staff, live
from ward.scoring.readings import Int
from ward.scoring.rules import Rule
from ward.scoring.sustain import NEVER
from ward.signals import HOUR
from ward.trial.beside import Progress, beside
from ward.trial.sweep import Alerts, Found, Sets, alone

APART: Final = HOUR
"""After so long without any alert nothing connects: with staff that answer within minutes all is closed, and
the episode (30 min of quiet) is over."""

Known = dict[tuple[object, ...], int]
"""Interruptions of a stay's stretch."""


class Interruptions:
    """Counts them by stay for any setting of a sweep. ends: of the stays, ms; ``staff``: how soon an alert is
    acknowledged; processes: as in ``sweep``."""

    def __init__(
        self,
        found: Found,
        sets: Sequence[Sets],
        ends: Int,
        flags: Sequence[frozenset[str]],
        processes: int = 1,
    ) -> None:
        self._found, self._sets, self._ends, self._flags = found, sets, ends, flags
        self._number = {rule: n for n, rule in enumerate(found.rules)}
        self._known: Known = {}
        self.staff: Staff = PROMPT
        self.told = 0
        """Alerts that the book was told so far."""
        self._stays: dict[int, Alerts] = {}
        self._processes = processes

    def of(self, setting: int) -> Int:
        """[stays]"""
        every = range(len(self._sets))
        many = min(self._processes, len(every))

        def work(first: int, _: Progress) -> tuple[list[int], Known, int]:
            known, told = len(self._known), self.told
            counts = [self._of(stay, setting) for stay in every[first::many]]
            return counts, dict(islice(self._known.items(), known, None)), self.told - told

        found = np.zeros(len(every), np.int64)
        for first, (counts, known, told) in enumerate(beside(work, [1] * many, lambda _: None, many)):
            found[first::many] = counts
            if many > 1:  # worked out by a copy of this
                self._known |= known
                self.told += told
        return found

    def _of(self, stay: int, setting: int) -> int:
        mine = self._mine(stay, setting)
        return sum(self._lived(stay, stretch) for stretch in _stretches(mine))

    def _mine(self, stay: int, setting: int) -> Alerts:
        if stay not in self._stays:
            every = alone(self._found.alerts, stay)
            self._stays[stay] = every.take(every.raised <= self._ends[stay])
        columns = [self._number[rule] for rule in self._sets[stay].sets[setting]]
        return self._stays[stay].take(np.isin(self._stays[stay].column, columns))

    def _lived(self, stay: int, alerts: Alerts) -> int:
        rows = list(
            zip(*(getattr(alerts, n).tolist() for n in ("column", "since", "raised", "cleared")), strict=True)
        )
        key = (stay, *rows)
        if key not in self._known:
            spans = self._spans(rows)
            self.told += len(rows)
            life = live("", spans, end=int(self._ends[stay]), flags=self._flags[stay], staff=self.staff)
            self._known[key] = len(life.interruptions)
        return self._known[key]

    def _spans(self, rows: Iterable[tuple[int, int, int, int]]) -> list[Span]:
        rules: tuple[Rule, ...] = self._found.rules
        return [
            Span(rules[column], since, raised, None if cleared == NEVER else cleared)
            for column, since, raised, cleared in rows
        ]


def _stretches(alerts: Alerts) -> list[Alerts]:
    """In order of raising, cut where everything has been over for ``APART``."""
    if not len(alerts):
        return []
    ordered = alerts.take(np.argsort(alerts.raised, kind="stable"))
    over = np.maximum.accumulate(ordered.cleared)
    quiet = ordered.raised[1:] - np.minimum(over[:-1], ordered.raised[1:]) >= APART
    cuts = [0, *(np.flatnonzero(quiet) + 1).tolist(), len(ordered)]
    return [ordered.take(slice(low, high)) for low, high in pairwise(cuts)]
