"""Puts in line who is to be told of alert changes by the wards' plans, in the changes' own transaction."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from sqlalchemy import Connection

from ward.alerts.deliver import Delivery, Moment, deliveries, resolved
from ward.alerts.model import Change
from ward.alerts.plan import Plans
from ward.store.care import (
    drop_of_stay,
    drop_waiting,
    enqueue_deliveries,
    resume_alert,
    resume_stay,
    told_of_episode,
)

EVENT_OF = {"acknowledge": "acknowledged", "hand-over": "handed-over", "shelve": "shelved"}
"""The event of an act that can be taken back: why deliveries were dropped with it."""
TO_BE_TOLD = ("active", "returned")
"""States in which people are still to be told; an alert that leaves them needs nobody any more."""


class Carrier:
    """``speed``: of the ward's clock."""

    def __init__(self, plans: Plans, speed: float = 1.0) -> None:
        self._plans, self._speed = plans, speed

    def write(self, tx: Connection, changes: Iterable[Change], wall: int) -> None:
        """The changes must be those of one transaction, in order, their alerts and events written."""
        waiting: list[Delivery] = []
        for change in changes:
            event = change.event
            at = Moment(event.at, wall, self._speed)
            if _ends_telling(change):
                enqueue_deliveries(tx, waiting)
                waiting = []
                self._drop(tx, change)
            elif event.kind == "undone" and event.after in TO_BE_TOLD and event.alert is not None:
                resume_alert(tx, event.alert, EVENT_OF[event.detail["undone"]])
            waiting += self._plans.follow(event.ward, partial(deliveries, change, at=at))
            if change.resolved is not None:
                told = told_of_episode(tx, change.resolved, wall)
                waiting += self._plans.follow(event.ward, partial(resolved, change.resolved, told, at=at))
        enqueue_deliveries(tx, waiting)

    @staticmethod
    def _drop(tx: Connection, change: Change) -> None:
        if change.event.kind == "paused":
            drop_of_stay(tx, change.event.stay)
        elif change.event.kind == "pause-ended":
            resume_stay(tx, change.event.stay)
        elif change.alert is not None:
            drop_waiting(tx, change.alert.id, change.event.kind)


def _ends_telling(change: Change) -> bool:
    """The people in line need not be told any more, or not now; those of another ward come after them."""
    event = change.event
    left = event.before in TO_BE_TOLD and event.after not in TO_BE_TOLD
    over = event.after == "closed"  # who took it may still be in line for a reminder
    ward = event.detail.get("ward") if event.kind == "moved" else None
    moved = ward is not None and ward[0] != ward[1]
    return left or over or moved or event.kind in ("paused", "pause-ended")
