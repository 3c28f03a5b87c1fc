"""Everything that is kept of one stay, where it is, and how it goes (GDPR, Art. 15 and 17).

The audit trail keeps its lines, which name the stay and never the patient; ``erasures`` keeps that the stay
was erased. What the core and the journal hold is ``ward.live.forget``'s part.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    Table,
    cast,
    delete,
    false,
    func,
    or_,
    select,
    text,
    update,
)

from ward.errors import ConflictError, NotFoundError
from ward.signals import HOUR
from ward.store import schema
from ward.store.sql import insert_into
from ward.store.tables import (
    Text,
    alerts,
    assignments,
    dead_letters,
    deliveries,
    draft_log,
    drafts,
    erasures,
    events,
    history,
    idempotency,
    meta,
    outbox,
    rules,
    stays,
    trials,
)

AFTER: Final = HOUR
"""What a device sent may come so long (ms) after the stay has ended."""
SHORTEST_REF: Final = 4
"""A shorter reference would be found in what has nothing to do with it."""
CHECKPOINT_MS: Final = 3_000


@dataclass(frozen=True, slots=True)
class Subject:
    """One stay, with what tells where else it may be found."""

    stay: str
    ward: str
    ref: str
    start: int
    end: int | None
    devices: tuple[tuple[str, str, int, int | None], ...]
    """ward, device, start, end"""


def _refused(subject: Subject, dialect: str) -> ColumnElement[bool]:
    """What the stay's devices sent in its time and was refused, and what names the patient."""
    found: list[ColumnElement[bool]] = [false()]
    for ward, device, start, end in subject.devices:
        of_device = (dead_letters.c.ward == ward) & (dead_letters.c.device == device)
        in_time = dead_letters.c.received >= start
        if end is not None:
            in_time &= dead_letters.c.received < end + AFTER
        found.append(of_device & in_time)
    names = [name for name in (subject.ref, subject.stay) if len(name) >= SHORTEST_REF]
    payload = dead_letters.c.payload
    written = func.hex(payload) if dialect == "sqlite" else func.upper(func.encode(payload, "hex"))
    found += [written.contains(name.encode().hex().upper()) for name in names]
    found += [dead_letters.c.detail.contains(name, autoescape=True) for name in names]
    return or_(*found)


@dataclass(frozen=True, slots=True)
class Holding:
    """Rows of one table that are of a stay."""

    name: str
    table: Table
    of: Callable[[Subject, str], ColumnElement[bool]]
    number: ColumnElement[int] = field(default_factory=func.count)
    """How many there are of what the kind is called: a row of the history holds many readings."""


def _drafts_of(subject: Subject) -> Select[tuple[str]]:
    return select(drafts.c.id).where(drafts.c.scope == f"stay:{subject.stay}")


# In the order in which they go: what is found by another comes before that other.
HOLDINGS: Final = (
    Holding("published", outbox, lambda s, d: outbox.c.payload.contains(s.stay, autoescape=True)),
    Holding("told", deliveries, lambda s, d: deliveries.c.stay == s.stay),
    Holding("events", events, lambda s, d: events.c.stay == s.stay),
    Holding("alerts", alerts, lambda s, d: alerts.c.stay == s.stay),
    Holding(
        "readings", history, lambda s, d: history.c.stay == s.stay,
        func.coalesce(func.sum(history.c.count), 0),
    ),
    Holding("refused", dead_letters, _refused),
    Holding("limits", rules, lambda s, d: rules.c.scope == f"stay:{s.stay}"),
    Holding("words on drafts", draft_log, lambda s, d: draft_log.c.draft.in_(_drafts_of(s))),
    Holding("trials", trials, lambda s, d: trials.c.scope == f"stay:{s.stay}"),
    Holding("drafts", drafts, lambda s, d: drafts.c.scope == f"stay:{s.stay}"),
    Holding("book", meta, lambda s, d: meta.c.key == f"book:{s.stay}"),
    Holding(
        "requests", idempotency,
        lambda s, d: idempotency.c.route.contains(s.stay, autoescape=True)
        | cast(idempotency.c.body, Text).contains(s.stay, autoescape=True),
    ),
    Holding("devices", assignments, lambda s, d: assignments.c.stay == s.stay),
    Holding("stay", stays, lambda s, d: stays.c.id == s.stay),
)  # fmt: skip


def subject(connection: Connection, stay: str) -> Subject | None:
    """None for a stay that is not there."""
    row = connection.execute(select(stays).where(stays.c.id == stay)).one_or_none()
    if row is None:
        return None
    query = select(assignments.c.ward, assignments.c.device, assignments.c.start, assignments.c.end)
    spans = connection.execute(query.where(assignments.c.stay == stay).order_by(assignments.c.id)).all()
    devices = tuple((span.ward, span.device, span.start, span.end) for span in spans)
    return Subject(row.id, row.ward, row.patient_ref, row.start, row.end, devices)


