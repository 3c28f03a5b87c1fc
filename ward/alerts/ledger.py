"""The one place where alerts change: finds the row of the lifecycle, makes the event, decides on telling."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from ward.alerts.episodes import Episode, Episodes
from ward.alerts.escalation import Escalation, with_holes
from ward.alerts.lifecycle import Facts, Input, step
from ward.alerts.model import RANK, Alert, Change, Event, Notify, State, StayState, Tell
from ward.alerts.plan import Plans
from ward.alerts.track import Track
from ward.errors import ConflictError, NotFoundError
from ward.scoring.rules import Rule

_UNSHELVED: dict[str, Any] = dict.fromkeys(("shelved_until", "shelved_by", "shelve_reason"))
UNCONFIRMED: Final[dict[str, Any]] = dict.fromkeys(("handed_over_by", "handed_over_at"))
_UNACKNOWLEDGED: dict[str, Any] = {
    **dict.fromkeys(("acknowledged_at", "acknowledged_by", "assessment", "note")),
    **UNCONFIRMED,
}


class Ledger:
    """Stays, their tracks and episodes. Knows how an alert changes, not why."""

    def __init__(self, plans: Plans) -> None:
        self.escalation = Escalation(plans)
        self.stays: dict[str, StayState] = {}
        self.tracks: dict[str, dict[str, Track]] = {}
        self.ids: dict[str, tuple[str, str]] = {}
        """open alerts: id -> stay, rule"""
        self.closed: dict[str, Alert] = {}
        self.ended: dict[str, int] = {}
        """stays that ended -> when this was told"""
        self.episodes = Episodes()

    # --- finding ------------------------------------------------------------------------------------

    def track(self, stay: str, rule: Rule) -> Track:
        """The track of the rule, made where there is none."""
        self.stays.setdefault(stay, StayState(stay, "", ""))
        return self.tracks.setdefault(stay, {}).setdefault(rule.id, Track(rule))

    def all(self, stay: str | None = None) -> Iterator[Track]:
        """Of one stay, or those of all stays that have an open alert."""
        if stay is not None:
            yield from list(self.tracks.get(stay, {}).values())
            return
        for of_stay, rule_id in list(self.ids.values()):
            track = self.tracks.get(of_stay, {}).get(rule_id)
            if track is not None and track.alert is not None:
                yield track

    def open_track(self, alert_id: str) -> Track:
        """Raises NotFoundError, or ConflictError where the alert is over."""
        if alert_id in self.closed:
            raise ConflictError("the alert is closed", code="alert-closed", state="closed")
        if alert_id not in self.ids:
            raise NotFoundError(f"no open alert {alert_id}")
        stay, rule_id = self.ids[alert_id]
        return self.tracks[stay][rule_id]

    def forget(self, stay: str) -> None:
        """Nothing is known of the stay any more."""
        for track in self.all(stay):
            if track.alert is not None:
                self.ids.pop(track.alert.id, None)
        for episode in self.episodes.of(stay):
            self.episodes.end(episode)
        self.escalation.carers.forget(stay)
        self.closed = {id: alert for id, alert in self.closed.items() if alert.stay != stay}
        for table in (self.stays, self.tracks, self.ended):
            table.pop(stay, None)

    def inhibitor(self, stay: str, rule_id: str) -> str | None:
        """The raised rule that inhibits this one. What is shelved, suppressed or returned does not."""
        for track in self.tracks.get(stay, {}).values():
            alert = track.alert
            if alert and alert.state in ("active", "acknowledged") and rule_id in track.rule.inhibits:
                return track.rule.id
        return None

    def is_paused(self, stay: str) -> bool:
        return self.stays[stay].paused_until is not None

    def episode_of(self, alert: Alert) -> Episode | None:
        """Its episode while that is open."""
        return next((e for e in self.episodes.of(alert.stay) if e.id == alert.episode), None)

    # --- changing -----------------------------------------------------------------------------------

    def open(self, track: Track, alert: Alert) -> None:
        track.alert = alert
        self.ids[alert.id] = (alert.stay, alert.rule)

    def reopen(self, track: Track, alert: Alert) -> None:
        """A closed alert whose closing is to be taken back; ``close_again`` if that is refused."""
        del self.closed[alert.id]
        self.open(track, alert)

    def close_again(self, track: Track, alert: Alert) -> None:
        self._write(track, alert)

    def apply(
        self,
        track: Track,
        given: Input,
        now: int,
        by: str | None = None,
        reason: str | None = None,
        detail: dict[str, Any] | None = None,
        **values: Any,
    ) -> list[Change]:
        """One input to the track's open alert; ``values`` are fields that the input itself sets.

        An input that means nothing in the state changes nothing; from a person it is refused with
        ConflictError.
        """
        before = track.alert
        assert before is not None
        after = replace(before, **values)
        inhibitor = self.inhibitor(after.stay, after.rule)
        facts = Facts(
            sustained=after.sustained,
            inhibited=inhibitor is not None,
            latching=after.latching,
            raised=after.raised_at is not None,
            told=after.announced_at is not None,
            shelved=after.shelved_until is not None,
            taken=after.acknowledged_at is not None,
        )
        row = step(before.state, given, facts)
        if row is None:
            if by is None or given == "end":
                return []
            refused = _REFUSED.format(before.state, _DONE[given])
            raise ConflictError(refused, code="alert-state", state=before.state)
        undelivered = after.undelivered
        after = replace(after, **_entering(row.target, after, now, reason or row.event, inhibitor))
        earlier: list[Change] = []
        later: list[Change] = []
        notify = tell = None
        if given == "undo":
            # As if it had not been taken: whoever was told is told, and its waiting goes on.
            after = replace(after, undelivered=undelivered)
        elif row.target == "active":
            track.restart(now, 0, rides=True)
            if given != "outrank":
                again = given == "lapse" or _comes_back(before)
                after, notify, tell, earlier, later = self._announce(track, after, again, now)
        elif row.target != "acknowledged":
            track.owed = None
        if row.target == "acknowledged" and given != "undo":
            track.reminded, track.away = 0, []
        if given == "end":
            track.act = None
        self._write(track, after)
        self._quieten(before, now)
        told = {**(detail or {}), **({"reason": reason} if reason else {})}
        event = _event(after, now, row.event, by, before.state, with_holes(told, tell))
        over = after.episode if after.state == "closed" and self._is_over(after.stay, after.episode) else None
        return [*earlier, Change(after, event, notify, tell, over), *later]

    def edit(
        self,
        track: Track,
        now: int,
        event: str,
        by: str | None = None,
        notify: Notify | None = None,
        tell: Tell | None = None,
        detail: dict[str, Any] | None = None,
        **values: Any,
    ) -> Change:
        """A change that is not one of state (a moved bed, a reminder)."""
        before = track.alert
        assert before is not None
        after = replace(before, **values)
        track.alert = after
        told = detail or {name: [getattr(before, name), value] for name, value in values.items()}
        return Change(after, _event(after, now, event, by, before.state, told), notify, tell)

    def move(self, track: Track, ward: str, bed: str, now: int, by: str | None) -> list[Change]:
        """The alert goes with its patient. Those of another ward are told of it where it is active."""
        before = track.alert
        if before is None:
            return []
        tell = None
        if before.ward != ward and before.state == "active":
            if self.is_paused(before.stay):
                track.owed = track.owed or "again"
            else:
                tell = self.escalation.moved(track, replace(before, ward=ward, bed=bed), now)
                if episode := self.episode_of(before):
                    episode.note(before.priority, tell.to)
        detail: dict[str, object] = {"ward": [before.ward, ward], "bed": [before.bed, bed]}
        told = with_holes(detail, tell)
        return [self.edit(track, now, "moved", by, None, tell, told, ward=ward, bed=bed)]

    def announce(self, track: Track, now: int) -> list[Change]:
        """An open alert is told although its state stays: its priority rose, or a pause put it off."""
        before = track.alert
        assert before is not None
        again, track.owed = track.owed == "again", None
        after, notify, tell, earlier, later = self._announce(track, before, again, now)
        self._write(track, after)
        if before.state == "acknowledged":
            notify = tell = None  # the one who took it knows
        if after == before and notify is None and tell is None:
            return [*earlier, *later]
        detail = with_holes({"at": now}, tell)
        told = self.edit(track, now, "notified", notify=notify, tell=tell, detail=detail)
        return [*earlier, told, *later]

    def settle(self, track: Track, stay: str, now: int) -> list[Change]:
        """Bring the alert in line with the breach, as far as flags, a pause and inhibitions allow."""
        breach, state = track.breach, self.stays[stay]
        if breach is None or state.ended or state.paused_until is not None or track.disabled_by(state.flags):
            return []
        alert = track.alert
        if alert is not None and alert.sustained:
            return self._settle_suppressed(track, alert, now)
        if alert is None:
            self.open(track, track.record(state, breach.since, breach))
        return self.apply(
            track,
            "sustain",
            now,
            detail={"since": breach.since, "at": breach.at, "value": breach.value, "late": breach.late},
            signal=breach.signal,
            value=breach.value,
            breach_since=breach.since,
            raised_at=breach.at,
            late=breach.late,
            sustained=True,
            cleared_at=None,
            **_UNACKNOWLEDGED,
        )

    def settle_stay(self, stay: str, now: int) -> list[Change]:
        """``settle`` for all rules of the stay, inhibitors before what they inhibit."""
        waiting = [t for t in self.all(stay) if t.breach and not (t.alert and t.alert.state in _TOLD)]

        def order(track: Track) -> tuple[int, int, int]:
            inhibitors = sum(track.rule.id in other.rule.inhibits for other in waiting)
            assert track.breach is not None
            return inhibitors, -RANK[track.rule.priority], track.breach.at

        waiting.sort(key=order)
        return [change for track in waiting for change in self.settle(track, stay, now)]

    def of_stay(
        self, stay: str, now: int, kind: str, by: str | None, detail: dict[str, Any] | None = None
    ) -> Change:
        """An event that is the stay's and no alert's."""
        return Change(None, Event(now, stay, self.stays[stay].ward, None, kind, by, detail=detail or {}))

    def episodes_ended(
        self, episodes: Iterable[Episode], now: int, reason: str, by: str | None = None
    ) -> list[Change]:
        return [
            replace(
                self.of_stay(e.stay, now, "episode-ended", by, {"episode": e.id, "reason": reason}),
                resolved=e.id if self._is_over(e.stay, e.id) else None,
            )
            for e in episodes
        ]

    def _is_over(self, stay: str, episode: str | None) -> bool:
        """The episode has ended, and no alert of it is open."""
        if episode is None or any(e.id == episode for e in self.episodes.of(stay)):
            return False
        return all(track.alert is None or track.alert.episode != episode for track in self.all(stay))

    # --- telling ------------------------------------------------------------------------------------

    def _announce(
        self, track: Track, alert: Alert, again: bool, now: int
    ) -> tuple[Alert, Notify | None, Tell | None, list[Change], list[Change]]:
        """The alert joins its episode. Returns it, the interruption, whom to tell, and the changes of
        others before and after. While the stay is paused nobody is interrupted: all this is put off
        until it ends.

        ``again``: it was told before, and is there again; if high, that interrupts in any case.
        """
        if self.is_paused(alert.stay):
            track.owed = "again" if again else "first"
            return alert, None, None, [], []
        earlier = self.episodes_ended(self.episodes.ended(now, alert.stay), now, "time")
        episode, notify = self.episodes.join(alert, track.rule, now)
        alert = replace(alert, episode=episode.id, announced_at=alert.announced_at or now)
        later: list[Change] = []
        if notify is None and again:
            key = f"{alert.id}/again/{alert.breach_since}/{now}"
            notify = Notify("again", episode.id, alert.priority, key)
        elif notify is not None and notify.reason == "priority":
            for other in self.all(alert.stay):
                if other is not track and other.alert and other.alert.episode == episode.id:
                    later += self.apply(other, "outrank", now, reason="a rise in priority", **_UNACKNOWLEDGED)
        return alert, notify, self.escalation.first(track, alert, episode, notify, now), earlier, later

    def _settle_suppressed(self, track: Track, alert: Alert, now: int) -> list[Change]:
        if alert.state != "suppressed":
            return []
        inhibitor = self.inhibitor(alert.stay, alert.rule)
        if inhibitor is None:
            return self.apply(track, "sustain", now, reason="the inhibition ended")
        if inhibitor == alert.suppressed_by:
            return []
        return [self.edit(track, now, "suppressed", suppressed_by=inhibitor)]

    def _write(self, track: Track, alert: Alert) -> None:
        if alert.state == "closed":
            track.alert = None
            self.ids.pop(alert.id, None)
            self.closed[alert.id] = alert
        else:
            track.alert = alert

    def _quieten(self, before: Alert, now: int) -> None:
        """Starts the quiet time of the alert's episode when nothing in it is in breach any more."""
        episode = self.episode_of(before)
        if episode is None or episode.quiet_since is not None:
            return
        alerts = (track.alert for track in self.all(before.stay))
        if not any(a and a.episode == episode.id and a.sustained for a in alerts):
            episode.quiet_since = now


