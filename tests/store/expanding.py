"""What a migration that ``expands`` may say to a database, so that the ward before it goes on beside."""

from __future__ import annotations

import re
from collections.abc import Sequence

_FREE = (r"BEGIN\b", r"SELECT\b", r"PRAGMA\b", r"UPDATE alembic_version\b", r"INSERT INTO alembic_version\b")
_CONSTANT = r"'[^']*'|\(?-?\d+\)?|true|false|NULL"
_ADD = re.compile(r'ALTER TABLE "?(\w+)"? ADD COLUMN (.*)', re.DOTALL)
_INDEX = re.compile(r'CREATE (UNIQUE )?INDEX "?\w+"? ON "?(\w+)"?', re.DOTALL)
_TABLE = re.compile(r'CREATE TABLE "?(\w+)"? \((.*)\)', re.DOTALL)


def trips(statements: Sequence[str]) -> list[str]:
    """Those, each with the reason, over which the ward before could trip; none is as it should be."""
    made: set[str] = set()
    return [f"{why}: {one.strip()}" for one in statements if (why := _why(one.strip(), made))]


def _why(said: str, made: set[str]) -> str | None:
    if any(re.match(free, said) for free in _FREE):
        return None
    if table := _TABLE.fullmatch(said):
        made.add(table[1])
        return _of_references(table[2])
    if index := _INDEX.match(said):
        only_new = index[1] and index[2] not in made
        return "it may write what this index refuses" if only_new else None
    if column := _ADD.fullmatch(said):
        return None if column[1] in made else _of_column(column[2])
    return "only tables, columns and indexes may be added"


def _of_references(columns: str) -> str | None:
    for reference in re.findall(r"REFERENCES [^,]*", columns):
        if not re.search(r"ON DELETE (CASCADE|SET NULL)", reference):
            return "it could not delete what this refers to"
    return None


def _of_column(column: str) -> str | None:
    if re.search(r"\b(REFERENCES|UNIQUE|CHECK|GENERATED|PRIMARY)\b", column):
        return "a new column may only hold something"
    if "DEFAULT" in column and not re.search(rf"DEFAULT ({_CONSTANT})(\s|$)", column):
        return "every row would be written anew"
    if "NOT NULL" in column and "DEFAULT" not in column:
        return "it does not know this column, and leaves it out"
    return None
