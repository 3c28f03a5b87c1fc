"""Alerts of before a start, until the engine's clocks are past their raise again."""

from __future__ import annotations

from ward.alerts.book import AlertBook
from ward.alerts.model import Alert
from ward.live.slots import Slots
from ward.scoring.engine import Engine


class Unproved:
    """What the book says is raised stays raised, also where the engine's state is lost.

    A start evaluates a little less than was evaluated before it, and far less where the filter waits for
    what follows a doubtful reading. Until its clocks are past a raise they find it by themselves, and what
    they say is not of now: an alert must not be over before it began.
    """

    def __init__(self) -> None:
        self._alerts: set[str] = set()

    def begin(self, book: AlertBook) -> None:
        self._alerts = {alert.id for alert in book.open_alerts()}

    def prove(self, book: AlertBook, engine: Engine, slots: Slots) -> None:
        """After each step; costs nothing once all are past."""
        if not self._alerts:
            return
        known = {alert.id: alert for alert in book.open_alerts() if alert.id in self._alerts}
        self._alerts = {id for id, alert in known.items() if not _is_past(alert, engine, slots)}


def _is_past(alert: Alert, engine: Engine, slots: Slots) -> bool:
    """Whether nothing is left to do for it."""
    slot = slots.get(alert.stay)
    if slot is None or not alert.sustained or alert.raised_at is None or alert.breach_since is None:
        return True
    reached = int(engine.frontier[slot])
    if engine.has_started(slot) and reached < alert.raised_at:
        return False
    for column, rule in enumerate(engine.rules):
        if rule.id == alert.rule and engine.applies[slot, column]:
            cell = slot * len(engine.rules) + column
            engine.sustain.assume_raised(cell, alert.breach_since, alert.raised_at, reached)
    return True