_TOLD = ("active", "acknowledged")
_REFUSED: Final = "an alert that is {} cannot be {}"
_DONE: Final[dict[Input, str]] = {
    "acknowledge": "acknowledged",
    "hand-over": "handed over",
    "shelve": "shelved",
    "unshelve": "unshelved",
    "undo": "put back to what it was",
}


def _entering(target: State, alert: Alert, now: int, reason: str, inhibitor: str | None) -> dict[str, Any]:
    """Fields that belong to a state: set where it is entered, emptied elsewhere."""
    values: dict[str, Any] = {"state": target, "suppressed_by": inhibitor if target == "suppressed" else None}
    if target != "shelved":
        values |= _UNSHELVED
    if target == "active":
        values |= _UNACKNOWLEDGED | {"undelivered": ()}  # it is told anew
        if alert.state == "returned":
            values["announced_at"] = None  # the new breach is yet to be told
    if target == "closed":
        values |= {"closed_at": now, "close_reason": reason, "sustained": False}
    return values


def _comes_back(before: Alert) -> bool:
    """Told before, then cleared or muted: a high alert interrupts when it is there again."""
    told = before.announced_at is not None
    return before.priority == "high" and told and before.state in ("returned", "shelved")


def _event(alert: Alert, now: int, kind: str, by: str | None, before: State, detail: dict[str, Any]) -> Event:
    return Event(now, alert.stay, alert.ward, alert.id, kind, by, before, alert.state, detail)
