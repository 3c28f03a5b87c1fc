"""Deliveries on their way: who sends one, what became of it, and how long it took.

A sender takes deliveries with a lease, so that of several senders one tries at a time. Who dies in the
middle leaves a lease that runs out; the delivery is then tried again, under the same key. All times of
sending are of the machine's clock, in ms, given by the caller.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    update,
)

from ward.errors import NotFoundError
from ward.store.partition import own, partition_of
from ward.store.sql import Page, page
from ward.store.tables import alerts, deliveries

LEASE_MS: Final = 30_000
"""A sender must be through with one attempt, or have failed, in this time."""
SKEW_MS: Final = 60_000
"""Senders' clocks differ by less than this: a lease or a creation further ahead was written before the
machine's clock was set back, and holds nothing up."""
DASHBOARD: Final = "dashboard"
"""The channel that always exists: a page of the ward says that it shows the alert."""


@dataclass(frozen=True, slots=True)
class Sending:
    """A delivery as its sender sees it. ``attempts`` includes the one that its lease is for."""

    id: int
    key: str
    alert: str | None
    ward: str
    priority: str
    kind: str
    reason: str
    level: int
    person: str
    channel: str
    address: str | None
    text: Mapping[str, Any]
    created: int
    raised_at: int | None
    attempts: int
    partition: int = 0
    """Whose engine has the alert (``ward.partitions``)."""


def not_delivered(sending: Sending, error: str) -> dict[str, Any]:
    """The arguments of the core's command of that name."""
    told = {name: getattr(sending, name) for name in ("alert", "person", "channel", "level")}
    return {**told, "error": error}


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a delivery: state ``waiting``, ``sent``, ``failed`` or ``dropped`` (nobody needed it
    any more). ``sent`` is when its channel took it; ``error`` why it did not, or why it was dropped."""

    id: int
    alert: str | None
    ward: str
    reason: str
    level: int
    person: str
    channel: str
    state: str
    created: int
    attempts: int
    raised_at: int | None
    sent: int | None
    error: str | None
    text: Mapping[str, Any]


_SENDING: Final = [deliveries.c[each.name] for each in fields(Sending)]
_SENT: Final = [deliveries.c[each.name] for each in fields(Sent)]


Time = int | ColumnElement[int]


def _urgent(row: Any) -> ColumnElement[int]:
    return case({"high": 0, "medium": 1}, value=row.priority, else_=2)


def _is_due(row: Any, now: Time) -> ColumnElement[bool]:
    """Also what was made before the clock was set back; but when to try it again says the sender's clock."""
    return or_(row.due <= now, and_(row.created > now + SKEW_MS, row.due > now + SKEW_MS))


def _free(now: Time) -> ColumnElement[bool]:
    """Waiting, due, and held by nobody."""
    row = deliveries.c
    return and_(
        row.state == "waiting",
        _is_due(row, now),
        or_(
            row.lease_until.is_(None),
            row.lease_until <= now,
            row.lease_until > now + LEASE_MS + SKEW_MS,
        ),
    )


def _first_in_line(now: Time) -> ColumnElement[bool]:
    """Nothing earlier of the same alert is being told to the same person through the same channel: what is
    over must not be told before what began. What is less urgent, or waits for the end of quiet hours,
    holds nothing up: an alert that has become a high one is told at once."""
    before = deliveries.alias()
    return ~exists().where(
        before.c.alert == deliveries.c.alert,
        before.c.person == deliveries.c.person,
        before.c.channel == deliveries.c.channel,
        before.c.state == "waiting",
        before.c.id < deliveries.c.id,
        _urgent(before.c) <= _urgent(deliveries.c),
        or_(before.c.attempts > 0, _is_due(before.c, now)),
    )


_OWN: Final = deliveries.c.partition == bindparam("partition")
"""Of the partition whose engine also takes back what nobody could be told."""
_NOW: Final = bindparam("now", type_=BigInteger)
_ALL_DUE: Final = select(deliveries.c.channel).distinct().where(_free(_NOW), _first_in_line(_NOW))
_OWN_DUE: Final = _ALL_DUE.where(_OWN)
"""Put together once: it is asked some times a second, and that costs ten times what the question does."""


def due_channels(connection: Connection, now: int, *, of_all: bool = False) -> set[str]:
    """The channels that have something to send; ``of_all``: in any partition, not only the connection's."""
    if of_all:
        return set(connection.scalars(_ALL_DUE, {"now": now}))
    return set(connection.scalars(_OWN_DUE, {"now": now, "partition": partition_of(connection).number}))


