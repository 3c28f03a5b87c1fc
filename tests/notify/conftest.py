from tests.databases import (  # noqa: F401 - fixtures
    database_url,
    engine,
    postgres_engine,
    postgres_server,
    postgres_url,
    sqlite_engine,
    sqlite_url,
)
