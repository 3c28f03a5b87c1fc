"""Carrying an alert on: whom its ward's plan has told at once, the next level while nobody takes it,
reminders, and what happens when somebody could not be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ward.alerts.carers import Carer, Carers
from ward.alerts.episodes import Episode
from ward.alerts.model import RANK, Alert, Change, Notify, Tell, Undelivered
from ward.alerts.plan import ALL, ASSIGNED, Plan, Plans, Reached, Recipient, Route, time_outside
from ward.alerts.track import Track
from ward.signals import MINUTE

if TYPE_CHECKING:
    from ward.alerts.ledger import Ledger

REMIND: Final = 30 * MINUTE
"""An acknowledged high alert that is still in breach reminds each time so long has passed."""

CONFIRM: Final = 5 * MINUTE
"""So soon she to whom an alert was handed over must say that she has it; else it is active again."""


@dataclass(slots=True)
class Escalation:
    """Decides by the plans; what was told already is in the tracks and episodes, which are kept."""

    plans: Plans = field(default_factory=Plans)
    carers: Carers = field(default_factory=Carers)

    def _route(self, alert: Alert) -> Route:
        return _route(self.plans.of(alert.ward), alert)

    def first(
        self, track: Track, alert: Alert, episode: Episode, notify: Notify | None, now: int
    ) -> Tell | None:
        """The alert is told. Where its episode interrupts nobody anew, only those on its way hear of it
        whom the episode has not told yet at this priority or a higher one."""
        carer = self.carers.of(alert.stay)
        reached = self.plans.follow(alert.ward, lambda plan: _reach(plan, 0, alert, now, carer))
        if notify is not None:
            track.restart(now, reached.level, rides=False)
            episode.note(alert.priority, reached.to)
            return _tell(notify.reason, notify.key, reached)
        fresh = tuple(one for one in reached.to if not episode.has_told(one, alert.priority))
        # A level that was passed over to people who know already is not told yet: its time will come.
        track.restart(now, reached.level if fresh else 0, rides=True)
        if not fresh:
            return None
        episode.note(alert.priority, fresh)
        return Tell("first", episode.key(alert.priority), reached.level, fresh, reached.missed)

    def moved(self, track: Track, alert: Alert, now: int) -> Tell:
        """An active alert came to this ward with its patient: here nobody knows of it."""
        carer = self.carers.of(alert.stay)
        reached = self.plans.follow(alert.ward, lambda plan: _reach(plan, 0, alert, now, carer))
        track.restart(now, reached.level, rides=False)
        return _tell("again", f"{alert.id}/moved/{now}", reached)

    def carer_came(self, track: Track, alert: Alert, carer: Carer, now: int) -> Tell | None:
        """Somebody has the patient from now on: of an alert that nobody took she is told as well, if the plan
        has told, by now, a level that is meant for whoever has the patient."""

        def hers(plan: Plan) -> Reached | None:
            for number, level in enumerate(_route(plan, alert).levels[: track.escalated + 1]):
                if ASSIGNED in level.tell and (to := plan.told_as_carer(level, carer)):
                    return Reached(number, tuple(to))
            return None

        reached = self.plans.follow(alert.ward, hers)
        return _tell("again", f"{alert.id}/carer/{now}", reached) if reached else None

    def hand_over(self, alert: Alert, to: str, now: int) -> tuple[str, Tell | None]:
        """The name of whom somebody meant (a name or an id of the ward's plan), and how she is told: through
        every channel that has an address of hers. None: the plan does not know her, or no address; then her
        screens say it."""
        people = self.plans.of(alert.ward).people.values()
        person = next((one for one in people if to in (one.id, one.name)), None)
        if person is None:
            return to, None
        found = person.addresses.items()
        ways = tuple(Recipient(person.id, person.name, channel, address) for channel, address in found)
        return person.name, Tell("handed-over", f"{alert.id}/handed-over/{now}", 0, ways) if ways else None

    def due(self, ledger: Ledger, track: Track, now: int) -> list[Change]:
        """What time alone brings: levels that are due, reminders."""
        alert = track.alert
        if alert is None or ledger.is_paused(alert.stay):
            return []
        if alert.state == "acknowledged" and alert.handed_over_at is not None:
            waited = time_outside(track.away, alert.handed_over_at, now)
            return ledger.apply(track, "lapse", now, reason="not confirmed") if waited >= CONFIRM else []
        if alert.state == "acknowledged" and alert.priority == "high" and alert.acknowledged_at is not None:
            return self._remind_who_took_it(ledger, track, alert, alert.acknowledged_at, now)
        if alert.state == "active" and track.active_at is not None:
            active_at = track.active_at
            carer = self.carers.of(alert.stay)
            steps = self.plans.follow(
                alert.ward, lambda plan: _steps(plan, track, alert, active_at, now, carer)
            )
            return self._carry_on(ledger, track, alert, active_at, steps, now) if steps else []
        return []

    def next_due(self, track: Track) -> int | None:
        """When time alone next brings something for the alert (ms), for whoever need not look each second;
        quiet hours may put it off."""
        alert = track.alert
        if alert is None:
            return None
        if alert.state == "acknowledged" and alert.handed_over_at is not None:
            return alert.handed_over_at + _paused(track, alert.handed_over_at) + CONFIRM
        if alert.state == "acknowledged" and alert.priority == "high" and alert.acknowledged_at is not None:
            taken = alert.acknowledged_at
            return taken + _paused(track, taken) + (track.reminded + 1) * REMIND
        if alert.state != "active" or track.active_at is None:
            return None
        route = self._route(alert)
        waits = [level.after for level in route.levels[track.escalated + 1 :]][:1]
        if route.remind and track.nagged < route.remind_at_most:
            waits.append((track.nagged + 1) * route.remind)
        return track.active_at + _paused(track, track.active_at) + min(waits) if waits else None

    def undelivered(
        self, ledger: Ledger, track: Track, given: Undelivered, level: int, error: str, now: int
    ) -> list[Change]:
        """Somebody could not be told at a level: seen on the alert, and the next level is told at once,
        unless a higher one is told already. After the last one it is the dashboards."""
        alert = track.alert
        assert alert is not None
        known = given in alert.undelivered
        tells = alert.state == "active" and not ledger.is_paused(alert.stay)
        escalates = tells and level >= track.escalated and level > track.failed
        if known and not escalates:
            return []
        listed = alert.undelivered if known else (*alert.undelivered, given)
        detail = {"person": given.person, "channel": given.channel, "level": level, "error": error}
        notify = tell = None
        if escalates:
            carer = self.carers.of(alert.stay)
            reached = self.plans.follow(alert.ward, lambda plan: _next(plan, track, alert, now, carer))
            track.failed, track.escalated = level, reached.level
            key = f"{alert.id}/undelivered/{track.active_at}/{level}"
            notify = Notify("undelivered", alert.episode, alert.priority, key)
            tell = _tell("undelivered", key, reached)
        return [ledger.edit(track, now, "not-delivered", None, notify, tell, detail, undelivered=listed)]

    # ------------------------------------------------------------------------------------------------

    def _remind_who_took_it(
        self, ledger: Ledger, track: Track, alert: Alert, since: int, now: int
    ) -> list[Change]:
        due = time_outside(track.away, since, now) // REMIND
        if due <= track.reminded:
            return []
        carer = self.carers.of(alert.stay)
        told = self.plans.follow(alert.ward, lambda plan: plan.reach(_route(plan, alert), 0, now, carer))
        track.reminded = due
        return [_reminder(ledger, track, alert, f"{since}/{due}", due, told, now)]

    def _carry_on(
        self, ledger: Ledger, track: Track, alert: Alert, active_at: int, steps: _Steps, now: int
    ) -> list[Change]:
        if self._rides_on_another(ledger, track, alert):
            track.escalated = max(steps.level, track.escalated)
            track.nagged = max(steps.reminders, track.nagged)
            return []
        changes: list[Change] = []
        for reached in steps.reached:
            track.escalated = reached.level
            key = f"{alert.id}/escalation/{active_at}/{reached.level}"
            notify = Notify("escalation", alert.episode, alert.priority, key)
            tell = _tell("escalation", key, reached)
            detail = {"level": reached.level, **_nobody(reached.missed)}
            changes.append(ledger.edit(track, now, "escalated", None, notify, tell, detail))
        if steps.reminders > track.nagged:
            track.nagged = steps.reminders
            told = Reached(track.escalated, steps.reminded)
            what = f"{active_at}/{steps.reminders}"
            changes.append(_reminder(ledger, track, alert, what, steps.reminders, told, now))
        return changes

    def _rides_on_another(self, ledger: Ledger, track: Track, alert: Alert) -> bool:
        """Nobody was interrupted for this one, and another of its episode, which is at least as urgent and
        nobody has taken either, takes the same way: its levels tell the same people of the same patient."""
        if not track.rides:
            return False
        for other in ledger.all(alert.stay):
            one = other.alert
            if one is None or other is track or other.rides or one.state != "active":
                continue
            same = one.episode == alert.episode and RANK[one.priority] >= RANK[alert.priority]
            earlier = (other.active_at or 0) <= (track.active_at or 0)
            if same and earlier and self._route(one).levels == self._route(alert).levels:
                return True
        return False


def _reminder(
    ledger: Ledger, track: Track, alert: Alert, what: str, count: int, reached: Reached, now: int
) -> Change:
    key = f"{alert.id}/reminder/{what}"
    notify = Notify("reminder", alert.episode, alert.priority, key)
    tell = _tell("reminder", key, reached)
    return ledger.edit(track, now, "reminded", None, notify, tell, {"count": count})


@dataclass(frozen=True, slots=True)
class _Steps:
    """What is due by now of an alert that nobody took."""

    level: int
    reminders: int
    reached: list[Reached]
    """of each level to be told now"""
    reminded: tuple[Recipient, ...]
    """everybody of the levels up to then"""


def _steps(
    plan: Plan, track: Track, alert: Alert, active_at: int, now: int, carer: Carer | None
) -> _Steps | None:
    """None while nothing is due. Changes nothing: where the plan fails, another is asked."""
    route = _route(plan, alert)
    longest = now - active_at  # quiet hours and pauses only make it shorter: looked at when that matters
    if route.level(longest) <= track.escalated and route.reminders(longest) <= track.nagged:
        return None
    if plan.quiet_until(alert.priority, now) is not None:
        return None
    waited = plan.waited(alert.priority, active_at, now, track.away)
    level, reminders = route.level(waited), route.reminders(waited)
    if level <= track.escalated and reminders <= track.nagged:
        return None
    reached: list[Reached] = []
    up_to = track.escalated
    while level > up_to:
        reached.append(plan.reach(route, up_to + 1, now, carer))
        up_to = reached[-1].level
    return _Steps(level, reminders, reached, plan.told_up_to(route, up_to, now, carer))


def _next(plan: Plan, track: Track, alert: Alert, now: int, carer: Carer | None) -> Reached:
    """The level after the last that was told; after the last one the dashboards."""
    if track.escalated + 1 < len(_route(plan, alert).levels):
        return _reach(plan, track.escalated + 1, alert, now, carer)
    return Reached(track.escalated, (ALL,))


def _route(plan: Plan, alert: Alert) -> Route:
    return plan.route(alert.kind, alert.priority, alert.rule)


def _paused(track: Track, since: int) -> int:
    """How long the patient was away since then (ms)."""
    return sum(end - max(start, since) for start, end in track.away if end > since)


def _reach(plan: Plan, level: int, alert: Alert, now: int, carer: Carer | None) -> Reached:
    """Whoever is on duty when it may be told: now, or when the quiet hours end."""
    return plan.reach(_route(plan, alert), level, plan.quiet_until(alert.priority, now) or now, carer)


def _tell(reason: str, key: str, reached: Reached) -> Tell:
    return Tell(reason, key, reached.level, reached.to, reached.missed)


def _nobody(missed: tuple[int, ...]) -> dict[str, list[int]]:
    return {"nobody_on_duty": list(missed)} if missed else {}


def with_holes(detail: dict[str, object], tell: Tell | None) -> dict[str, object]:
    """An event says which levels of the plan have nobody on duty."""
    return {**detail, **_nobody(tell.missed)} if tell else detail
