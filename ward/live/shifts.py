"""Who has which patient, on the core's thread. The alert book keeps it, with its log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ward.alerts import care
from ward.alerts.carers import Carer
from ward.errors import InvalidError, NotFoundError
from ward.live.core import Core


class Shifts:
    """``board`` gives the views of stays as the dashboards see them, by id."""

    def __init__(self, core: Core, board: Callable[[], Any]) -> None:
        self._core, self._board = core, board

    def assign(self, now: int, stays: list[str], person: str, name: str, by: str) -> Any:
        """She has these patients until her shift ends. All of one ward, all or none."""
        core = self._core
        until = core.plans.follow(self._ward_of(stays), lambda plan: plan.shift_end(person, now))
        for stay in dict.fromkeys(stays):
            core.note(care.assign(core.book.ledger, stay, Carer(person, name, now, until, by), now))
        return self._seen(stays)

    def unassign(self, now: int, stays: list[str], by: str) -> Any:
        """Nobody has these patients any more."""
        self._ward_of(stays)
        for stay in dict.fromkeys(stays):
            self._core.note(care.unassign(self._core.book.ledger, stay, now, care.GIVEN_UP, by))
        return self._seen(stays)

    def _ward_of(self, stays: list[str]) -> str:
        known = self._core.stays
        gone = [stay for stay in stays if stay not in known or known[stay].end is not None]
        if gone:
            raise NotFoundError(f"no present stay {gone[0]}")
        wards = {known[stay].ward for stay in stays}
        if len(wards) != 1:
            raise InvalidError("one or more stays, all of one ward", field="stays")
        return wards.pop()

    def _seen(self, stays: list[str]) -> Callable[[], dict[str, Any]]:
        return lambda: {"items": [dict(self._board().stays[stay]) for stay in dict.fromkeys(stays)]}
