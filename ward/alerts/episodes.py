"""Episodes: the alerts of one stay that belong together, so that staff are interrupted once for them.

Physiological and technical alerts form episodes of their own: a lost device must not use up the
interruption that a falling saturation is due.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from ward.alerts.model import RANK, Alert, Notify, episode_id
from ward.alerts.plan import Recipient
from ward.scoring.rules import Kind, Priority, Rule
from ward.signals import HOUR, MINUTE

QUIET: Final = 30 * MINUTE
"""An episode ends so long after its last alert cleared."""
LONGEST: Final = 4 * HOUR
"""An episode ends so long after it began, whatever is still raised."""
_KINDS: Final[tuple[Kind, ...]] = ("physiological", "technical")


@dataclass(slots=True)
class Episode:
    id: str
    stay: str
    kind: Kind
    began: int
    priority: Priority
    """the highest so far"""
    signals: list[str] = field(default_factory=list)
    """signals of its high alerts so far"""
    quiet_since: int | None = None
    """when the last of its alerts cleared; None while one is in breach"""
    told: dict[str, Priority] = field(default_factory=dict)
    """by person and channel: the highest priority at which its beginning was told"""
    moves: int = 0
    """how often it went to another ward with its patient"""

    def note(self, priority: Priority, to: Iterable[Recipient]) -> None:
        for one in to:
            if not self.has_told(one, priority):
                self.told[one.key] = priority

    def has_told(self, one: Recipient, priority: Priority) -> bool:
        """At this priority or a higher one."""
        return one.key in self.told and RANK[self.told[one.key]] >= RANK[priority]

    def move(self) -> None:
        """It is another ward's now, where nobody was told: also a dashboard is that ward's own."""
        self.told.clear()
        self.moves += 1

    def key(self, priority: Priority) -> str:
        """Of the telling of its beginning: anew in each ward."""
        return f"{self.id}/{priority}" + (f"/{self.moves}" if self.moves else "")

    def ended(self, now: int) -> bool:
        quiet = self.quiet_since is not None and now - self.quiet_since >= QUIET
        return quiet or now - self.began >= LONGEST


class Episodes:
    """At most one open episode per stay and kind."""

    def __init__(self) -> None:
        self.open: dict[tuple[str, Kind], Episode] = {}

    def of(self, stay: str) -> list[Episode]:
        return [episode for kind in _KINDS if (episode := self.open.get((stay, kind)))]

    def add(self, episode: Episode) -> None:
        self.open[episode.stay, episode.kind] = episode

    def join(self, alert: Alert, rule: Rule, now: int) -> tuple[Episode, Notify | None]:
        """The alert becomes active: its episode, and the interruption that this is worth (or None)."""
        episode = self.open.get((alert.stay, alert.kind))
        signals = {*(rule.signals or (rule.id,))}
        reason, what = "", ""
        if episode is None:
            new_id = episode_id(alert.id, alert.breach_since, now)
            episode = Episode(new_id, alert.stay, alert.kind, now, alert.priority)
            self.add(episode)
            reason = "first"
        elif RANK[alert.priority] > RANK[episode.priority]:
            reason = "priority"
        elif alert.priority == "high" and (new := signals.difference(episode.signals)):
            reason, what = "signal", "/" + "+".join(sorted(new))
        episode.quiet_since = None
        episode.priority = max(episode.priority, alert.priority, key=RANK.__getitem__)
        if alert.priority == "high":
            episode.signals = sorted(signals.union(episode.signals))
        if not reason:
            return episode, None
        key = f"{episode.id}/{alert.priority}{what}"
        return episode, Notify(reason, episode.id, alert.priority, key)

    def end(self, episode: Episode) -> None:
        del self.open[episode.stay, episode.kind]

    def ended(self, now: int, stay: str | None = None) -> list[Episode]:
        """Takes out those that are over (of one stay, or of all)."""
        candidates = list(self.open.values()) if stay is None else self.of(stay)
        over = [episode for episode in candidates if episode.ended(now)]
        for episode in over:
            self.end(episode)
        return over
