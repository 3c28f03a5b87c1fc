"""Drafts of changed rules, and the log of who did what with each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, select, update

from ward.alerts.drafts import State
from ward.errors import ConflictError, NotFoundError
from ward.store.sql import Page, page
from ward.store.tables import draft_log, drafts


@dataclass(frozen=True, slots=True)
class Draft:
    """``changes``: of each rule ``{rule, base, change, after}``; ``made``: once it is in force
    ``{rule, version, before}`` of each, ``before`` being the scope's own version until then (0: none)."""

    id: str
    title: str
    why: str | None
    scope: str
    state: State
    changes: list[dict[str, Any]]
    trial: dict[str, Any] | None
    by: str
    by_id: str
    at: int
    approved_by: str | None = None
    approved_at: int | None = None
    made: list[dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a draft's log."""

    draft: str
    at: int
    by: str
    kind: str
    text: str | None = None


DRAFT = [drafts.c[field.name] for field in fields(Draft)]
ENTRY = [draft_log.c[field.name] for field in fields(Entry)]


def add_draft(tx: Connection, draft: Draft) -> None:
    tx.execute(drafts.insert().values({c: getattr(draft, c.name) for c in DRAFT}))
    note(tx, Entry(draft.id, draft.at, draft.by, "propose", draft.why))


def get_draft(connection: Connection, id: str) -> Draft:
    """Raises NotFoundError."""
    row = connection.execute(select(*DRAFT).where(drafts.c.id == id)).one_or_none()
    if row is None:
        raise NotFoundError(f"no draft {id}")
    return Draft(*row)


def list_drafts(
    connection: Connection,
    *,
    states: Collection[str] | None = None,
    scopes: Collection[str] | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Page[Draft]:
    """The latest first; of these states and scopes only."""
    query = select(*DRAFT)
    if states is not None:
        query = query.where(drafts.c.state.in_(list(states)))
    if scopes is not None:
        query = query.where(drafts.c.scope.in_(list(scopes)))
    order = [drafts.c.at, drafts.c.id]
    return page(
        connection, query, order, lambda row: Draft(*row), cursor=cursor, limit=limit, descending=True
    )


def move_draft(tx: Connection, draft: Draft, entry: Entry, **changes: Any) -> Draft:
    """Change a draft that is still in the state that was read, and note why.

    Raises ConflictError where somebody else was first: of two at once the database lets one through.
    """
    still = (drafts.c.id == draft.id) & (drafts.c.state == draft.state)
    if not tx.execute(update(drafts).where(still).values(**changes)).rowcount:
        raise ConflictError("somebody else changed this draft meanwhile; read it again", code="draft-state")
    note(tx, entry)
    return get_draft(tx, draft.id)


def note(tx: Connection, entry: Entry) -> None:
    tx.execute(draft_log.insert().values({c: getattr(entry, c.name) for c in ENTRY}))


def log_of(connection: Connection, draft: str) -> list[Entry]:
    """The earliest first."""
    query = select(*ENTRY).where(draft_log.c.draft == draft).order_by(draft_log.c.id)
    return [Entry(*row) for row in connection.execute(query)]
