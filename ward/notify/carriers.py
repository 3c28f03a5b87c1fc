"""The processes of ``ward notify``, as they tell of themselves in the database, and who looks whether any is
there.

Each writes a row that it counts up. Who looks remembers when it saw the number change, by its own steady
clock: clocks of machines are not compared, and a process that hangs or is cut off is as silent as a dead one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from sqlalchemy import Engine as Database

from ward.notify.circuit import Condition
from ward.store.meta import delete_meta, get_all_meta, put_meta

PREFIX: Final = "notify-"
TELL_S: Final = 2.0
"""So often each tells of itself, and is looked for."""
SILENCE_S: Final = 15.0
"""Who has not counted up for so long is not there."""
FORGET_S: Final = 600.0
NOBODY: Final = "notify: no process carries alerts to people (`ward notify`)"

Conditions = Mapping[str, Condition]
"""By channel."""


def tell(db: Database, name: str, number: int, conditions: Conditions) -> None:
    """That the process ``name`` goes on, and how its channels do."""
    with db.begin() as tx:
        channels = {channel: asdict(each) for channel, each in conditions.items()}
        put_meta(tx, PREFIX + name, {"number": number, "channels": channels})


def take_leave(db: Database, *names: str) -> None:
    """It ends because it should, or has long been gone."""
    with db.begin() as tx:
        for name in names:
            delete_meta(tx, PREFIX + name)


def told(db: Database) -> dict[str, tuple[int, dict[str, Condition]]]:
    """What each said last, also of those that are gone: (its number, its channels)."""
    with db.connect() as connection:
        rows = get_all_meta(connection, PREFIX)
    return {key.removeprefix(PREFIX): (row["number"], _conditions(row)) for key, row in rows.items()}


def _conditions(row: Mapping[str, Any]) -> dict[str, Condition]:
    return {name: Condition(**each) for name, each in row["channels"].items()}


def together(each: Iterable[Condition]) -> Condition:
    """How a channel does that several processes use: it is broken where one says so, and nobody got anything
    through since. None of them: it was never tried."""
    all_ = list(each)
    failed = max(all_, key=lambda one: one.last_error_at or 0, default=Condition(None, None, None, None))
    sent = max((one.last_sent_at for one in all_ if one.last_sent_at is not None), default=None)
    broken = [
        one.broken_since
        for one in all_
        if one.broken_since is not None and (sent is None or sent <= (one.last_error_at or 0))
    ]
    return Condition(min(broken, default=None), failed.last_error, failed.last_error_at, sent)


def of_all(each: Iterable[Conditions]) -> dict[str, Condition]:
    """The same for every channel that one of them has."""
    several = list(each)
    names = sorted({name for one in several for name in one})
    return {name: together(one[name] for one in several if name in one) for name in names}


@dataclass(slots=True)
class Watch:
    """Looks whether somebody carries alerts. Whose row is there at the beginning has his time to count up.
    ``clock``: monotonic s."""

    db: Database
    clock: Callable[[], float] = time.monotonic
    _begun: float = field(init=False)
    _seen: dict[str, tuple[int, float]] = field(init=False, default_factory=dict)
    _conditions: dict[str, Condition] = field(init=False, default_factory=dict)
    _looked: float = field(init=False, default=float("-inf"))

    def __post_init__(self) -> None:
        self._begun = self.clock()

    def look(self) -> None:
        """At most each ``TELL_S``. Raises SQLAlchemyError."""
        now = self.clock()
        if now - self._looked < TELL_S:
            return
        rows = told(self.db)
        self._looked = now
        for name, (number, _) in rows.items():
            if name not in self._seen or self._seen[name][0] != number:
                self._seen[name] = (number, now)
        self._seen = {name: seen for name, seen in self._seen.items() if name in rows}
        self._conditions = of_all(rows[name][1] for name in self.present())

    def present(self) -> list[str]:
        now = self.clock()
        return [name for name, (_, seen) in self._seen.items() if now - seen <= SILENCE_S]

    def gone(self) -> list[str]:
        """Those that have long been silent."""
        now = self.clock()
        return [name for name, (_, seen) in self._seen.items() if now - seen > FORGET_S]

    def conditions(self) -> dict[str, Condition]:
        """How the channels do, by those who are present."""
        return dict(self._conditions)

    @property
    def fault(self) -> str | None:
        """Why nobody at all is told, if so. The first moments after a start say nothing."""
        is_known = self.clock() - self._begun > SILENCE_S
        return NOBODY if is_known and not self.present() else None
