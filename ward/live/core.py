"""The core: the fold of the journal, in step with the clock. One thread owns it; nothing else touches it.

Entries go in by ``take``, time by ``tick``. What follows (alerts, their events, what must be
published) is written in one transaction and told once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np
import structlog
from sqlalchemy import Engine as Database
from sqlalchemy.exc import SQLAlchemyError

from ward.alerts.book import AlertBook
from ward.alerts.model import Change, StayState
from ward.alerts.overrides import Rulebook
from ward.alerts.plan import Plans
from ward.alerts.technical import SERVICE, rule_for
from ward.alerts.watch import Standing, Watch
from ward.errors import UnavailableError
from ward.ingest.assignments import Assigned, StayInfo
from ward.ingest.packed import Part
from ward.ingest.router import NUMBERS, Routed, Router
from ward.ingest.rows import Rows
from ward.live import facts, metrics, telling
from ward.live.carrier import Carrier
from ward.live.columns import columns_of, layout
from ward.live.earlier import Earlier
from ward.live.faults import told
from ward.live.following import Untold, edges_of, followed
from ward.live.history import HistoryBuffer
from ward.live.late import AT_ONCE, Late
from ward.live.plans import note_failed
from ward.live.raises import Values, values_at_raises
from ward.live.rebuild import built_again
from ward.live.scores import Scores
from ward.live.showing import Showing
from ward.live.slots import Slots
from ward.live.swaps import Swaps
from ward.live.taking import taken
from ward.live.tally import Beat
from ward.live.unproved import Unproved
from ward.live.views import Newest
from ward.partitions import WHOLE, Partition
from ward.scoring.engine import Engine, Step
from ward.scoring.filter import REASONS, VALID, Marked
from ward.scoring.news2 import scale_of
from ward.scoring.readings import Readings
from ward.scoring.risk import RiskModel
from ward.scoring.rules import Rule
from ward.scoring.salvage import step_without
from ward.scoring.sustain import Transitions
from ward.signals import MINUTE, SECOND
from ward.store import idempotency
from ward.store.stays import Stay
from ward.web.hub import Hub

AWAY: Final = MINUTE
"""Readings after so long a silence mean that a patient who was away is back."""
NO_FLAGS: Final[frozenset[str]] = frozenset()
"""One for all: each has 216 bytes."""
LASTING: Final = 30 * SECOND
"""A fault of the service that lasts so long is an alert."""

log = structlog.get_logger(__name__)


class Core:
    """All stays of this process. Times in ms of the ward's clock, which runs at ``speed``."""

    def __init__(
        self,
        db: Database,
        rulebook: Rulebook,
        hub: Hub,
        *,
        lateness: int,
        measure_offset: bool,
        speed: float,
        plans: Plans | None = None,
        risk: RiskModel | None = None,
        partition: Partition = WHOLE,
    ) -> None:
        self.db, self.hub, self.rulebook = db, hub, rulebook
        self.measure_offset, self.lateness, self.speed = measure_offset, lateness, speed
        self.partition = partition
        self.router = Router(first=partition.number * NUMBERS)
        self.risk_model = risk
        self.plans = plans or Plans()
        self._carrier = Carrier(self.plans, speed)
        self.faults: dict[str, str] = {}
        """What does not work now, by part."""
        self.service_faults: Callable[[], Iterable[str]] = lambda: self.faults
        """Names of the parts of the whole service that do not work now."""
        self.notices: Callable[[], Iterable[Standing]] = tuple
        """Technical conditions that are found beside the core, and told by it."""
        self.limits_over: Callable[[int], None] = lambda now: None
        """Ends patients' own limits whose time is up."""
        self.is_spoilt = False
        """Something failed half-way: what is held here is less than the journal holds."""
        self.begin()

    def begin(self, listening_since: int = 0) -> None:
        """Know nothing yet, or nothing any more: a start that has to be made again. Times in ms."""
        self.router.restore(Router().snapshot())  # others hold it
        self.book = AlertBook(self.plans)
        self.watch = Watch(listening_since)
        self.engine = Engine(self.rulebook.effective(), 16, lateness=self.lateness, risk=self.risk_model)
        self.slots = Slots()
        self.newest = Newest(16)
        self.showing = Showing()
        self.stays: dict[str, Stay] = {}
        self.history = HistoryBuffer()
        self.position = 0
        self.named = 0  # devices whose names are in the database, the first so many
        self.unreadable: list[int] = []
        """Snapshots that cannot be read, until there is a newer one."""
        self.reached = 0
        """About the time (ms) of the readings that came last: behind the clock while there is a backlog."""
        self._fault_since: dict[str, int] = {}
        self.tally = Beat(self.speed)
        self.changed: set[str] = set()
        """Stays whose view is out of date."""
        self.late = Late(self.speed)
        self._earlier = Earlier()
        self.heard: dict[str, int] = {}
        """When a device of each stay was last heard."""
        self._pending_changes: list[Change] = []
        self.on_saved: Callable[[], None] = lambda: None  # called when what is to be told is written
        self.pending_acts: list[idempotency.Act] = []
        self._unproved, self._swaps = Unproved(), Swaps()
        self.scores = Scores(self.engine.slots)
        self.values: Values = {}
        """What the last step's raises were about."""
        self.untold = Untold()
        """What is raised and could not be told yet."""

    # ------------------------------------------------------------------ stays and rules

    def load_stay(self, stay: Stay, now: int, by: str | None = None, reason: str | None = None) -> None:
        """A stay as the database has it now: new, changed or ended. ``reason``: why the patient is away."""
        self.stays[stay.id] = stay
        devices = tuple(Assigned(d.device, d.start, d.end, d.ward) for d in stay.devices)
        self.router.set_stay(
            StayInfo(
                stay.id, stay.ward, stay.bed, stay.flags, stay.start, stay.end, devices, stay.paused_until
            )
        )
        slot = self.slots.get(stay.id)
        if stay.end is None and slot is None:
            slot = self._take_slot(stay.id)
        rules = self.rulebook.effective(stay.ward, stay.id)
        if stay.end is None and slot is not None:
            self._use_rules({slot: rules})
            self._configure(slot)
        flags, ended = frozenset(stay.flags) or NO_FLAGS, stay.end is not None
        state = StayState(stay.id, stay.ward, stay.bed, flags, ended, stay.paused_until, away_for=reason)
        self._pending_changes += self.book.stay_changed(state, rules, now, by)
        self.changed.add(stay.id)

    def end_stay(self, stay: str) -> None:
        """Free the slot of a stay that is over and whose readings are written."""
        slot = self.slots.get(stay)
        if slot is not None:
            self.engine.forget(slot)
            self.newest.forget(slot)
            self.slots.free(stay)
            self.late.drop(slot)
            self._earlier.drop(slot)
            self.scores.forget(slot)
        self.router.remove_stay(stay)
        self.stays.pop(stay, None)
        self.heard.pop(stay, None)

    def drop_unknown(self) -> None:
        """Free the slots of stays that ended before those that were loaded."""
        for slot in self.slots.taken():
            if (stay := self.slots.stay(slot)) not in self.stays:
                self.end_stay(stay)

    def _take_slot(self, stay: str) -> int:
        slot = self.slots.take(stay)
        if slot >= self.engine.slots:
            self.engine.resize(2 * self.engine.slots)
            self.newest.resize(self.engine.slots)
        return slot

    def _configure(self, slot: int) -> None:
        stay = self.stays[self.slots.stay(slot)]
        declared = list(self.router.declared(stay.id))
        scale = scale_of(stay.flags)
        engine = self.engine
        same = engine.scale[slot] == scale and set(np.flatnonzero(engine.declared[slot])) == set(declared)
        if not same:
            engine.configure(slot, declared=declared, scale=scale, applies=engine.applies[slot])

    def _use_rules(self, changed: Mapping[int, Sequence[Rule]]) -> None:
        """Put rules in force for some slots; the others keep theirs."""
        if all(self._rules_of(slot) == list(rules) for slot, rules in changed.items()):
            return
        engine = self.engine
        place = {rule: i for i, rule in enumerate(engine.rules)}
        if all(rule in place for rules in changed.values() for rule in rules):
            wanted = {slot: [r in rules for r in engine.rules] for slot, rules in changed.items()}
            fresh = not any(engine.has_started(slot) for slot in changed)
            if fresh:
                for slot, applies in wanted.items():
                    engine.applies[slot] = applies
                return
        in_force: dict[int, Sequence[Rule]] = {
            slot: [engine.rules[c] for c in np.flatnonzero(engine.applies[slot])]
            for slot in self.slots.taken()
        }
        in_force.update(changed)
        columns = columns_of(in_force, self.rulebook.effective())
        engine.replace_rules(columns, *layout(in_force, engine.slots, columns, engine.rules, engine.applies))

    def rules_changed(self, now: int, by: str | None = None) -> None:
        """The rulebook has changed: from the next evaluation every stay has its rules as they are now."""
        in_force = {}
        for slot in self.slots.taken():
            stay = self.stays[self.slots.stay(slot)]
            before = {engine_rule.id: engine_rule for engine_rule in self._rules_of(slot)}
            rules = in_force[slot] = self.rulebook.effective(stay.ward, stay.id)
            for rule in rules:
                if before.pop(rule.id, None) != rule:
                    self._pending_changes += self.book.rule_changed(rule, now, [stay.id], by)
            for gone in before:
                self._pending_changes += self.book.rule_removed(gone, now, [stay.id], by)
            self.changed.add(stay.id)
        self._use_rules(in_force)

    def _rules_of(self, slot: int) -> list[Rule]:
        return [self.engine.rules[c] for c in np.flatnonzero(self.engine.applies[slot])]

    # ------------------------------------------------------------------ the fold

    def take(self, parts: Sequence[Part], position: int, now: int) -> list[Routed]:
        """A batch of the journal, at its position; what it came to, in its order."""
        with self._spoiling():
            return taken(self, parts, position, now)

    def to_slots(self, rows: Rows) -> Readings:
        """Readings with the engine's slots; those of stays that are over (slot -1) go to the history."""
        found = (self.slots.get(stay) for stay in rows.stays)
        slots = np.array([-1 if slot is None else slot for slot in found], np.int32)
        readings = rows.for_slots(slots)
        self.history.add_unjudged(dict(enumerate(rows.stays)), rows.readings.take(readings.slot < 0))
        return readings

    def note_routed(self, routed: Routed) -> None:
        """What follows from a batch beside its readings."""
        if len(routed.unassigned):
            self.history.add_unassigned(routed.unassigned, self.router.device_key)
            self.showing.take(routed.unassigned.readings)
        for stay in {declared.stay for declared in routed.declared}:
            if (slot := self.slots.get(stay)) is not None:
                self._configure(slot)
        turned = {self.router.present_stay(e.device) for e in routed.device_events if e.kind != "seen"}
        self.changed.update(stay for stay in turned if stay is not None)

    def note_heard(self, stays: Sequence[str], now: int) -> None:
        """When each stay was last heard by a device; who was away and is heard again is back."""
        for stay in stays:
            before = self.heard.get(stay, 0)
            self.heard[stay] = now
            if self.book.is_paused(stay) and now - before > AWAY:
                self._pending_changes += self.book.readings_returned(stay, now)

    # ------------------------------------------------------------------ time

    def tick(self, now: int, *, careful: bool = False, rebuilds: int = AT_ONCE) -> int:
        """Evaluate up to now, and all that follows. What fails in one part keeps no other from its work.

        careful: readings that make the step fail are left out; returns how many. rebuilds: of so many stays.
        """
        self._guard("limits", lambda: self.limits_over(now))
        with metrics.TICK.time(), self._spoiling():
            step, lost = self.step_with_care(now) if careful else (self.engine.step(now), 0)
        self._guard("values", lambda: self._note_values(step))
        for part in step.parts:
            if self._guard("marks", partial(self._note_marks, part)):
                self.keep_unjudged(part.readings)
        self.late.note(step.late, now)
        self._rebuild(self.late.raising(step.transitions), now)
        self._tell(step.transitions, now)
        self._unproved.prove(self.book, self.engine, self.slots)
        self._rebuild(self.late.due(now, rebuilds), now)
        self._guard("technical", lambda: self._technical(now))
        self._guard("book", lambda: self.note(self.book.tick(now)))
        note_failed(self.plans, self.faults)
        self._guard("scores", lambda: self.scores.look(self))
        self._guard("tally", lambda: self.tally.tick(self.engine, self.slots, self.stays, now))
        self.commit(now)
        return lost

    def step_with_care(self, now: int) -> tuple[Step, int]:
        """Without the readings that make it fail, which go to the history in doubt; how many these are."""
        step, lost = step_without(self.engine, now)
        self.keep_unjudged(lost)
        return step, len(lost)

    def require_whole(self) -> None:
        """Raises UnavailableError while it is spoilt."""
        if self.is_spoilt:
            raise UnavailableError("what is held is less than the journal holds")

    @contextmanager
    def _spoiling(self) -> Iterator[None]:
        """What fails here took readings from the journal that nothing holds now."""
        try:
            yield
        except Exception:
            self.is_spoilt = True
            raise

    def _guard(self, part: str, work: Callable[[], object]) -> Exception | None:
        """A fault is counted, logged once and shown, until the part works again."""
        try:
            work()
        except Exception as error:
            metrics.ERRORS.labels(part).inc()
            if part not in self.faults:
                log.exception("a part of the core failed", part=part)
            self.faults[part] = told(part, error)
            return error
        self.faults.pop(part, None)
        return None

    def follow(self, reached: int, now: int, step: Step | None = None) -> None:
        """Evaluate what the journal held up to a time in the past (``step``: so it was); told at ``now``."""
        step = step or self.engine.step(reached)
        self._note_values(step)
        self._note_marks(*step.parts)
        self.late.note(step.late, reached)
        self._rebuild(self.late.raising(step.transitions), now)
        self._follow(step.transitions, now)
        self._rebuild(self.late.due(reached), now)

    def reconcile(self) -> None:
        """After a start: what the book says is raised stays raised."""
        self._unproved.begin(self.book)
        self._unproved.prove(self.book, self.engine, self.slots)

    def note(self, changes: Iterable[Change]) -> None:
        """What a person did to the book; written by the next ``commit``, with the key of the request."""
        self._pending_changes += changes
        self.pending_acts += idempotency.present()

    def commit(self, now: int) -> None:
        """Write and tell what has changed. If that fails nothing is forgotten: the next call tries again."""
        changes = self._pending_changes
        if changes:
            back = {c.event.stay for c in changes if c.event.kind == "pause-ended"}
            with idempotency.riding(self.pending_acts):
                telling.save(self.db, self.hub, changes, self.book.dump, self._carrier, back)
            self.on_saved()
            for stay in back & self.stays.keys():
                self.stays[stay] = replace(self.stays[stay], paused_until=None)
            self.changed.update(change.event.stay for change in changes)
            self._pending_changes, self.pending_acts = [], []

    def keep_unjudged(self, readings: Readings) -> None:
        """Whether they count nobody knows, but they are not gone."""
        self.history.add_unjudged(self.slots.stays(readings.slot), readings)

    def _note_marks(self, *parts: Marked) -> None:
        for marked in parts:
            if not len(marked.mark):
                continue
            self.newest.take(marked.readings, marked.mark, marked.reason)
            names = self.slots.stays(marked.readings.slot)
            self.history.add(marked, names)
            self.changed.update(names.values())
            metrics.READINGS.inc(int(marked.first.sum()))
            doubted = marked.reason[marked.mark != VALID]
            for reason, n in zip(*np.unique(doubted, return_counts=True), strict=True):
                metrics.MARKED.labels(REASONS[int(reason)]).inc(int(n))

    def _follow(self, t: Transitions, now: int) -> None:
        """Engine transitions to the book; what fails, fails here."""
        for stay, edges in edges_of(self, t).items():
            self._pending_changes += followed(self.book, stay, edges, now)

    def _tell(self, t: Transitions, now: int) -> None:
        """The same live: one stay that fails costs no other its alerts."""
        self._guard("alerts", lambda: self.untold.tell(self, edges_of(self, t), now))

    def _note_values(self, step: Step) -> None:
        self.values = values_at_raises(self.engine, self.newest, step)

    # ------------------------------------------------------------------ late readings

    def _rebuild(self, slots: Iterable[int], now: int) -> None:
        for slot in slots:
            fault = self._guard("rebuild", partial(self._rebuild_one, slot, self.late.of(slot), now))
            if isinstance(fault, SQLAlchemyError):
                break  # the database is away: all is kept and tried again, and the tick goes on
            if fault is not None:
                self.keep_unjudged(self.late.of(slot))
            self.late.drop(slot)

    def _rebuild_one(self, slot: int, late: Readings, now: int) -> None:
        """Build the clocks of one stay again from what is stored, and what came late."""
        transitions, kept = built_again(self, self._earlier, slot, late)
        metrics.LATE.inc()
        self._note_marks(kept)
        self._tell(transitions, now)

    def settle(self, now: int) -> None:
        """Finish every rebuild at once: at a start, before anybody is told that it watches.

        Raises UnavailableError where the database did not let it.
        """
        self._rebuild(self.late.slots(), now)
        self.commit(now)
        if self.late:
            raise UnavailableError("readings that came late wait for the database")

    # ------------------------------------------------------------------ technical alerts

    def _technical(self, now: int) -> None:
        devices, stays = facts.present(self, now)
        standing = [*facts.to_be_measured_again(self), *facts.leads_off(self)]
        standing += self._swaps.standing(self, now)
        standing += [*self._faults(now), *self.notices()]
        for edge in self.watch.update(now, devices, stays, standing):
            rule = rule_for(edge.rule, edge.key)
            if edge.event == "raised":
                self._pending_changes += self.book.raised(
                    edge.stay, rule, edge.since, edge.at, None, None, now
                )
            else:
                self._pending_changes += self.book.cleared(edge.stay, rule.id, edge.since, edge.at, now)

    def _faults(self, now: int) -> list[Standing]:
        """Parts of the service that have not worked for a while: staff must know that it watches badly."""
        failing = set(self.service_faults())
        self._fault_since = {part: self._fault_since.get(part, now) for part in failing}
        return [
            Standing(SERVICE, "service-fault", part, since)
            for part, since in sorted(self._fault_since.items())
            if now - since >= LASTING * self.speed
        ]
