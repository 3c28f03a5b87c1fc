"""The database: tables, migrations, queries (SQLite and PostgreSQL)."""
