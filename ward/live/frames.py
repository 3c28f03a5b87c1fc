"""What the core knew of some stays at one moment: copies of a few arrays and tables, once a tick for all.

Nothing in a frame changes any more. The views of its stays are made of it when somebody looks, in whichever
thread that is, and are the same as if they had been made at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ward.alerts.model import Alert
from ward.live.drafts import limits_of
from ward.live.minutes import Recent
from ward.live.risks import RiskShown, RisksThen, known
from ward.live.views import (
    Json,
    away_view,
    carer_view,
    in_breach,
    loudest,
    news2_view,
    seen,
    signals_view,
)
from ward.scoring.conditions import news2
from ward.scoring.news2 import Score, scale_of
from ward.scoring.readings import Bool
from ward.web.views import alert_view, devices_of, stored_stay_view

if TYPE_CHECKING:
    from ward.live.core import Core

_OWN = "stay:"


class Frame:
    """Some stays, one row each. ``pending`` and ``alerts`` by stay; ``now`` in ms of the ward's clock."""

    def __init__(
        self,
        core: Core,
        slots: Mapping[str, int],
        alerts: Mapping[str, Sequence[Alert]],
        pending: Mapping[str, Sequence[Json]],
        recent: Recent,
        now: int,
    ) -> None:
        where, engine = np.array(list(slots.values()), np.int64), core.engine
        self.now = now
        self._row = {stay: row for row, stay in enumerate(slots)}
        self._stays = [core.stays[stay] for stay in slots]
        self._rows, self._scale = engine.latest(where), engine.scale.copy()
        self._held_by = engine.held.device[where]
        self._newest = core.newest.at(where)
        self._rules, self._applies = engine.rules, engine.applies[where]
        self._state = engine.sustain.grid("state")[where]
        self._risk = RisksThen.of(engine, where) if engine.risk else None
        self._alerts, self._pending, self._recent = alerts, pending, recent
        self._devices, self._device_key = core.router.seen(), core.router.device_key
        ledger = core.book.ledger
        self._carers, self._states = ledger.escalation.carers.copy(), dict(ledger.stays)
        own = (scope.removeprefix(_OWN) for scope in core.rulebook.changed_scopes() if scope.startswith(_OWN))
        self._limits = {stay: limits_of(core.rulebook, stay) for stay in own if stay in slots}
        self._views: dict[str, Json] = {}

    def ward(self, stay: str) -> str:
        return self._stays[self._row[stay]].ward

    def has_alerts(self, stay: str) -> bool:
        return bool(self._alerts.get(stay))

    def view(self, stay: str) -> Json:
        """The stay as the dashboard sees it, as ``ward.web.schemas.stays.Stay``; always the same object."""
        found = self._views.get(stay)
        # Of two threads that make it at once one keeps what the other made.
        return self._views.setdefault(stay, self._make(stay)) if found is None else found

    def risk(self, stay: str) -> RiskShown | None:
        return None if self._risk is None else self._risk.shown(self._row[stay])

    @cached_property
    def _news2(self) -> tuple[Score, Bool]:
        return news2(self._rows, self._scale)

    def _device(self, number: int) -> str | None:
        return self._device_key(number).partition("/")[2] or None if number > 0 else None

    def _make(self, id: str) -> Json:
        row = self._row[id]
        stay, (score, fresh) = self._stays[row], self._news2
        alerts = self._alerts.get(id, ())
        breach = in_breach(self._rules, self._applies[row], self._state[row]) if alerts else {}
        trends = self._recent.trends(id)
        return {
            **stored_stay_view(stay, self.now),
            "devices": [
                shown | seen(self._devices.get(f"{d.ward}/{d.device}")) for d, shown in devices_of(stay)
            ],
            "signals": signals_view(self._rows, row, self._held_by[row], self._newest, self._device, trends),
            "news2": news2_view(self._rows, row, score, fresh, scale_of(stay.flags), stay.flags),
            "risk": None if self._risk is None else known(self._risk.value(row)),
            "alerts": [alert_view(a) | {"in_breach": breach.get(a.rule)} for a in alerts],
            "pending": list(self._pending.get(id, ())),
            "limits": self._limits.get(id, []),
            **carer_view(self._carers, id, self.now),
            **away_view(self._states.get(id)),
            "priority": loudest(alerts),
        }
