"""The alert book: every open alert, what staff were told, and what comes next. Pure; ``now`` is given.

Engine, clock and people give inputs; each returns the changes it made, in order, for the caller to
store in one transaction. Telling the book anything twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from ward.alerts import care, snapshot, technical
from ward.alerts.acts import Acts
from ward.alerts.ledger import Ledger
from ward.alerts.model import RANK, Alert, Change, StayState, Undelivered, alert_id
from ward.alerts.plan import Plans
from ward.alerts.technical import is_technical
from ward.alerts.track import Breach, Track
from ward.scoring.rules import Rule
from ward.signals import HOUR, MINUTE

KEEP_CLOSED: Final = 2 * HOUR
KEEP_SEEN: Final = 24 * HOUR
"""How long a cleared breach is known, in the time of the data: a backlog is told again in its own time."""


class AlertBook(Acts):
    """Keyed by stay and rule: at most one open alert for each."""

    def __init__(self, plans: Plans | None = None) -> None:
        self.plans = plans or Plans()
        """what the wards' plans say now"""
        self.ledger = Ledger(self.plans)
        """its state, for ``ward.alerts.snapshot``"""
        self._latest = 0
        self._pruned = 0

    # --- what is ------------------------------------------------------------------------------------

    def get(self, alert_id: str) -> Alert:
        """Open, or closed within the last two hours. Raises ``NotFoundError``."""
        if alert_id in self.ledger.closed:
            return self.ledger.closed[alert_id]
        alert = self.ledger.open_track(alert_id).alert
        assert alert is not None
        return alert

    def open_alerts(self, stay: str | None = None) -> list[Alert]:
        return [track.alert for track in self.ledger.all(stay) if track.alert is not None]

    def open_alert(self, stay: str, rule_id: str) -> Alert | None:
        track = self.ledger.tracks.get(stay, {}).get(rule_id)
        return track.alert if track else None

    def pending_id(self, stay: str, rule_id: str, since: int) -> str:
        """The id that the alert of a breach since ``since`` will have, for the view of pending alerts."""
        track = self.ledger.tracks.get(stay, {}).get(rule_id)
        seen = track.seen.get(since) if track else None
        return alert_id(stay, rule_id, since, seen.records if seen else 0)

    def is_inhibited(self, stay: str, rule_id: str) -> str | None:
        """The raised rule of the stay that inhibits this one, for the view of pending alerts."""
        return self.ledger.inhibitor(stay, rule_id)

    def present(self) -> list[str]:
        """The stays that are not over, as far as the book was told."""
        return [stay for stay, state in self.ledger.stays.items() if not state.ended]

    def technical(self) -> list[tuple[str, str, str, int]]:
        """(stay, rule, key, since) of every technical breach that was told and is not over."""
        return [
            (stay, *rule_id.partition(":")[::2], track.breach.since)
            for stay, tracks in self.ledger.tracks.items()
            for rule_id, track in tracks.items()
            if track.breach is not None and is_technical(rule_id)
        ]

    def is_paused(self, stay: str) -> bool:
        return stay in self.ledger.stays and self.ledger.is_paused(stay)

    # --- the engine ---------------------------------------------------------------------------------

    def raised(
        self,
        stay: str,
        rule: Rule,
        since: int,
        at: int,
        signal: str | None,
        value: float | None,
        now: int,
        late: bool = False,
    ) -> list[Change]:
        """A breach that began at ``since`` is sustained from ``at`` on.

        Nothing is told while a flag disables the rule, the stay is paused or the rule is shelved; it
        is once that ends, if the breach is then still there.
        """
        return self.raised_together([(stay, rule, Breach(since, at, signal, value, late))], now)

    def raised_together(self, breaches: Iterable[tuple[str, Rule, Breach]], now: int) -> list[Change]:
        """Several that come up at once: inhibitors go first, whatever the order given."""
        changes: list[Change] = []
        stays: dict[str, None] = {}
        for stay, rule, breach in breaches:
            self._latest = max(self._latest, breach.at)
            known = self.ledger.stays.get(stay)
            if known is not None and known.ended:
                continue
            track = self.ledger.track(stay, rule)
            if track.begin(breach):
                stays[stay] = None
                changes += self._change_rule(track, rule, now, None)
        for stay in stays:
            changes += self.ledger.settle_stay(stay, now)
        return changes

    def cleared(
        self, stay: str, rule_id: str, since: int, at: int, now: int, reason: str = "cleared"
    ) -> list[Change]:
        """The breach that began at ``since`` is over at ``at``. A clearing of an older breach (a
        backlog told again) changes nothing."""
        track = self.ledger.tracks.get(stay, {}).get(rule_id)
        self._latest = max(self._latest, at)
        if track is None or not track.end(since, at):
            return []
        if track.alert is None or not track.alert.sustained:
            return []
        changes = self.ledger.apply(track, "clear", now, reason=reason, sustained=False, cleared_at=at)
        return [*changes, *self.ledger.settle_stay(stay, now)]

    def readings_returned(self, stay: str, now: int) -> list[Change]:
        """The patient is back: a pause ends by itself."""
        return self._end_pause(stay, now, "readings returned", None)

    # --- the clock ----------------------------------------------------------------------------------

    def tick(self, now: int) -> list[Change]:
        """What time alone brings: ends of pauses, shelves and episodes; reminders; escalation."""
        changes: list[Change] = []
        for state in list(self.ledger.stays.values()):
            if state.paused_until is not None and state.paused_until <= now:
                changes += self._end_pause(state.id, now, "time is up", None)
        for track in self.ledger.all():
            alert = track.alert
            if alert and alert.shelved_until is not None and alert.shelved_until <= now:
                changes += self.ledger.apply(track, "expire", now)
                changes += self.ledger.settle_stay(alert.stay, now)
        changes += self.ledger.episodes_ended(self.ledger.episodes.ended(now), now, "time")
        for track in self.ledger.all():
            changes += self.ledger.escalation.due(self.ledger, track, now)
        changes += care.shifts_over(self.ledger, now)
        self._prune(now)
        return changes

    def paused(
        self, stay: str, until: int | None, by: str | None, now: int, reason: str | None = None
    ) -> list[Change]:
        """The patient is away until then: nothing new is raised and nobody is interrupted. None ends it.

        Raises NotFoundError.
        """
        state = self._staying(stay)
        if until is None or until <= now:
            return self._end_pause(stay, now, "ended by hand", by)
        if until == state.paused_until:
            return []
        since = now if state.paused_at is None else state.paused_at
        self.ledger.stays[stay] = replace(
            state, paused_until=until, paused_at=since, away_for=reason, away_by=by
        )
        detail = {"until": until} | ({"reason": reason} if reason else {})
        return [self.ledger.of_stay(stay, now, "paused", by, detail)]

    def not_delivered(
        self, alert_id: str, person: str, channel: str, level: int, error: str, now: int
    ) -> list[Change]:
        """Somebody could not be told of the alert, at a level of the plan: that is seen on it, and the next
        level is told at once. Nothing for an alert that is over. Raises NotFoundError."""
        if alert_id in self.ledger.closed:
            return []
        track, given = self.ledger.open_track(alert_id), Undelivered(person, channel)
        return self.ledger.escalation.undelivered(self.ledger, track, given, level, error, now)

    # --- stays and rules ----------------------------------------------------------------------------

    def stay_changed(
        self, stay: StayState, rules: Sequence[Rule] | None, now: int, by: str | None = None
    ) -> list[Change]:
        """A stay began, moved, ended, or has other flags. ``rules``: those in force for it (None: as before).

        A flag closes the alerts it disables; when it is removed, what is still sustained is told at once.
        """
        old = self.ledger.stays.get(stay.id)
        kept = old or StayState(stay.id, stay.ward, stay.bed)
        self.ledger.stays[stay.id] = replace(
            stay,
            paused_until=kept.paused_until,
            paused_at=kept.paused_at,
            away_for=kept.away_for,
            away_by=kept.away_by,
        )
        if stay.ended:
            return self._end_stay(stay.id, now, by)
        self.ledger.ended.pop(stay.id, None)  # a discharge that was taken back
        changes: list[Change] = []
        if old is not None and old.ward != stay.ward:
            changes += care.unassign(self.ledger, stay.id, now, care.MOVED, by)
        if old is not None and (old.ward, old.bed) != (stay.ward, stay.bed):
            for episode in self.ledger.episodes.of(stay.id) if old.ward != stay.ward else ():
                episode.move()
            for track in self.ledger.all(stay.id):
                changes += self.ledger.move(track, stay.ward, stay.bed, now, by)
        if rules is not None:
            changes += self._rules_in_force(stay.id, {rule.id: rule for rule in rules}, now, by)
        changes += self._close_disabled(stay.id, now, by)
        if stay.paused_until != self.ledger.stays[stay.id].paused_until:
            changes += self.paused(stay.id, stay.paused_until, by, now, stay.away_for)
        return [*changes, *self.ledger.settle_stay(stay.id, now)]

    def rule_changed(
        self, rule: Rule, now: int, stays: Collection[str] | None = None, by: str | None = None
    ) -> list[Change]:
        """Title, priority, ``unless`` and ``inhibits`` apply at once (to ``stays``, or to all). What no
        longer holds under the new condition is the engine's to clear, with the reason 'rule changed'."""
        changes: list[Change] = []
        for stay in list(self.ledger.tracks if stays is None else stays):
            track = self.ledger.tracks.get(stay, {}).get(rule.id)
            if track is not None:
                changes += self._change_rule(track, rule, now, by)
                changes += self._close_disabled(stay, now, by)
                changes += self.ledger.settle_stay(stay, now)
        return changes

    def rule_removed(
        self, rule_id: str, now: int, stays: Collection[str] | None = None, by: str | None = None
    ) -> list[Change]:
        """Its open alerts close, its breaches are forgotten."""
        changes: list[Change] = []
        for stay in list(self.ledger.tracks if stays is None else stays):
            changes += self._remove(stay, rule_id, now, by)
            changes += self.ledger.settle_stay(stay, now)
        return changes

    # --- keeping ------------------------------------------------------------------------------------

    def dump(self, stays: Iterable[str] | None = None) -> list[dict[str, Any]]:
        """JSON-ready, one dict a stay; of ``stays``, or of all."""
        return snapshot.dump(self.ledger, stays)

    def load(self, data: Iterable[dict[str, Any]]) -> None:
        """What ``dump`` gave; replaces what is known of those stays."""
        snapshot.load(self.ledger, data)

    def adopt(self, alert: Alert, rule: Rule) -> None:
        """An alert as the database has it, newer than the dump that was loaded; oldest first."""
        snapshot.adopt(self.ledger, alert, rule)

    def forget(self, stay: str) -> None:
        """Nothing is known of the stay any more, and nothing is told of that."""
        self.ledger.forget(stay)

    # --- how ----------------------------------------------------------------------------------------

    def _end_pause(self, stay: str, now: int, reason: str, by: str | None) -> list[Change]:
        if not self.is_paused(stay):
            return []
        since = self.ledger.stays[stay].paused_at
        self.ledger.stays[stay] = replace(
            self.ledger.stays[stay], paused_until=None, paused_at=None, away_for=None, away_by=None
        )
        if since is not None:
            for track in self.ledger.all(stay):
                track.away.append((since, now))
        changes = [self.ledger.of_stay(stay, now, "pause-ended", by, {"reason": reason})]
        owed = [track for track in self.ledger.all(stay) if track.alert and track.owed]
        for track in sorted(owed, key=lambda track: -RANK[track.rule.priority]):
            changes += self.ledger.announce(track, now)
        return [*changes, *self.ledger.settle_stay(stay, now)]

    def _end_stay(self, stay: str, now: int, by: str | None) -> list[Change]:
        changes = care.unassign(self.ledger, stay, now, care.STAY_OVER, by)
        for track in self.ledger.all(stay):
            if track.alert is not None:
                changes += self.ledger.apply(track, "end", now, by=by, reason="stay ended")
        self.ledger.tracks.pop(stay, None)
        self.ledger.ended.setdefault(stay, now)
        for episode in self.ledger.episodes.of(stay):
            self.ledger.episodes.end(episode)
            changes += self.ledger.episodes_ended([episode], now, "stay ended", by)
        return changes

    def _close_disabled(self, stay: str, now: int, by: str | None) -> list[Change]:
        changes: list[Change] = []
        flags = self.ledger.stays[stay].flags
        for track in self.ledger.all(stay):
            if track.alert is not None and (flag := track.disabled_by(flags)):
                changes += self.ledger.apply(track, "end", now, by=by, reason=f"flag {flag}")
        return changes

    def _rules_in_force(self, stay: str, rules: dict[str, Rule], now: int, by: str | None) -> list[Change]:
        changes: list[Change] = []
        for track in self.ledger.all(stay):
            rule_id = track.rule.id
            if rule_id in rules:
                changes += self._change_rule(track, rules[rule_id], now, by)
            elif not technical.is_technical(rule_id):
                changes += self._remove(stay, rule_id, now, by)
        return changes

    def _remove(self, stay: str, rule_id: str, now: int, by: str | None) -> list[Change]:
        track = self.ledger.tracks.get(stay, {}).get(rule_id)
        if track is None:
            return []
        changes = self.ledger.apply(track, "end", now, by=by, reason="rule removed") if track.alert else []
        track.breach = None
        track.start_anew()
        return changes

    def _change_rule(self, track: Track, rule: Rule, now: int, by: str | None) -> list[Change]:
        if rule == track.rule:
            return []
        if _condition(rule) != _condition(track.rule):
            track.start_anew()
        track.rule = rule
        alert = track.alert
        told = ("title", "titles", "priority", "kind", "signals")
        new: dict[str, Any] = {name: getattr(rule, name) for name in told}
        if alert is None or all(getattr(alert, name) == value for name, value in new.items()):
            return []
        changes = [self.ledger.edit(track, now, "rule-changed", by, **new)]
        rose = RANK[rule.priority] > RANK[alert.priority]
        if rose and alert.state in ("active", "acknowledged"):
            changes += self.ledger.apply(track, "outrank", now, reason="a rise in priority")
            changes += self.ledger.announce(track, now)
        elif alert.state == "returned" and rule.priority != "high":
            changes += self.ledger.apply(track, "end", now, by=by, reason="rule changed")
        return changes

    def _prune(self, now: int) -> None:
        if now - self._pruned < MINUTE:
            return
        self._pruned = now
        old = [a.id for a in self.ledger.closed.values() if now - (a.closed_at or 0) >= KEEP_CLOSED]
        for gone in old:
            del self.ledger.closed[gone]
        for stay, tracks in list(self.ledger.tracks.items()):
            for rule_id, track in list(tracks.items()):
                track.forget(self._latest - KEEP_SEEN)
                if track.idle:
                    del tracks[rule_id]
            if not tracks:
                del self.ledger.tracks[stay]
        for stay, ended in list(self.ledger.ended.items()):
            if now - ended >= KEEP_SEEN:
                del self.ledger.ended[stay]
                self.ledger.stays.pop(stay, None)


def _condition(rule: Rule) -> tuple[object, ...]:
    """What the engine goes by."""
    durations = (rule.for_ms, rule.within_ms, rule.gap_ms, rule.clear_for_ms)
    return (rule.when, rule.clear_when, rule.min_readings, durations)
