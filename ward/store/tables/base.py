"""What the tables share: their ``MetaData`` and the types that SQLite and PostgreSQL have in common."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import JSON, BigInteger, Integer, MetaData, TypeDecorator
from sqlalchemy import Text as AnyText

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Text(TypeDecorator[str]):
    """Text that both databases take: what they refuse (NUL, half a surrogate pair) becomes a mark.

    What devices send ends up in topics, sessions and dead letters; storing it must not fail.
    """

    impl = AnyText
    cache_ok = True

    @property
    def python_type(self) -> type[str]:
        return str

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        if value is None or (value.isascii() and "\0" not in value):
            return value
        return value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


Serial: Final = BigInteger().with_variant(Integer(), "sqlite")
"""Counts upwards; SQLite does so only for a column declared INTEGER."""
Json: Final = JSON(none_as_null=True)
