"""What the queries share: insert-or-update on both databases, and pages of a list."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, Table, literal, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from ward.errors import InvalidError

T = TypeVar("T")

MAX_PAGE: Final = 1000


def insert_into(tx: Connection, table: Table) -> Any:
    """An INSERT that knows ON CONFLICT, for the database at hand."""
    return (sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert)(table)


def upsert(tx: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows, all with the same columns; where the primary key exists, set the other columns."""
    listed = list(rows)
    if not listed:
        return
    statement = insert_into(tx, table)
    keys = [column.name for column in table.primary_key]
    others = {name: statement.excluded[name] for name in listed[0] if name not in keys}
    tx.execute(statement.on_conflict_do_update(index_elements=keys, set_=others), listed)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list; ``next`` is the cursor of the following one, None at the end."""

    items: list[T]
    next: str | None


def page(
    connection: Connection,
    query: Select[Any],
    order: Sequence[ColumnElement[Any]],
    make: Callable[[Any], T],
    *,
    cursor: str | None = None,
    limit: int = 100,
    descending: bool = False,
) -> Page[T]:
    """A page of ``query`` sorted by ``order`` (together unique), by keyset: rows that come or go
    meanwhile neither repeat nor hide others.

    Raises InvalidError for a limit outside 1..MAX_PAGE and a cursor that this list did not give.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidError(f"limit must be 1 to {MAX_PAGE}", field="limit")
    if cursor is not None:
        keys = zip(_decode(cursor, order), order, strict=True)
        after = tuple_(*(literal(key, column.type) for key, column in keys))
        place = tuple_(*order)
        query = query.where(place < after if descending else place > after)
    query = query.order_by(*(column.desc() if descending else column for column in order))
    rows = connection.execute(query.limit(limit + 1)).all()
    more = len(rows) > limit
    last = rows[limit - 1]._mapping if more else None
    return Page(
        [make(row) for row in rows[:limit]],
        None if last is None else _encode([last[column] for column in order]),
    )


def _encode(keys: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(keys).encode()).decode().rstrip("=")


def _decode(cursor: str, order: Sequence[ColumnElement[Any]]) -> list[Any]:
    try:
        keys = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True))
        kinds = [column.type.python_type for column in order]
        if not isinstance(keys, list) or [type(key) for key in keys] != kinds:
            raise ValueError
        if any(isinstance(key, int) and not -(2**63) <= key < 2**63 for key in keys):
            raise ValueError
    except (ValueError, binascii.Error, RecursionError):
        raise InvalidError("this cursor is not one of this list", field="cursor") from None
    return keys
