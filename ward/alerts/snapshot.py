"""The book as plain data (JSON, msgpack) and back: a restored book and one that never stopped are alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from ward.alerts.carers import Carer, Gone
from ward.alerts.episodes import Episode
from ward.alerts.ledger import Ledger
from ward.alerts.model import RANK, Alert, StayState
from ward.alerts.track import Breach, Seen, Track
from ward.scoring.rules import Rule


@dataclass(slots=True)
class StayDump:
    """All that the book knows of one stay."""

    stay: StayState
    tracks: list[Track]
    episodes: list[Episode]
    closed: list[Alert]
    carer: Carer | None = None
    had: Gone | None = None


def dump(ledger: Ledger, stays: Iterable[str] | None = None) -> list[dict[str, Any]]:
    """One dict a stay, of the stays asked for (None: all that are present or have closed alerts)."""
    closed: dict[str, list[Alert]] = {}
    for alert in ledger.closed.values():
        closed.setdefault(alert.stay, []).append(alert)
    if stays is None:
        stays = [i for i, state in ledger.stays.items() if not state.ended or i in closed]
    return [
        msgspec.to_builtins(
            StayDump(
                ledger.stays[stay],
                list(ledger.tracks.get(stay, {}).values()),
                ledger.episodes.of(stay),
                closed.get(stay, []),
                ledger.escalation.carers.of(stay),
                ledger.escalation.carers.last(stay),
            ),
            str_keys=True,
            order="deterministic",
        )
        for stay in stays
        if stay in ledger.stays
    ]


def load(ledger: Ledger, data: Iterable[dict[str, Any]]) -> None:
    """Replaces what is known of the stays in ``data``. Raises ``msgspec.ValidationError`` for other data."""
    for item in data:
        part = msgspec.convert(item, StayDump, str_keys=True)
        stay = part.stay.id
        for track in ledger.all(stay):
            if track.alert is not None:
                ledger.ids.pop(track.alert.id, None)
        for episode in ledger.episodes.of(stay):
            ledger.episodes.end(episode)
        ledger.stays[stay] = part.stay
        ledger.escalation.carers.restore(stay, part.carer, part.had)
        if part.stay.ended:
            closings = (alert.closed_at or 0 for alert in part.closed)
            ledger.ended[stay] = max(closings, default=0)
        ledger.tracks[stay] = {track.rule.id: track for track in part.tracks}
        ledger.closed |= {alert.id: alert for alert in part.closed}
        for track in part.tracks:
            if track.alert is not None:
                ledger.open(track, track.alert)
        for episode in part.episodes:
            ledger.episodes.add(episode)


def adopt(ledger: Ledger, alert: Alert, rule: Rule) -> None:
    """Take over an alert as the database has it, where that is newer than the dump that was loaded.

    What was told of it stays told; an episode that the dump does not know is opened as far as the
    alert tells of it. Oldest first.
    """
    track = ledger.track(alert.stay, rule)
    if track.alert is not None and track.alert.id != alert.id and alert.state == "closed":
        ledger.closed[alert.id] = alert
        return
    if track.alert is not None:
        ledger.ids.pop(track.alert.id, None)
        track.alert = None
    if alert.breach_since is not None:
        seen = track.seen.setdefault(alert.breach_since, Seen())
        seen.raised, seen.late, seen.cleared_at = alert.raised_at is not None, alert.late, alert.cleared_at
        seen.records = max(seen.records, 1)
    if alert.state == "closed":
        ledger.closed[alert.id] = alert
        if track.breach and track.breach.since == alert.breach_since and alert.cleared_at is not None:
            track.breach = None
        return
    ledger.closed.pop(alert.id, None)
    ledger.open(track, alert)
    track.breach = None
    if alert.sustained and alert.breach_since is not None and alert.raised_at is not None:
        track.breach = Breach(alert.breach_since, alert.raised_at, alert.signal, alert.value, alert.late)
    track.active_at = alert.announced_at
    if alert.episode is not None and alert.announced_at is not None:
        _reopen(ledger, alert, rule, alert.announced_at)


def _reopen(ledger: Ledger, alert: Alert, rule: Rule, announced: int) -> None:
    known = ledger.episodes.open.get((alert.stay, alert.kind))
    if known is None or (known.id != alert.episode and known.began <= announced):
        assert alert.episode is not None
        known = Episode(alert.episode, alert.stay, alert.kind, announced, alert.priority)
        ledger.episodes.add(known)
    if known.id == alert.episode:
        known.priority = max(known.priority, alert.priority, key=RANK.__getitem__)
        if alert.priority == "high":
            known.signals = sorted({*known.signals, *(rule.signals or (rule.id,))})
