"""Parts of trials on their way: who asked for one, who works on it, and what came of it.

Taken with a lease, as deliveries are (``ward.store.deliveries``); times are the database's own, so that no
two machines' clocks are compared. PostgreSQL only: on SQLite there is one process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, and_, cast, delete, extract, func, insert, or_, select, update

from ward.store.tables import trial_parts

WANTED_MS: Final = 15_000
"""Who asked must say so again within this time."""
LEASE_MS: Final = 30_000
"""Who works on a part must say how far it is within this time."""
FORGOTTEN_MS: Final = 600_000
_NOW: Final = cast(extract("epoch", func.clock_timestamp()) * 1000, BigInteger)
_PART = trial_parts.c


@dataclass(frozen=True, slots=True)
class Taken:
    """A part that ``by`` works on."""

    trial: str
    number: int
    by: str
    asked: bytes

    @property
    def mine(self) -> Any:
        return and_(_PART.trial == self.trial, _PART.number == self.number, _PART.lease_by == self.by)


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a part is: 0 to 1; ``is_found``: nothing is left to do; ``error``: why it cannot be done."""

    done: float
    is_found: bool
    error: str | None


def post(tx: Connection, trial: str, asked: Sequence[bytes]) -> None:
    """What is to be done, numbered from 0. What nobody waits for any more goes."""
    tx.execute(delete(trial_parts).where(_PART.wanted_until < _NOW - FORGOTTEN_MS))
    for number, one in enumerate(asked):
        values = {"trial": trial, "number": number, "asked": one, "wanted_until": _NOW + WANTED_MS}
        tx.execute(insert(trial_parts).values(values))


def want(tx: Connection, trial: str) -> None:
    """Whoever asked waits still."""
    tx.execute(update(trial_parts).where(_PART.trial == trial).values(wanted_until=_NOW + WANTED_MS))


def take(tx: Connection, by: str, trial: str | None = None) -> Taken | None:
    """One that is wanted and that nobody works on (of one trial, or of any); None where there is none."""
    free = and_(
        _PART.found.is_(None),
        _PART.error.is_(None),
        _PART.wanted_until > _NOW,
        or_(_PART.lease_until.is_(None), _PART.lease_until <= _NOW),
        *(() if trial is None else (_PART.trial == trial,)),
    )
    first = select(_PART.trial, _PART.number, _PART.asked).where(free).order_by(_PART.number, _PART.trial)
    row = tx.execute(first.limit(1).with_for_update(skip_locked=True)).one_or_none()
    if row is None:
        return None
    taken = Taken(row.trial, row.number, by, row.asked)
    place = and_(_PART.trial == row.trial, _PART.number == row.number)
    tx.execute(update(trial_parts).where(place).values(lease_by=by, lease_until=_NOW + LEASE_MS))
    return taken


def keep(tx: Connection, taken: Taken, done: float) -> bool:
    """Say how far it is. Whether it is still its own, and wanted."""
    own = and_(taken.mine, _PART.wanted_until > _NOW)
    values = {"lease_until": _NOW + LEASE_MS, "done": done}
    return tx.execute(update(trial_parts).where(own).values(values)).rowcount == 1


def finish(tx: Connection, taken: Taken, found: bytes | None, error: str | None = None) -> None:
    tx.execute(update(trial_parts).where(taken.mine).values(found=found, error=error, done=1.0))


def standing(connection: Connection, trial: str) -> list[Standing]:
    query = select(_PART.done, _PART.found.is_not(None), _PART.error).where(_PART.trial == trial)
    return [Standing(*row) for row in connection.execute(query.order_by(_PART.number))]


def found_of(connection: Connection, trial: str) -> list[bytes]:
    """What came of each part, in order."""
    return list(connection.scalars(select(_PART.found).where(_PART.trial == trial).order_by(_PART.number)))


def forget(tx: Connection, trial: str) -> None:
    tx.execute(delete(trial_parts).where(_PART.trial == trial))
