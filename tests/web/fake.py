"""A service as small as the web's tests allow: the real database and hub, and no engine behind."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from ward.alerts.model import Alert, Event
from ward.alerts.packs import Pack, load_pack
from ward.alerts.plan import DEFAULT, Plan
from ward.alerts.plan_file import parse_plan
from ward.clock import iso
from ward.errors import ConflictError, NotFoundError
from ward.ingest.broker_url import BrokerUrl
from ward.ingest.credentials import Credentials
from ward.ingest.gate import Forged
from ward.notify.config import Parts, load_channels
from ward.notify.notifier import Notifier
from ward.store import alerts, drafts, erasure, events, plans, rules, stays
from ward.store.audit import verify
from ward.web.hub import Hub, Message
from ward.web.service_protocol import COMMANDS
from ward.web.views import alert_view, event_view, stay_view

NOON = 1_795_262_400_000  # 2026-11-21T12:00:00Z
MINUTE = 60_000

PACK_RULE = {
    "id": "spo2-below-88",
    "title": "SpO2 below 88 % for 10 min",
    "priority": "high",
    "kind": "physiological",
    "when": ["spo2 < 88"],
    "for": "10m",
    "min_readings": 2,
    "clear_when": ["spo2 >= 90"],
    "clear_for": "2m",
    "unless": ["copd"],
    "inhibits": [],
    "scope": "pack",
    "version": 0,
    "by": None,
    "at": None,
}


@dataclass
class FakeClock:
    time: int = NOON
    speed: float = 1.0

    def now(self) -> int:
        return self.time


class FakeMinutes:
    def view(self, stay: str, first: int | None = None) -> dict[str, Any]:
        return {"from": iso(NOON), "to": iso(NOON + MINUTE), "signals": {"hr": [82, None]}}


@dataclass(frozen=True)
class FakeBoard:
    time: int
    stays: dict[str, dict[str, Any]] = field(default_factory=dict)
    alerts: tuple[dict[str, Any], ...] = ()
    devices: tuple[dict[str, Any], ...] = ()
    minutes: FakeMinutes = field(default_factory=FakeMinutes)
    number: int = 0

    def seen_by(self, sees: Callable[[str], bool]) -> list[dict[str, Any]]:
        return [stay for stay in self.stays.values() if sees(stay["ward"])]


@dataclass(frozen=True)
class FakeOperations:
    """A service that is well, and has no simulator."""

    engine: Engine
    practice: Any = field(default_factory=lambda: FakePractice())

    def view(self, minutes: int) -> dict[str, Any]:
        return {"time": iso(NOON), "ready": True, "reasons": [], "series": [], "times": []}

    def verify_trail(self, lines: int) -> dict[str, Any]:
        with self.engine.connect() as connection:
            verdict = verify(connection)
        return {"holds": verdict.holds, "lines": verdict.lines, "after": 0, "seq": 1, "hash": "x"}


class FakePractice:
    async def start(self, beds: int, by: str) -> dict[str, Any]:
        raise ConflictError("the simulator is off")

    async def end(self, by: str) -> dict[str, Any]:
        raise ConflictError("the simulator is off")


class FakeService:
    def __init__(self, engine: Engine) -> None:
        self.engine_db = engine
        self.clock = FakeClock()
        self.hub = Hub()
        self.board = FakeBoard(NOON)
        self.risks: dict[str, dict[str, Any]] = {}
        folder = Path(engine.url.database or ".").parent
        self.credentials = Credentials(engine, folder, BrokerUrl.parse("mqtt://127.0.0.1:1883"))
        self.forged: dict[str, Forged] = {}
        self.notifier = Notifier(
            engine,
            load_channels(None, Parts(notice=lambda ward, notice: self.hub.publish("notice", notice, ward))),
            lambda sending, error: None,
            plan_of=lambda ward: DEFAULT,
            wards=lambda: (),
            ward_now=self.clock.now,
        )
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.carers: dict[str, tuple[str, str]] = {}
        self.ready = True
        self.live = True
        self.broker_said = ""
        self.pending: dict[str, list[dict[str, Any]]] = {}
        self.devices: list[dict[str, Any]] = []
        self.trials: list[dict[str, Any]] = []
        self.trial_steps: list[Any] = []
        """What a trial tells before its result; an exception is raised."""
        self.trials_ended = 0
        self.break_with: Exception | None = None
        self.reference_days = 14
        self.language = "en"
        self.shown: dict[str, dict[str, Any]] = {}
        self.writes_history = True
        """By ``ward/device``, what it shows."""
        self.second_person = True

    # ---- what the web uses ----

    @property
    def operations(self) -> FakeOperations:
        return FakeOperations(self.engine_db)

    def write_history(self, stay: str) -> bool:
        return self.writes_history

    def showing(self, ward: str, device: str) -> dict[str, Any]:
        return self.shown.get(f"{ward}/{device}", {})

    async def call(self, command: str, **arguments: Any) -> dict[str, Any]:
        assert set(arguments) == set(COMMANDS[command])
        self.calls.append((command, arguments))
        if self.break_with is not None:
            raise self.break_with
        result = getattr(self, f"_{command}")(**arguments)
        self.refresh()
        if isinstance(result, stays.Stay):
            return stay_view(self.board, result)
        return result

    async def trial(self, request: dict[str, Any]) -> AsyncGenerator[tuple[str, dict[str, Any]], None]:
        self.trials.append(request)
        try:
            yield "progress", {"done": 0.0, "what": "starting"}
            for step in self.trial_steps:
                if isinstance(step, Exception):
                    raise step
                yield step
            yield "result", {"raised": [], "now": [], "only_candidate": [], "only_now": []}
        finally:
            self.trials_ended += 1

    def risk(self, stay: str) -> dict[str, Any]:
        return self.risks.get(stay, {"state": "no-model", "model": None})

    def plan(self, ward: str) -> Plan:
        with self.engine_db.connect() as connection:
            newest = next(iter(plans.plan_history(connection, ward)), None)
        return parse_plan(newest.definition) if newest and newest.definition else DEFAULT

    @property
    def pack(self) -> Pack:
        return load_pack("default")

    def rules(self, scope: str) -> list[dict[str, Any]]:
        with self.engine_db.connect() as connection:
            current = rules.current_rules(connection, ["all", scope])
        found = {PACK_RULE["id"]: PACK_RULE}
        for version in sorted(current, key=lambda v: v.scope != "all"):
            made = {
                "scope": version.scope,
                "version": version.version,
                "by": version.by,
                "at": iso(version.at),
            }
            found[version.rule_id] = {**PACK_RULE, **version.definition, **made}
        return list(found.values())

    def changed(self, scope: str, changes: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
        now = {rule["id"]: rule for rule in self.rules(scope)}
        return [{**now.get(id, {"id": id}), **change, "scope": scope} for id, change in changes.items()]

    def health(self, wards: Any = None) -> dict[str, Any]:
        reasons = [] if self.ready else ["no connection to the broker"]
        detail = {"broker": self.broker_said} if self.broker_said else {}
        said = {"reasons": reasons, "detail": detail, "last_message_age_s": 0.5}
        return {"ready": self.ready, "live": self.live, **said}

    # ---- what tests use ----

    def refresh(self) -> None:
        with self.engine_db.connect() as connection:
            open_stays = stays.list_stays(connection, limit=1000).items
            open_alerts = alerts.open_alerts(connection)
        nothing = FakeBoard(self.clock.now())
        shown = {stay.id: stay_view(nothing, stay) for stay in open_stays}
        for stay, view in shown.items():
            view["alerts"] = [alert_view(alert) for alert in open_alerts if alert.stay == stay]
            view["pending"] = self.pending.get(stay, [])
        views = tuple(alert_view(alert) for alert in open_alerts)
        self.board = FakeBoard(self.clock.now(), shown, views, tuple(self.devices))

    def change(self, alert: Alert, kind: str, by: str | None = None) -> dict[str, Any]:
        """Store a changed alert with its event, and publish it."""
        message = self.change_unheard(alert, kind, by)
        self.hub.tell([message])
        return message.data["alert"]

    def change_unheard(self, alert: Alert, kind: str, by: str | None = None) -> Message:
        """The same, but what the streams are to be told is returned."""
        with self.engine_db.begin() as tx:
            event = Event(self.clock.now(), alert.stay, alert.ward, alert.id, kind, by, None, alert.state)
            alerts.save_alerts(tx, [alert])
            (seq,) = events.append_events(tx, [event])
        self.refresh()
        data = {"alert": alert_view(alert), "event": event_view(events.Logged(seq, event))}
        return Message("alert", data, alert.ward, seq)

    # ---- commands ----

    def _admit(self, patient_ref, ward, bed, devices, flags, by):
        stay = f"stay-{len(self.calls)}"
        with self.engine_db.begin() as tx:
            return stays.admit(
                tx, stay=stay, patient_ref=patient_ref, ward=ward, bed=bed, flags=flags, devices=devices,
                at=self.clock.now(),
            )  # fmt: skip

    def _discharge(self, stay, by):
        with self.engine_db.begin() as tx:
            return stays.discharge(tx, stay, self.clock.now())

    def _undo_discharge(self, stay, by):
        with self.engine_db.begin() as tx:
            return stays.undo_discharge(tx, stay, self.clock.now(), 10 * MINUTE)

    def _transfer(self, stay, ward, bed, by, pause_minutes):
        with self.engine_db.begin() as tx:
            moved = stays.transfer(tx, stay, ward, bed, self.clock.now())
        return self._pause(stay, pause_minutes, by, None) if pause_minutes else moved

    def _set_flags(self, stay, flags, by):
        with self.engine_db.begin() as tx:
            return stays.set_flags(tx, stay, flags)

    def _attach(self, stay, device, by, from_stay):
        with self.engine_db.begin() as tx:
            return stays.attach(tx, stay, device, self.clock.now(), from_stay=from_stay)

    def _detach(self, stay, device, by):
        with self.engine_db.begin() as tx:
            return stays.detach(tx, stay, device, self.clock.now())

    def _pause(self, stay, minutes, by, reason):
        with self.engine_db.begin() as tx:
            until = self.clock.now() + minutes * MINUTE if minutes else None
            return stays.set_pause(tx, stay, until)

    def _assign(self, stays, person, name, by):
        self.carers |= dict.fromkeys(stays, (person, name))
        return {"items": [dict(self.board.stays[stay]) for stay in stays]}

    def _unassign(self, stays, by):
        return {"items": [dict(self.board.stays[stay]) for stay in stays]}

    def _observe(self, stay, time, values, by):
        with self.engine_db.connect() as connection:
            return stays.get_stay(connection, stay)

    def _erase(self, stay, by):
        with self.engine_db.begin() as tx:
            erased = erasure.erase(tx, stay, by, self.clock.now())
            erased = erasure.finish(tx, stay, self.clock.now())
        return {"stay": stay, "erased_at": iso(erased.done), "by": erased.by, "rows": erased.rows}

    def _alert(self, alert):
        with self.engine_db.connect() as connection:
            found = alerts.get_alert(connection, alert)
        if found.state == "closed":
            raise ConflictError("this alert is closed")
        return found

    def _acknowledge(self, alert, by, assessment, note):
        now = self.clock.now()
        taken = replace(
            self._alert(alert), state="acknowledged", acknowledged_at=now, acknowledged_by=by,
            assessment=assessment, note=note,
        )  # fmt: skip
        return self.change(taken, "acknowledged", by)

    def _assess(self, alert, by, assessment, note):
        with self.engine_db.connect() as connection:
            found = alerts.get_alert(connection, alert)
        said = {"assessment": assessment or found.assessment, "note": note or found.note}
        return self.change(replace(found, **said), "assessed", by)

    def _hand_over(self, alert, by, to, note):
        given = {"acknowledged_by": to, "handed_over_by": by, "handed_over_at": self.clock.now()}
        return self.change(replace(self._alert(alert), state="acknowledged", **given), "handed-over", by)

    def _undo(self, alert, by):
        found = self._alert(alert)
        if found.acknowledged_by != by:
            raise ConflictError("there is nothing of yours to take back")
        return self.change(replace(found, state="active", acknowledged_by=None), "undone", by)

    def _shelve(self, alert, by, minutes, reason):
        if any(alert == p["id"] for found in self.pending.values() for p in found):
            return {"id": alert, "state": "shelved"}
        until = self.clock.now() + minutes * MINUTE
        shelved = replace(
            self._alert(alert), state="shelved", shelved_until=until, shelved_by=by, shelve_reason=reason
        )
        return self.change(shelved, "shelved", by)

    def _unshelve(self, alert, by):
        return self.change(replace(self._alert(alert), state="active", shelved_until=None), "unshelved", by)

    def _put_plan(self, ward, definition, by, expected):
        if definition is not None:
            parse_plan(definition)
        with self.engine_db.begin() as tx:
            made = plans.put_plan(
                tx, ward=ward, definition=definition, by=by, at=self.clock.now(), expected=expected
            )
        return {"ward": ward, "version": made.version}

    def _end_limit(self, rule_id, stay, by):
        scope = f"stay:{stay}"
        with self.engine_db.begin() as tx:
            own = next((v for v in rules.current_rules(tx, [scope]) if v.rule_id == rule_id), None)
            if own is None:
                raise NotFoundError("no such limit")
            rules.put_rule(
                tx, rule_id=rule_id, scope=scope, definition={}, by=by, at=self.clock.now(),
                expected=own.version, follows=True,
            )  # fmt: skip
        return next(rule for rule in self.rules(scope) if rule["id"] == rule_id)

    def _put_rule(self, rule_id, definition, scope, by, expected, until=None, why=None):
        if scope.startswith("stay:") and scope[5:] not in self.board.stays:
            raise NotFoundError("no such stay")
        old = next((rule for rule in self.rules(scope) if rule["id"] == rule_id), None)
        assert expected == (None if old is None else str(old["version"]))
        with self.engine_db.begin() as tx:
            own = (v.version for v in rules.current_rules(tx, [scope]) if v.rule_id == rule_id)
            rules.put_rule(
                tx, rule_id=rule_id, scope=scope, definition={**(old or {}), **definition}, by=by,
                at=self.clock.now(), expected=next(own, 0), until=until, why=why,
            )  # fmt: skip
        return next(rule for rule in self.rules(scope) if rule["id"] == rule_id)

    def _apply_draft(self, draft, by, state):
        return self._draft(draft, by, state, "apply", "applied")

    def _return_draft(self, draft, by, state, why):
        return self._draft(draft, by, state, "return", "returned", why)

    def _draft(self, id, by, state, act, after, text=None):
        with self.engine_db.connect() as connection:
            draft = drafts.get_draft(connection, id)
        if draft.state != state:
            raise ConflictError(f"this draft is {draft.state} by now")
        made = []
        for change in draft.changes:
            definition = change["change"] if act == "apply" else change["base"]
            now = next((r for r in self.rules(draft.scope) if r["id"] == change["rule"]), None)
            kept = {k: v for k, v in definition.items() if k not in ("scope", "version", "by", "at")}
            rule = self._put_rule(change["rule"], kept, draft.scope, by, now and str(now["version"]))
            made.append({"rule": rule["id"], "version": rule["version"], "before": 0})
        with self.engine_db.begin() as tx:
            entry = drafts.Entry(id, self.clock.now(), by, act, text)
            drafts.move_draft(tx, draft, entry, state=after, made=made)
        return {"draft": id, "rules": [one["rule"] for one in made]}
