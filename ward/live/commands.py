"""What people and programs may ask of the core, each by its name. Runs on the core's thread.

Each change is written to the database first, then to the journal, so that a restart finds both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ward.alerts.acts import UNDO
from ward.alerts.model import Alert, Change, Event
from ward.clock import iso
from ward.errors import DoneError, InvalidError, NotFoundError
from ward.ingest.journal import Journal
from ward.ingest.records import Entry, Observation
from ward.live import forget, snapshots
from ward.live.admissions import Admissions
from ward.live.board import BoardKeeper
from ward.live.core import Core
from ward.live.plans import parsed, store_plan, unreadable, version_view
from ward.live.rules import Rules
from ward.live.shifts import Shifts
from ward.live.views import Json
from ward.scoring.rules import Rule
from ward.signals import CONSCIOUSNESS, INDEX, MINUTE
from ward.store import idempotency
from ward.store.alerts import get_alert
from ward.store.care import level_of
from ward.store.stays import wards_of
from ward.web.views import alert_view


class Commands:
    """Carries out commands against the core; ``now`` is the ward's time."""

    def __init__(self, core: Core, journal: Journal, keeper: BoardKeeper) -> None:
        self._core, self._journal, self._keeper = core, journal, keeper
        self._rooms: dict[type, object] = {
            Commands: self,
            Admissions: Admissions(core, journal, lambda: keeper.board),
            Shifts: Shifts(core, lambda: keeper.board),
            Rules: Rules(core, journal),
        }

    def run(self, name: str, now: int, arguments: Mapping[str, Any]) -> Json:
        """Raises errors of ``ward.errors``."""
        room = _ROOMS.get(name)
        if room is None:
            raise NotFoundError(f"no command {name}")
        self._require_own(arguments)
        self._require_new()
        answer = getattr(self._rooms[room], name)(now, **arguments)
        self._core.commit(now)
        if name not in UNSEEN:
            self._keeper.refresh(now)
        view: Json = answer() if callable(answer) else answer
        return view

    def _require_own(self, arguments: Mapping[str, Any]) -> None:
        """Raises ConflictError for what another engine watches."""
        partition = self._core.partition
        if partition.is_whole:
            return
        kind, _, name = arguments.get("scope", "").partition(":")
        stays = [arguments.get("stay"), arguments.get("from_stay"), *arguments.get("stays", ())]
        partition.require(arguments.get("ward"))
        partition.require(name if kind == "ward" else None)
        others = {s for s in [*stays, name if kind == "stay" else None] if s} - self._core.stays.keys()
        with self._core.db.connect() as connection:
            for ward in wards_of(connection, others):
                partition.require(ward)

    def _require_new(self) -> None:
        """Raises DoneError for what was done before, though who asked was not told so."""
        core = self._core
        for act in idempotency.present():
            if any(act.is_same(waiting) for waiting in core.pending_acts):
                core.commit(act.at)
            with core.db.connect() as connection:
                if idempotency.is_done(connection, act):
                    raise DoneError("this was done before", code="done-before")

    # ------------------------------------------------------------------ stays

    def _write(self, entry: Entry, now: int) -> None:
        position = self._journal.append([entry])
        if isinstance(entry, Observation):
            self._core.take([entry], position, now)
        else:
            self._core.position = position

    def observe(self, now: int, stay: str, time: int | None, values: Mapping[str, Any], by: str) -> Any:
        known = self._core.stays.get(stay)
        if known is None or known.end is not None:
            raise NotFoundError(f"no present stay {stay}")
        at = now if time is None else time
        if not known.start <= at <= now + MINUTE:
            raise InvalidError(
                "time must lie within the stay and not in the future", field="time", code="time-outside"
            )
        numbers = {INDEX[name]: _number(name, value) for name, value in values.items()}
        self._write(Observation(stay, at, now, by, numbers), now)
        told = Event(now, stay, known.ward, None, "observed", by, detail={"time": iso(at), **values})
        self._core.note([Change(None, told)])
        return {"stay": stay, "time": iso(at), "by": by, **values}

    def write_history(self, now: int, stay: str) -> Any:
        """What was measured until now is in the history, rather than in some seconds."""
        if self._core.history.of(stay):
            snapshots.flush(self._core, stay=stay)
        return {}

    def erase(self, now: int, stay: str, by: str) -> Any:
        erased = forget.erase(self._core, self._journal, stay, by, now)
        return {"stay": stay, "erased_at": iso(erased.done), "by": erased.by, "rows": erased.rows or {}}

    # ------------------------------------------------------------------ alerts

    def acknowledge(self, now: int, alert: str, by: str, assessment: str | None, note: str | None) -> Any:
        self._core.note(self._core.book.acknowledge(alert, by, assessment, now, note))
        return alert_view(self._core.book.get(alert))

    def assess(self, now: int, alert: str, by: str, assessment: str | None, note: str | None) -> Any:
        """Also of an alert that is over for longer than the book remembers."""
        try:
            of: str | Alert = self._core.book.get(alert).id
        except NotFoundError:
            with self._core.db.connect() as connection:
                of = get_alert(connection, alert)
        changes = self._core.book.amend(of, by, assessment, note, now)
        self._core.note(changes)
        assert changes[0].alert is not None
        return alert_view(changes[0].alert)

    def hand_over(self, now: int, alert: str, by: str, to: str, note: str | None) -> Any:
        self._core.note(self._core.book.hand_over(alert, by, to, now, note))
        return alert_view(self._core.book.get(alert))

    def undo(self, now: int, alert: str, by: str) -> Any:
        """In the person's time: a demonstration may run faster than anybody can press."""
        self._core.note(self._core.book.undo(alert, by, now, round(UNDO * self._core.speed)))
        return alert_view(self._core.book.get(alert))

    def shelve(self, now: int, alert: str, by: str, minutes: float, reason: str | None) -> Any:
        core, why = self._core, reason or ""
        waiting = self._pending(alert)
        if waiting is None:
            core.note(core.book.shelve(alert, by, minutes, why, now))
            return alert_view(core.book.get(alert))
        stay, rule, since = waiting
        core.note(core.book.shelve_pending(stay, rule, since, by, minutes, why, now))
        shelved = core.book.open_alert(stay, rule.id)
        assert shelved is not None
        return alert_view(shelved)

    def _pending(self, alert: str) -> tuple[str, Rule, int] | None:
        """The pending condition of this id: it is no alert yet, so only the engine knows it."""
        core = self._core
        cells, _ = core.engine.sustain.pending(core.engine.frontier)
        for cell, since in zip(
            cells.tolist(), core.engine.sustain.cell["since"][cells].tolist(), strict=True
        ):
            slot, column = divmod(cell, len(core.engine.rules))
            stay, rule = core.slots.stay(slot), core.engine.rules[column]
            if (
                core.book.pending_id(stay, rule.id, since) == alert
                and core.book.open_alert(stay, rule.id) is None
            ):
                return stay, rule, since
        return None

    def unshelve(self, now: int, alert: str, by: str) -> Any:
        self._core.note(self._core.book.unshelve(alert, by, now))
        return alert_view(self._core.book.get(alert))

    def not_delivered(
        self, now: int, alert: str, person: str, channel: str, error: str, level: int | None = None
    ) -> Any:
        """A sender gave up. The answer is the alert, also where it is over and nothing follows."""
        core = self._core
        if level is None:
            with core.db.connect() as connection:
                level = level_of(connection, alert, person, channel)
        core.note(core.book.not_delivered(alert, person, channel, level or 0, error[:200], now))
        return alert_view(core.book.get(alert))

    # ------------------------------------------------------------------ plans

    def put_plan(self, now: int, ward: str, definition: dict[str, Any] | None, by: str, expected: int) -> Any:
        """From now on the ward goes by it; None: by the default plan again. What was told stays told."""
        plan = parsed(ward, definition)
        with self._core.db.begin() as tx:
            stored = store_plan(tx, ward, definition, by, now, expected)
        self._core.plans.put(ward, plan)
        self._core.faults.pop(unreadable(ward), None)
        return version_view(stored)


def _number(name: str, value: Any) -> float:
    if name == "consciousness":
        return float(CONSCIOUSNESS[value])
    return float(value)


UNSEEN: Final = frozenset({"write_history", "not_delivered", "follow_others"})
"""What nobody waits to see who asked for it: the board of the next tick has it. With a thousand beds a board
takes long, and many may have to be told at once that somebody was not reached."""
_ROOMS: Final[Mapping[str, type]] = {
    name: room
    for room, names in {
        Commands: "observe write_history erase acknowledge assess hand_over undo shelve unshelve "
        "not_delivered put_plan",
        Admissions: "admit discharge undo_discharge transfer set_flags attach detach pause",
        Shifts: "assign unassign",
        Rules: "put_rule end_limit apply_draft return_draft follow_others",
    }.items()
    for name in names.split()
}
"""Every command, and whose method it is."""
