"""From a change of an alert to what is put in line for each person and channel. Values only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from ward.alerts.model import Alert, Change, Tell
from ward.alerts.plan import Plan


@dataclass(frozen=True, slots=True)
class Delivery:
    """One thing to tell one person through one channel.

    ``key`` says what it tells: the same key twice is one delivery. ``text`` is what to say, with nothing
    that identifies the patient. ``created`` and ``due`` (not before then) are ms of the machine's clock,
    ``raised_at`` is in that of the ward.
    """

    key: str
    alert: str | None
    stay: str | None
    ward: str
    episode: str | None
    priority: str
    kind: str
    reason: str
    level: int
    person: str
    channel: str
    address: str | None
    created: int
    due: int
    raised_at: int | None = None
    text: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moment:
    """The same instant on both clocks: the ward's ``now``, which runs at ``speed``, and the machine's."""

    now: int
    wall: int
    speed: float = 1.0

    def due(self, plan: Plan, alert: Alert | Delivery) -> int:
        """At once, or when the quiet hours end (machine's ms)."""
        until = plan.quiet_until(alert.priority, self.now)  # type: ignore[arg-type]
        return self.wall if until is None else self.wall + round((until - self.now) / self.speed)


def deliveries(change: Change, plan: Plan, at: Moment) -> list[Delivery]:
    """What a change puts in line; nothing where it tells nobody."""
    alert, tell = change.alert, change.tell
    if alert is None or tell is None:
        return []
    text = _text(alert, tell, plan)
    due = at.due(plan, alert)
    return [
        Delivery(
            key=f"{tell.key}|{one.key}",
            alert=alert.id,
            stay=alert.stay or None,
            ward=alert.ward,
            episode=alert.episode,
            priority=alert.priority,
            kind=alert.kind,
            reason=tell.reason,
            level=tell.level,
            person=one.person,
            channel=one.channel,
            address=one.address,
            created=at.wall,
            due=due,
            raised_at=alert.raised_at,
            text=text | {"to": one.name},
        )
        for one in tell.to
    ]


def resolved(episode: str, told: Iterable[Delivery], plan: Plan, at: Moment) -> list[Delivery]:
    """The note that an episode is over, to everybody who was told of it. ``told``: the last delivery of
    each person and channel."""
    return [
        replace(
            one,
            key=f"{episode}/resolved|{one.person}/{one.channel}",
            episode=episode,
            reason="resolved",
            created=at.wall,
            due=at.due(plan, one),
            text={**one.text, "reason": "resolved", "resolved_at": at.now},
        )
        for one in told
    ]


def _text(alert: Alert, tell: Tell, plan: Plan) -> dict[str, Any]:
    """Times in ms; ``zone`` is where the ward's clock hangs."""
    return {
        "title": alert.title,
        "titles": dict(alert.titles),
        "ward": alert.ward or None,
        "bed": alert.bed or None,
        "priority": alert.priority,
        "kind": alert.kind,
        "signal": alert.signal,
        "value": alert.value,
        "since": alert.breach_since,
        "raised_at": alert.raised_at,
        "zone": plan.zone,
        "reason": tell.reason,
        "level": tell.level,
        "nobody_on_duty": list(tell.missed),
    }
