"""What people do with an alert: take it, say what it was, hand it over, mute it, take that back.

The part of the alert book that answers to a person. Each act returns the changes it made, in order.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Final

from ward.alerts.ledger import UNCONFIRMED, Ledger
from ward.alerts.lifecycle import Input
from ward.alerts.model import ASSESSMENTS, Alert, Change, Event, StayState, Tell
from ward.alerts.track import Act, Track
from ward.errors import ConflictError, InvalidError, NotFoundError
from ward.scoring.rules import Rule
from ward.signals import MINUTE

LONGEST_SHELF: Final = 60
"""minutes"""
UNDO: Final = 2 * MINUTE
"""So long (of the person's time) an act can be taken back."""
_BY_PEOPLE: Final = frozenset(
    {"acknowledged_at", "acknowledged_by", "assessment", "note", "handed_over_by", "handed_over_at"}
    | {"shelved_until", "shelved_by", "shelve_reason", "closed_at", "close_reason"}
)
"""What an act sets, and taking it back restores."""
assert {field.name for field in fields(Alert)} >= _BY_PEOPLE


class Acts:
    """Times in ms; ``by`` is the name of who acts. ``now`` is given."""

    ledger: Ledger

    def acknowledge(
        self, alert_id: str, by: str, assessment: str | None, now: int, note: str | None = None
    ) -> list[Change]:
        """Somebody takes it. ``assessment`` is one of ``ASSESSMENTS``, or None: she goes first, and says
        later what it was. ``artefact`` ends the episode.

        Raises NotFoundError, InvalidError, ConflictError (closed, suppressed, nothing raised yet).
        """
        _require_assessment(assessment)
        track = self.ledger.open_track(alert_id)
        assert track.alert is not None
        alert = track.alert
        said = {"assessment": assessment, "note": note}
        confirms = alert.handed_over_at is not None and alert.acknowledged_by == by
        if confirms:  # what who had it before said of it stays said
            said = {name: given or getattr(alert, name) for name, given in said.items()}
        given = {"acknowledged_at": now, "acknowledged_by": by, **said, **UNCONFIRMED}
        told = {"assessment": assessment, "note": note, **({"confirms": True} if confirms else {})}
        changes = self._person(track, "acknowledge", now, by, told, **given)
        return changes + self._artefact(alert, assessment, by, now)

    def amend(
        self, alert: str | Alert, by: str, assessment: str | None, note: str | None, now: int
    ) -> list[Change]:
        """What the alert was, or a note on it, also when it is over. ``alert``: its id, or itself where it
        closed so long ago that only the database knows it.

        Raises NotFoundError, InvalidError, ConflictError (nothing was raised).
        """
        _require_assessment(assessment)
        pairs = (("assessment", assessment), ("note", note))
        said: dict[str, Any] = {name: given for name, given in pairs if given}
        if not said:
            raise InvalidError("an assessment or a note is needed", field="assessment")
        kind = "assessed" if assessment else "noted"
        old = alert if isinstance(alert, Alert) else self.ledger.closed.get(alert)
        if old is None:
            track = self.ledger.open_track(str(alert))
            old = track.alert
            assert old is not None
            if old.raised_at is None:
                raise ConflictError("nothing was raised yet", state=old.state, code="alert-state")
            self._keep(track, old, by)
            change = self.ledger.edit(track, now, kind, by, detail=dict(said), **said)
        else:
            new = replace(old, **said)
            if new.id in self.ledger.closed:
                self.ledger.closed[new.id] = new
                self._keep(self._track_of(new), new, by)
            event = Event(now, new.stay, new.ward, new.id, kind, by, new.state, new.state, dict(said))
            change = Change(new, event)
        return [change, *self._artefact(old, assessment, by, now)]

    def hand_over(self, alert_id: str, by: str, to: str, now: int, note: str | None = None) -> list[Change]:
        """A colleague has it from now on, and is told; until she confirms (by acknowledging it) it says so,
        and after ``CONFIRM`` without that it is active again.

        Raises NotFoundError, InvalidError (she has it already), ConflictError (closed, not active or taken).
        """
        track = self.ledger.open_track(alert_id)
        alert = track.alert
        assert alert is not None
        name, tell = self.ledger.escalation.hand_over(alert, to, now)
        if alert.acknowledged_by == name:
            raise InvalidError(f"{name} has it already", field="to", code="has-it", params={"name": name})
        if name == by:
            raise InvalidError("take it instead", field="to", code="to-herself")
        given = {
            "acknowledged_at": alert.acknowledged_at or now,
            "acknowledged_by": name,
            "handed_over_by": by,
            "handed_over_at": now,
            "note": note or alert.note,
        }
        told = {"to": name, "from": alert.acknowledged_by, "note": note}
        changes = self._person(track, "hand-over", now, by, told, **given)
        return [_with(change, tell) if change.event.kind == "handed-over" else change for change in changes]

    def shelve(self, alert_id: str, by: str, minutes: float, reason: str, now: int) -> list[Change]:
        """Mute this rule for this stay, at most 60 minutes from now; again to change the time.

        Raises NotFoundError, InvalidError, ConflictError.
        """
        shelf = _shelf(by, minutes, reason, now)
        return self._person(self.ledger.open_track(alert_id), "shelve", now, by, dict(shelf), **shelf)

    def shelve_pending(
        self, stay: str, rule: Rule, since: int, by: str, minutes: float, reason: str, now: int
    ) -> list[Change]:
        """Shelve before it is raised: a breach since ``since`` that is not yet sustained.

        Raises NotFoundError, InvalidError, ConflictError (a flag disables the rule).
        """
        shelf = _shelf(by, minutes, reason, now)
        state = self._staying(stay)
        track = self.ledger.track(stay, rule)
        if flag := track.disabled_by(state.flags):
            raise ConflictError(
                f"the rule is disabled by the flag {flag}", code="rule-disabled", params={"flag": flag}
            )
        if track.alert is None:
            self.ledger.open(track, track.record(state, since, None))
        return self._person(track, "shelve", now, by, dict(shelf), **shelf)

    def unshelve(self, alert_id: str, by: str, now: int) -> list[Change]:
        """Raises NotFoundError, ConflictError (it is not shelved)."""
        return self._person(self.ledger.open_track(alert_id), "unshelve", now, by)

    def undo(self, alert_id: str, by: str, now: int, within: int = UNDO) -> list[Change]:
        """Her own last act never was: the alert is what it would be without it, and its escalation goes on
        from where it was. Nothing that somebody else did since is undone. An episode that she ended with
        ``artefact`` stays ended: what comes up next begins another and is told.

        Raises NotFoundError, ConflictError (too late, or somebody else acted, or it is over anyhow).
        """
        closed = self.ledger.closed.get(alert_id)
        track = self._track_of(closed) if closed else self.ledger.open_track(alert_id)
        act = track.act if track else None
        if track is None or act is None or act.before.id != alert_id or act.by != by:
            raise ConflictError("there is nothing of yours to take back", code="nothing-to-undo")
        if now - act.at > within:
            raise ConflictError("it is too late to take that back", code="act-too-late")
        if closed is not None:
            if track.alert is not None:
                raise ConflictError("it is over, and a new alert has come since", code="undo-over")
            self.ledger.reopen(track, closed)
        try:
            changes = self._undo(track, act, by, now)
        except ConflictError:
            if closed is not None:
                self.ledger.close_again(track, closed)
            raise
        track.act = None
        return changes

    # ------------------------------------------------------------------------------------------------

    def _undo(self, track: Track, act: Act, by: str, now: int) -> list[Change]:
        alert, before = track.alert, act.before
        assert alert is not None
        same = (alert.breach_since, alert.sustained) == (before.breach_since, before.sustained)
        if act.kind == "shelve" and (before.state in ("pending", "suppressed") or not same):
            # Under the shelf it became another: it comes up as if the shelf's time were over.
            return self._person(track, "unshelve", now, by, {"undone": act.kind})
        given = {name: getattr(before, name) for name in _BY_PEOPLE}
        changes = self._person(track, "undo", now, by, {"undone": act.kind}, **given)
        track.reminded = act.reminded
        track.away = [*act.away, *(span for span in track.away if span not in act.away)]
        after = track.alert
        if after is not None and after.shelved_until is not None and after.shelved_until <= now:
            changes += self.ledger.apply(track, "expire", now)
            changes += self.ledger.settle_stay(after.stay, now)
        return changes

    def _track_of(self, alert: Alert) -> Track | None:
        state = self.ledger.stays.get(alert.stay)
        if state is None or state.ended:
            return None
        return self.ledger.tracks.get(alert.stay, {}).get(alert.rule)

    @staticmethod
    def _keep(track: Track | None, alert: Alert, by: str) -> None:
        """What somebody else says of the alert now, taking back what was done before would lose."""
        act = track.act if track else None
        if track is not None and act is not None and act.before.id == alert.id and act.by != by:
            track.act = None

    def _artefact(self, alert: Alert, assessment: str | None, by: str, now: int) -> list[Change]:
        episode = self.ledger.episode_of(alert)
        if assessment != "artefact" or episode is None:
            return []
        self.ledger.episodes.end(episode)
        return self.ledger.episodes_ended([episode], now, "artefact", by)

    def _staying(self, stay: str) -> StayState:
        state = self.ledger.stays.get(stay)
        if state is None or state.ended:
            raise NotFoundError(f"no present stay {stay}")
        return state

    def _person(
        self,
        track: Track,
        given: Input,
        now: int,
        by: str,
        detail: dict[str, Any] | None = None,
        **values: Any,
    ) -> list[Change]:
        assert track.alert is not None
        stay = track.alert.stay
        act = Act(given, by, now, track.alert, track.reminded, list(track.away))
        changes = self.ledger.apply(track, given, now, by=by, detail=detail, **values)
        track.act = act if given in _CAN_BE_UNDONE else None
        return [*changes, *self.ledger.settle_stay(stay, now)]


_CAN_BE_UNDONE: Final[frozenset[Input]] = frozenset({"acknowledge", "hand-over", "shelve"})


def _require_assessment(assessment: str | None) -> None:
    if assessment is not None and assessment not in ASSESSMENTS:
        raise InvalidError(f"assessment must be one of {', '.join(ASSESSMENTS)}", field="assessment")


def _with(change: Change, tell: Tell | None) -> Change:
    return replace(change, tell=tell)


def _shelf(by: str, minutes: float, reason: str, now: int) -> dict[str, Any]:
    if isinstance(minutes, bool) or not 0 < minutes <= LONGEST_SHELF:
        raise InvalidError(f"minutes must be more than 0 and at most {LONGEST_SHELF}", field="minutes")
    until = now + round(minutes * MINUTE)
    return {"shelved_until": until, "shelved_by": by, "shelve_reason": reason}
