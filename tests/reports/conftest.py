"""Reports on SQLite and on PostgreSQL."""

from tests.databases import (  # noqa: F401
    database_url,
    engine,
    postgres_engine,
    postgres_server,
    postgres_url,
    sqlite_engine,
    sqlite_url,
)
