"""What the engine found, to the alert book: stay by stay, so that one whose book fails costs no other its
alerts, and is tried again until it is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ward.alerts.book import AlertBook
from ward.alerts.model import Change
from ward.alerts.track import Breach
from ward.live.raises import measured_at
from ward.scoring.rules import Rule
from ward.scoring.sustain import CLEARED, RAISED, RULE_CHANGED, Transitions

if TYPE_CHECKING:
    from ward.live.core import Core

WHY: Final = {CLEARED: "cleared", RULE_CHANGED: "rule changed"}


@dataclass(frozen=True, slots=True)
class Edge:
    """A transition as the book takes it. ``breach``: of a raise; else it is over at ``at`` for the reason
    ``why``. Times in ms."""

    rule: Rule
    since: int
    at: int
    breach: Breach | None
    why: str = ""


Edges = Mapping[str, Sequence[Edge]]
"""By stay, in their order."""


def edges_of(core: Core, t: Transitions) -> Edges:
    """With what each signal was at its raise."""
    found: dict[str, list[Edge]] = {}
    rows = list(zip(*(getattr(t, name).tolist() for name in t.__slots__), strict=True))
    over = {(slot, column, since) for slot, column, kind, _, since, late in rows if late and kind == CLEARED}
    for slot, column, kind, at, since, late in rows:
        stay, rule = core.slots.stay(slot), core.engine.rules[column]
        if kind == RAISED:
            measured = measured_at(core, slot, column, at)
            breach = Breach(since, at, *measured, late, (slot, column, since) in over)
            found.setdefault(stay, []).append(Edge(rule, since, at, breach))
        elif kind in WHY:
            found.setdefault(stay, []).append(Edge(rule, since, at, None, WHY[kind]))
    return found


def followed(book: AlertBook, stay: str, edges: Iterable[Edge], now: int) -> list[Change]:
    """What comes up at one instant goes in together."""
    changes: list[Change] = []
    raised: list[tuple[str, Rule, Breach]] = []
    for edge in edges:
        if edge.breach is not None:
            raised.append((stay, edge.rule, edge.breach))
            continue
        changes += book.raised_together(raised, now)
        raised = []
        changes += book.cleared(stay, edge.rule.id, edge.since, edge.at, now, edge.why)
    return changes + book.raised_together(raised, now)


class Untold:
    """Edges of stays whose book failed: nobody knows of them yet."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Edge]] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def tell(self, core: Core, edges: Edges, now: int) -> None:
        """These, after those that wait. A stay that fails is left as it was and waits; raises the last
        failure once all others are told."""
        waiting, self._waiting = self._waiting, {}
        for stay, own in edges.items():
            waiting.setdefault(stay, []).extend(own)
        waiting = {stay: own for stay, own in waiting.items() if stay in core.stays}
        before = {item["stay"]["id"]: item for item in core.book.dump(list(waiting))} if waiting else {}
        failure = None
        for stay, own in waiting.items():
            try:
                core.note(followed(core.book, stay, own, now))
            except Exception as error:
                failure = error
                core.book.forget(stay)
                core.book.load([before[stay]] if stay in before else [])
                self._waiting[stay] = own
        if failure is not None:
            raise failure
