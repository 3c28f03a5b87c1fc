"""Keeps the board: views of the stays that changed, pending alerts with the time left, devices."""

from __future__ import annotations

from collections import defaultdict

from ward.alerts.model import Alert
from ward.alerts.technical import SERVICE
from ward.clock import iso
from ward.live import metrics
from ward.live.core import Core
from ward.live.risks import RiskShown, known, risks_now
from ward.live.views import Board, Json, device_view, stay_views
from ward.web.views import alert_view

EVERYTHING_MS = 5_000
"""So often all views are made anew: what only ages changes too."""


class BoardKeeper:
    """Makes each tick's board from the core; stays that did not change keep their view."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._views: dict[str, Json] = {}
        self._risks: dict[str, RiskShown] = {}
        self._devices: list[Json] = []
        self._full_at = 0
        self.board = Board(0)

    def refresh(self, now: int, speed: float = 1.0) -> Board:
        """The board of now; tells the dashboards of every stay that changed."""
        core = self._core
        full = now - self._full_at >= EVERYTHING_MS * speed or now < self._full_at
        if full:
            self._full_at = now
        alerts: dict[str, list[Alert]] = defaultdict(list)
        for alert in core.book.open_alerts():
            alerts[alert.stay].append(alert)
        pending = self._pending(alerts)
        present = {
            s: slot for slot in core.slots.taken() if core.stays[s := core.slots.stay(slot)].end is None
        }
        had = {stay for stay, view in self._views.items() if view["pending"]}
        wanted = core.changed | {core.slots.stay(slot) for slot in pending} | had
        due = [s for s in present if full or s in wanted or s not in self._views]
        devices = core.router.devices()
        views = stay_views(
            [present[s] for s in due],
            [core.stays[s] for s in due],
            core.engine,
            core.newest,
            alerts,
            pending,
            {d.key: d for d in devices},
            core.router.device_key,
            core.book.ledger.escalation.carers,
            now,
        )
        self._forget(set(present))
        for view, risk in zip(views, risks_now(core.engine, [present[s] for s in due]), strict=False):
            self._risks[view["id"]] = risk
            view["risk"] = known(risk.value)
        for view in views:
            before = self._views.get(view["id"])
            if before is not None and before["ward"] != view["ward"]:
                core.hub.publish("stay-removed", {"id": view["id"]}, before["ward"])
            self._views[view["id"]] = view
            core.hub.publish("stay", view, view["ward"])
        core.changed.clear()
        if full:
            self._devices = [device_view(d) for d in devices]
        listed = [alert_view(alert) for alert in alerts.get(SERVICE, ())]
        listed += [alert for view in self._views.values() for alert in view["alerts"]]
        self.board = Board(now, dict(self._views), listed, self._devices, dict(self._risks))
        self._measure(alerts, pending)
        return self.board

    def _forget(self, present: set[str]) -> None:
        for gone in self._views.keys() - present:
            self._core.hub.publish("stay-removed", {"id": gone}, self._views.pop(gone)["ward"])
            self._risks.pop(gone, None)

    def _pending(self, alerts: dict[str, list[Alert]]) -> dict[int, list[Json]]:
        """By slot: what is in breach and not yet sustained, soonest first."""
        core = self._core
        engine = core.engine
        rules = engine.rules
        found: dict[int, list[Json]] = defaultdict(list)
        cells, left = engine.sustain.pending(engine.frontier)
        since = engine.sustain.cell["since"][cells].tolist()
        for cell, remaining, begun in zip(cells.tolist(), left.tolist(), since, strict=True):
            slot, column = divmod(cell, len(rules))
            if not engine.applies[slot, column]:
                continue
            rule, stay = rules[column], core.slots.stay(slot)
            if rule.off_for(core.stays[stay].flags) or any(a.rule == rule.id for a in alerts[stay]):
                continue
            inhibitor = core.book.is_inhibited(stay, rule.id)
            signal, value = core.measured(slot, rule)
            found[slot].append(
                {
                    "id": core.book.pending_id(stay, rule.id, begun),
                    "rule": rule.id,
                    "title": rule.title,
                    "titles": dict(rule.titles),
                    "priority": rule.priority,
                    "kind": rule.kind,
                    "state": "pending" if inhibitor is None else "suppressed",
                    "suppressed_by": inhibitor,
                    "since": iso(begun),
                    "left_s": remaining / 1000,
                    "signal": signal,
                    "value": value,
                }
            )
        for waiting in found.values():
            waiting.sort(key=lambda p: p["left_s"])
        return found

    def _measure(self, alerts: dict[str, list[Alert]], pending: dict[int, list[Json]]) -> None:
        metrics.STAYS.set(len(self._views))
        metrics.PENDING.set(sum(len(p) for p in pending.values()))
        counts: dict[tuple[str, str], int] = defaultdict(int)
        for alert in (a for mine in alerts.values() for a in mine):
            counts[alert.state, alert.priority] += 1
        metrics.ALERTS.clear()
        for (state, priority), n in counts.items():
            metrics.ALERTS.labels(state, priority).set(n)
        metrics.STREAMS.set(self._core.hub.subscribers)
