"""Alembic's entry: runs inside the transaction that ``migrate`` hands over."""

from __future__ import annotations

from alembic import context

from ward.store.tables import metadata

connection = context.config.attributes.get("connection")
if connection is None:
    raise RuntimeError("migrations are run by ward.store.database.migrate(engine)")
context.configure(connection=connection, target_metadata=metadata, compare_server_default=True)
with context.begin_transaction():
    context.run_migrations()
