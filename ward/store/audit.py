"""The audit trail: append-only, each line chained to the one before by a hash.

A line's hash is SHA-256 over all its fields and the hash of the line before, so a line cannot be altered,
removed, put in or moved without every later hash changing; ``verify`` names the first that does not fit.
Lines count 1, 2, … without holes. What the chain alone cannot show, a tail cut off or a chain made anew
from some line on, is shown by a head kept elsewhere (``ward.store.audit_head``, exported lines).

Lines name people by their login and patients by their stay; a patient's reference is never in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, field, fields, replace
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, insert, select, text

from ward.errors import ConflictError
from ward.store.database import to_json
from ward.store.sql import Page, page
from ward.store.tables import audit

GENESIS: Final = "0" * 64
"""What stands for the hash of the line before the first."""
LOCK: Final = 0x61756469
"""PostgreSQL's advisory lock ("audi"): writers append in turn, so that the chain has one order."""
BLOCK: Final = 1000
PRUNE: Final = "audit.prune"
GAP: Final = "audit.gap"


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be told. ``at`` is the machine's time in ms.

    ``actor``: a person's or token's name, "" where nobody is known; ``actor_id``: its id as a principal.
    ``action``: a word such as ``token.create``; from the web the operationId of the call.
    ``object``: what it was done to, ``kind:id``. ``outcome``: asked (a change about to be tried), done,
    refused or failed. ``source``: web, cli or system. ``detail``: small, JSON; no secret, no patient's name.
    """

    at: int
    actor: str
    role: str | None
    action: str
    object: str | None = None
    ward: str | None = None
    outcome: str = "done"
    detail: Mapping[str, Any] = field(default_factory=dict)
    actor_id: str | None = None
    stay: str | None = None
    source: str = "system"


@dataclass(frozen=True, slots=True)
class Line:
    """An entry in its place. ``detail`` is the JSON text that was hashed."""

    seq: int
    at: int
    actor: str
    actor_id: str | None
    role: str | None
    action: str
    object: str | None
    stay: str | None
    ward: str | None
    outcome: str
    source: str
    detail: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """The last line's number and hash: who knows it can tell whether anything up to it was changed."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """``lines`` that fit, up to ``head``; else the first ``bad`` one's number and what is ``wrong``."""

    lines: int
    head: Head
    bad: int | None = None
    wrong: str | None = None

    @property
    def holds(self) -> bool:
        return self.wrong is None


COLUMNS: Final = [audit.c[each.name] for each in fields(Line)]


def append(tx: Connection, entries: Iterable[Entry]) -> Head | None:
    """Write entries at the end of the chain, in their order; durable when ``tx`` is.

    ``tx`` must be a writer's transaction (``engine.begin()``). On PostgreSQL other writers of the trail wait
    until it ends, so append last. The last line's number and hash; None for no entries.
    """
    listed = list(entries)
    if not listed:
        return None
    if tx.dialect.name == "postgresql":
        tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    last = head(tx)
    lines = []
    for entry in listed:
        line = _line(entry, last)
        last = Head(line.seq, line.hash)
        lines.append({each.name: getattr(line, each.name) for each in fields(Line)})
    tx.execute(insert(audit), lines)
    return last


def head(connection: Connection) -> Head:
    """The last line; ``Head(0, GENESIS)`` before the first."""
    query = select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return Head(0, GENESIS) if row is None else Head(row.seq, row.hash)


def hash_at(connection: Connection, seq: int) -> str | None:
    """The hash of one line, None if there is no such line."""
    if seq == 0:
        return GENESIS
    return connection.scalar(select(audit.c.hash).where(audit.c.seq == seq))


def read(
    connection: Connection, *, after: int = 0, until: int | None = None, since: int | None = None
) -> Iterator[Line]:
    """Lines in their order: after line ``after``, up to line ``until``, written since ``since`` (ms)."""
    while True:
        query = select(*COLUMNS).where(audit.c.seq > after).order_by(audit.c.seq).limit(BLOCK)
        if since is not None:
            query = query.where(audit.c.at >= since)
        if until is not None:
            query = query.where(audit.c.seq <= until)
        rows = connection.execute(query).all()
        yield from (Line(*row) for row in rows)
        if len(rows) < BLOCK:
            return
        after = rows[-1].seq


def search(
    connection: Connection,
    *,
    wards: frozenset[str] | None = None,
    stay: str | None = None,
    actor: str | None = None,
    action: str | None = None,
    start: int | None = None,
    end: int | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Page[Line]:
    """The latest first. ``wards`` None: all lines; else only those of these wards. ``[start, end)`` in ms."""
    query = select(*COLUMNS)
    if wards is not None:
        query = query.where(audit.c.ward.in_(wards))
    for column, wanted in ((audit.c.stay, stay), (audit.c.actor, actor), (audit.c.action, action)):
        if wanted is not None:
            query = query.where(column == wanted)
    if start is not None:
        query = query.where(audit.c.at >= start)
    if end is not None:
        query = query.where(audit.c.at < end)
    return page(
        connection, query, [audit.c.seq], lambda row: Line(*row), cursor=cursor, limit=limit, descending=True
    )


def verify(
    connection: Connection, *, after: int = 0, until: int | None = None, known: Iterable[Head] = ()
) -> Verdict:
    """Go through the chain behind line ``after`` and say whether it holds, or where it first does not.

    ``known``: heads from elsewhere; those of the lines gone through must be the same, and none may be
    missing. A beginning that was pruned is right if a later line says so and with which hash it ended.
    """
    marks = {mark.seq: mark.hash for mark in known if mark.seq > after}
    last = Head(after, hash_at(connection, after) or "")
    count = 0
    for line in read(connection, after=after, until=until):
        if not count and (not last.hash or (after == 0 and line.seq > 1)):
            last = Head(line.seq - 1, line.previous)
            if not _was_pruned(connection, last):
                wrong = f"lines up to {last.seq} are missing and no line says that they were pruned"
                return Verdict(0, last, after + 1, wrong)
        misfit = _wrong(line, last, marks)
        if misfit:
            return Verdict(count, last, last.seq + 1, misfit)
        count += 1
        last = Head(line.seq, line.hash)
    cut = min((seq for seq in marks if seq > last.seq), default=None)
    if cut is not None and until is None:
        wrong = f"the trail ends at line {last.seq}, but line {cut} is known: its end was cut off"
        return Verdict(count, last, last.seq + 1, wrong)
    return Verdict(count, last)


def prune(engine: Engine, before: int, entry: Entry) -> int:
    """Remove the oldest lines, those written before ``before`` (ms); how many went.

    Only a beginning that verifies goes, and ``entry`` says so in the trail: its action, object and detail are
    set here. The trail's last line always stays. Raises ConflictError if the chain does not hold.
    """
    with engine.connect() as connection:
        kept = connection.scalar(
            select(audit.c.seq).where(audit.c.at >= before).order_by(audit.c.seq).limit(1)
        )
        through = (head(connection).seq if kept is None else kept) - 1
        found = hash_at(connection, through) if through > 0 else None
        if found is None:
            return 0
        verdict = verify(connection, until=through)
    if not verdict.holds:
        raise ConflictError(f"the audit trail does not hold at line {verdict.bad}: {verdict.wrong}")
    said = {"through": through, "hash": found}
    with engine.begin() as tx:
        append(tx, [replace(entry, action=PRUNE, object=str(through), detail=said)])
    total = 0
    while True:  # a few at a time: other writers wait for moments only
        with engine.begin() as tx:
            oldest = select(audit.c.seq).where(audit.c.seq <= through).order_by(audit.c.seq).limit(BLOCK)
            gone = tx.execute(delete(audit).where(audit.c.seq.in_(oldest))).rowcount
        total += gone
        if gone < BLOCK:
            return total


def digest(line: Line) -> str:
    """The hash that a line must have."""
    content = json.dumps([1, *astuple(line)[:-1]], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(content.encode("ascii")).hexdigest()


def _line(entry: Entry, last: Head) -> Line:
    told = json.loads(to_json(json.loads(json.dumps(entry.detail, default=str))))
    detail = json.dumps(told, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    line = Line(
        last.seq + 1,
        entry.at,
        actor=_plain(entry.actor),
        actor_id=_plain(entry.actor_id),
        role=_plain(entry.role),
        action=_plain(entry.action),
        object=_plain(entry.object),
        stay=_plain(entry.stay),
        ward=_plain(entry.ward),
        outcome=_plain(entry.outcome),
        source=_plain(entry.source),
        detail=detail,
        previous=last.hash,
        hash="",
    )
    return replace(line, hash=digest(line))


def _plain(value: Any) -> Any:
    """Text as the database will give it back (see ``Text``), so that the hash still fits."""
    return audit.c.actor.type.process_bind_param(value, None)  # type: ignore[attr-defined]


def _wrong(line: Line, last: Head, marks: Mapping[int, str]) -> str | None:
    if line.seq != last.seq + 1:
        return f"line {last.seq + 1} is missing: line {line.seq} follows"
    if line.previous != last.hash:
        return "it does not follow the line before: one of them was replaced, put in or moved"
    if digest(line) != line.hash:
        return "its content was altered"
    if marks.get(line.seq, line.hash) != line.hash:
        return "its hash is not the one that is known: the trail was written anew from some line on"
    return None


def _was_pruned(connection: Connection, end: Head) -> bool:
    """Whether a line says that the beginning up to ``end`` was removed."""
    query = select(audit.c.detail).where(audit.c.action == PRUNE, audit.c.object == str(end.seq))
    said = json.dumps({"through": end.seq, "hash": end.hash}, sort_keys=True, separators=(",", ":"))
    return said in connection.scalars(query).all()
