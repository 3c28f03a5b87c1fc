"""What one candidate changes: by rule, by patient, by day, and each alert that is gained, lost or moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import numpy as np

from ward.scoring.readings import Int
from ward.scoring.rules import Rule
from ward.scoring.sustain import NEVER
from ward.signals import HOUR, SECOND
from ward.trial.outcome import first_overlap, line_of
from ward.trial.sweep import Alerts, Found, Sets
from ward.zones import day_text, instant, local

Json = dict[str, Any]

MOST: Final = 1_000
"""So many alerts of each kind are told one by one; beyond that every n-th."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """One rule in the stays that have the same rules: its alerts in force and as a candidate. ``new`` and
    ``old``: the rules themselves, None where there is none. ``kept``: for each alert in force the position of
    the candidate's that shares time with it, -1 for none; ``known``: the other way round."""

    new: Rule | None
    old: Rule | None
    now: Alerts
    candidate: Alerts
    kept: Int
    known: Int

    @property
    def rule(self) -> Rule:
        rule = self.new or self.old
        assert rule is not None
        return rule


def detail(
    found: Found,
    sets: Sequence[Sets],
    tried: frozenset[str],
    patients: Sequence[tuple[str, str, str]],
    moment: Callable[[int], Any],
    zone: str | None,
) -> Json:
    """Of the rules that are tried, in force and under the one candidate. ``patients``: (id, ward, bed) of
    each stay; ``zone``: whose days are counted (None: UTC's, without dates). JSON-ready:
    ``by_rule``, ``by_day``, ``patients``, ``changes`` (see ``ward.web.schemas``)."""
    pairs = _pairs(found, sets, tried)
    return {
        "by_rule": _by_rule(pairs),
        "by_day": _by_day(pairs, moment, zone),
        "patients": _by_patient(pairs, found, patients),
        "changes": _changes(pairs, [id for id, _, _ in patients], moment),
    }


def _pairs(found: Found, sets: Sequence[Sets], tried: frozenset[str]) -> list[_Pair]:
    number = {rule: n for n, rule in enumerate(found.rules)}
    line = line_of(found.alerts)
    kinds = list(dict.fromkeys(sets))
    pairs = []
    for kind in kinds:
        mine = np.array([own is kind for own in sets], np.bool_)
        old, new = ({rule.id: rule for rule in kind.sets[n]} for n in (0, 1))
        for rule in sorted(tried & (old.keys() | new.keys())):
            now, candidate = (_of(found, number, rules.get(rule), mine) for rules in (old, new))
            pairs.append(
                _Pair(
                    new.get(rule),
                    old.get(rule),
                    now,
                    candidate,
                    first_overlap(now, candidate, line),
                    first_overlap(candidate, now, line),
                )
            )
    return pairs


def _of(found: Found, number: dict[Rule, int], rule: Rule | None, mine: Any) -> Alerts:
    if rule is None:
        return found.alerts.take(slice(0))
    alerts = found.alerts.take((found.alerts.column == number[rule]) & mine[found.alerts.stay])
    return alerts.take(np.lexsort((alerts.raised, alerts.stay)))


def _by_rule(pairs: Sequence[_Pair]) -> list[Json]:
    rows: dict[str, Json] = {}
    for pair in pairs:
        rule = pair.rule
        empty = {"now": 0, "candidate": 0, "gained": 0, "lost": 0}
        row = rows.setdefault(
            rule.id, {"rule": rule.id, "title": rule.title, "priority": rule.priority, **empty}
        )
        row["now"] += len(pair.now)
        row["candidate"] += len(pair.candidate)
        row["gained"] += int((pair.known < 0).sum())
        row["lost"] += int((pair.kept < 0).sum())
    return [rows[rule] for rule in sorted(rows)]


def _by_day(pairs: Sequence[_Pair], moment: Callable[[int], Any], zone: str | None) -> list[Json]:
    """Each day from the first with an alert to the last; ``day`` is when it begins, ``date`` its name."""
    now, candidate = (
        Counter(
            local(zone or "UTC", at)[0]
            for at in chain.from_iterable(getattr(pair, which).raised.tolist() for pair in pairs)
        )
        for which in ("now", "candidate")
    )
    days = now.keys() | candidate.keys()
    if not days:
        return []
    return [
        {
            "day": moment(instant(zone or "UTC", day, 0)),
            "date": day_text(day) if zone else None,
            "now": now[day],
            "candidate": candidate[day],
        }
        for day in range(min(days), max(days) + 1)
    ]


def _by_patient(pairs: Sequence[_Pair], found: Found, patients: Sequence[tuple[str, str, str]]) -> list[Json]:
    def counted(which: Callable[[_Pair], Int]) -> list[int]:
        every = np.concatenate([np.empty(0, np.int64), *(which(pair) for pair in pairs)])
        counts: list[int] = np.bincount(every, minlength=len(patients)).tolist()
        return counts

    columns = {
        "now": counted(lambda pair: pair.now.stay),
        "candidate": counted(lambda pair: pair.candidate.stay),
        "gained": counted(lambda pair: pair.candidate.stay[pair.known < 0]),
        "lost": counted(lambda pair: pair.now.stay[pair.kept < 0]),
    }
    return [
        {
            "stay": id,
            "ward": ward,
            "bed": bed,
            "hours": round(int(found.monitored[n]) / HOUR, 2),
            **{name: counts[n] for name, counts in columns.items()},
        }
        for n, (id, ward, bed) in enumerate(patients)
    ]


def _changes(pairs: Sequence[_Pair], ids: Sequence[str], moment: Callable[[int], Any]) -> Json:
    def told(alerts: Alerts, at: int, rule: Rule) -> Json:
        cleared = int(alerts.cleared[at])
        return {
            "stay": ids[int(alerts.stay[at])],
            "rule": rule.id,
            "title": rule.title,
            "priority": rule.priority,
            "breach_since": moment(int(alerts.since[at])),
            "raised_at": moment(int(alerts.raised[at])),
            "cleared_at": None if cleared == NEVER else moment(cleared),
        }

    gained, lost, moved = [], [], []
    for pair in pairs:
        if pair.new is not None:
            gained += [(pair.candidate, int(at), pair.new, None) for at in np.flatnonzero(pair.known < 0)]
        if pair.old is not None:
            lost += [(pair.now, int(at), pair.old, None) for at in np.flatnonzero(pair.kept < 0)]
        if pair.new is not None and pair.old is not None:
            for at in np.flatnonzero(pair.kept >= 0):
                delay = int(pair.candidate.raised[pair.kept[at]] - pair.now.raised[at])
                if delay:
                    moved.append((pair.now, int(at), pair.old, delay / SECOND))
    found: Json = {}
    for name, every in (("gained", gained), ("lost", lost), ("moved", moved)):
        every.sort(key=lambda one: (int(one[0].raised[one[1]]), int(one[0].stay[one[1]])))
        some = every[:: -(-len(every) // MOST)] if every else []
        found[name] = {
            "count": len(every),
            "items": [{**told(*one[:3]), "delay_s": one[3]} for one in some],
        }
    return found
