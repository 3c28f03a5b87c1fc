"""What a database holds, to be compared with what another one holds."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, select

from ward.protection.backup import counter, tables


def rows(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, in the order of its key."""
    with engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in tables(connection)
        }


def counters(engine: Engine) -> dict[str, int]:
    """The highest number that each table which counts ever gave."""
    with engine.connect() as connection:
        found = {table.name: counter(connection, table) for table in tables(connection)}
    return {name: given for name, given in found.items() if given}