def claim(
    tx: Connection, channel: str, me: str, now: int, limit: int, *, of_all: bool = False
) -> list[Sending]:
    """Take up to ``limit`` deliveries of a channel for ``LEASE_MS``: the most urgent first, of those the ones
    that were tried least."""
    pick = select(deliveries.c.id).where(_free(now), deliveries.c.channel == channel)
    pick = pick.where(_first_in_line(now))
    pick = pick if of_all else pick.where(own(deliveries, tx))
    pick = pick.order_by(_urgent(deliveries.c), deliveries.c.attempts, deliveries.c.id).limit(limit)
    ids = tx.scalars(pick.with_for_update(skip_locked=True)).all()
    if not ids:
        return []
    lease = {"lease_by": me, "lease_until": now + LEASE_MS, "attempts": deliveries.c.attempts + 1}
    taken = update(deliveries).where(deliveries.c.id.in_(ids), _free(now)).values(lease)
    rows = [Sending(*row) for row in tx.execute(taken.returning(*_SENDING))]
    return sorted(rows, key=lambda row: ids.index(row.id))


def mark_sent(tx: Connection, id: int, now: int) -> None:
    """The channel took it. Also where it was dropped meanwhile: what was told was told."""
    done = {"state": "sent", "sent": now, "error": None, "lease_by": None, "lease_until": None}
    tx.execute(update(deliveries).where(deliveries.c.id == id).values(done))


def put_back(tx: Connection, id: int, me: str, due: int, error: str | None) -> None:
    """Not through yet: to be tried again at ``due``. Nothing happens to one that ``me`` does not hold."""
    values = {"due": due, "lease_by": None, "lease_until": None, "error": error and error[:500]}
    _held(tx, id, me, values)


def mark_failed(tx: Connection, id: int, me: str, error: str) -> None:
    """Given up. Nothing happens to one that ``me`` does not hold, or that was dropped meanwhile."""
    _held(tx, id, me, {"state": "failed", "error": error[:500], "lease_by": None, "lease_until": None})


def _held(tx: Connection, id: int, me: str, values: Mapping[str, Any]) -> None:
    mine = and_(deliveries.c.id == id, deliveries.c.lease_by == me, deliveries.c.state == "waiting")
    tx.execute(update(deliveries).where(mine).values(values))


def to_be_shown(connection: Connection, ids: Collection[int], wards: frozenset[str] | None) -> list[Sent]:
    """Those of ``ids`` that wait for a page of one of ``wards`` (None: all) to say that it shows them."""
    row = deliveries.c
    wanted = and_(row.id.in_(ids), row.channel == DASHBOARD, row.state == "waiting")
    if wards is not None:
        wanted = and_(wanted, or_(row.ward.in_(wards), row.ward == ""))
    return [Sent(*found) for found in connection.execute(select(*_SENT).where(wanted).order_by(row.id))]


def confirm_shown(tx: Connection, notice: Sent, by: str, now: int) -> bool:
    """A page shows it. False where another said so before."""
    waits = and_(deliveries.c.id == notice.id, deliveries.c.state == "waiting")
    done = {"state": "sent", "sent": now, "error": None, "lease_by": None, "lease_until": None}
    shown = {**notice.text, "shown_by": by}
    return bool(tx.execute(update(deliveries).where(waits).values(**done, text=shown)).rowcount)


def tests_on_screens(
    connection: Connection, ids: Collection[int], wards: frozenset[str] | None
) -> list[Sent]:
    """Of these, the test alerts that dashboards show, whatever became of them."""
    row = deliveries.c
    query = select(*_SENT).where(row.id.in_(list(ids)), row.reason == "test", row.channel == DASHBOARD)
    if wards is not None:
        query = query.where(row.ward.in_([*wards, ""]))
    return [Sent(*found) for found in connection.execute(query)]


def note_screen(tx: Connection, test: Sent, by: str, now: int) -> None:
    """One more screen shows a test alert; each name once."""
    text = get_delivery(tx, test.id).text
    screens = dict(text.get("screens", {}))
    if by not in screens:
        changed = {**text, "screens": {**screens, by: now}}
        tx.execute(update(deliveries).where(deliveries.c.id == test.id).values(text=changed))


def note_seen(tx: Connection, id: int, wards: frozenset[str] | None, by: str, now: int) -> Sent:
    """A person says that a test alert reached her. The first who says so stays.

    Raises NotFoundError for what is no test, or of a ward that is not among ``wards``.
    """
    found = get_delivery(tx, id, wards)
    if found.reason != "test":
        raise NotFoundError(f"no test {id}")
    if "seen_by" not in found.text:
        seen = {**found.text, "seen_by": by, "seen_at": now}
        tx.execute(update(deliveries).where(deliveries.c.id == id).values(text=seen))
    return get_delivery(tx, id, wards)


