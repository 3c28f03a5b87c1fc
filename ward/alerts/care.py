"""Taking over a patient, giving her away, and the end of a shift. Each is an event of the stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ward.alerts.carers import Carer
from ward.alerts.model import RANK, Change

if TYPE_CHECKING:
    from ward.alerts.ledger import Ledger

ASSIGNED: Final = "assigned"
UNASSIGNED: Final = "unassigned"
"""Kinds of events."""
SHIFT_OVER: Final = "the shift is over"
STAY_OVER: Final = "the stay is over"
MOVED: Final = "moved to another ward"
GIVEN_UP: Final = "given up"


def assign(ledger: Ledger, stay: str, carer: Carer, now: int) -> list[Change]:
    """She has the patient from now on, whoever had it before. Of alerts that nobody took she is told as well,
    once an episode. The same again changes nothing."""
    before = ledger.escalation.carers.of(stay)
    if before is not None and (before.person, before.until) == (carer.person, carer.until):
        return []
    ledger.escalation.carers.take(stay, carer)
    detail = {"person": carer.person, "name": carer.name, "since": now, "until": carer.until}
    told = detail | {"before": before.name if before else None}
    changes = [ledger.of_stay(stay, now, ASSIGNED, carer.by, told)]
    if before is not None and before.person == carer.person:
        return changes  # only for longer: she knows
    return [*changes, *_tell_of_open(ledger, stay, carer, now)]


def unassign(ledger: Ledger, stay: str, now: int, reason: str, by: str | None = None) -> list[Change]:
    """Nobody has the patient any more."""
    carer = ledger.escalation.carers.end(stay, now, reason)
    if carer is None:
        return []
    detail = {"person": carer.person, "name": carer.name, "reason": reason}
    return [ledger.of_stay(stay, now, UNASSIGNED, by, detail)]


def shifts_over(ledger: Ledger, now: int) -> list[Change]:
    """Of everybody whose shift has ended by now."""
    due = ledger.escalation.carers.due(now)
    return [change for stay in due for change in unassign(ledger, stay, now, SHIFT_OVER)]


def _tell_of_open(ledger: Ledger, stay: str, carer: Carer, now: int) -> list[Change]:
    if ledger.is_paused(stay):
        return []
    waiting = [t for t in ledger.all(stay) if t.alert is not None and t.alert.state == "active"]
    waiting.sort(key=lambda track: -RANK[track.rule.priority])
    changes: list[Change] = []
    told: set[str | None] = set()
    for track in waiting:
        alert = track.alert
        assert alert is not None
        if alert.episode in told:
            continue
        if (tell := ledger.escalation.carer_came(track, alert, carer, now)) is None:
            continue
        told.add(alert.episode)
        if episode := ledger.episode_of(alert):
            episode.note(alert.priority, tell.to)
        changes.append(ledger.edit(track, now, "notified", None, None, tell, {"at": now, "to": carer.name}))
    return changes