def stays_of(connection: Connection, refs: list[str]) -> list[str]:
    """The stays that have one of these references, the earliest first."""
    query = select(stays.c.id).where(stays.c.patient_ref.in_(refs)).order_by(stays.c.start, stays.c.id)
    return list(connection.scalars(query))


def held(connection: Connection, of: Subject) -> dict[str, int]:
    """How much there is of a stay, by kind: readings, alerts, …"""
    return {holding.name: _number(connection, holding, of) for holding in HOLDINGS}


def _number(connection: Connection, holding: Holding, of: Subject) -> int:
    query = select(holding.number).select_from(holding.table)
    return int(connection.scalar(query.where(holding.of(of, connection.dialect.name))) or 0)


@dataclass(frozen=True, slots=True)
class Erased:
    """``done`` (the machine's time, ms) None: the core has still to forget it."""

    stay: str
    asked: int
    by: str
    done: int | None
    rows: dict[str, int] | None


def require_ended(connection: Connection, stay: str) -> Subject:
    """What is to be erased. Raises NotFoundError, or ConflictError while the patient is there."""
    found = subject(connection, stay)
    if found is None:
        raise NotFoundError(f"no stay {stay}")
    if found.end is None:
        raise ConflictError(f"stay {stay} is not over: discharge the patient first", stay=stay)
    return found


def ask(tx: Connection, stay: str, by: str, now: int) -> None:
    """Have the running core erase a stay. Raises as ``require_ended``, but not for one that was erased."""
    if get_erasure(tx, stay) is None:
        require_ended(tx, stay)
        row = {"stay": stay, "asked": now, "by": by}
        tx.execute(insert_into(tx, erasures).values(row).on_conflict_do_nothing(index_elements=["stay"]))


def erase(tx: Connection, stay: str, by: str, now: int) -> Erased:
    """Delete the rows of a stay that is over; ``finish`` says when the rest is done, too.

    Raises NotFoundError, ConflictError. A stay that was erased before stays erased.
    """
    ask(tx, stay, by, now)
    known = get_erasure(tx, stay)
    assert known is not None
    of = subject(tx, stay)
    if of is None:
        return known
    gone = {}
    for holding in HOLDINGS:
        gone[holding.name] = _number(tx, holding, of)
        tx.execute(delete(holding.table).where(holding.of(of, tx.dialect.name)))
    tx.execute(update(erasures).where(erasures.c.stay == stay).values(rows=gone))
    return Erased(stay, known.asked, known.by, known.done, gone)


def finish(tx: Connection, stay: str, now: int) -> Erased:
    unfinished = (erasures.c.stay == stay) & erasures.c.done.is_(None)
    tx.execute(update(erasures).where(unfinished).values(done=now))
    found = get_erasure(tx, stay)
    assert found is not None
    return found


def get_erasure(connection: Connection, stay: str) -> Erased | None:
    columns = (erasures.c[name] for name in ("stay", "asked", "by", "done", "rows"))
    row = connection.execute(select(*columns).where(erasures.c.stay == stay)).one_or_none()
    return None if row is None else Erased(*row)


def asked(connection: Connection) -> list[str]:
    """Stays whose erasure was asked for and is not done."""
    query = select(erasures.c.stay).where(erasures.c.done.is_(None)).order_by(erasures.c.id)
    return list(connection.scalars(query))


def scrub(engine: Engine, wait_ms: int = CHECKPOINT_MS) -> bool:
    """Have what was deleted leave the files, too; False if somebody read all the while: then it goes later.

    SQLite: the write-ahead log goes into the file, where deleted rows are zeroes (``secure_delete``), and
    copies from before a change of the schema go. PostgreSQL: dead rows are freed, to be written over.
    """
    for copy in schema.copies(engine):
        copy.unlink(missing_ok=True)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for name in dict.fromkeys([*(h.table.name for h in HOLDINGS), "journal", "snapshots"]):
                connection.execute(text(f"VACUUM {name}"))
        return True
    deadline = time.monotonic() + wait_ms / 1000
    while True:
        raw = engine.raw_connection()
        try:
            raw.driver_connection.execute("PRAGMA busy_timeout=200")  # type: ignore[union-attr]
            busy, *_ = raw.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()  # type: ignore[union-attr]
        finally:
            raw.invalidate()  # with its short patience it is of no use to others
            raw.close()
        if not busy:
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