def get_delivery(connection: Connection, id: int, wards: frozenset[str] | None = None) -> Sent:
    """Raises NotFoundError, also for one of another ward."""
    row = connection.execute(select(*_SENT).where(deliveries.c.id == id)).one_or_none()
    if row is None or (wards is not None and row.ward and row.ward not in wards):
        raise NotFoundError(f"no delivery {id}")
    return Sent(*row)


def by_keys(connection: Connection, keys: Collection[str]) -> list[Sent]:
    """Those that stand under these keys, the earliest first."""
    query = select(*_SENT).where(deliveries.c.key.in_(keys)).order_by(deliveries.c.id)
    return [Sent(*row) for row in connection.execute(query)]


def deliveries_of(connection: Connection, alert: str) -> list[Sent]:
    """Who was told of an alert, or was to be told, the earliest first."""
    query = select(*_SENT).where(deliveries.c.alert == alert).order_by(deliveries.c.id)
    return [Sent(*row) for row in connection.execute(query)]


def deliveries_with(connection: Connection, alert: str, episode: str) -> list[Sent]:
    """Who was told of the other alerts of an episode, or is to be told, the earliest first; not that they are
    over."""
    others = and_(deliveries.c.episode == episode, deliveries.c.alert != alert)
    query = select(*_SENT).where(others, deliveries.c.reason != "resolved").order_by(deliveries.c.id)
    return [Sent(*row) for row in connection.execute(query)]


def last_tests(connection: Connection, wards: frozenset[str] | None) -> dict[str, Sent]:
    """The latest test of each channel, in these wards (None: all)."""
    return _latest(connection, deliveries.c.reason == "test", wards)


def last_failures(connection: Connection, wards: frozenset[str] | None) -> dict[str, Sent]:
    """The latest delivery of each channel that was given up, in these wards (None: all)."""
    return _latest(connection, deliveries.c.state == "failed", wards)


def _latest(
    connection: Connection, which: ColumnElement[bool], wards: frozenset[str] | None
) -> dict[str, Sent]:
    newest = select(func.max(deliveries.c.id)).where(which).group_by(deliveries.c.channel)
    if wards is not None:
        newest = newest.where(deliveries.c.ward.in_(wards))
    query = select(*_SENT).where(deliveries.c.id.in_(newest))
    return {row.channel: Sent(*row) for row in connection.execute(query)}


def waiting_of_channels(connection: Connection) -> dict[str, int]:
    """How many deliveries of each channel are not through."""
    query = select(deliveries.c.channel, func.count().label("waiting")).where(deliveries.c.state == "waiting")
    return {row.channel: row.waiting for row in connection.execute(query.group_by(deliveries.c.channel))}


def list_tests(
    connection: Connection, *, wards: frozenset[str] | None, cursor: str | None = None, limit: int = 100
) -> Page[Sent]:
    """Test alerts, the latest first; ``wards`` None: of every ward."""
    query = select(*_SENT).where(deliveries.c.reason == "test")
    if wards is not None:
        query = query.where(deliveries.c.ward.in_(wards))
    order = [deliveries.c.id]
    return page(connection, query, order, lambda row: Sent(*row), cursor=cursor, limit=limit, descending=True)


@dataclass(frozen=True, slots=True)
class Delay:
    """One alert and one delivery of it (its columns None where nobody was to be told)."""

    alert: str
    ward: str | None
    bed: str | None
    rule: str
    priority: str
    kind: str
    breach_since: int | None
    raised_at: int
    announced_at: int | None
    late: bool
    reason: str | None
    level: int | None
    person: str | None
    channel: str | None
    state: str | None
    sent: int | None


_OF_ALERT: Final = ("id", "ward", "bed", "rule", "priority", "kind", "breach_since", "raised_at")
_OF_BOTH: Final = [
    *(alerts.c[name] for name in (*_OF_ALERT, "announced_at", "late")),
    *(deliveries.c[name] for name in ("reason", "level", "person", "channel", "state", "sent")),
]


def delays(
    connection: Connection, *, since: int, until: int, wards: frozenset[str] | None, block: int = 1000
) -> Iterator[Sequence[Delay]]:
    """Of alerts raised in ``[since, until)``, in blocks, the earliest raised first."""
    wanted = and_(alerts.c.raised_at >= since, alerts.c.raised_at < until)
    if wards is not None:
        wanted = and_(wanted, alerts.c.ward.in_(wards))
    joined = alerts.outerjoin(deliveries, deliveries.c.alert == alerts.c.id)
    query = select(*_OF_BOTH).select_from(joined).where(wanted)
    query = query.order_by(alerts.c.raised_at, alerts.c.id, deliveries.c.id)
    result = connection.execution_options(stream_results=True).execute(query)
    for rows in result.partitions(block):
        yield [Delay(*row) for row in rows]
